"""The same net/ and drivers/virtio/ files built for this machine, in as many ways as they are used.

host      fast: libvitrine.a, libvitrine-packetdrill.so, the programs of test/host/programs/
bench     as the kernel is built, functions inlined across files: the benchmarks
check     under the address and undefined-behaviour sanitizers: the unit tests, and the programs again
fuzz      as check, instrumented for libFuzzer: the targets of test/host/fuzz/
coverage  the unit tests once more, counting which lines and branches they run
"""

import os

COMMON = ("-std=c17 -D_GNU_SOURCE -g -fPIC -fno-omit-frame-pointer -fno-common -fno-strict-aliasing "
          "-Wall -Wextra -Werror -Wthread-safety -Wmissing-prototypes -Wstrict-prototypes -Wvla "
          "-Wshadow -Wundef -I.")
SANITIZE = "-fsanitize=address,undefined"
COVERAGE = "-fprofile-instr-generate -fcoverage-mapping"

# Variant: compiler flags, linker flags.
VARIANTS = {
    "host": ("-O2", ""),
    "bench": ("-O2 -flto=thin", "-O2 -flto=thin -Wl,-mllvm,-inline-threshold=350 -Wl,-mllvm,-import-instr-limit=150"),
    "check": (f"-O1 {SANITIZE} -fno-sanitize-recover=all", SANITIZE),
    "fuzz": (f"-O1 {SANITIZE},fuzzer-no-link -fno-sanitize-recover=all", f"{SANITIZE},fuzzer"),
    "coverage": (f"-O1 {COVERAGE}", COVERAGE),
}

# Of the kernel's ground floor only what has no machine in it; test/host/services/ has the rest.
KERNEL_SOURCES = ["kernel/iov.c", "kernel/timer.c", "kernel/wait.c", "kernel/lib/text.c",
                  "kernel/lib/format.c", "kernel/lib/chacha20.c", "kernel/lib/siphash.c",
                  "kernel/lib/tree.c", "kernel/fs/cpio.c", "kernel/event/epoll.c", "kernel/fs/fd_syscalls.c",
                  "kernel/fs/pipe.c", "kernel/event/poll.c", "kernel/fs/read_write.c", "kernel/fs/splice.c",
                  "kernel/tty/ldisc.c"]

# What the library is made of; what only tests share stands in test/host/unit/ without _test.
LIBRARY = ("net", "drivers/virtio", "userland/lib", "test/host/services", "test/host/simulator", "test/host/stack",
           "test/host/player", "test/host/tap", "test/host/virtio")
UNIT_TESTS = "test/host/unit"
PROGRAMS = "test/host/programs"
PACKETDRILL = "test/host/packetdrill"
FUZZERS = "test/host/fuzz"
RESOLVER = "userland/resolver.c"  # a server that meets hostile bytes: tested with the sanitizers, too
BENCHMARKS = "test/host/bench"
SIMULATIONS = "test/host/simulations"

# Beyond that, for the files of one room in one variant: the target test/host/fuzz/virtqueue/ lies at
# any read of the driver's.
EXTRA_FLAGS = {("fuzz", "drivers/virtio"): "-fsanitize-coverage=trace-loads"}
for variant in ("host", "check"):
    EXTRA_FLAGS[variant, PACKETDRILL] = "-fvisibility=hidden"


def name_of(path):
    return os.path.basename(path)[:-len(".c")]


class Variant:
    """One way of building everything: objects, the library, programs on it."""

    def __init__(self, ninja, name):
        self.ninja, self.name = ninja, name
        cflags, ldflags = VARIANTS[name]
        self.rule_options = {"cflags": f"{COMMON} {cflags}", "ldflags": f"-fuse-ld=lld {ldflags}"}
        self.library = ninja.product(f"{name}/libvitrine.a")
        self._objects = {}
        sources = KERNEL_SOURCES + [path for room in LIBRARY for path in ninja.sources(room, ".c")]
        ninja.build(self.library, "host_archive", [self.object(path) for path in sources])

    def object(self, source):
        if source not in self._objects:
            output = self.ninja.product(f"{self.name}/{source}.o")
            extra = EXTRA_FLAGS.get((self.name, os.path.dirname(source)), "")
            self.ninja.build(output, "host_cc", [source], cflags=f"{self.rule_options['cflags']} {extra}")
            self._objects[source] = output
        return self._objects[source]

    def program(self, path, extra_sources=(), libraries=""):
        output = self.ninja.product(f"{self.name}/{name_of(path)}")
        objects = [self.object(source) for source in (path, *extra_sources)]
        self.ninja.build(output, "host_link", objects + [self.library],
                         ldflags=self.rule_options["ldflags"], libraries=f"{libraries} -lpthread -lm")
        return output

    def shared_object(self, directory):
        """libvitrine-NAME.so of the files of `directory`; what they do not export stays hidden."""
        output = self.ninja.product(f"{self.name}/libvitrine-{os.path.basename(directory)}.so")
        objects = [self.object(path) for path in self.ninja.sources(directory, ".c")]
        flags = f"{self.rule_options['ldflags']} -shared -Wl,--exclude-libs,ALL -Wl,-Bsymbolic"
        if "-fsanitize" not in flags:  # whose functions are those of the program that loads it
            flags += " -Wl,-z,defs"
        self.ninja.build(output, "host_link", objects + [self.library], ldflags=flags,
                         libraries="-lpthread -lm")
        return output

    def unit_tests(self):
        sources = self.ninja.sources(UNIT_TESTS, ".c")
        tests = [path for path in sources if path.endswith("_test.c")]
        shared = [path for path in sources if path not in tests]
        return [self.program(path, shared, "-lcmocka") for path in tests]

    def programs(self, directory, shared_by_all=()):
        """One program for each file of `directory`, one for each folder in it (its files together)."""
        here = self.ninja.sources(directory, ".c", recursive=False)
        built = [self.program(path, shared_by_all) for path in here]
        for folder in sorted(set(os.path.dirname(path) for path in self.ninja.sources(directory, ".c"))):
            if folder != directory:
                main = f"{folder}/{os.path.basename(folder)}.c"
                others = [path for path in self.ninja.sources(folder, ".c") if path != main]
                built.append(self.program(main, others))
        return built


def describe_rules(ninja):
    ninja.rule("host_cc", "clang $cflags -MMD -MF $out.d -c $in -o $out", "CC $out",
               depfile="$out.d", deps="gcc")
    ninja.rule("host_archive", "rm -f $out && llvm-ar rcsD $out @$out.objects", "AR $out",
               rspfile="$out.objects", rspfile_content="$in")
    ninja.rule("host_link", "clang $ldflags $in $libraries -o $out", "LINK $out")


def describe(ninja):
    """Returns what the checks need: a dictionary of lists of programs."""
    describe_rules(ninja)
    host, check = Variant(ninja, "host"), Variant(ninja, "check")
    built = {
        "programs": [host.library, host.shared_object(PACKETDRILL)] + host.programs(PROGRAMS),
        "tests": check.unit_tests(),
        "tested objects": [check.shared_object(PACKETDRILL)],
        "checked programs": check.programs(PROGRAMS) + [check.program(RESOLVER)],
        "benchmarks": Variant(ninja, "bench").programs(BENCHMARKS) if os.path.isdir(BENCHMARKS) else [],
        "simulations": host.programs(SIMULATIONS),
        "fuzzers": Variant(ninja, "fuzz").programs(FUZZERS) if os.path.isdir(FUZZERS) else [],
        # The packetdrill test runs the stack of an object that it loads, not the one that is counted.
        "coverage": [test for test in Variant(ninja, "coverage").unit_tests() if "packetdrill" not in test],
    }
    ninja.phony("host", built["programs"])
    return built
