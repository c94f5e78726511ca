"""tmux and screen: sessions that outlive the terminal they were begun on."""

PACKAGES = ["screen", "tmux"]


def wait_for_file(guest, path, text):
    guest.wait_until(f"grep -q '{text}' {path} 2> /dev/null")


def test_tmux(guest):
    guest.check("rm -f /tmp/seen; TERM=vt100 tmux new-session -d -s work -x 90 -y 30 'stty size > /tmp/seen; cat'")
    wait_for_file(guest, "/tmp/seen", "30 90")
    guest.check("tmux send-keys -t work 'typed by nobody' Enter")
    guest.wait_until("tmux capture-pane -p -t work | grep -q 'typed by nobody'")
    assert "work: 1 windows" in guest.check("tmux list-sessions")
    guest.check("tmux kill-server")
    guest.wait_until("! pidof tmux > /dev/null")


def test_screen(guest):
    guest.check("rm -f /tmp/seen; TERM=vt100 screen -dmS work sh -c 'tty > /tmp/seen; exec cat'")
    wait_for_file(guest, "/tmp/seen", "/dev/pts/")
    guest.wait_until("screen -ls | grep -q '[.]work'")
    guest.check("screen -S work -X stuff 'typed by nobody\\n'")
    guest.check("screen -S work -X hardcopy /tmp/copy")
    wait_for_file(guest, "/tmp/copy", "typed by nobody")
    guest.check("screen -S work -X quit")
    guest.wait_until("! pidof screen > /dev/null")
