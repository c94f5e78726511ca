"""The kernel: build/kernel.elf and build/Image, and the same with traps for the tests."""

from build import userland

TARGET = "--target=aarch64-none-elf -march=armv8-a"

WARNINGS = ("-Wall -Wextra -Werror -Wthread-safety -Wmissing-prototypes -Wstrict-prototypes -Wvla "
            "-Wshadow -Wundef")

CFLAGS = " ".join((
    TARGET,
    # Not -ffreestanding: the kernel has memcpy and its kin, and the compiler may know what they do,
    # so that copying two bytes is no call.
    "-std=c17 -nostdlibinc -fno-common -fno-pic -O2 -g",
    # Small functions are spread over many files: the linker puts them where they are called.
    "-flto=thin",
    # Processes own the FP registers, and no library offers the out-of-line atomics.
    "-mgeneral-regs-only -mno-outline-atomics",
    # Frame pointers are what a backtrace follows; network code reads structures from bytes.
    "-fno-omit-frame-pointer -fno-strict-aliasing",
    # SP_EL0 points to the running thread, whose third word is the canary.
    "-fstack-protector-strong -mstack-protector-guard=sysreg -mstack-protector-guard-reg=sp_el0",
    # Return addresses are not signed: no keys are set, so it would protect nothing.
    "-mstack-protector-guard-offset=16 -mbranch-protection=bti",
    WARNINGS,
    "-I.",
))

# Undefined behaviour ends in `brk`, which the kernel reports and panics on.
# Not object-size: a walk over a list looks at the head through the entries' type, which is larger, and once
# all is inlined at the time of linking, that check traps there.
TRAPS = "-fsanitize=undefined,bounds -fno-sanitize=object-size -fsanitize-trap=all"

# A packet passes a hundred small functions, most of them called in one place.
INLINING = "-mllvm -inline-threshold=350 -mllvm -import-instr-limit=150"

LINKER_SCRIPT = "kernel/arch/arm64/kernel.ld"
LIBFDT = f"{userland.SYSROOT}/usr/lib/aarch64-linux-gnu/libfdt.a"
SYMBOLS_TOOL = "tools/kernel-symbols"


def describe_rules(ninja):
    ninja.variable("kernel_cflags", CFLAGS)
    ninja.variable("kernel_ldflags", "-nostdlib -static -z max-page-size=4096 -z noexecstack "
                   f"--fatal-warnings -T {LINKER_SCRIPT} {INLINING} "
                   f"--thinlto-cache-dir={ninja.product('lto-cache')}")
    ninja.rule("kernel_cc", "clang $kernel_cflags $extra -MMD -MF $out.d -c $in -o $out", "CC $out",
               depfile="$out.d", deps="gcc")
    # The long list of objects goes through a file, so that a failure can be read.
    ninja.rule("kernel_link", f"ld.lld $kernel_ldflags -o $out @$out.objects {ninja.product(LIBFDT)}",
               "LINK $out", rspfile="$out.objects", rspfile_content="$in")
    ninja.rule("kernel_symbols", f"{SYMBOLS_TOOL} $in $out", "SYMBOLS $out")
    ninja.rule("image", "llvm-objcopy -O binary $in $out", "IMAGE $out")


def describe_objects(ninja, directory, extra):
    """One object for each source file of the three kernel directories."""
    objects = []
    for top in ("kernel", "net", "drivers"):
        for source in ninja.sources(top, ".c", ".S"):
            output = ninja.product(f"{directory}/{source}.o")
            ninja.build(output, "kernel_cc", [source], extra=extra)
            objects.append(output)
    return objects


def describe_initramfs_object(ninja, directory, initramfs):
    """The archive as a section of the kernel, from a file of three lines of assembly."""
    source = ninja.product(f"{directory}/initramfs.S")
    output = ninja.product(f"{directory}/initramfs.o")
    ninja.build(source, "embed_initramfs", [initramfs])
    ninja.build(output, "kernel_cc", [source], implicit=[initramfs])
    return output


def describe_kernel(ninja, directory, extra, initramfs, output):
    """Links twice: the symbol table for backtraces needs the addresses of the first link."""
    objects = describe_objects(ninja, directory, extra)
    objects.append(describe_initramfs_object(ninja, directory, initramfs))

    linked_with = [LINKER_SCRIPT, ninja.product(userland.STAMP)]
    first = ninja.product(f"{directory}/kernel-without-symbols.elf")
    ninja.build(first, "kernel_link", objects, implicit=linked_with)
    table = ninja.product(f"{directory}/symbols.S")
    ninja.build(table, "kernel_symbols", [first], implicit=[SYMBOLS_TOOL])
    table_object = ninja.product(f"{directory}/symbols.o")
    ninja.build(table_object, "kernel_cc", [table])
    ninja.build(output, "kernel_link", objects + [table_object], implicit=linked_with)


def describe(ninja, initramfs):
    """Returns the files that people and tests boot."""
    describe_rules(ninja)
    kernel = ninja.product("kernel.elf")
    image = ninja.product("Image")
    describe_kernel(ninja, "kernel", "", initramfs["default"], kernel)
    ninja.build(image, "image", [kernel])

    test_kernel = ninja.product("test/kernel.elf")
    test_image = ninja.product("test/Image")
    describe_kernel(ninja, "test/kernel", TRAPS, initramfs["test"], test_kernel)
    ninja.build(test_image, "image", [test_kernel])
    return {"default": [kernel, image], "test": [test_kernel, test_image]}
