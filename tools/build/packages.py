"""What this machine must have, how to tell, and how to get it."""

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
    ("wrk", "wrk"),
]


def is_present(what):
    if what.startswith("/"):
        return bool(glob.glob(what))
    return shutil.which(what, path=os.environ.get("PATH", "") + ":/usr/sbin:/sbin") is not None


def missing_packages():
    return [(package, what) for package, what in REQUIRED if not is_present(what)]


def missing():
    """One line for each thing that is not there."""
    return [f"missing: {what} (Debian package {package})" for package, what in missing_packages()]


def install_missing():
    wanted = missing_packages()
    if not wanted:
        return
    for package, what in wanted:
        print(f"installing {package}, for {what}", flush=True)
    if not shutil.which("apt-get"):
        sys.exit("configure.py: this machine has no apt-get; install the above in your system's way")
    apt = ["apt-get"] if os.geteuid() == 0 else ["sudo", "apt-get"]
    environment = dict(os.environ, DEBIAN_FRONTEND="noninteractive")
    install = ["install", "-y", "--no-install-recommends"] + [package for package, _ in wanted]
    for command in (["update"], install):
        if subprocess.run(apt + command, env=environment, check=False).returncode != 0:
            sys.exit(f"configure.py: `{' '.join(apt + command)}` failed; its messages stand above")


def fetch_arm64(build_dir):
    """Gets the arm64 packages that are unpacked into the image (ninja would do it later)."""
    if subprocess.run(["tools/fetch-arm64", f"{build_dir}/debian"], check=False).returncode != 0:
        sys.exit(1)
