"""tools/vm --with and --share: what they put into the guest."""

import os
import stat
import subprocess
import sys

import pytest

from harness.guest import IMAGE, TOP, VM, run_vm

sys.path.insert(0, os.path.join(TOP, "tools"))

from machine import cpio, guest_files

PACKAGES = ["iperf3", "netcat-openbsd"]


@pytest.fixture(scope="module")
def share(tmp_path_factory):
    directory = tmp_path_factory.mktemp("share")
    (directory / "deep/er").mkdir(parents=True)
    (directory / "deep/er/file").write_text("content\n")
    (directory / "link").symlink_to("deep/er/file")
    (directory / "dangling").symlink_to("/nowhere")
    script = directory / "script"
    script.write_text("#!/bin/sh\necho I run\n")
    script.chmod(0o750)
    (directory / "big").write_bytes(os.urandom(3_000_000))
    return directory


@pytest.fixture(scope="module")
def network():
    """No test here needs a network."""
    return "user"


def test_program_comes_with_its_libraries(guest):
    assert guest.check("iperf3 --version").startswith("iperf 3.")


def test_alternatives_are_links(guest):
    """netcat-openbsd's nc stands for busybox's, by path, at the prompt and where programs look for it."""
    assert guest.check("readlink -f /bin/nc; readlink -f /usr/bin/nc") == "/bin/nc.openbsd\n" * 2
    assert "OpenBSD netcat" in guest.run("nc -h").output
    assert "OpenBSD netcat" in guest.run("/bin/nc -h").output


def test_alternatives_below_lib():
    """/lib is a link to /usr/lib: nothing can be made below it (cpp's /lib/cpp)."""
    archive = cpio.Archive()
    archive.add_bytes("usr/bin/cpp-12", b"", 0o755)
    guest_files.add_alternatives(archive, "update-alternatives --install /lib/cpp cpp /usr/bin/cpp-12 10\n")
    assert archive.has("usr/lib/cpp") and not archive.has("lib/cpp")


def test_share(guest, share):
    assert guest.check("cat /share/link") == "content\n"
    assert guest.check("readlink /share/dangling") == "/nowhere\n"
    assert guest.check("/share/script; stat -c %a /share/script") == "I run\n750\n"
    guest.check("cp /share/big /tmp/big && cmp /share/big /tmp/big")


def test_users_and_services(guest):
    assert guest.check("id -u www-data; id -g sshd") == "33\n65534\n"
    assert guest.check("grep -c -E '^(https|redis|domain)[[:space:]]' /etc/services") == "5\n"


def test_memory_of_the_archive_is_given_back(guest):
    """Used is little more than the files themselves take."""
    files = int(guest.check("du -sk / 2> /dev/null").split()[0])
    used = int(guest.check("free | awk '/Mem:/ { print $3 }'"))
    assert used < files + 24 * 1024


def test_stack_and_libraries_do_not_meet(guest):
    """Both lie at random addresses: each run is another one."""
    guest.check("(for i in $(seq 300); do /usr/bin/iperf3 --version > /dev/null || exit 1; done)", 120)


@pytest.mark.parametrize("options, complaint", [
    (["--with", "no-such-package-anywhere"], "Debian has no arm64 package `no-such-package-anywhere`"),
    (["--with", "Curl"], "`Curl` is not a name of a Debian package"),
    (["--with", "curl-"], "`curl-` is not a name of a Debian package"),
    (["--with", ""], "no name of a Debian package"),
    (["--share", "/nonexistent"], "`/nonexistent` is not a folder"),
    (["--with", "iperf3,netcat-openbsd", "--memory", "32M"], "--memory 32M: the guest's files need at least"),
    (["--with", "iperf3,netcat-openbsd", "--kernel", VM.replace("tools/vm", "build/kernel.elf")], "need an Image"),
])
def test_wrong_option_is_one_clear_line(packages, options, complaint):
    result = run_vm(*options, command="true", kernel=IMAGE)
    assert result.returncode == 2
    assert complaint in result.stderr.splitlines()[-1]


def test_socket_in_the_shared_folder_is_refused(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    result = run_vm("--share", str(tmp_path), command="true", kernel=IMAGE)
    assert result.returncode == 2
    assert "neither a file nor a folder nor a link" in result.stderr.splitlines()[-1]


def test_archive_is_made_once(packages):
    """The second time apt is not asked."""
    subprocess.run([VM, "--fetch", "--with", ",".join(reversed(packages))], check=True, env={"PATH": "/nowhere"})


def test_joined_archives_and_nothing_left_behind(tmp_path):
    """--initrd, --with and --share together, and no temporary file afterwards."""
    (tmp_path / "share").mkdir()
    (tmp_path / "share/word").write_text("shared\n")
    temporary = tmp_path / "tmp"
    temporary.mkdir()
    result = run_vm("--net", "none", "--with", "iperf3,netcat-openbsd", "--share", str(tmp_path / "share"),
                    command="cat /share/word; test -x /usr/bin/iperf3", kernel=IMAGE,
                    env=dict(os.environ, TMPDIR=str(temporary)))
    assert result.returncode == 0 and result.stdout == "shared\n", result
    assert not any(stat.S_ISREG(entry.stat().st_mode) for entry in temporary.iterdir())
