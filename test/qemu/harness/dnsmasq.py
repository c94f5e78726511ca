"""dnsmasq, the DHCP, DNS and TFTP server that guests meet."""

import subprocess
import tempfile
import threading
import time

COMMAND = ["dnsmasq", "--no-daemon", "--no-resolv", "--no-ping", "--interface=tap0", "--bind-interfaces",
           "--dhcp-range=10.77.0.100,10.77.0.150,255.255.255.0,2m", "--address=/vitrine.test/10.77.0.1"]


class Dnsmasq:
    def __init__(self, tftp_root):
        self._directory = tempfile.TemporaryDirectory(prefix="vitrine-dnsmasq-")
        self._log = []
        self._process = subprocess.Popen(
            [*COMMAND, "--conf-file=/dev/null", f"--dhcp-leasefile={self._directory.name}/leases",
             "--no-hosts", "--cname=alias.test,real.test",
             "--host-record=real.test,10.77.0.9", "--host-record=web.test,10.77.0.1", "--local=/web.test/", "--log-dhcp", "--log-queries", "--local-ttl=60",
             "--enable-tftp", f"--tftp-root={tftp_root}", "--tftp-no-blocksize"],
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        self._ready = threading.Event()
        threading.Thread(target=self._read, daemon=True).start()
        if not self._ready.wait(5) or self._process.poll() is not None:
            raise RuntimeError("dnsmasq does not start:\n" + "".join(self._log))

    def _read(self):
        for line in self._process.stdout:
            self._log.append(line)
            if "started" in line:
                self._ready.set()
        self._ready.set()

    def wait_for(self, text, seconds=5):
        """Until it has logged `text`; its lines come a little later than its packets."""
        deadline = time.monotonic() + seconds
        while text not in self.log():
            assert time.monotonic() < deadline, f"dnsmasq does not say {text!r}:\n{self.log()}"
            time.sleep(0.02)

    def log(self):
        return "".join(self._log)

    def stop(self):
        self._process.terminate()
        self._process.wait()
        self._directory.cleanup()
