"""tools/vm with a COMMAND: what it prints, and its exit status."""

import fcntl
import os
import re
import signal
import socket
import subprocess
import termios
import time

import pytest
from scapy.layers.dhcp import BOOTP
from scapy.layers.inet import ICMP
from scapy.utils import rdpcap

from harness.guest import KERNEL, VM, run_vm


@pytest.mark.parametrize("status", [0, 1, 42, 255])
def test_exit_status(status):
    assert run_vm("--net", "none", command=f"exit {status}").returncode == status


def test_only_the_output_is_on_stdout():
    result = run_vm("--net", "none", command="echo hello; echo world >&2")
    assert result.stdout == "hello\nworld\n"
    assert "hello" not in result.stderr
    assert result.stderr != ""


def test_every_byte_comes_through():
    command = "i=0; while [ $i -lt 256 ]; do printf \"\\\\$(printf %03o $i)\"; i=$((i+1)); done"
    result = subprocess.run([VM, "--kernel", KERNEL, "--net", "none", "--", command], stdin=subprocess.DEVNULL,
                            stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, timeout=60, check=False)
    assert result.stdout == bytes(range(256))


def test_a_megabyte_comes_through():
    result = run_vm("--net", "none", command="seq 1 150000")
    assert result.stdout == "".join(f"{number}\n" for number in range(1, 150001))


def test_command_line_is_passed_as_it_is():
    text = "a  'b' \"c\" $((1+1)) % & ; é"
    result = run_vm("--net", "none", command=f"cat <<'END'\n{text}\nEND")
    assert result.stdout == text + "\n"


def test_too_long_a_command_is_refused():
    result = run_vm("--net", "none", command="echo " + "x" * 2100)
    assert result.returncode == 2
    assert "of the kernel's command line" in result.stderr.splitlines()[-1]


def test_standard_input_is_typed():
    result = subprocess.run([VM, "--kernel", KERNEL, "--net", "none", "--", "cat"], input="typed line\n", text=True,
                            stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=60, check=False)
    assert result.returncode == 0
    assert "typed line\n" in result.stdout


def test_timeout():
    began = time.monotonic()
    assert run_vm("--net", "none", "--timeout", "3", command="sleep 60").returncode == 124
    assert time.monotonic() - began < 20


def test_panic():
    result = run_vm("--net", "none", command="echo c > /proc/sysrq-trigger; sleep 60")
    assert result.returncode == 125
    assert "panic:" in result.stderr
    backtrace = result.stderr[result.stderr.index("panic:"):]
    assert re.search(r"\b[a-z_]+\+0x[0-9a-f]+", backtrace), "no symbolised backtrace"


def children(process):
    with open(f"/proc/{process.pid}/task/{process.pid}/children", encoding="ascii") as file:
        return [int(word) for word in file.read().split()]


def until(holds):
    deadline = time.monotonic() + 10
    while not holds() and time.monotonic() < deadline:
        time.sleep(0.05)
    return holds()


def test_reader_that_goes_ends_the_machine():
    with subprocess.Popen([VM, "--kernel", KERNEL, "--net", "none", "--", "yes"], stdin=subprocess.DEVNULL,
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdout.readline() == b"y\n"
        process.stdout.close()
        assert process.wait(10) == 128 + signal.SIGPIPE
        assert b"Traceback" not in process.stderr.read()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP, signal.SIGKILL])
def test_signal_ends_the_machine(number):
    with subprocess.Popen([VM, "--kernel", KERNEL, "--net", "none", "--", "sleep 60"], stdin=subprocess.DEVNULL,
                          stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        assert until(lambda: children(process))
        qemu, = children(process)
        process.send_signal(number)
        assert process.wait(10) == (-number if number == signal.SIGKILL else 128 + number)
        assert until(lambda: not os.path.exists(f"/proc/{qemu}"))


def interruptible(command):
    """tools/vm at the terminal `slave` of a process group of its own, and the terminal's other end."""
    master, slave = os.openpty()

    def take_terminal():
        os.setsid()
        fcntl.ioctl(0, termios.TIOCSCTTY, 0)
    process = subprocess.Popen([VM, "--kernel", KERNEL, "--net", "none", "--", command], stdin=slave,
                               stdout=subprocess.PIPE, stderr=subprocess.PIPE, preexec_fn=take_terminal)
    os.close(slave)
    return process, master


def test_first_interrupt_is_the_commands():
    """A terminal's Ctrl-C reaches all processes in front, but QEMU must not end by it."""
    process, terminal = interruptible("trap 'echo caught; exit 3' INT; echo ready; sleep 60 & wait")
    with process:
        assert process.stdout.readline() == b"ready\n"
        os.write(terminal, b"\x03")
        assert process.stdout.readline() == b"caught\n"
        assert process.wait(10) == 3
    os.close(terminal)


def test_second_interrupt_ends_the_machine():
    process, terminal = interruptible("trap '' INT; echo ready; sleep 60")
    with process:
        assert process.stdout.readline() == b"ready\n"
        qemu, = children(process)
        os.write(terminal, b"\x03")
        assert any(b"Ctrl-C once more" in line for line in process.stderr)
        os.write(terminal, b"\x03")
        assert process.wait(10) == 128 + signal.SIGINT
        assert not os.path.exists(f"/proc/{qemu}")
    os.close(terminal)


def test_forwarded_port():
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as peer:
        peer.bind(("127.0.0.1", 0))
        peer.settimeout(0.2)
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
            probe.bind(("127.0.0.1", 0))
            port = probe.getsockname()[1]
        with subprocess.Popen([VM, "--kernel", KERNEL, "--fwd", f"udp:{port}:7", "--", "udpecho"],
                              stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as machine:
            try:
                assert exchange(peer, port) == b"hello"
            finally:
                machine.terminate()


def exchange(peer, port):
    """Sends until an answer comes: the guest is still booting at first."""
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        peer.sendto(b"hello", ("127.0.0.1", port))
        try:
            return peer.recv(100)
        except OSError:
            time.sleep(0.1)
    return None


def test_pcap(tmp_path):
    path = tmp_path / "frames.pcap"
    result = run_vm("--pcap", str(path), "--mac", "52:54:00:00:00:99", command="ping -c 1 10.0.2.2")
    assert result.returncode == 0
    frames = rdpcap(str(path))
    assert any(frame.src == "52:54:00:00:00:99" and ICMP in frame for frame in frames)
    assert any(BOOTP in frame for frame in frames)


def test_static_address():
    result = run_vm("--ip", "10.0.2.77/24,10.0.2.2", command="ping -c 1 10.0.2.2 && route -n")
    assert result.returncode == 0, result.stdout + result.stderr
    assert "net: eth0 10.0.2.77/24 gateway 10.0.2.2 (static)" in result.stderr
    assert re.search(r"^0\.0\.0\.0\s+10\.0\.2\.2\s", result.stdout, re.MULTILINE)


def test_network_off():
    result = run_vm("--append", "ip=off", command="cat /proc/net/route")
    assert result.returncode == 0
    assert "net: eth0" not in result.stderr
    assert "eth0" not in result.stdout


@pytest.mark.parametrize("setting", ["ip=10.0.0.2:bogus", "ip=300.1.1.1::10.0.0.1:255.255.255.0::eth0:off", "ip=dhpc",
                                     "ip=10.0.0.2::10.0.0.1:255.0.255.0::eth0:off"])
def test_wrong_setting_is_one_line(setting):
    result = run_vm("--append", setting, command="echo alive", seconds=60)
    assert result.returncode == 0
    assert result.stdout == "alive\n"
    complaints = [line for line in result.stderr.splitlines() if "ip=" in line and "command line" not in line]
    assert len(complaints) == 1, result.stderr


def test_programs_started_at_boot_and_from_the_shell_see_the_same_network():
    """The command is a child of init; what it starts through a login shell is a grandchild."""
    result = run_vm(command="cat /proc/net/route > /tmp/a; sh -lc 'cat /proc/net/route' > /tmp/b; cmp /tmp/a /tmp/b && "
                    "grep -c eth0 /tmp/b")
    assert result.returncode == 0, result.stdout + result.stderr
    assert int(result.stdout) >= 2
