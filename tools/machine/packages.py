"""tools/vm --with: Debian's arm64 packages with all that they depend on, as one archive for the kernel.

apt resolves and fetches them below build/debian/guest (tools/machine/debian.py: a state of its own, so
the machine's dpkg learns nothing).  Nothing is installed: the files are taken out of the packages, and
what their installation scripts would have made is made here (guest_files.py).  An archive is kept
for each set of packages.
"""

import contextlib
import fcntl
import hashlib
import os
import re
import subprocess
import sys
import tarfile
import time

from . import guest_files, guest_users
from .cpio import Archive
from .debian import apt_command

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
DIRECTORY = os.path.join(TOP, "build/debian/guest")

PACKAGE_NAME = re.compile(r"[a-z0-9][a-z0-9+.-]*[a-z0-9+.]")
NAME_MAX = 200  # of an archive's file name

# Debian's list of packages is asked for anew when it is older.
LIST_AGE_S = 24 * 3600

# They serve the installation of packages and nothing else. apt is told that they are there already.
INSTALLERS = ("adduser", "debconf", "debianutils", "dpkg", "init-system-helpers", "install-info", "lsb-base",
              "passwd", "procps", "runit-helper", "sensible-utils", "sysvinit-utils", "tar", "ucf", "update-inetd",
              "usrmerge", "usr-is-merged")
# What Debian takes for granted everywhere and no package names, by who needs it.
ESSENTIAL = {"libc6": "libc-bin", "libtinfo6": "ncurses-base"}  # the locale C.UTF-8; descriptions of terminals
INSTALLED = """\
Package: {name}
Status: install ok installed
Architecture: arm64
Multi-Arch: foreign
Maintainer: nobody
Version: 99999
Provides: debconf-2.0
Description: of no use in the guest

"""

# Documentation and translations.
LEFT_OUT = re.compile(r"usr/share/(doc|man|info|locale|lintian|bug|bash-completion|doc-base|menu|pixmaps|applications"
                      r"|zsh|apport|i18n)(/|$)")


class Trouble(Exception):
    """One line for the user: what was asked for cannot be had."""


class Unreachable(Exception):
    """One line for the user: apt could not fetch it now."""


def parse_names(text):
    """`curl,nginx` as a sorted list; raises ValueError with what is wrong."""
    names = [name for name in text.split(",") if name]
    for name in names:
        if not PACKAGE_NAME.fullmatch(name):
            raise ValueError(f"`{name}` is not a name of a Debian package")
    if not names:
        raise ValueError("no name of a Debian package")
    return sorted(set(names))


class Progress:
    """One line on stderr, written over and over when that is a terminal."""

    def __init__(self):
        self._terminal = sys.stderr.isatty()
        self._last = ""

    def say(self, text, fleeting=False):
        """What is fleeting matters only to somebody who looks on."""
        if text == self._last or (fleeting and not self._terminal):
            return
        self._last = text
        line = f"\r\x1b[Ktools/vm: {text}" if self._terminal else f"tools/vm: {text}\n"
        sys.stderr.write(line)
        sys.stderr.flush()

    def end(self):
        if self._terminal and self._last:
            sys.stderr.write("\r\x1b[K")
            sys.stderr.flush()


@contextlib.contextmanager
def one_at_a_time(directory):
    """Several tools/vm may want packages at once."""
    os.makedirs(directory, exist_ok=True)
    with open(f"{directory}/lock", "w", encoding="ascii") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def write_state(directory, names):
    with open(f"{directory}/status", "w", encoding="utf-8") as file:
        file.write("".join(INSTALLED.format(name=name) for name in INSTALLERS if name not in names))


def apt_failed(output):
    """The exception for apt's complaints, in our words where we know them."""
    found = re.search(r"Unable to locate package (\S+)|Package '?([^\s']+)'? has no installation candidate", output)
    if found:
        return Trouble(f"--with: Debian has no arm64 package `{found[1] or found[2]}`")
    lines = [line for line in output.splitlines() if line.startswith("E:")] or output.splitlines()[-1:]
    more = f" (and {len(lines) - 1} more such lines)" if len(lines) > 1 else ""
    return Unreachable("--with: apt: " + (lines[0] + more if lines else "failed without a word"))


def run_apt(command):
    result = subprocess.run(command, check=False, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    if result.returncode != 0:
        raise apt_failed(result.stdout)
    return result.stdout


def update_list(apt, directory, progress):
    """A list that cannot be had anew is used as it is."""
    stamp = f"{directory}/lists-stamp"
    if os.path.exists(stamp) and time.time() - os.stat(stamp).st_mtime < LIST_AGE_S:
        return
    progress.say("fetching Debian's list of arm64 packages")
    try:
        run_apt(apt + ["update", "-o", "APT::Update::Error-Mode=any"])
    except Unreachable:
        if not os.path.exists(stamp):
            raise
        return
    with open(stamp, "w", encoding="ascii"):
        pass


def resolve(apt, directory, names):
    """The file names of the packages and of all that they depend on. apt names only what it has not fetched yet,
    so it is shown an empty cache."""
    os.makedirs(f"{directory}/nothing/partial", exist_ok=True)
    output = run_apt(apt + ["install", "-y", "--no-install-recommends", "--print-uris",
                            "-o", f"Dir::Cache::archives={directory}/nothing", *names])
    return re.findall(r"^'[^']+' (\S+\.deb) \d+", output, re.MULTILINE)


def with_essentials(names, files):
    packages = {file.split("_")[0] for file in files}
    return [*names, *(essential for package, essential in ESSENTIAL.items() if package in packages)]


def fetch(apt, names, count, progress):
    """Into apt's own cache; what is there already is not fetched again."""
    reader, writer = os.pipe()
    command = apt + ["install", "-y", "--no-install-recommends", "--download-only", "-o", f"APT::Status-Fd={writer}",
                     *names]
    progress.say(f"fetching {count} packages for {', '.join(names)}")
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, pass_fds=[writer]) as apt_get:
        os.close(writer)
        with open(reader, encoding="utf-8") as status:
            for line in status:
                percent = re.match(r"dlstatus:\d+:([\d.]+):", line)
                if percent:
                    progress.say(f"fetching {count} packages for {', '.join(names)}: {float(percent[1]):.0f} %", True)
        output = apt_get.stdout.read()
    if apt_get.returncode != 0:
        raise apt_failed(output)


def add_member(archive, member, stream):
    path = guest_files.place_in_guest(member.name)
    if path in (".", "", "lib") or LEFT_OUT.match(path):
        return
    if member.isdir():
        archive.add_directory(path, member.mode & 0o7777)
    elif member.issym():
        archive.add_link(path, member.linkname, replace=True)
    elif member.islnk():
        archive.copy(path, guest_files.place_in_guest(member.linkname))
    elif member.isreg():
        archive.add_bytes(path, stream.extractfile(member).read())
        archive.give(path, member.uid, member.gid, member.mode & 0o7777)


def add_package(archive, file):
    with subprocess.Popen(["dpkg-deb", "--fsys-tarfile", file], stdout=subprocess.PIPE) as reader:
        with tarfile.open(fileobj=reader.stdout, mode="r|") as stream:
            for member in stream:
                add_member(archive, member, stream)
    if reader.returncode != 0:
        os.unlink(file)
        raise Unreachable(f"--with: {os.path.basename(file)} does not unpack; run this again to fetch it anew")


def script_of(file):
    """A package's postinst, or nothing."""
    result = subprocess.run(["dpkg-deb", "--info", file, "postinst"], check=False, stdout=subprocess.PIPE,
                            stderr=subprocess.DEVNULL)
    return result.stdout.decode(errors="replace")


def make_archive(files, progress):
    archive = Archive()
    archive.add_link("lib", "usr/lib")
    archive.add_directory("usr/lib")
    accounts = guest_users.Accounts()
    for number, file in enumerate(files, start=1):
        progress.say(f"unpacking {number}/{len(files)} {os.path.basename(file).split('_')[0]}", True)
        add_package(archive, file)
        script = script_of(file)
        guest_files.add_alternatives(archive, script)
        accounts.learn(script)
    guest_files.complete(archive, accounts)
    return archive.to_bytes()


def archive_path(names, directory=DIRECTORY):
    name = ",".join(names)
    if len(name) > NAME_MAX:
        name = f"{len(names)}-{hashlib.sha256(name.encode()).hexdigest()[:16]}"
    return f"{directory}/{name}.cpio"


def write_whole(path, data):
    """So that nobody ever sees half of it."""
    with open(f"{path}.new", "wb") as stream:
        stream.write(data)
    os.rename(f"{path}.new", path)


def is_fresh(path):
    """Made, and by these very files."""
    makers = (os.path.abspath(__file__), guest_files.__file__, guest_users.__file__)
    return os.path.exists(path) and os.stat(path).st_mtime > max(os.stat(maker).st_mtime for maker in makers)


def make(names, path, directory, progress):
    apt = apt_command(directory)
    write_state(directory, names)
    update_list(apt, directory, progress)
    names = with_essentials(names, resolve(apt, directory, names))
    files = resolve(apt, directory, names)
    fetch(apt, names, len(files), progress)
    packages = [f"{directory}/cache/archives/{file}" for file in files]
    write_whole(path, make_archive(packages, progress))


def archive_with(names, directory=DIRECTORY):
    """The path of the archive that has these packages, made when it is not there. Raises Trouble or Unreachable."""
    path = archive_path(names, directory)
    if is_fresh(path):
        return path
    progress = Progress()
    try:
        with one_at_a_time(directory):
            if not is_fresh(path):  # as another one may have made it meanwhile
                make(names, path, directory, progress)
    finally:
        progress.end()
    return path
