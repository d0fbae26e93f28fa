"""Storms: many connections at once, resets at every moment, no descriptors left; afterwards everything is as before."""

import os
import resource
import socket
import struct
import time

from support.raw import exchange
from support.wait import wait_for
from watch import GET, Watch

RESET = struct.pack("ii", 1, 0)
COUNT = int(os.environ.get("EQUINOX_STORM", "20000"))


def slam(peer):
    peer.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
    peer.close()


def test_connections_opened_and_dropped_leave_nothing(start):
    server = start()
    for _ in range(500):
        slam(server.connect())
    wait_for(lambda: server.metric("equinox_connections") == 0, 10, "the warm-up to be gone")
    descriptors, memory = server.descriptors(), server.rss_bytes()
    moments = [b"", b"GET /he", GET, b"POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nab", b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"]
    with Watch(server, f"{COUNT} connections dropped"):
        for turn in range(COUNT):
            peer = server.connect()
            sent = moments[turn % len(moments)]
            if sent:
                peer.sendall(sent)
            slam(peer)
    wait_for(lambda: server.metric("equinox_connections") == 0, 20, "all of them to be gone")
    assert server.descriptors() <= descriptors + 2
    assert server.rss_bytes() <= memory + (2 << 20)
    assert server.metric("equinox_connections_rejected_total") == 0


def test_downloads_reset_at_every_moment_leave_nothing(start):
    server = start()
    descriptors = server.descriptors()
    with Watch(server, "300 downloads reset half-way"):
        for turn in range(300):
            peer = server.connect()
            peer.sendall(b"GET /32m.bin HTTP/1.1\r\nHost: a\r\n\r\n")
            peer.recv(1 + turn * 97)
            slam(peer)
    wait_for(lambda: server.metric("equinox_connections") == 0, 20, "all of them to be gone")
    assert server.descriptors() <= descriptors + 2


def test_without_descriptors_it_waits_without_spinning_and_recovers(start):
    server = start()
    in_use = server.descriptors()
    resource.prlimit(server.process.pid, resource.RLIMIT_NOFILE, (in_use + 20, in_use + 20))
    peers = []
    for _ in range(60):
        peer = socket.create_connection(server.address(), timeout=5)
        peer.sendall(GET)
        peers.append(peer)
    served = []

    def count_served():
        served.clear()
        for peer in peers:
            peer.settimeout(0.01)
            try:
                if peer.recv(1, socket.MSG_PEEK):
                    served.append(peer)
            except OSError:
                pass
        return len(served) >= 10

    wait_for(count_served, 10, "the first ones to be served")
    cpu, began = server.cpu_seconds(), time.monotonic()
    time.sleep(1)  # a measuring window
    assert (server.cpu_seconds() - cpu) / (time.monotonic() - began) < 0.05
    served[0].settimeout(5)
    served[0].recv(4096)
    assert exchange(served[0], GET).status == 200, "old connections are served"
    waiting = next(p for p in peers if p not in served)
    for peer in served:
        slam(peer)
    began = time.monotonic()
    waiting.settimeout(5)
    assert waiting.recv(4096).startswith(b"HTTP/1.1 200")
    assert time.monotonic() - began < 1.5
    for peer in peers:
        peer.close()
