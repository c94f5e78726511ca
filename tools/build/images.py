"""The initramfs: our programs, busybox and the files of userland/rootfs/ in one archive."""

import os

from build import userland

GUEST_PROGRAMS = ("usr/bin/iperf3", "usr/sbin/dropbear", "usr/bin/dropbearkey")
GUEST_LIBRARIES = ("ld-linux-aarch64.so.1", "libc.so.6", "libcrypt.so.1", "libcrypto.so.3", "libgmp.so.10",
                   "libiperf.so.0", "libsctp.so.1", "libtomcrypt.so.1", "libtommath.so.1", "libz.so.1", "libm.so.6")


def describe_archive(ninja, output, programs, test_programs):
    """tools/make-initramfs is told each file's place: PATH-IN-IMAGE=FILE."""
    busybox = ninja.product(f"{userland.SYSROOT}/bin/busybox")
    rootfs = ninja.sources("userland/rootfs", "")
    entries = [f"bin/busybox={busybox}"]
    for program in programs:
        name = program.rsplit("/", 1)[1]
        entries.append(f"init={program}" if name == "init" else f"bin/{name}={program}")
    entries += [f"test/{program.rsplit('/', 1)[1]}={program}" for program in test_programs]
    entries += [f"{path.split('/', 2)[2]}={path}" for path in rootfs]
    ninja.build(output, "initramfs", [],
                implicit=["tools/make-initramfs", "tools/machine/cpio.py", ninja.product(userland.STAMP)]
                + programs + test_programs + rootfs,
                entries=" ".join(entries))


def describe_guest_programs(ninja):
    """Debian's own iperf3 and dropbear with their libraries: an archive that tests add to the image by --initrd."""
    directory = ninja.product("debian/programs")
    stamp, output = f"{directory}/stamp", ninja.product("test/programs.cpio")
    ninja.rule("fetch_programs", f"tools/fetch-arm64 {directory} --programs", "FETCH arm64 programs", pool="console")
    ninja.build(stamp, "fetch_programs", [], implicit=["tools/fetch-arm64"])
    entries = [f"lib/{name}={directory}/sysroot/usr/lib/aarch64-linux-gnu/{name}" for name in GUEST_LIBRARIES]
    entries += [f"bin/{os.path.basename(path)}={directory}/sysroot/{path}" for path in GUEST_PROGRAMS]
    ninja.build(output, "initramfs", [], implicit=["tools/make-initramfs", "tools/machine/cpio.py", stamp], entries=" ".join(entries))
    return output


def describe_initramfs(ninja, programs):
    """Returns the archive that everybody boots, and the tests' with their own programs in it."""
    ninja.rule("initramfs", "tools/make-initramfs $out $entries", "INITRAMFS $out")
    ninja.rule("embed_initramfs", "tools/make-initramfs --embed $in $out", "EMBED $in")
    archives = {"default": ninja.product("initramfs.cpio"), "test": ninja.product("test/initramfs.cpio")}
    describe_archive(ninja, archives["default"], programs["default"], [])
    describe_archive(ninja, archives["test"], programs["default"], programs["test"])
    return archives
