"""A guest under QEMU on a TAP, its executed instructions counted when asked."""

import mmap
import os
import select
import socket
import struct
import subprocess
import tempfile
import time

ADDRESS, HOST_ADDRESS, PREFIX = "10.5.0.2", "10.5.0.1", 24
MAC = "52:54:00:05:00:02"
TAP = "bench0"
BOOT_LIMIT_S = 60
WITHOUT_OFFLOADS = "csum=off,gso=off,guest_csum=off,guest_tso4=off,guest_tso6=off,host_tso4=off,host_tso6=off,mrg_rxbuf=off"


class Failed(Exception):
    """The guest did not do what a row needs."""


class System:
    """What is booted: a kernel, an initramfs with the server, a command line."""

    def __init__(self, name, kernel, initrd, command_line):
        self.name, self.kernel, self.initrd, self.command_line = name, kernel, initrd, command_line

    def qemu(self, memory_mib, offloads, plugin_options):
        device = f"virtio-net-device,netdev=n0,mac={MAC}" + ("" if offloads else "," + WITHOUT_OFFLOADS)
        return ["qemu-system-aarch64", "-M", "virt", "-cpu", "cortex-a72", "-smp", "1", "-m", f"{memory_mib}M",
                "-accel", "tcg", "-display", "none", "-monitor", "none", "-global", "virtio-mmio.force-legacy=false",
                "-netdev", f"tap,id=n0,ifname={TAP},script=no,downscript=no", "-device", device,
                "-kernel", self.kernel, "-initrd", self.initrd, "-append", self.command_line, *plugin_options]


def ping_socket():
    return socket.socket(socket.AF_INET, socket.SOCK_DGRAM, socket.IPPROTO_ICMP)


def wait_for_ping(process, limit_s):
    """Asks every 5 ms until a reply comes."""
    deadline = time.monotonic() + limit_s
    request = struct.pack(">BBHHH", 8, 0, 0, 0, 1) + bytes(56)
    with ping_socket() as icmp:
        while time.monotonic() < deadline:
            try:
                icmp.sendto(request, (ADDRESS, 0))
            except OSError:
                pass
            if select.select([icmp], [], [], 0.005)[0]:
                try:
                    icmp.recv(2048)
                    return
                except OSError:
                    pass
            if process.poll() is not None:
                break
    raise Failed("no reply to a ping")


def wait_for_server(process, limit_s):
    deadline = time.monotonic() + limit_s
    while time.monotonic() < deadline and process.poll() is None:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as echo:
            echo.settimeout(0.05)
            try:
                echo.connect((ADDRESS, 7))
                echo.send(b"x")
                echo.recv(1)
                return
            except OSError:
                time.sleep(0.01)
    raise Failed("the server does not answer")


class Guest:
    """`with Guest(...) as guest:` boots, waits for the server, and ends QEMU afterwards."""

    def __init__(self, system, plugin=None, memory_mib=256, offloads=True, limit_s=BOOT_LIMIT_S, profile=None):
        self.system, self.plugin, self.memory_mib, self.profile = system, plugin, memory_mib, profile
        self.offloads, self.limit_s = offloads, limit_s
        self.ping_seconds = self.boot_instructions = self.process = self.counter = None

    def instructions(self):
        return struct.unpack("<Q", self.counter[:8])[0]

    def map_counter(self):
        # Open until the guest ends: QEMU finds the file by its name.
        self.counter_file = tempfile.NamedTemporaryFile(prefix="vitrine-bench-")
        size = self.profile.bytes if self.profile else 8
        self.counter_file.truncate(size)
        self.counter = mmap.mmap(self.counter_file.fileno(), size)
        more = self.profile.options if self.profile else ""
        return ["-plugin", f"{self.plugin},out={self.counter_file.name}{more}"]

    def __enter__(self):
        options = self.map_counter() if self.plugin else []
        options += ["-serial", "null"]
        subprocess.run(["ip", "neigh", "flush", "dev", TAP], check=True)
        began = time.monotonic()
        self.process = subprocess.Popen(self.system.qemu(self.memory_mib, self.offloads, options),
                                        stdin=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
        try:
            wait_for_ping(self.process, self.limit_s)
            self.ping_seconds = time.monotonic() - began
            if self.plugin:
                self.boot_instructions = self.instructions()
            wait_for_server(self.process, self.limit_s)
        except Failed as failure:
            self.end()
            raise Failed(f"{self.system.name}: {failure}") from failure
        return self

    def end(self):
        self.process.terminate()
        self.process.wait()
        self.process.stderr.close()

    def __exit__(self, *_):
        self.end()


def make_network():
    """The TAP in this process's own network namespace."""
    def ip(*words):
        subprocess.run(["ip", *words], check=True)

    ip("link", "set", "lo", "up")
    ip("tuntap", "add", "dev", TAP, "mode", "tap", "vnet_hdr")
    ip("addr", "add", f"{HOST_ADDRESS}/{PREFIX}", "dev", TAP)
    for path, text in ((f"neigh/{TAP}/retrans_time_ms", "20"), ("ping_group_range", "0 2147483647"),
                       ("tcp_tw_reuse", "1"), ("ip_local_port_range", "1024 65535")):
        with open(f"/proc/sys/net/ipv4/{path}", "w", encoding="ascii") as file:
            file.write(text)
    ip("link", "set", TAP, "up")
    if os.path.exists(f"/proc/sys/net/ipv6/conf/{TAP}/disable_ipv6"):
        with open(f"/proc/sys/net/ipv6/conf/{TAP}/disable_ipv6", "w", encoding="ascii") as file:
            file.write("1")
