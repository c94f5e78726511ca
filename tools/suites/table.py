"""The checked-in results of a suite: test/suites/NAME.txt.

A line is: test, result on Vitrine, result on Linux under the same emulation, and where Linux passes and
Vitrine does not, why.  `-` means not measured.
"""

import os

RESULTS = ("pass", "skip", "fail", "hang", "-")


class Row:
    def __init__(self, vitrine="-", linux="-", why=""):
        self.vitrine, self.linux, self.why = vitrine, linux, why

    def needs_reason(self):
        return self.linux == "pass" and self.vitrine != "pass"


class Table:
    def __init__(self, path):
        self.path = path
        self.rows = {}
        if os.path.exists(path):
            with open(path, encoding="utf-8") as file:
                for line in file:
                    if not line.startswith("#"):
                        self._read(line.rstrip("\n"))

    def _read(self, line):
        words = line.split(maxsplit=3)
        if len(words) < 3 or words[1] not in RESULTS or words[2] not in RESULTS:
            raise SystemExit(f"{self.path}: not a row: {line}")
        self.rows[words[0]] = Row(*words[1:])

    def lost(self, results):
        """[(test, result)] of what passed when the table was written and does not now."""
        return [(test, results.get(test, "missing")) for test, row in self.rows.items()
                if row.vitrine == "pass" and results.get(test) != "pass"]

    def unexplained(self, results):
        """What Linux passes, this run did not, and nobody has said why."""
        return [test for test, row in self.rows.items()
                if row.linux == "pass" and results.get(test) != "pass" and not row.why]

    def take(self, results, system):
        """The results of one system become the table's."""
        for test, result in results.items():
            row = self.rows.setdefault(test, Row())
            setattr(row, system, result)
            if not row.needs_reason():
                row.why = ""

    def counts(self, system):
        found = [getattr(row, system) for row in self.rows.values()]
        return {result: found.count(result) for result in RESULTS if result in found}

    def summary(self):
        def text(system):
            return ", ".join(f"{count} {result}" for result, count in self.counts(system).items() if result != "-")
        return f"Vitrine: {text('vitrine') or 'not measured'}; Linux: {text('linux') or 'not measured'}"

    def write(self):
        width = max(map(len, self.rows), default=0)
        with open(self.path, "w", encoding="utf-8") as file:
            file.write("# Written by tools/run-suites --update, but for the reasons.\n"
                       f"# {self.summary()}\n# test, Vitrine, Linux, why they differ\n")
            for test, row in sorted(self.rows.items()):
                file.write(f"{test:{width}} {row.vitrine:4} {row.linux:4} {row.why}".rstrip() + "\n")
