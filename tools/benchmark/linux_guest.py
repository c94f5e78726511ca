"""Debian's cloud kernel for arm64, with busybox and the server in an initramfs."""

import glob
import os
import re
import subprocess

from machine.debian import apt_command, archive_of, run, unpack

META_PACKAGE = "linux-image-cloud-arm64"
# In the order in which they need each other.
MODULES = ["virtio_ring", "virtio", "virtio_mmio", "failover", "net_failover", "virtio_net"]

INIT = """#!/bin/busybox sh
/bin/busybox mount -t proc proc /proc
for module in {modules}; do /bin/busybox insmod /modules/$module.ko; done
/bin/busybox ip link set lo up
/bin/busybox ip addr add {address} dev eth0
/bin/busybox ip link set eth0 up
exec /bin/server
"""


def image_package(apt):
    """The versioned package behind the meta-package."""
    depends = subprocess.run(["apt-cache", *apt[2:], "depends", f"{META_PACKAGE}:arm64"], check=True,
                             stdout=subprocess.PIPE, text=True).stdout
    return re.search(r"Depends: (linux-image-\S+)", depends)[1]


def fetch(directory):
    """The folder into which the kernel's package was unpacked."""
    unpacked = f"{directory}/unpacked"
    if os.path.isdir(f"{unpacked}/boot"):
        return unpacked
    print("fetching Debian's arm64 kernel (about 21 MB)", flush=True)
    os.makedirs(unpacked, exist_ok=True)
    apt = apt_command(directory)
    run(apt + ["update"])
    package = image_package(apt)
    run(apt + ["download", f"{package}:arm64"], directory)
    unpack(archive_of(directory, package), unpacked)
    return unpacked


def one_file(pattern):
    found = glob.glob(pattern, recursive=True)
    if not found:
        raise SystemExit(f"tools/bench: nothing matches {pattern}")
    return found[0]


def prepare(top, build, address):
    """Kernel and initramfs for QEMU."""
    unpacked = fetch(f"{build}/bench/linux")
    init = f"{build}/bench/linux/init"
    with open(init, "w", encoding="ascii") as file:
        file.write(INIT.format(modules=" ".join(MODULES), address=address))
    os.chmod(init, 0o755)
    entries = [f"init={init}", f"bin/busybox={build}/debian/sysroot/bin/busybox", f"bin/server={build}/test/bench/server"]
    for module in MODULES:
        entries.append(f"modules/{module}.ko=" + one_file(f"{unpacked}/lib/modules/**/{module}.ko"))
    initramfs = f"{build}/bench/linux/initramfs.cpio"
    subprocess.run([f"{top}/tools/make-initramfs", initramfs, *entries], check=True)
    return one_file(f"{unpacked}/boot/vmlinuz-*"), initramfs
