"""The initramfs: our programs, busybox and the files of userland/rootfs/ in one archive."""

from build import userland


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
                implicit=["tools/make-initramfs", ninja.product(userland.STAMP)]
                + programs + test_programs + rootfs,
                entries=" ".join(entries))


def describe_initramfs(ninja, programs):
    """Returns the archive that everybody boots, and the tests' with their own programs in it."""
    ninja.rule("initramfs", "tools/make-initramfs $out $entries", "INITRAMFS $out")
    ninja.rule("embed_initramfs", "tools/make-initramfs --embed $in $out", "EMBED $in")
    archives = {"default": ninja.product("initramfs.cpio"), "test": ninja.product("test/initramfs.cpio")}
    describe_archive(ninja, archives["default"], programs["default"], [])
    describe_archive(ninja, archives["test"], programs["default"], programs["test"])
    return archives
