"""The same net/ and drivers/virtio/ files built for this machine, and the unit tests on them."""

import os

CFLAGS = ("-std=c17 -D_GNU_SOURCE -O1 -g -fno-omit-frame-pointer -fno-common -fno-strict-aliasing "
          "-fsanitize=address,undefined -fno-sanitize-recover=all "
          "-Wall -Wextra -Werror -Wthread-safety -Wmissing-prototypes -Wstrict-prototypes -Wvla "
          "-Wshadow -Wundef -I.")
LDFLAGS = "-fsanitize=address,undefined -fuse-ld=lld"

# Of the kernel's ground floor only what has no machine in it; test/host/services/ has the rest.
KERNEL_SOURCES = ["kernel/iov.c", "kernel/timer.c", "kernel/wait.c", "kernel/lib/text.c",
                  "kernel/lib/format.c", "kernel/lib/chacha20.c", "kernel/fs/cpio.c",
                  "kernel/tty/ldisc.c"]

PROGRAMS = "test/host/programs"


def describe_rules(ninja):
    ninja.variable("host_cflags", CFLAGS)
    ninja.variable("host_ldflags", LDFLAGS)
    ninja.rule("host_cc", "clang $host_cflags -MMD -MF $out.d -c $in -o $out", "CC $out",
               depfile="$out.d", deps="gcc")
    ninja.rule("host_archive", "rm -f $out && llvm-ar rcsD $out @$out.objects", "AR $out",
               rspfile="$out.objects", rspfile_content="$in")
    ninja.rule("host_link", "clang $host_ldflags $in -lcmocka -lpthread -o $out", "LINK $out")


def describe_object(ninja, source):
    output = ninja.product(f"host/{source}.o")
    ninja.build(output, "host_cc", [source])
    return output


def library_sources(ninja):
    sources = list(KERNEL_SOURCES)
    for directory in ("net", "drivers/virtio", "userland/lib", "test/host"):
        sources += ninja.sources(directory, ".c")
    return [path for path in sources if not path.startswith(PROGRAMS)]


def describe_program(ninja, path, library, output):
    program = ninja.product(f"host/{output}")
    ninja.build(program, "host_link", [describe_object(ninja, path), library])
    return program


def describe(ninja):
    """Each *_test.c is a test, each file of test/host/programs/ a program, the rest a library.

    Returns the tests.
    """
    describe_rules(ninja)
    sources = library_sources(ninja)
    tests = [path for path in sources if path.endswith("_test.c")]
    library = ninja.product("host/libvitrine.a")
    ninja.build(library, "host_archive",
                [describe_object(ninja, path) for path in sources if path not in tests])
    for path in ninja.sources(PROGRAMS, ".c"):
        describe_program(ninja, path, library, os.path.basename(path)[:-len(".c")])
    return [describe_program(ninja, path, library, path[:-len(".c")]) for path in tests]
