"""OpenSSH both ways: this machine's client and the guest's sshd, and the other way round."""

import hashlib
import os
import shutil
import subprocess

import pytest

from harness.tcp import free_port, tool
from room.terminal import PROMPT, Terminal

PACKAGES = ["openssh-server", "openssh-client"]

# Once it says so, it is the terminal's foreground, and what is typed is for it.
SLEEP = "sh -c 'echo started; exec sleep 1000'\r"
STARTED = r"\nstarted\r\n"

SERVER = """HostKey {keys}/host_key
AuthorizedKeysFile {keys}/client_key.pub
AddressFamily inet
StrictModes no
PermitRootLogin yes
PidFile {pid}
Subsystem sftp /usr/lib/openssh/sftp-server
"""

CLIENT = """IdentityFile {keys}/client_key
IdentitiesOnly yes
UserKnownHostsFile {keys}/known_hosts
StrictHostKeyChecking yes
HostKeyAlias everybody
LogLevel ERROR
"""


def write_settings(directory, seen_as):
    """The server's and the client's, for somebody to whom `directory` is `seen_as`."""
    name = "guest" if seen_as == "/share" else "host"
    (directory / f"{name}_server").write_text(SERVER.format(keys=seen_as, pid=f"/tmp/{name}-sshd.pid"))
    (directory / f"{name}_client").write_text(CLIENT.format(keys=seen_as))


@pytest.fixture(scope="module")
def keys(tmp_path_factory):
    """Keys and settings for this test alone."""
    directory = tmp_path_factory.mktemp("ssh")
    for name in ("host_key", "client_key"):
        result = tool("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(directory / name))
        assert result.returncode == 0, result.stdout
    (directory / "known_hosts").write_text("everybody " + (directory / "host_key.pub").read_text())
    write_settings(directory, "/share")
    write_settings(directory, directory)
    return directory


@pytest.fixture(scope="module")
def share(keys):
    return keys


class Ssh:
    """This machine's OpenSSH tools, pointed at the guest."""

    def __init__(self, guest, keys):
        self.guest = guest
        address, port = guest.reach(22)
        self.target = f"root@{address}"
        self._options = ["-F", str(keys / "host_client")]
        self._port = str(port)

    def words(self, *options, user="root"):
        return ["ssh", *self._options, "-p", self._port, *options, f"{user}@{self.target.partition('@')[2]}"]

    def run(self, command, *options, user="root", **keywords):
        return subprocess.run([*self.words(*options, user=user), command], check=False, capture_output=True,
                              timeout=60, **keywords)

    def session(self, *command, **keywords):
        return Terminal(*self.words("-t"), *command, **keywords)

    def copy(self, *words):
        return tool("scp", *self._options, "-P", self._port, *words)

    def sftp(self, batch):
        return subprocess.run(["sftp", *self._options, "-P", self._port, "-b", "-", self.target], input=batch,
                              check=False, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=60)


@pytest.fixture
def ssh(guest, keys):
    if guest.run("kill -0 $(cat /tmp/guest-sshd.pid)").status != 0:
        guest.check("/usr/sbin/sshd -f /share/guest_server -E /tmp/sshd.log")
        guest.wait_for_port(22)
    return Ssh(guest, keys)


def settled(guest):
    """Nobody is logged in any more."""
    guest.wait_until('[ "$(ls /dev/pts | wc -l)" = 0 ] && ! ps -o args | grep -q "[s]shd: root"')


# Into the guest -------------------------------------------------------------------------------------


@pytest.mark.fast
def test_command_with_its_streams_and_status(ssh):
    result = ssh.run("cat; echo wrong >&2; exit 7", input=b"through\0and back\n")
    assert (result.stdout, result.stderr, result.returncode) == (b"through\0and back\n", b"wrong\n", 7)


@pytest.mark.fast
def test_interactive_session(ssh, guest):
    with ssh.session(rows=30, columns=100) as terminal:
        terminal.wait_for(PROMPT)
        terminal.do("tty\r", r"/dev/pts/\d+\r\n")
        terminal.do("stty size\r", r"\n30 100\r\n")
        terminal.do(SLEEP, STARTED)
        terminal.do("\x03", r"\^C\r\n.*" + PROMPT)
        terminal.do("echo $?\r", r"\n130\r\n")
        terminal.do("(echo cat; cat) | tr a-z A-Z\r", r"\nCAT\r\n")
        terminal.do("typed\x7f\x7f\x7fed\r\x04", r"TYED\r\n.*" + PROMPT)
        terminal.send("exit 3\r")
        assert terminal.wait() == 3
    settled(guest)


def test_jobs(ssh, guest):
    with ssh.session() as terminal:
        terminal.wait_for(PROMPT)
        terminal.do(SLEEP, STARTED)
        terminal.do("\x1a", r"\[1\]\+ +Stopped +.*sleep 1000.*\r\n.*" + PROMPT)
        terminal.do("bg\r", r"\[1\] .*sleep 1000.*\r\n.*" + PROMPT)
        terminal.do("jobs\r", r"\[1\]\+ +Running +.*sleep 1000.*\r\n.*" + PROMPT)
        terminal.do("fg; echo again\r", r"\nsh -c .*sleep 1000.*\r\n")
        guest.wait_until("ps -o stat,args | grep -q '^S.* sleep 1000$'")
        terminal.do("\x1a", r"\[1\]\+ +Stopped")
        terminal.do("cat &\r", PROMPT)
        guest.wait_until("ps -o stat,args | grep -q '^T .* cat$'")
        terminal.do("\r", r"\[2\]\+ +Stopped \(tty input\) +cat\r\n.*" + PROMPT)
        terminal.do("kill %1 %2; kill -CONT %1 %2; wait; jobs\r", PROMPT)
        terminal.do("sh -c 'echo on; echo going; while :; do :; done'\r", r"\non\r\ngoing\r\n")
        terminal.do("\x03", r"\^C[\s\S]*" + PROMPT)
        terminal.do("sleep 1001 & " + SLEEP, STARTED)
        terminal.do("\x1c", r"\^\\[\s\S]*" + PROMPT)
        terminal.send("exit 0\r")
        assert terminal.wait() == 0
    settled(guest)  # although a job in the background still has the terminal open
    guest.check("killall sleep")


def test_window_size_changes(ssh):
    with ssh.session(rows=24, columns=80) as terminal:
        terminal.wait_for(PROMPT)
        terminal.do("sh -c 'trap \"stty size; exit\" WINCH; echo started; while :; do sleep 0.01; done'\r", STARTED)
        since = terminal.mark()
        terminal.resize(40, 132)
        terminal.wait_for(r"40 132\r\n.*" + PROMPT, since)


def test_terminal_for_one_command(ssh):
    with ssh.session("tty; read line; echo got $line; exit 5") as terminal:
        terminal.wait_for(r"/dev/pts/\d+\r\n")
        terminal.do("some words\r", r"got some words\r\n")
        assert terminal.wait() == 5


def test_much_output_and_interrupt(ssh):
    """Ctrl-C reaches a program whose output fills everything on the way."""
    with ssh.session() as terminal:
        terminal.wait_for(PROMPT)
        terminal.do("yes\r", r"(y\r\n){1000}")
        terminal.do("\x03", PROMPT)
        terminal.do("seq 1 20000 | tail -n 1\r", r"\n20000\r\n")
        since = terminal.mark()
        terminal.send("seq 1 20000\r")
        terminal.wait_for(r"\n20000\r\n", since)
        lines = terminal.text[since:].split("\r\n")
        assert [line for line in lines if line.isdigit()] == [str(n) for n in range(1, 20001)]


def test_hang_up_ends_the_session(ssh, guest):
    with ssh.session() as terminal:
        terminal.wait_for(PROMPT)
        terminal.do(SLEEP, STARTED)
        terminal.hang_up()
    settled(guest)
    guest.wait_until("! pidof sleep > /dev/null")


def test_full_screen_programs(ssh):
    with ssh.session(rows=20, columns=70) as terminal:
        terminal.wait_for(PROMPT)
        terminal.do("rm -f /tmp/edited; vi /tmp/edited\r", r"(~\r?\n?.*){10}")
        terminal.do("ifirst line\rsecond\x1b", r"- /tmp/edited \[Modified\] 2/2")
        terminal.do("yyp:wq\r", PROMPT)
        terminal.do("cat /tmp/edited\r", r"\nfirst line\r\nsecond\r\nsecond\r\n")
        terminal.do("top\r", r"Mem: [\s\S]* PID [\s\S]* top\r\n")
        terminal.do("q", PROMPT)


def test_copies(ssh, guest, tmp_path):
    data = os.urandom(3_000_000)
    (tmp_path / "file").write_bytes(data)
    assert ssh.copy(tmp_path / "file", f"{ssh.target}:/tmp/copied").returncode == 0
    assert guest.check("sha256sum < /tmp/copied").split()[0] == hashlib.sha256(data).hexdigest()
    assert ssh.copy(f"{ssh.target}:/tmp/copied", tmp_path / "back").returncode == 0
    assert (tmp_path / "back").read_bytes() == data
    result = ssh.sftp("cd /tmp\nrename copied moved\nmkdir directory\nls -l moved\nrm moved\nrmdir directory\n")
    assert result.returncode == 0 and "3000000" in result.stdout, result.stdout


def test_local_forwarding(ssh, guest, peers):
    """-L: this machine's port leads to a server in the guest."""
    guest.check("mkdir -p /tmp/www; echo forwarded > /tmp/www/page; busybox httpd -p 127.0.0.1:8011 -h /tmp/www")
    port = free_port()
    peers.start(*ssh.words("-N", "-L", f"127.0.0.1:{port}:127.0.0.1:8011"), port=port)
    assert tool("curl", "-sS", f"http://127.0.0.1:{port}/page").stdout == "forwarded\n"


def test_remote_forwarding(ssh, guest, peers):
    """-R: the guest's port leads to a server on this machine."""
    directory, port = peers.directory(), free_port()
    (directory / "page").write_text("backward\n")
    peers.start("/usr/bin/python3", "-m", "http.server", port, "--bind", "127.0.0.1", port=port, directory=directory)
    peers.start(*ssh.words("-N", "-R", f"127.0.0.1:8012:127.0.0.1:{port}"))
    guest.wait_for_port(8012)
    assert guest.check("busybox wget -q -O - http://127.0.0.1:8012/page") == "backward\n"


def test_dynamic_forwarding(ssh, guest, peers):
    """-D: SOCKS into the guest."""
    guest.check("mkdir -p /tmp/www; echo socks > /tmp/www/socks; busybox httpd -p 127.0.0.1:8013 -h /tmp/www")
    port = free_port()
    peers.start(*ssh.words("-N", "-D", f"127.0.0.1:{port}"), port=port)
    result = tool("curl", "-sS", "--socks5", f"127.0.0.1:{port}", "http://127.0.0.1:8013/socks")
    assert result.stdout == "socks\n"


def test_user_without_rights(ssh, guest):
    result = ssh.run("id -u; kill 1 2>&1; busybox httpd -f -p 99 2>&1; cat /etc/shadow 2>&1; touch /etc/new 2>&1",
                     user="user", text=True)
    lines = result.stdout.splitlines()
    assert lines[0] == "1000" and all("ermi" in line for line in lines[1:]) and len(lines) == 5, result


def test_terminal_and_home_of_a_user(ssh, guest):
    """A terminal of his own, which is his; a home where he may write, and others may not look."""
    result = ssh.run("tty; test -O $(tty) && echo his; pwd; echo mine > ~/file; stat -c %U ~/file", "-tt", user="user",
                     text=True)
    lines = result.stdout.splitlines()
    assert lines[0].startswith("/dev/pts/") and lines[1:] == ["his", "/home/user", "user"], result
    assert guest.run("su -s /bin/sh nobody -c 'cat /home/user/file'").status != 0


# Out of the guest -----------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def host_sshd(peers, keys):
    """sshd of this machine; separates its privileges, so it has to be root's."""
    if not shutil.which("sshd", path="/usr/sbin"):
        pytest.skip("this machine has no sshd")
    if os.geteuid() != 0 or not os.access("/run", os.W_OK) or "0 4294967295" not in id_map():
        pytest.skip("only root can start sshd")
    os.makedirs("/run/sshd", exist_ok=True)
    port = free_port()
    peers.start("/usr/sbin/sshd", "-D", "-e", "-p", port, "-f", keys / "host_server", port=port)
    return port


def id_map():
    with open("/proc/self/uid_map", encoding="ascii") as file:
        return " ".join(file.read().split())


def client(guest, port, *words):
    return f"/usr/bin/ssh -F /share/guest_client -p {port} {' '.join(words)}"


def test_guest_runs_a_command_here(guest, host_sshd):
    guest.check("chmod 600 /share/client_key")
    result = guest.run(client(guest, host_sshd, f"root@{guest.host}", "'cat; exit 9'", "< /etc/hosts"))
    assert result.status == 9 and "localhost" in result.output


def test_guest_has_a_session_here(guest, host_sshd):
    """From the console, through a pseudo-terminal of this machine."""
    guest.check("chmod 600 /share/client_key; stty rows 33 cols 111")
    since = guest.mark()
    guest.send(client(guest, host_sshd, "-t", f"root@{guest.host}", "'exec env PS1=the\"\"re% sh'") + "\n")
    guest.wait_for(r"there%$", 20, since)
    since = guest.mark()
    guest.send("stty size; " + SLEEP)
    guest.wait_for(r"\n33 111\r\nstarted\r\n", 20, since)
    guest.send("\x03")
    guest.wait_for(r"\^C\r\n.*there%$", 20, since)
    guest.send("exit 4\r")
    guest.wait_for(r"exit 4\r\n.*" + PROMPT, 20, since)
    assert guest.run("true").status == 0


def test_guest_copies(guest, host_sshd, tmp_path):
    data = os.urandom(1_000_000)
    (tmp_path / "file").write_bytes(data)
    guest.check("chmod 600 /share/client_key")
    scp = f"/usr/bin/scp -F /share/guest_client -P {host_sshd}"
    guest.check(f"{scp} root@{guest.host}:{tmp_path}/file /tmp/fetched", 60)
    guest.check(f"{scp} /tmp/fetched root@{guest.host}:{tmp_path}/back", 60)
    assert (tmp_path / "back").read_bytes() == data
