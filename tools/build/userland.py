"""The programs of the image: userland/*.c, each with userland/lib/, linked statically with musl."""

import os

SYSROOT = "debian/sysroot"
STAMP = "debian/stamp"
CRT = "usr/lib/aarch64-linux-musl"
BUILTINS = "usr/lib/llvm-14/lib/clang/14.0.6/lib/linux/libclang_rt.builtins-aarch64.a"

CFLAGS = ("--target=aarch64-linux-musl -std=c17 -D_GNU_SOURCE -Os -g -fno-common -ffunction-sections "
          "-fdata-sections -fstack-protector-strong -Wall -Wextra -Werror -Wmissing-prototypes "
          "-Wstrict-prototypes -Wvla -Wshadow -Wundef -I. "
          "-nostdlibinc -isystem $sysroot/usr/include/aarch64-linux-musl "
          "-idirafter $sysroot/usr/include -idirafter $sysroot/usr/include/aarch64-linux-gnu")

LDFLAGS = ("--target=aarch64-linux-musl -static -nostdlib -fuse-ld=lld -Wl,--gc-sections,-s "
           "-Wl,-z,max-page-size=4096,-z,separate-code,-z,noexecstack")


def describe_rules(ninja):
    ninja.variable("sysroot", ninja.product(SYSROOT))
    ninja.variable("crt", f"$sysroot/{CRT}")
    ninja.variable("userland_cflags", CFLAGS)
    ninja.variable("userland_ldflags", LDFLAGS)
    ninja.rule("fetch_arm64", "tools/fetch-arm64 " + ninja.product("debian"), "FETCH arm64 packages",
               pool="console")
    ninja.rule("user_cc", "clang $userland_cflags -MMD -MF $out.d -c $in -o $out", "CC $out",
               depfile="$out.d", deps="gcc")
    ninja.rule("user_archive", "rm -f $out && llvm-ar rcsD $out $in", "AR $out")
    ninja.rule("user_link",
               "clang $userland_ldflags $crt/crt1.o $crt/crti.o $in $crt/libc.a "
               f"$sysroot/{BUILTINS} $crt/crtn.o -o $out", "LINK $out")


def describe_object(ninja, source):
    output = ninja.product(f"{source}.o")
    ninja.build(output, "user_cc", [source], implicit=[ninja.product(STAMP)])
    return output


def describe_program(ninja, source, library):
    name = os.path.splitext(os.path.basename(source))[0]
    output = ninja.product(f"{os.path.dirname(source)}/{name}")
    ninja.build(output, "user_link", [describe_object(ninja, source), library])
    return output


def describe_folder(ninja, directory, library):
    """A program of several files, named as their folder."""
    output = ninja.product(f"{directory}/{os.path.basename(directory)}")
    objects = [describe_object(ninja, source) for source in ninja.sources(directory, ".c")]
    ninja.build(output, "user_link", objects + [library])
    return output


def describe(ninja):
    """Returns the programs of the image, and those that only the tests' image has."""
    describe_rules(ninja)
    ninja.build(ninja.product(STAMP), "fetch_arm64", [], implicit=["tools/fetch-arm64"])

    library = ninja.product("userland/lib/libuserland.a")
    objects = [describe_object(ninja, source) for source in ninja.sources("userland/lib", ".c")]
    ninja.build(library, "user_archive", objects)
    return {
        "default": [describe_program(ninja, source, library)
                    for source in ninja.sources("userland", ".c", recursive=False)],
        "test": [describe_program(ninja, source, library)
                 for source in ninja.sources("test/qemu/programs", ".c")]
                + [describe_folder(ninja, "test/qemu/storm", library)],
    }
