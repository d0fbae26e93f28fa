"""Slow clients by the hundred: evicted in time with the right reason, at no cost to the others."""

import socket
import time

import pytest
from support.raw import exchange
from support.wait import wait_for
from watch import GET, Watch

COUNT = 300

# name: (listener, what is sent at once, what is dripped, close reasons that are right)
KINDS = {
    "silent": ("http", b"", b"", {"first_request_timeout"}),
    "request line": ("http", b"GET /he", b"l", {"header_timeout"}),
    "fields": ("http", b"GET /hello HTTP/1.1\r\nHost: a\r\n", b"X: y\r\n", {"header_timeout"}),
    "body drip": ("http", b"POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 100000\r\n\r\n", b"x", {"body_timeout", "body_rate_too_low"}),
    "chunk drip": ("http", b"POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n", b"1\r\nx\r\n",
                   {"body_timeout", "body_rate_too_low"}),
    "slow reader": ("http", b"GET /32m.bin HTTP/1.1\r\nHost: a\r\n\r\n", b"", {"write_stall", "write_rate_too_low"}),
    "half a TLS handshake": ("https", b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", b"", {"handshake_timeout"}),
    "half a preface": ("http", b"PRI * HTTP/2.0\r\n", b"", {"first_request_timeout", "header_timeout"}),
}


def closed_by_reason(server):
    return {key.split('reason="')[1].split('"')[0]: value for key, value in server.metrics().items()
            if key.startswith("equinox_connections_closed_total") and value}


@pytest.mark.parametrize("name", KINDS)
def test_they_are_evicted_within_the_timeout_and_one_second(start, name):
    listener, opening, drip, reasons = KINDS[name]
    timeout = 1.0
    server = start(timeouts={k: f"{timeout}s".replace(".0s", "s") for k in ("header", "body", "write", "handshake", "idle")})
    with Watch(server, f"{COUNT} × {name}", memory=48 << 20) as watch:
        began = time.monotonic()
        peers = []
        for _ in range(COUNT):
            peer = socket.socket()
            if name == "slow reader":
                peer.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            peer.connect(server.address(listener))
            peer.sendall(opening)
            peers.append(peer)

        def gone():
            if drip:
                for peer in peers:
                    try:
                        peer.send(drip)
                    except OSError:
                        pass
            closed = closed_by_reason(server)
            return sum(closed.get(r, 0) for r in reasons) >= COUNT

        wait_for(gone, timeout * 2 + 6, f"{reasons}", interval=0.1)
        watch.attacker_ended()
        assert time.monotonic() - began < timeout * (2 if "body_rate_too_low" in reasons else 1) + 1 + 2.5
        for peer in peers:
            peer.close()
    others = {r: n for r, n in closed_by_reason(server).items() if r not in reasons and not r.startswith("client_")}
    assert not others, "no other reason beside the right one"


def test_many_idle_ones_cost_no_cpu(start):
    server = start(timeouts={"idle": "60s"})
    held = []
    for _ in range(2000):
        peer = server.connect()
        peer.sendall(GET)
        held.append(peer)
    for peer in held:
        assert peer.recv(4096).startswith(b"HTTP/1.1 200")
    cpu, began = server.cpu_seconds(), time.monotonic()
    time.sleep(2)  # a measuring window
    assert (server.cpu_seconds() - cpu) / (time.monotonic() - began) < 0.05
    for peer in held:
        peer.close()


def test_a_pipeliner_that_reads_nothing_is_stopped(start):
    server = start(timeouts={"write": "1s"})
    with Watch(server, "pipelining, answers unread"):
        peer = server.connect()
        peer.settimeout(0.5)
        try:
            for _ in range(20_000):
                peer.sendall(GET * 100)
        except OSError:
            pass
        wait_for(lambda: sum(closed_by_reason(server).get(r, 0) for r in ("write_stall", "write_rate_too_low")) == 1, 8, "write_stall")
        peer.close()


def test_half_close_is_answered_in_full(start):
    server = start()
    with server.connect() as peer:
        peer.sendall(GET)
        peer.shutdown(socket.SHUT_WR)
        data = b""
        while chunk := peer.recv(65536):
            data += chunk
        assert data.startswith(b"HTTP/1.1 200") and data.endswith(b'{"status":"ok"}')
    with server.connect() as peer:
        assert exchange(peer, GET).status == 200
