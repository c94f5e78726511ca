"""A guest with packages, and the ways between it and this machine."""

import re
import shlex

from harness.guest import IMAGE, VM, Guest
from harness.monitor import Monitor
from harness.tcp import free_port

HOST = "10.77.0.1"
GUEST = "10.77.0.2"
GUEST_MAC = "52:54:00:12:34:56"

# What QEMU's user networking calls this machine's 127.0.0.1, and the guest.
USER_HOST = "10.0.2.2"
USER_GUEST = "10.0.2.15"


class ProgramGuest(Guest):
    """`run`, `check`, `background`, `send` and `wait_for` are harness.guest.Guest's.

    network   "tap" or "user"
    host      this machine's address as the guest sees it; a server here must listen on 0.0.0.0, or on
              HOST and on 127.0.0.1
    address   the guest's own
    """

    def __init__(self, network, directory, options):
        self.network = network
        self.host, self.address = (HOST, GUEST) if network == "tap" else (USER_HOST, USER_GUEST)
        self._qmp = directory / "qmp"
        self._reached = {}
        card = ["--net", "tap=tap0", "--ip", f"{GUEST}/24,{HOST}", "--mac", GUEST_MAC]
        if network == "user":
            card = ["--net", "user", "--ip", f"{USER_GUEST}/24,{USER_HOST}"]
        super().__init__(command=[VM, "--kernel", IMAGE, *card, "--qmp", str(self._qmp), *options])

    def start(self):
        super().start()
        self.wait_for(rf"net: eth0 {re.escape(self.address)}/24")
        return self

    def reach(self, port, protocol="tcp"):
        """(address, port) at which this machine reaches the guest's port."""
        if self.network == "tap":
            return self.address, port
        if (protocol, port) not in self._reached:
            here = free_port()
            with Monitor(self._qmp) as monitor:
                answer = monitor.do("human-monitor-command",
                                    **{"command-line": f"hostfwd_add net0 {protocol}:127.0.0.1:{here}-:{port}"})
            assert not answer, answer
            self._reached[protocol, port] = here
        return "127.0.0.1", self._reached[protocol, port]

    def sha256(self, path):
        """Of a file in the guest."""
        return self.check(f"sha256sum {path}").split()[0]

    def wait_until(self, command, seconds=20):
        """Until the command succeeds in the guest."""
        self.check(f"until {command}; do sleep 0.05; done", seconds)

    def wait_for_port(self, port, seconds=20):
        """Until a server in the guest listens on this TCP port."""
        self.wait_until(f"netstat -ltn 2> /dev/null | grep -q ':{port} '", seconds)

    def write_file(self, path, text):
        """A small text file, typed in."""
        lines = " ".join(shlex.quote(line) for line in text.splitlines())
        self.check(f"printf '%s\\n' {lines} > {path}")
