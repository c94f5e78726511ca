"""What this machine must have, how to tell, and how to get it."""

import contextlib
import glob
import os
import shutil
import subprocess
import sys

# (Debian package, what to look for): a program in PATH, or a file by a pattern of its path.
REQUIRED = [
    ("clang", "clang"),
    ("lld", "ld.lld"),
    ("llvm", "llvm-objcopy"),
    ("clang-format", "clang-format"),
    ("clang-tidy", "clang-tidy"),
    ("libclang-rt-14-dev", "/usr/lib/llvm-*/lib/clang/*/lib/linux/libclang_rt.asan-*.a"),
    ("libc6-dev", "/usr/include/*/bits/libc-header-start.h"),
    ("ninja-build", "ninja"),
    ("qemu-system-arm", "qemu-system-aarch64"),
    ("libcmocka-dev", "/usr/include/cmocka.h"),
    ("python3-pytest", "/usr/lib/python3/dist-packages/pytest/__init__.py"),
    ("python3-pytest-xdist", "/usr/lib/python3/dist-packages/xdist/__init__.py"),
    ("python3-scapy", "/usr/lib/python3/dist-packages/scapy/__init__.py"),
    ("dnsmasq-base", "dnsmasq"),
    ("iproute2", "ip"),
    ("iputils-ping", "ping"),
    ("curl", "curl"),
    ("iperf3", "iperf3"),
    ("netcat-openbsd", "nc.openbsd"),
    ("openssh-client", "ssh"),
    ("openssh-server", "sshd"),
    ("dropbear-bin", "dropbear"),
    ("inetutils-telnet", "telnet"),
    ("busybox-static", "busybox"),
    ("memcached", "memcached"),
    ("nginx-light", "nginx"),
    ("openssl", "openssl"),
    ("git", "git"),
    ("python3-pyftpdlib", "/usr/lib/python3/dist-packages/pyftpdlib/__init__.py"),
    ("redis-server", "redis-server"),
    ("redis-tools", "redis-benchmark"),
    ("socat", "socat"),
    ("tftpd-hpa", "in.tftpd"),
    ("wrk", "wrk"),
    ("nmap", "nmap"),
    ("tcpdump", "tcpdump"),
    ("udhcpd", "udhcpd"),
    ("bird2", "bird"),
]

# Installed as peers of the tests, which start them themselves. They are not to serve this machine too.
SERVICES = {"bird2": "bird", "memcached": "memcached", "nginx-light": "nginx", "openssh-server": "ssh",
            "redis-server": "redis-server", "tftpd-hpa": "tftpd-hpa", "udhcpd": "udhcpd"}
POLICY = "/usr/sbin/policy-rc.d"  # what Debian's packages ask whether they may start a service
NO_SERVICE = "#!/bin/sh\nexit 101\n"


def is_present(what):
    if what.startswith("/"):
        return bool(glob.glob(what))
    return shutil.which(what, path=os.environ.get("PATH", "") + ":/usr/sbin:/sbin") is not None


def missing_packages():
    return [(package, what) for package, what in REQUIRED if not is_present(what)]


def missing():
    """One line for each thing that is not there."""
    return [f"missing: {what} (Debian package {package})" for package, what in missing_packages()]


@contextlib.contextmanager
def no_service_starts(sudo, packages):
    """While these are installed, and, where systemd runs, at the next start of this machine."""
    services = [SERVICES[package] for package in packages if package in SERVICES]
    own = services and not os.path.exists(POLICY)
    if own:
        subprocess.run([*sudo, "install", "-m", "755", "/dev/stdin", POLICY], input=NO_SERVICE, text=True, check=True)
    try:
        yield
    finally:
        if own:
            subprocess.run([*sudo, "rm", POLICY], check=True)
    if services and os.path.exists("/run/systemd/system"):
        subprocess.run([*sudo, "systemctl", "disable", "--quiet", *services], check=False)


def install_missing():
    wanted = missing_packages()
    if not wanted:
        return
    for package, what in wanted:
        print(f"installing {package}, for {what}", flush=True)
    if not shutil.which("apt-get"):
        sys.exit("configure.py: this machine has no apt-get; install the above in your system's way")
    sudo = [] if os.geteuid() == 0 else ["sudo"]
    packages = [package for package, _ in wanted]
    with no_service_starts(sudo, packages):
        for command in (["update"], ["install", "-y", "--no-install-recommends", *packages]):
            run_apt([*sudo, "apt-get", *command])


def run_apt(command):
    environment = dict(os.environ, DEBIAN_FRONTEND="noninteractive")
    if subprocess.run(command, env=environment, check=False).returncode != 0:
        sys.exit(f"configure.py: `{' '.join(command)}` failed; its messages stand above")


def fetch_arm64(build_dir):
    """Gets the arm64 packages that are unpacked into the image (ninja would do it later)."""
    if subprocess.run(["tools/fetch-arm64", f"{build_dir}/debian"], check=False).returncode != 0:
        sys.exit(1)
