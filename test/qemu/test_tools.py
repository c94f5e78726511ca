"""tools/vm and tools/make-initramfs, as far as they need no machine."""

import argparse
import os
import subprocess
import sys

import pytest

from harness.guest import TOP, VM, run_vm

sys.path.insert(0, os.path.join(TOP, "tools"))
from machine import command_line
from machine.console import Decoder
from machine.cpio import Archive
from machine.guest_users import FIRST_ID, Accounts


@pytest.mark.parametrize("size", [1, 2, 3, 100])
def test_decoder_takes_pieces_of_any_size(size):
    stream = b"one\x0elog line\x0f two\x10\x0e\x10\x0f\x10\x10three\x0esecond\r\n\x0f"
    decoder, ordinary, lines = Decoder(), b"", []
    for start in range(0, len(stream), size):
        some, more = decoder.feed(stream[start:start + size])
        ordinary += some
        lines += more
    assert ordinary == b"one two\x0e\x0f\x10three"
    assert lines == [b"log line", b"second"]


def test_help_names_every_option():
    text = subprocess.run([VM, "--help"], check=True, stdout=subprocess.PIPE, text=True).stdout
    for option in ("--net", "--mac", "--fwd", "--ip", "--transport", "--memory", "--cpu", "--pcap", "--gdb",
                   "--append", "--timeout", "--with", "--share", "--fetch", "/share", "-- COMMAND", "124", "125"):
        assert option in text


@pytest.mark.parametrize("options, complaint", [
    (["--net", "bridge"], "user, tap=IFNAME, unix=PATH, none"),
    (["--net", "unix="], "user, tap=IFNAME, unix=PATH, none"),
    (["--net", f"unix=/tmp/{'x' * 120}"], "too long"),
    (["--net", "none", "--net", "user"], "--net none"),
    (["--net", "none", "--fwd", "udp:1:1"], "--fwd needs"),
    (["--net", "none", "--pcap", "x"], "--pcap needs"),
    (["--mac", "01:00:5e:00:00:01"], "multicast"),
    (["--mac", "52:54"], "hexadecimal"),
    (["--fwd", "sctp:1:2"], "tcp|udp:HOSTPORT:GUESTPORT"),
    (["--fwd", "udp:0:70000"], "tcp|udp:HOSTPORT:GUESTPORT"),
    (["--ip", "10.0.0.1"], "/LEN"),
    (["--ip", "10.0.0.300/24"], "300"),
    (["--timeout", "0"], "more than 0"),
    (["--timeout", "nan"], "more than 0"),
    (["--timeout", "soon"], "no number of seconds"),
    (["--kernel", "/nonexistent"], "ninja"),
    (["--kernel", "/etc"], "`/etc`: Is a directory"),
    (["--kernel", "/etc/passwd"], "neither ELF nor an Image"),
    (["--initrd", "/nonexistent"], "`/nonexistent`: No such file or directory"),
    (["--initrd", "/etc/passwd"], "no cpio archive"),
    (["--memory", "5x"], "no size as 64M or 4G"),
    (["--memory", "0"], "the kernel needs 8M"),
    (["--memory", "7M"], "the kernel needs 8M"),
    (["--net", "tap=nobody's"], "no interface nobody's"),
    (["--fetch"], "--fetch needs --with"),
    (["--cpu", "abacus"], "unable to find CPU model 'abacus'"),
    (["--pcap", "/nonexistent/file"], "can't open /nonexistent/file"),
    (["--frobnicate"], "--frobnicate"),
])
def test_wrong_option_is_one_clear_line(options, complaint):
    result = run_vm(*options, command="true")
    assert result.returncode == 2
    assert complaint in result.stderr.splitlines()[-1]


def test_each_user_network_has_its_own_subnet():
    options = command_line.cards(argparse.Namespace(net=["user", "unix=/tmp/x", "user"], mac=None, fwd=[], pcap=None))
    assert [option for option in options if option.startswith("user")] == \
        ["user,id=net0,net=10.0.2.0/24", "user,id=net2,net=10.0.3.0/24"]


def test_initramfs_is_reproducible(tmp_path):
    (tmp_path / "file").write_text("content\n")
    archives = []
    for name in ("first", "second"):
        output = tmp_path / name
        subprocess.run([os.path.join(TOP, "tools/make-initramfs"), output, f"etc/file={tmp_path}/file"], check=True)
        os.utime(tmp_path / "file", (1, 1))
        archives.append(output.read_bytes())
    assert archives[0] == archives[1]
    assert b"etc/file\0" in archives[0] and b"TRAILER!!!\0" in archives[0]


SCRIPT = """\
BIRDS=heronry
getent group mail > /dev/null || addgroup --system mail
adduser --system --quiet --group --home /var/lib/storks \\
    --gecos "Those who bring, and take" storks >/dev/null
addgroup --system herons; adduser --system --ingroup herons --no-create-home --home /srv/grey grey
adduser --system --home "$DIRECTORY" --group $NAME
adduser somebody
adduser --system --group "${BIRDS}"
adduser --quiet --system storks || true
usermod -a -G herons storks
"""


def test_users_of_installation_scripts():
    accounts, archive = Accounts(), Archive()
    accounts.learn(SCRIPT)
    accounts.add_to(archive)
    passwd = archive.contents("etc/passwd").decode().splitlines()
    added = [line for line in passwd if FIRST_ID <= int(line.split(":")[2]) < 1000]
    assert added == [f"storks:x:{FIRST_ID}:{FIRST_ID}:storks:/var/lib/storks:/bin/false",
                     f"grey:x:{FIRST_ID + 2}:{FIRST_ID + 1}:grey:/srv/grey:/bin/false",
                     f"heronry:x:{FIRST_ID + 3}:{FIRST_ID + 3}:heronry:/nonexistent:/bin/false"]
    assert accounts.ids("grey") == (FIRST_ID + 2, FIRST_ID + 1)
    assert f"herons:x:{FIRST_ID + 1}:storks" in archive.contents("etc/group").decode().splitlines()
    assert archive.contents("etc/shadow").decode().count("storks:*:") == 1
    assert archive.has("var/lib/storks") and not archive.has("srv/grey")
