"""busybox telnetd in the guest, and a telnet of this machine driven as a person would; and the other way round."""

import pytest

from room.terminal import PROMPT, Terminal


@pytest.fixture
def port(guest):
    if guest.run("pidof telnetd").status != 0:
        guest.check("busybox telnetd -l /bin/sh -p 2323 && chmod 755 /bin")
        guest.wait_for_port(2323)
    return guest.reach(2323)


def test_session(guest, port):
    with Terminal("telnet", *port, rows=27, columns=91) as terminal:
        terminal.wait_for(PROMPT)
        terminal.do("tty\r", r"/dev/pts/\d+\r\n")
        terminal.do("stty size\r", r"\n27 91\r\n")
        terminal.do("sh -c 'echo started; exec sleep 1000'\r", r"\nstarted\r\n")
        terminal.do("\x03", r"\^C\r\n.*" + PROMPT)
        terminal.do("sh -c 'echo started; exec sleep 1000'\r", r"\nstarted\r\n")
        terminal.do("\x1a", r"\[1\]\+ +Stopped.*\r\n.*" + PROMPT)
        terminal.do("kill -9 %1; jobs\r", PROMPT)
        terminal.do("top\r", r"Mem: [\s\S]* PID [\s\S]* top\r\n")
        terminal.do("q", PROMPT)
        terminal.send("exit\r")
        terminal.wait()
    guest.wait_until('[ "$(ls /dev/pts | wc -l)" = 0 ]')


def test_closing_the_window_ends_the_session(guest, port):
    with Terminal("telnet", *port) as terminal:
        terminal.wait_for(PROMPT)
        terminal.do("sh -c 'echo started; exec sleep 1000'\r", r"\nstarted\r\n")
        terminal.hang_up()
    guest.wait_until('[ "$(ls /dev/pts | wc -l)" = 0 ] && ! pidof sleep > /dev/null')


def test_client_in_the_guest(guest, port):
    """Out through telnet and in again through telnetd, on the guest's console."""
    since = guest.mark()
    guest.send("busybox telnet 127.0.0.1 2323\n")
    guest.wait_for(r"Entering character mode[\s\S]*" + PROMPT, 20, since)
    since = guest.mark()
    guest.send("tty\r")
    guest.wait_for(r"/dev/pts/\d+\r\n", 20, since)
    guest.send("exit\r")
    guest.wait_for(r"Connection closed[\s\S]*" + PROMPT, 20, since)


def test_full_screen_programs_on_the_console(guest):
    guest.check("stty rows 24 cols 80; rm -f /tmp/edited")
    since = guest.mark()
    guest.send("busybox vi /tmp/edited\r")
    guest.wait_for(r"- /tmp/edited 1/1", 20, since)
    guest.send("ione\rtwo\x1b")
    guest.wait_for(r"- /tmp/edited \[Modified\] 2/2", 20, since)
    guest.send(":1s/one/three/\r:wq\r")
    guest.wait_for(PROMPT, 20, since)
    assert guest.check("cat /tmp/edited") == "three\ntwo\n"
    since = guest.mark()
    guest.send("busybox top\r")
    guest.wait_for(r"Mem: [\s\S]* PID [\s\S]* busybox top\r\n", 20, since)
    guest.send("q")
    guest.wait_for(PROMPT, 20, since)
