"""A writer of build.ninja that remembers which directories and files were consulted."""

import os


def escape(path):
    return path.replace("$", "$$").replace(" ", "$ ").replace(":", "$:")


class Ninja:
    """Collects rules and build statements.

    Every directory that `sources` lists becomes an input of build.ninja itself, so that a new or
    removed file makes ninja run configure.py again.
    """

    def __init__(self, build_dir):
        self.build_dir = build_dir
        self._lines = []
        self._consulted = set()
        own = os.path.relpath(os.path.dirname(os.path.abspath(__file__)))
        self._consulted.update(self.sources(own, ".py"))

    def comment(self, text):
        self._lines.append(f"# {text}")

    def variable(self, name, value):
        self._lines.append(f"{name} = {value}")

    def rule(self, name, command, description, **options):
        self._lines += ["", f"rule {name}", f"  command = {command}", f"  description = {description}"]
        self._lines += [f"  {key} = {value}" for key, value in options.items()]

    def build(self, output, rule, inputs, implicit=(), order_only=(), **variables):
        line = f"build {escape(output)}: {rule}"
        for separator, paths in (("", inputs), (" |", implicit), (" ||", order_only)):
            if paths:
                line += separator + "".join(" " + escape(path) for path in paths)
        self._lines += ["", line]
        self._lines += [f"  {key} = {value}" for key, value in variables.items()]

    def phony(self, name, inputs):
        self.build(name, "phony", inputs)

    def default(self, targets):
        self._lines += ["", "default " + " ".join(escape(target) for target in targets)]

    def product(self, path):
        """The path of something built."""
        return f"{self.build_dir}/{path}"

    def sources(self, directory, *suffixes, recursive=True):
        """Files below `directory` that end in one of `suffixes`, sorted."""
        found = []
        for here, directories, files in os.walk(directory):
            directories[:] = sorted(d for d in directories if d != "__pycache__") if recursive else []
            self._consulted.add(here)
            found += [os.path.join(here, name) for name in files
                      if name.endswith(suffixes) and not name.startswith(".")]
        return sorted(found)

    def consulted(self):
        return sorted(self._consulted)

    def text(self):
        return "\n".join(self._lines) + "\n"
