"""QEMU's monitor, by its protocol QMP: tools/vm --qmp PATH."""

import json
import os
import socket
import time

PATIENCE_S = 10
CARD = "net0"


class Monitor:
    """A connection to the machine at `path`, whose socket may be about to appear."""

    def __init__(self, path):
        deadline = time.monotonic() + PATIENCE_S
        while not os.path.exists(path) and time.monotonic() < deadline:
            time.sleep(0.02)
        self._socket = socket.socket(socket.AF_UNIX)
        self._socket.settimeout(PATIENCE_S)
        self._socket.connect(str(path))
        self._lines = self._socket.makefile("r", encoding="utf-8")
        self._lines.readline()  # the greeting
        self.do("qmp_capabilities")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._lines.close()
        self._socket.close()

    def do(self, command, **arguments):
        """Returns what the command returns; events that come in between are passed over."""
        request = {"execute": command, "arguments": arguments}
        self._socket.sendall(json.dumps(request).encode() + b"\n")
        while True:
            answer = json.loads(self._lines.readline())
            assert "error" not in answer, f"{request}: {answer['error']}"
            if "return" in answer:
                return answer["return"]

    def pause(self):
        self.do("stop")

    def go_on(self):
        self.do("cont")

    def set_link(self, up):
        """Plugs the first card's wire in or out."""
        self.do("set_link", name=CARD, up=up)

    def reset(self):
        """As the button does. The machine boots again instead of ending."""
        self.do("set-action", reboot="reset")
        self.do("system_reset")
