"""The two systems that run a suite: Vitrine, and Debian's Linux in the same QEMU.

Each guest has 1 GiB and QEMU's user network, and runs in a network namespace of its own, from which
nothing is reached: it is refused at once, or, where a test wants silence, lost.
"""

import os
import subprocess

from benchmark import linux_guest
from machine import cpio, initrd, packages

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
MEMORY = "1G"
SILENT = "8.8.8.8"  # libuv waits there for an answer that must not come
ALONE = ["unshare", "--user", "--map-root-user", "--net", "sh", "-c",
         f'ip link set lo up && ip route add {SILENT} dev lo && exec "$0" "$@"']
BEGIN, END = "=== suite begins", "=== suite ends"

LINUX_INIT = """#!/bin/busybox sh
/bin/busybox mount -t proc proc /proc
/bin/busybox mount -t sysfs sysfs /sys
/bin/busybox mount -t devtmpfs devtmpfs /dev
/bin/busybox mkdir -p /dev/pts /dev/shm
/bin/busybox mount -t devpts devpts /dev/pts
/bin/busybox mount -t tmpfs tmpfs /dev/shm
/bin/busybox ln -s /proc/self/fd /dev/fd
for name in stdin=0 stdout=1 stderr=2; do /bin/busybox ln -s /proc/self/fd/${{name#*=}} /dev/${{name%=*}}; done
/bin/busybox --install -s /bin
exec < /dev/console > /dev/console 2>&1
for module in {modules}; do insmod /modules/$module.ko; done
hostname vitrine
ip link set lo up
ip addr add 10.0.2.15/24 dev eth0
ip link set eth0 up
ip route add default via 10.0.2.2
export PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin HOME=/root
echo "{begin}"
{command}
echo "{end}"
poweroff -f
"""


def run(command, limit_s, log):
    """What the guest printed; all of it goes to the file `log` as it comes."""
    with open(log, "wb") as file:
        try:
            subprocess.run([*ALONE, *command], stdin=subprocess.DEVNULL, stdout=file, stderr=subprocess.STDOUT,
                           check=False, timeout=limit_s)
        except subprocess.TimeoutExpired:
            file.write(b"\nrun-suites: the time is over\n")
    with open(log, encoding="utf-8", errors="replace") as file:
        return file.read()


def put_command(share, command):
    """It may be longer than a kernel's command line: it goes with the files. Returns what runs it."""
    with open(f"{share}/command", "w", encoding="utf-8") as file:
        file.write(command + "\n")
    return "sh /share/command"


class Vitrine:
    name = "vitrine"

    def __init__(self, build, kernel=None):
        self._kernel = kernel or f"{build}/Image"

    def run(self, suite, share, command, limit_s, log):
        packages.archive_with(sorted(suite.packages))  # fetched here: the guest's namespace reaches nobody
        return run([f"{TOP}/tools/vm", "--kernel", self._kernel, "--with", ",".join(suite.packages), "--share", share,
                    "--memory", MEMORY, "--timeout", str(limit_s), "--", put_command(share, command)], limit_s + 60, log)


class Linux:
    """Debian's cloud kernel, with busybox and the same files."""

    name = "linux"

    def __init__(self, build):
        self._build = build
        self._unpacked = linux_guest.fetch(f"{build}/bench/linux")

    def _own_files(self, command):
        archive = cpio.Archive()
        for directory in ("dev", "proc", "sys", "run", "root", "usr/sbin", "sbin", "var/log", "var/lib"):
            archive.add_directory(directory)
        archive.add_directory("tmp", 0o1777)
        etc = f"{TOP}/userland/rootfs/etc"
        for name in os.listdir(etc):
            if os.path.isfile(f"{etc}/{name}"):
                archive.add_file(f"etc/{name}", f"{etc}/{name}")
        archive.add_bytes("etc/hosts", b"127.0.0.1 localhost\n127.0.1.1 vitrine\n")
        archive.add_file("bin/busybox", f"{self._build}/debian/sysroot/bin/busybox")
        archive.add_link("bin/sh", "/bin/busybox")
        for module in linux_guest.MODULES:
            found = linux_guest.one_file(f"{self._unpacked}/lib/modules/**/{module}.ko")
            archive.add_file(f"modules/{module}.ko", found)
        init = LINUX_INIT.format(modules=" ".join(linux_guest.MODULES), begin=BEGIN, end=END, command=command)
        archive.add_bytes("init", init.encode(), 0o755)
        return archive.to_bytes()

    def run(self, suite, share, command, limit_s, log):
        parts = [initrd.read(packages.archive_with(sorted(suite.packages))), self._own_files(put_command(share, command)),
                 initrd.shared_archive(share)]
        path = initrd.join(parts)
        kernel = linux_guest.one_file(f"{self._unpacked}/boot/vmlinuz-*")
        try:
            return run(["qemu-system-aarch64", "-M", "virt", "-cpu", "cortex-a57", "-accel", "tcg", "-m", MEMORY,
                        "-display", "none", "-monitor", "none", "-serial", "stdio", "-no-reboot",
                        "-global", "virtio-mmio.force-legacy=false", "-netdev", "user,id=n0",
                        "-device", "virtio-net-device,netdev=n0", "-kernel", kernel, "-initrd", path,
                        "-append", "console=ttyAMA0 quiet loglevel=3 ipv6.disable=1"], limit_s, log)
        finally:
            os.unlink(path)
