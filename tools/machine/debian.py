"""Debian's arm64 packages, fetched with apt and unpacked, never installed.

apt is given its own lists, status and architecture for these calls, so the machine's dpkg learns of
no foreign architecture, and root is not needed.
"""

import glob
import os
import subprocess
import sys


def run(command, directory=None):
    result = subprocess.run(command, cwd=directory, check=False, stdout=subprocess.PIPE,
                            stderr=subprocess.STDOUT, text=True)
    if result.returncode != 0:
        sys.exit(f"{result.stdout}fetching Debian's packages: `{' '.join(command[:2])} ...` failed; its messages stand above")


def apt_command(directory):
    """apt-get with everything that it writes below `directory`."""
    for part in ("lists/partial", "cache/archives/partial"):
        os.makedirs(f"{directory}/{part}", exist_ok=True)
    with open(f"{directory}/status", "w", encoding="utf-8"):
        pass
    options = {
        "Dir::State::lists": f"{directory}/lists",
        "Dir::State::status": f"{directory}/status",
        "Dir::Cache": f"{directory}/cache",
        "APT::Architecture": "arm64",
        "APT::Architectures": "arm64",
        "Acquire::Languages": "none",
        "APT::Sandbox::User": "root",  # the directory is this user's, not apt's
    }
    return ["apt-get", "-q"] + [part for key, value in options.items() for part in ("-o", f"{key}={value}")]


def archive_of(directory, package):
    found = sorted(glob.glob(f"{directory}/{package}_*.deb"))
    return found[-1] if found else None


def unpack(archive, sysroot):
    """As dpkg-deb -x, but without replacing links to directories."""
    with subprocess.Popen(["dpkg-deb", "--fsys-tarfile", archive], stdout=subprocess.PIPE) as reader:
        tar = subprocess.run(["tar", "-x", "-C", sysroot, "--keep-directory-symlink"],
                             stdin=reader.stdout, check=False)
    if reader.returncode != 0 or tar.returncode != 0:
        os.unlink(archive)
        sys.exit(f"{archive} does not unpack; run this again to fetch it anew")
