"""Where the guest's kernel spends its instructions: counts for each one, summed by function."""

import bisect
import struct
import subprocess

INSTRUCTION_BYTES = 4
SHOWN = 60


class Symbols:
    """The functions of a kernel, by address."""

    def __init__(self, kernel_elf):
        lines = subprocess.run(["llvm-nm", "--numeric-sort", kernel_elf], check=True,
                               stdout=subprocess.PIPE, text=True).stdout.splitlines()
        found = [(int(address, 16), name) for address, kind, name in (line.split() for line in lines if line[0] != " ")
                 if kind in "tT" and not name.startswith("$")]
        self.addresses = [address for address, _ in found]
        self.names = [name for _, name in found]
        self.start, self.end = self.addresses[0], self.addresses[-1]

    def function(self, address):
        return self.names[bisect.bisect_right(self.addresses, address) - 1]


class Profile:
    """Counters as the plugin fills them: all instructions, then one for each address."""

    def __init__(self, symbols):
        self.symbols = symbols
        self.count = (symbols.end - symbols.start) // INSTRUCTION_BYTES
        self.bytes = 8 * (1 + self.count)
        self.options = f",text=0x{symbols.start:x}"

    def snapshot(self, memory):
        return struct.unpack(f"<{1 + self.count}Q", memory[:self.bytes])

    def show(self, before, after, units):
        """Prints the functions with the most instructions for each unit, and how often each was called."""
        spent, calls = {}, {}
        for i in range(1, 1 + self.count):
            if after[i] == before[i]:
                continue
            address = self.symbols.start + (i - 1) * INSTRUCTION_BYTES
            name = self.symbols.function(address)
            calls.setdefault(name, after[i] - before[i])  # of the first instruction that is executed
            spent[name] = spent.get(name, 0) + after[i] - before[i]
        total = after[0] - before[0]
        spent["(processes)"] = total - sum(spent.values())
        print(f"{'instructions':>14} {'share':>8} {'calls':>10} {'each':>8}  function")
        for name, count in sorted(spent.items(), key=lambda entry: -entry[1])[:SHOWN]:
            called = calls.get(name, 0)
            print(f"{count / units:14,.1f} {100 * count / total:6.2f} % {called / units:10,.2f} "
                  f"{count / called if called else 0:8,.1f}  {name}")
