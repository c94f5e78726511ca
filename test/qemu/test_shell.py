"""The ground floor as a person at the console meets it: processes, signals, terminal, files."""

import os
import re
import time

import pytest

from harness.guest import PROMPT, TOP


@pytest.mark.parametrize("command, output", [
    ("echo hello", "hello\n"),
    ("seq 1 1000 | sort -rn | head -n 1", "1000\n"),
    ("echo one > /tmp/f; echo two >> /tmp/f; cat < /tmp/f; rm /tmp/f", "one\ntwo\n"),
    ("x=$(echo inner $(echo deep)); echo \"$x\"", "inner deep\n"),
    ("cd /; (cd /tmp && pwd); pwd", "/tmp\n/\n"),
    ("mkdir -p /tmp/a/b; touch /tmp/a/b/c; find /tmp/a; rm -r /tmp/a", "/tmp/a\n/tmp/a/b\n/tmp/a/b/c\n"),
    ("ln -s /etc/passwd /tmp/link; readlink /tmp/link; rm /tmp/link", "/etc/passwd\n"),
    ("echo abc | tr a-c A-C | sed s/B/x/ | awk '{print $1 $1}'", "AxCAxC\n"),
    ("printf 'b\\na\\n' > /tmp/f; mv /tmp/f /tmp/g; sort /tmp/g; ls /tmp/f 2>/dev/null; rm /tmp/g", "a\nb\n"),
    ("dd if=/dev/zero bs=1000 count=100 2>/dev/null | wc -c", "100000\n"),
    ("head -c 10 /dev/zero | od -An -tx1", " 00 00 00 00 00 00 00 00 00 00\n"),
    ("cat /dev/null | wc -c", "0\n"),
    ("tar -c -C / etc | tar -t | grep -c passwd", "1\n"),
    ("gzip -c /bin/busybox | gunzip -c | cmp - /bin/busybox && echo same", "same\n"),
    ("sh -c 'exit 3'; echo $?", "3\n"),
    ("nosuchcommand 2>/dev/null; echo $?", "127\n"),
    ("sh -c 'kill -9 $$'; echo $?", "137\n"),
    ("timeout 1 sleep 10; echo $?", "143\n"),
    ("test -t 0 && echo terminal", "terminal\n"),
    ("uname -m", "aarch64\n"),
])
def test_shell(plain_guest, command, output):
    result = plain_guest.run(command)
    # Lines of the shell's own about killed children stand between.
    assert result.output.endswith(output), result


def test_full_and_random_devices(plain_guest):
    assert plain_guest.run("echo x > /dev/full").status != 0
    first = plain_guest.check("head -c 16 /dev/urandom | od -An -tx1")
    second = plain_guest.check("head -c 16 /dev/random | od -An -tx1")
    assert len(first.split()) == len(second.split()) == 16
    assert first != second


def free_memory(guest):
    text = guest.check("cat /proc/meminfo")
    return int(re.search(r"MemFree:\s+(\d+) kB", text).group(1))


def test_five_hundred_processes_leave_nothing_behind(plain_guest):
    loop = "i=0; while [ $i -lt {} ]; do /bin/busybox echo $i | cat > /dev/null; i=$((i+1)); done"
    plain_guest.check(loop.format(10))
    before = free_memory(plain_guest)
    plain_guest.check(loop.format(250), seconds=120)
    assert free_memory(plain_guest) > before - 512


def test_ps_shows_init_and_the_shell(plain_guest):
    output = plain_guest.check("ps")
    assert re.search(r"^\s*1\s.*init", output, re.MULTILINE)
    assert re.search(r"\bsh\b", output)


def test_proc_of_a_process(plain_guest):
    pid = plain_guest.background("sleep 100")
    plain_guest.check("sleep 0.2")  # until then it is still the shell's copy
    assert plain_guest.check(f"tr '\\0' ' ' < /proc/{pid}/cmdline") == "sleep 100 "
    assert f"\nPid:\t{pid}\n" in plain_guest.check(f"cat /proc/{pid}/status")
    stat = plain_guest.check(f"cat /proc/{pid}/stat")
    assert stat.startswith(f"{pid} (sleep) S ")
    assert plain_guest.run(f"kill {pid}; wait {pid}").status == 143
    assert plain_guest.run(f"ls /proc/{pid}").status != 0


def test_uptime_advances(plain_guest):
    before = float(plain_guest.check("cat /proc/uptime").split()[0])
    plain_guest.check("sleep 1")
    after = float(plain_guest.check("cat /proc/uptime").split()[0])
    assert 1.0 <= after - before < 5


@pytest.mark.parametrize("path", ["dev", "arp", "route", "udp", "raw", "snmp", "netstat", "igmp", "drops"])
def test_proc_net(plain_guest, path):
    assert plain_guest.check(f"cat /proc/net/{path}").strip() != ""


# Terminal ---------------------------------------------------------------------------------------


def type_and_wait(guest, text, pattern, seconds=10):
    since = guest.mark()
    guest.send(text)
    guest.wait_for(pattern, seconds, since)
    return since


def test_ctrl_c_ends_ping(plain_guest):
    for ping in ("ping", "/bin/ping"):
        since = type_and_wait(plain_guest, f"{ping} 127.0.0.1\n", r"from 127\.0\.0\.1.*seq=1")
        plain_guest.send("\x03")
        plain_guest.wait_for(r"packets transmitted, \d+ (packets )?received, 0% packet loss", since=since)
        plain_guest.wait_for(PROMPT)
    plain_guest.check("echo still here")


@pytest.mark.parametrize("command", ["sleep 1000", "cat", "cat /dev/zero > /dev/null", "sleep 1000 | cat", "yes > /dev/null",
                                     "sh -c 'while :; do :; done'", "udpecho", "/test/udp_receive 9", "busybox nslookup x.test 127.0.0.2", "wait"])
def test_ctrl_c_ends(plain_guest, command):
    if command == "wait":
        plain_guest.background("sleep 30")
    plain_guest.send(f"{command}\n")
    time.sleep(0.5)
    since = plain_guest.mark()
    plain_guest.send("\x03")
    plain_guest.wait_for(PROMPT, since=since)
    plain_guest.check("echo still here")


@pytest.mark.parametrize("command", ["sleep 1000", "udpecho", "cat /dev/zero > /dev/null",
                                     "sh -c 'sleep 1000 | cat'", "ping 127.0.0.1 > /dev/null"])
def test_kill_9_ends(plain_guest, command):
    pid = plain_guest.background(command)
    plain_guest.check("sleep 0.3")
    # One line: at its next prompt the shell forgets a job of which it has told.
    assert plain_guest.run(f"kill -9 {pid}; wait {pid}").status == 137
    plain_guest.run("killall sleep")


def test_kill_9_of_a_process_blocked_in_recvfrom(plain_guest):
    pid = plain_guest.background("/test/udp_receive 7")
    plain_guest.check("sleep 0.3")
    assert ":0007 " in plain_guest.check("cat /proc/net/udp")
    assert plain_guest.run(f"kill -9 {pid}; wait {pid}").status == 137
    assert ":0007 " not in plain_guest.check("cat /proc/net/udp")


def test_ctrl_d_ends_input(plain_guest):
    type_and_wait(plain_guest, "cat\n", "cat\r\n")
    time.sleep(0.3)  # what is typed before cat runs is not echoed
    type_and_wait(plain_guest, "typed\n", "typed\r\ntyped\r\n")
    since = plain_guest.mark()
    plain_guest.send("\x04")
    plain_guest.wait_for(PROMPT, since=since)


def test_line_editing(plain_guest):
    """In cooked mode Backspace takes back a character, Ctrl-W a word, Ctrl-U the line."""
    plain_guest.send("head -n 1 > /tmp/line\n")
    time.sleep(0.3)
    since = plain_guest.mark()
    plain_guest.send("wrong\x15one twoo\x7f three\x17four\n")
    plain_guest.wait_for(PROMPT, since=since)
    assert plain_guest.check("cat /tmp/line") == "one two four\n"


def test_job_control(plain_guest):
    since = type_and_wait(plain_guest, "sleep 500\n", "sleep 500\r\n")
    time.sleep(0.3)
    plain_guest.send("\x1a")
    plain_guest.wait_for("Stopped", since=since)
    assert re.search(r"Stopped\s+sleep 500", plain_guest.check("jobs"))
    assert re.search(r"\bT\b.*sleep", plain_guest.check("ps -o pid,stat,args"))
    type_and_wait(plain_guest, "fg\n", "sleep 500\r\n")
    time.sleep(0.3)
    since = plain_guest.mark()
    plain_guest.send("\x03")
    plain_guest.wait_for(PROMPT, since=since)
    assert "sleep 500" not in plain_guest.check("jobs")


def test_background_reader_is_stopped(plain_guest):
    plain_guest.send("cat &\n")
    time.sleep(0.5)
    assert "Stopped (tty input)" in plain_guest.check("jobs")
    plain_guest.run("kill %1; kill -9 %1; wait")


def test_vi(plain_guest):
    plain_guest.run("rm -f /tmp/text")
    since = type_and_wait(plain_guest, "vi /tmp/text\n", "~")
    plain_guest.send("ihello\rworld\x1b")
    plain_guest.wait_for("world", since=since)
    since = plain_guest.mark()
    plain_guest.send(":wq\r")
    plain_guest.wait_for(PROMPT, since=since)
    assert plain_guest.check("cat /tmp/text") == "hello\nworld\n"


def test_window_size(plain_guest):
    plain_guest.check("stty rows 33 cols 99")
    assert plain_guest.check("stty size") == "33 99\n"
    plain_guest.check("stty rows 24 cols 80")


def test_idle_machine_sleeps(plain_guest):
    """With nothing to do, QEMU itself uses next to no processor time."""
    def seconds():
        tools_vm = plain_guest.process_id
        with open(f"/proc/{tools_vm}/task/{tools_vm}/children", encoding="ascii") as file:
            qemu = int(file.read().split()[0])
        with open(f"/proc/{qemu}/stat", encoding="ascii") as file:
            fields = file.read().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    plain_guest.check("true")
    time.sleep(0.5)
    before = seconds()
    time.sleep(4)
    assert seconds() - before < 0.4


# Programs of test/qemu/programs -----------------------------------------------------------------


def programs():
    directory = os.path.join(TOP, "test/qemu/programs")
    return sorted(name[:-2] for name in os.listdir(directory) if name.endswith("_test.c")) if os.path.isdir(directory) else []


@pytest.mark.parametrize("name", programs())
def test_program(plain_guest, name):
    """Each checks one thing from inside, and says what it found wrong."""
    result = plain_guest.run(f"/test/{name}", seconds=60)
    assert result.status == 0, result


def test_bad_access_is_one_line_of_the_log(plain_guest):
    mark = plain_guest.mark()
    plain_guest.run("/test/protection_test", seconds=60)
    log = plain_guest.text[mark:]
    assert log.count("protection_test[") == 9
    assert "bad memory access at pc 0x" in log
