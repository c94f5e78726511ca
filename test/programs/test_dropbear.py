"""Dropbear both ways: this machine's OpenSSH into the guest's dropbear, and the guest's dbclient to this machine's."""

import os
import subprocess

import pytest

from harness.tcp import free_port, tool
from room.terminal import PROMPT, Terminal

PACKAGES = ["dropbear-bin"]


@pytest.fixture(scope="module")
def keys(tmp_path_factory):
    """Keys for this test alone."""
    directory = tmp_path_factory.mktemp("dropbear")
    for name in ("host_key", "client_key"):
        result = tool("dropbearkey", "-t", "ed25519", "-f", str(directory / name))
        assert result.returncode == 0, result.stdout
        public = [line for line in result.stdout.splitlines() if line.startswith("ssh-ed25519")]
        (directory / f"{name}.pub").write_text(public[0] + "\n")
    converted = tool("dropbearconvert", "dropbear", "openssh", str(directory / "client_key"),
                     str(directory / "openssh_key"))
    assert converted.returncode == 0, converted.stdout
    (directory / "openssh_key").chmod(0o600)
    (directory / "known_hosts").write_text("everybody " + (directory / "host_key.pub").read_text())
    (directory / "settings").write_text(
        f"IdentityFile {directory}/openssh_key\nUserKnownHostsFile {directory}/known_hosts\n"
        "IdentitiesOnly yes\nStrictHostKeyChecking yes\nHostKeyAlias everybody\nLogLevel ERROR\n")
    return directory


@pytest.fixture(scope="module")
def share(keys):
    return keys


@pytest.fixture
def words(guest, keys):
    """What runs ssh into the guest."""
    if guest.run("pidof dropbear").status != 0:
        guest.check("mkdir -p /root/.ssh && chmod 700 /root/.ssh && chown -R 0:0 /share && "
                    "cp /share/client_key.pub /root/.ssh/authorized_keys")
        guest.check("/usr/sbin/dropbear -E -s -r /share/host_key -p 2222 2> /tmp/dropbear.log")
        guest.wait_for_port(2222)
    address, port = guest.reach(2222)
    return ["ssh", "-F", str(keys / "settings"), "-p", str(port), f"root@{address}"]


def test_command(words):
    result = subprocess.run([*words, "cat; echo wrong >&2; exit 7"], check=False, input=b"through\0\n",
                            capture_output=True, timeout=60)
    assert (result.stdout, result.stderr, result.returncode) == (b"through\0\n", b"wrong\n", 7)


def test_interactive_session(words, guest):
    with Terminal(*words[:-1], "-t", words[-1], rows=31, columns=99) as terminal:
        terminal.wait_for(PROMPT)
        terminal.do("tty; stty size\r", r"/dev/pts/\d+\r\n31 99\r\n")
        terminal.do("sh -c 'echo started; exec sleep 1000'\r", r"\nstarted\r\n")
        terminal.do("\x1a", r"\[1\]\+ +Stopped.*\r\n.*" + PROMPT)
        terminal.do("fg; echo over\r", r"exec sleep 1000.*\r\n")
        guest.wait_until("ps -o stat,args | grep -q '^S.* sleep 1000$'")
        terminal.do("\x03", r"\^C[\s\S]*" + PROMPT)
        terminal.send("exit 6\r")
        assert terminal.wait() == 6
    guest.wait_until('[ "$(ls /dev/pts | wc -l)" = 0 ]')


@pytest.fixture(scope="module")
def host_dropbear(peers, keys):
    """This machine's dropbear, for whoever runs the test, whose home is another folder for dropbear alone."""
    home = keys / "home"
    (home / ".ssh").mkdir(mode=0o700, parents=True)
    home.chmod(0o700)
    (home / ".ssh" / "authorized_keys").write_text((keys / "client_key.pub").read_text())
    port = free_port()
    server = f"/usr/sbin/dropbear -F -E -s -r {keys}/host_key -P {keys}/pid -p {port}"
    peers.start("unshare", "--mount", "sh", "-c", f"mount --bind {home} {os.path.expanduser('~')} && exec {server}",
                port=port)
    return port


def test_guest_runs_a_command_here(guest, host_dropbear):
    guest.check("chmod 600 /share/client_key")
    user = tool("id", "-un").stdout.strip()
    result = guest.run(f"/usr/bin/dbclient -y -y -i /share/client_key -p {host_dropbear} {user}@{guest.host} "
                       "'cat; exit 9' < /etc/hostname")
    assert result.status == 9 and "vitrine" in result.output, result
