"""Thousands of slow clients in one thread: each sends its opening, drips on, and is noted when the server ends it."""

import errno
import select
import socket
import struct
import time
from dataclasses import dataclass, field

AT_ONCE = 512  # connecting: below any accept queue
RESET = struct.pack("ii", 1, 0)
PER_ADDRESS = 5000  # connections from one source address, well below the range of ephemeral ports


def slam(peer):
    """Closes with a reset: no TIME_WAIT holds the port."""
    peer.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
    peer.close()


@dataclass
class Kind:
    """What one sort of slow client does. `reads`: takes what the server sends; `drip` is sent every `every` seconds."""
    name: str
    opening: bytes
    drip: bytes = b""
    reads: bool = True
    listener: str = "http"
    reasons: frozenset = frozenset()
    every: float = 0.1


@dataclass(eq=False)
class Client:
    kind: Kind
    socket: socket.socket
    began: float
    connected: bool = False
    ended: float | None = None
    received: bytes = b""
    unsent: bytes = field(default=b"")


class Crowd:
    """Opens clients of some kinds and lives their lives until they have ended or are closed."""

    def __init__(self, server, kinds, count):
        self.server, self.kinds, self.count = server, kinds, count
        self.clients, self.failed = [], []
        self.poller, self.by_descriptor = select.epoll(), {}
        self.connecting = 0
        self.next_drip = {kind.name: 0.0 for kind in kinds}

    # Beginning

    def open(self):
        """All of them; returns once each is connected and has said its opening."""
        while len(self.clients) < self.count or self.connecting:
            while len(self.clients) < self.count and self.connecting < AT_ONCE:
                self.begin(self.kinds[len(self.clients) % len(self.kinds)])
            self.turn(0.01)
        return self

    def begin(self, kind):
        peer = socket.socket()
        peer.setblocking(False)
        if not kind.reads:
            peer.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        peer.bind((f"127.0.0.{1 + len(self.clients) // PER_ADDRESS}", 0))
        client = Client(kind, peer, time.monotonic(), unsent=kind.opening)
        self.clients.append(client)
        problem = peer.connect_ex(self.server.address(kind.listener))
        if problem not in (0, errno.EINPROGRESS):
            raise OSError(problem, "connect")
        self.connecting += 1
        self.by_descriptor[peer.fileno()] = client
        self.poller.register(peer, select.EPOLLOUT)

    def say(self, client):
        client.connected, client.began = True, time.monotonic()
        self.connecting -= 1
        problem = client.socket.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
        if problem:
            self.failed.append(problem)
            self.end(client)
            return
        self.send(client, client.unsent)
        if client.ended is None:  # who does not read learns of a reset only
            self.poller.modify(client.socket, select.EPOLLIN if client.kind.reads else 0)

    # Living

    def turn(self, wait):
        for descriptor, _ in self.poller.poll(wait, 4096):
            client = self.by_descriptor.get(descriptor)
            if client is None:
                continue
            if not client.connected:
                self.say(client)
            elif client.kind.reads:
                self.receive(client)
            else:
                self.end(client)
        now = time.monotonic()
        for kind in self.kinds:
            if kind.drip and now >= self.next_drip[kind.name]:
                self.next_drip[kind.name] = now + kind.every
                for client in self.clients:
                    if client.kind is kind and client.connected and client.ended is None:
                        self.send(client, kind.drip)

    def send(self, client, data):
        try:
            if data:
                client.socket.send(data)
        except BlockingIOError:
            pass
        except OSError:
            self.end(client)

    def receive(self, client):
        try:
            data = client.socket.recv(4096)
        except BlockingIOError:
            return
        except OSError:
            data = b""
        client.received = (client.received + data)[:256]
        if not data:
            self.end(client)

    def end(self, client):
        client.ended = time.monotonic()
        del self.by_descriptor[client.socket.fileno()]
        client.socket.close()

    def live(self, seconds, until_all_ended=True):
        """Drips for so long, or until the server has ended them all."""
        stop = time.monotonic() + seconds
        while time.monotonic() < stop:
            self.turn(0.02)
            if until_all_ended and self.held == 0:
                return

    # What came of it

    @property
    def held(self):
        return sum(1 for c in self.clients if c.ended is None)

    def lives(self, kind=None):
        """Seconds from connecting to the end of each that has ended."""
        return [c.ended - c.began for c in self.clients if c.ended is not None and kind in (None, c.kind)]

    def close(self):
        for client in self.clients:
            if client.ended is None:
                slam(client.socket)
        self.poller.close()

    def __enter__(self):
        return self.open()

    def __exit__(self, *_):
        self.close()
