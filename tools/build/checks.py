"""The targets that people type: run, test, format, lint, clean."""

from build import images

CODE = ("kernel", "net", "drivers", "include", "userland", "test")


def describe_tests(ninja, kernels, host):
    tests, qemu = " ".join(host["tests"]), " ".join(kernels["test"])
    ninja.rule("console", "$command", "$text", pool="console")
    ninja.build("test-layers", "console", [], command="tools/lint-layers", text="TEST layers")
    ninja.build("test-docs", "console", [], command="tools/check-docs && tools/rfc-table --check", text="TEST docs")
    ninja.build("test-abi", "console", [], implicit=[ninja.product("debian/stamp")],
                command=f"test/host/abi/compare_headers --sysroot {ninja.product('debian/sysroot')}",
                text="TEST abi")
    ninja.build("test-host", "console", [],
                implicit=host["tests"] + host["programs"] + host["tested objects"] + ["tools/run-host-tests"],
                command=f"tools/run-host-tests {tests}", text="TEST host")
    ninja.build("test-qemu", "console", [],
                implicit=kernels["test"] + host["programs"] + host["checked programs"]
                + [images.describe_guest_programs(ninja)], order_only=kernels["default"],
                command=f"tools/run-qemu-tests {ninja.build_dir}", text=f"TEST {qemu}")
    for name, option in (("test-programs", ""), ("test-programs-fast", "-m fast")):
        ninja.build(name, "console", [], implicit=kernels["test"], order_only=kernels["default"],
                    command=f"tools/run-qemu-tests {ninja.build_dir} --programs {option}", text="TEST programs")
    ninja.build("test-load", "console", [], implicit=kernels["test"], order_only=kernels["default"],
                command=f"VITRINE_LOAD_SECONDS=600 tools/run-qemu-tests {ninja.build_dir} --programs -n 0 -rA "
                        "-k 'test_load and all_at_once'", text="TEST 24 programs for ten minutes")
    ninja.build("test-storm", "console", [], implicit=kernels["test"], order_only=kernels["default"],
                command=f"VITRINE_STORM_BATCHES=300 tools/run-qemu-tests {ninja.build_dir} -n 0 -rA -k test_storm",
                text="TEST random system calls")
    ninja.build("test-suites", "console", [], implicit=kernels["default"] + [ninja.product("debian/stamp")],
                command=f"tools/run-suites --build-dir {ninja.build_dir}", text="TEST public suites")
    describe_fuzzing(ninja, host)
    describe_transfers(ninja, host)
    ninja.phony("test", ["test-layers", "test-docs", "test-abi", "test-host", "test-transfers", "test-fuzz",
                         "test-qemu", "test-programs-fast"])


def describe_transfers(ninja, host):
    """`test-transfers` compares the simulator's table with the one that is checked in; `transfer-table` writes it."""
    program = ninja.product("host/transfer_table")
    for name, option in (("test-transfers", ""), ("transfer-table", "--write")):
        ninja.build(name, "console", [], implicit=host["simulations"] + ["tools/transfer-table"],
                    command=f"tools/transfer-table {program} {option}", text="TEST transfers")


def describe_fuzzing(ninja, host):
    """`fuzz` looks for new trouble; `test-fuzz` replays the inputs that are checked in."""
    for name, option in (("fuzz", ""), ("test-fuzz", "--replay")):
        ninja.build(name, "console", [], implicit=host["fuzzers"] + ["tools/fuzz"],
                    command=f"tools/fuzz --build {ninja.build_dir} {option}",
                    text="FUZZ" if name == "fuzz" else "TEST fuzz")


def describe_coverage(ninja, host):
    directory = ninja.product("coverage")
    ninja.build("coverage", "console", [], implicit=host["coverage"] + ["tools/coverage"],
                command=f"tools/coverage {directory} " + " ".join(host["coverage"]), text="COVERAGE")


def describe_benchmarks(ninja, host, kernels, comparison):
    ninja.build("bench", "console", [], implicit=comparison + kernels["default"],
                command=f"tools/bench --build {ninja.build_dir}", text="BENCH Vitrine and Linux")
    ninja.build("bench-goodput", "console", [], implicit=host["programs"] + ["tools/bench-goodput"],
                command=f"tools/bench-goodput --build {ninja.build_dir}", text="BENCH goodput")
    ninja.build("bench-host", "console", [], implicit=host["benchmarks"],
                command=" && ".join(host["benchmarks"]) or "true", text="BENCH host")


def describe_plots(ninja, host):
    ninja.build("plots", "console", [], implicit=host["simulations"] + ["tools/plots"],
                command=f"tools/plots {ninja.product('host/congestion_trace')} docs/plots", text="DRAW docs/plots")


def describe_editor_files(ninja, ninja_file):
    path = "compile_commands.json" if ninja.build_dir == "build" else ninja.product("compile_commands.json")
    ninja.rule("compdb", f"ninja -f {ninja_file} -t compdb kernel_cc user_cc host_cc > $out", "WRITE $out")
    ninja.build(path, "compdb", [], implicit=[ninja_file])
    return path


def describe(ninja, ninja_file, kernels, host, comparison):
    describe_tests(ninja, kernels, host)
    describe_benchmarks(ninja, host, kernels, comparison)
    describe_coverage(ninja, host)
    describe_plots(ninja, host)
    compile_commands = describe_editor_files(ninja, ninja_file)

    code = " ".join(CODE)
    ninja.build("run", "console", [], implicit=kernels["default"],
                command=f"tools/vm --kernel {kernels['default'][0]}", text="RUN tools/vm")
    ninja.build("format", "console", [], text="FORMAT",
                command=f"find {code} -name '*.[ch]' | xargs clang-format -i")
    ninja.build("lint", "console", [], implicit=[compile_commands] + kernels["default"] + host["programs"],
                command=f"tools/lint {ninja.build_dir}", text="LINT")
    ninja.build("clean", "console", [], text="CLEAN",
                command=f"find {ninja.build_dir} -mindepth 1 -maxdepth 1 ! -name debian "
                        "! -name '.ninja*' ! -name build.ninja -exec rm -rf {} +")
    ninja.phony("all", kernels["default"] + [compile_commands])
    ninja.default(["all"])
