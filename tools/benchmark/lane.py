"""A lane: two hosts in network namespaces of their own, joined by the relay, and connections between them.

The near host is this machine's Linux. The far one is Linux too, or vitrine-host on a TAP that a bridge
joins with the relay's.  Both send with CUBIC.
"""

import contextlib
import glob
import os
import select
import signal
import socket
import struct
import subprocess
import sys
import time

from harness import namespace

NEAR, FAR, PREFIX = "10.9.0.1", "10.9.0.2", 24
NEAR_TAP, FAR_TAP, VITRINE_TAP = "near0", "far0", "vitrine0"
DISCARD, CHARGEN = 9, 19
PIECE = 1 << 16
TCP_INFO_BYTES_ACKED = 120  # in struct tcp_info: be it 8 bytes
READY_LIMIT_S = 30


class Failed(Exception):
    """A host or the relay is not there."""


def forget_metrics():
    """Otherwise a connection begins with the ssthresh that an earlier one ended with."""
    namespace.write("/proc/sys/net/ipv4/tcp_no_metrics_save", "1")


def use_cubic(sock):
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_CONGESTION, b"cubic")


def bring_up(interface, address=None):
    if os.path.exists(f"/proc/sys/net/ipv6/conf/{interface}/disable_ipv6"):
        namespace.write(f"/proc/sys/net/ipv6/conf/{interface}/disable_ipv6", "1")
    if address:
        namespace.ip("addr", "add", f"{address}/{PREFIX}", "dev", interface)
    namespace.ip("link", "set", interface, "up")


def fork(work):
    """Runs `work` in a child with a namespace of its own, until it is killed. Its process id."""
    pid = os.fork()
    if pid:
        return pid
    status = 1
    try:
        reason = namespace.enter()
        if reason:
            raise Failed(reason)
        work()
        status = 0
    except (Failed, OSError, subprocess.CalledProcessError) as error:
        print(f"bench-goodput: {error}", file=sys.stderr)
    finally:
        os._exit(status)


def end(pid):
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, signal.SIGKILL)
    with contextlib.suppress(ChildProcessError):
        os.waitpid(pid, 0)


# ---- The far host ----

def wait_for_interface(name):
    """Until the near host has moved it here."""
    deadline = time.monotonic() + READY_LIMIT_S
    while name not in (entry for _, entry in socket.if_nameindex()):
        if time.monotonic() > deadline:
            raise Failed(f"{name} did not come")
        time.sleep(0.01)


def listener(port):
    sock = socket.create_server((FAR, port), backlog=64)
    use_cubic(sock)  # and so do the connections that it accepts
    sock.setblocking(False)
    return sock


def serve():
    """Discard and chargen on this machine's Linux, for as long as it lives."""
    poll, ends, data = select.epoll(), {}, bytes(PIECE)
    listeners = {}
    for port in (DISCARD, CHARGEN):
        sock = listener(port)
        listeners[sock.fileno()] = (sock, port)
        poll.register(sock, select.EPOLLIN)
    while True:
        for fd, _ in poll.poll():
            if fd in listeners:
                sock, port = listeners[fd]
                end_, _ = sock.accept()
                end_.setblocking(False)
                ends[end_.fileno()] = end_
                poll.register(end_, select.EPOLLIN if port == DISCARD else select.EPOLLIN | select.EPOLLOUT)
                continue
            try:
                while ends[fd].getsockname()[1] == CHARGEN and ends[fd].send(data):
                    pass
                alive = bool(ends[fd].recv(PIECE))
            except BlockingIOError:
                continue
            except OSError:
                alive = False
            if not alive:
                poll.unregister(fd)
                ends.pop(fd).close()


def far_linux():
    forget_metrics()
    wait_for_interface(FAR_TAP)
    bring_up(FAR_TAP, FAR)
    serve()


def far_vitrine(program):
    wait_for_interface(FAR_TAP)
    namespace.ip("link", "add", "bridge0", "type", "bridge")
    namespace.ip("tuntap", "add", "dev", VITRINE_TAP, "mode", "tap", "vnet_hdr")
    for name in (FAR_TAP, VITRINE_TAP):
        namespace.ip("link", "set", name, "master", "bridge0")
        bring_up(name)
    bring_up("bridge0")
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    os.execv(program, [program, "--tap", VITRINE_TAP, "--ip", f"{FAR}/{PREFIX}", "--service", "discard,chargen"])


# ---- The near host, and what it measures ----

class Connections:
    """Several at once, all sending or all receiving."""

    def __init__(self, count, sending):
        self.sending, self.received = sending, 0
        self.poll = select.epoll()
        self.sockets = {}
        for _ in range(count):
            sock = socket.create_connection((FAR, DISCARD if sending else CHARGEN), timeout=READY_LIMIT_S)
            use_cubic(sock)
            sock.setblocking(False)
            self.sockets[sock.fileno()] = sock
            self.poll.register(sock, select.EPOLLOUT if sending else select.EPOLLIN)

    def delivered(self):
        """Bytes that have arrived at the other side so far."""
        if not self.sending:
            return self.received
        infos = (sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 256) for sock in self.sockets.values())
        return sum(struct.unpack_from("=Q", info, TCP_INFO_BYTES_ACKED)[0] for info in infos)

    def run(self, seconds):
        deadline, data = time.monotonic() + seconds, bytes(PIECE)
        while (left := deadline - time.monotonic()) > 0:
            for fd, _ in self.poll.poll(left):
                with contextlib.suppress(BlockingIOError):
                    if self.sending:
                        self.sockets[fd].send(data)
                    else:
                        self.received += len(self.sockets[fd].recv(PIECE))

    def close(self):
        for sock in self.sockets.values():
            sock.close()


def wait_for_far():
    deadline = time.monotonic() + READY_LIMIT_S
    while True:
        try:
            socket.create_connection((FAR, DISCARD), timeout=1).close()
            return
        except OSError as error:
            if time.monotonic() > deadline:
                raise Failed(f"the far host does not answer: {error}") from error
            time.sleep(0.05)


def interfaces_of(pid):
    """The TAPs that a process has open."""
    found = set()
    for path in glob.glob(f"/proc/{pid}/fdinfo/*"):
        with contextlib.suppress(OSError), open(path, encoding="ascii") as file:
            found.update(word for line in file if line.startswith("iff:") for word in line.split()[1:])
    return found


def wait_until_open(pid):
    """The relay opens both TAPs by their names; once open, one of them can move to another namespace."""
    deadline = time.monotonic() + READY_LIMIT_S
    while not {NEAR_TAP, FAR_TAP} <= interfaces_of(pid):
        if time.monotonic() > deadline:
            raise Failed("the relay does not open its interfaces")
        time.sleep(0.01)


class Lane:
    """What one measurement is of: who sends, who receives, over which link."""

    def __init__(self, build, faults, seed, vitrine, sending, connections):
        self.build, self.faults, self.seed = build, faults, seed
        self.vitrine, self.sending, self.connections = vitrine, sending, connections
        self.read_end = self.pid = None

    def relay(self):
        return subprocess.Popen([f"{self.build}/host/relay", "--faults", self.faults, "--seed", str(self.seed),
                                 f"tap={NEAR_TAP}", f"tap={FAR_TAP}"],
                                stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)

    def measure(self, settle_s, seconds):
        """Megabits a second that arrive, all connections together. In the near host's process."""
        forget_metrics()
        for name in (NEAR_TAP, FAR_TAP):
            namespace.ip("tuntap", "add", "dev", name, "mode", "tap")
        program = f"{self.build}/host/vitrine-host"
        far = fork((lambda: far_vitrine(program)) if self.vitrine else far_linux)
        relay = self.relay()
        try:
            wait_until_open(relay.pid)
            namespace.ip("link", "set", FAR_TAP, "netns", str(far))
            bring_up(NEAR_TAP, NEAR)
            wait_for_far()
            connections = Connections(self.connections, self.sending)
            connections.run(settle_s)
            began, before = time.monotonic(), connections.delivered()
            connections.run(seconds)
            rate = (connections.delivered() - before) * 8 / (time.monotonic() - began) / 1e6
            connections.close()
            return rate
        finally:
            relay.terminate()
            relay.wait()
            end(far)

    def start(self, settle_s, seconds):
        self.read_end, write_end = os.pipe()

        def work():
            os.write(write_end, str(self.measure(settle_s, seconds)).encode())

        self.pid = fork(work)
        os.close(write_end)

    def result(self):
        with os.fdopen(self.read_end) as file:
            text = file.read()
        os.waitpid(self.pid, 0)
        if not text:
            raise Failed("a measurement gave no result")
        return float(text)
