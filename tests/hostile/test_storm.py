"""Storms: many connections at once, resets at every moment, no descriptors left; afterwards everything is as before."""

import contextlib
import os
import resource
import select
import socket
import threading
import time

import pytest
from crowd import slam
from support.frames import PREFACE, request, settings
from support.raw import exchange
from support.tls import client_context
from support.wait import wait_for
from watch import BASELINE_BYTES, GET, IS_SANITIZED, SLOWNESS, Watch, allowed_memory, assert_baseline, quiet

COUNT = int(os.environ.get("EQUINOX_STORM", "20000" if IS_SANITIZED else "100000"))
MOMENTS = [b"", b"GET /he", GET, b"POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nab", PREFACE]


def dropped(server, count):
    for turn in range(count):
        peer = server.connect()
        sent = MOMENTS[turn % len(MOMENTS)]
        if sent:
            peer.sendall(sent)
        slam(peer)


def test_connections_opened_and_dropped_leave_nothing(start):
    server = start()
    # Tables grow to what is open at once, which is more the faster the machine is; a second storm needs no more than the first.
    dropped(server, COUNT)
    wait_for(lambda: quiet(server), 10 * SLOWNESS, "the warm-up to be gone")
    descriptors, memory = server.descriptors(), server.rss_bytes()
    with Watch(server, f"{COUNT} connections opened and dropped", memory=None) as watch:
        dropped(server, COUNT)
        watch.attacker_ended()
        watch.told("none refused")
    assert_baseline(server, descriptors, memory)
    assert server.metric("equinox_connections_rejected_total") == 0
    assert server.metric("equinox_connections_accepted_total") >= COUNT


def test_downloads_reset_at_every_moment_leave_nothing(start):
    server = start()
    descriptors = server.descriptors()
    with Watch(server, "300 downloads reset half-way") as watch:
        for turn in range(300):
            peer = server.connect()
            peer.sendall(b"GET /32m.bin HTTP/1.1\r\nHost: a\r\n\r\n")
            peer.recv(1 + turn * 97)
            slam(peer)
        watch.attacker_ended()
    wait_for(lambda: quiet(server), 20 * SLOWNESS, "all of them to be gone")
    assert server.descriptors() <= descriptors + 2


def hello_of(context):
    """The first flight of a TLS client."""
    import ssl
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    secure = context.wrap_bio(incoming, outgoing)
    with pytest.raises(ssl.SSLWantReadError):
        secure.do_handshake()
    return outgoing.read()


def test_a_reset_after_each_byte_of_each_protocol_leaves_nothing(start):
    """Three rounds: what is lost is lost in each of them, what the heap keeps of a busy moment is used again in the next."""
    server = start()
    said = [("http", GET), ("http", b"POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n"),
            ("http", PREFACE + settings() + request(1)), ("https", hello_of(client_context(["h2", "http/1.1"])))]
    for listener, data in said:  # pools fill
        with server.connect(listener) as peer:
            peer.sendall(data)
    wait_for(lambda: quiet(server), 10 * SLOWNESS, "the warm-up to be gone")
    descriptors, lines, grown = server.descriptors(), len(server.log), []
    with Watch(server, "a reset after each byte, four protocols") as watch:
        for _ in range(3):
            memory = server.rss_bytes()
            for listener, data in said:
                for size in range(1, len(data) + 1):
                    peer = server.connect(listener)
                    peer.sendall(data[:size])
                    slam(peer)
            # The other client has one or two; a reset is to be seen, not its timer to be awaited.
            wait_for(lambda: server.metric("equinox_connections") <= 2, 3 * SLOWNESS, "all but the other client to be gone")
            grown.append(server.rss_bytes() - memory)
        watch.attacker_ended()
        assert not {r for r in watch.closed() if r.endswith("timeout")}
    assert min(grown) <= allowed_memory(BASELINE_BYTES), grown
    wait_for(lambda: quiet(server), 10 * SLOWNESS, "the other client to be gone")
    assert server.descriptors() <= descriptors + 2
    assert len(server.log) - lines < 20, "a reset is no event worth a line"


def hold_peers(server, count, into, patience=5):
    for _ in range(count):
        peer = socket.create_connection(server.address(), timeout=patience)
        peer.sendall(GET)
        into.append(peer)


def held_peers(server, count):
    peers = []
    hold_peers(server, count, peers)
    return peers


def allow_descriptors(server, count):
    """The soft limit only: raising the hard one again is not everybody's to do."""
    _, hard = resource.prlimit(server.process.pid, resource.RLIMIT_NOFILE)
    resource.prlimit(server.process.pid, resource.RLIMIT_NOFILE, (count, hard))


def readable(peers):
    return select.select(peers, [], [], 0)[0]


def exhausted(server):
    return server.metric("equinox_connections_rejected_total", reason="fd_exhausted")


def test_without_descriptors_it_waits_without_spinning_and_recovers(start):
    """No "ended after": nobody ends those who wait for a descriptor."""
    server = start()
    with Watch(server, "60 connections, descriptors for 20", keeps=True) as watch:
        room = server.descriptors() + 20
        allow_descriptors(server, room)
        peers = held_peers(server, 60)
        wait_for(lambda: len(readable(peers)) >= 10, 10, "the first ones to be served")
        lines = len(server.log)
        watch.measure_held()
        assert len(server.log) - lines < 10, "one line tells it, not one for each attempt"
        served = readable(peers)
        for peer in served:
            peer.recv(4096)
            assert exchange(peer, GET).status == 200, "old connections are served"
        waiting = [p for p in peers if p not in served]
        began = time.monotonic()
        slam(served[0])
        wait_for(lambda: readable(waiting), 5 * SLOWNESS, "one that waited")
        assert time.monotonic() - began < 1 * SLOWNESS, "within a second of a descriptor being free"
        for peer in served[1:]:
            slam(peer)

        def serve_the_rest():  # a few at a time
            for peer in readable(waiting):
                assert peer.recv(4096).startswith(b"HTTP/1.1 200")
                slam(peer)
                waiting.remove(peer)
            return not waiting
        wait_for(serve_the_rest, 5 * SLOWNESS, "the rest to be served")
        watch.told("fd_exhausted")
    assert exhausted(server)


def test_a_storm_without_descriptors_fills_no_log(start):
    """No "ended after" here either."""
    server = start()
    with Watch(server, "a storm without descriptors", keeps=True) as watch:
        room = server.descriptors() + 10
        allow_descriptors(server, room)
        lines, limit = len(server.log), time.monotonic() + 2
        while time.monotonic() < limit:
            peers = []
            # While these hold all descriptors, the queue may be full of those that were slammed before they were accepted.
            with contextlib.suppress(TimeoutError):
                hold_peers(server, 40, peers, patience=1)
            wait_for(lambda: not peers or readable(peers), 5, "some to be served")
            for peer in peers:
                slam(peer)
        assert len(server.log) - lines < 20
        allow_descriptors(server, 1000)
        with wait_for(lambda: server.connect(), 5, "a connection") as peer:
            assert exchange(peer, GET).status == 200
        watch.told("fd_exhausted")
    assert exhausted(server)


def test_who_is_refused_cannot_hold_a_reactor(start):
    """A refused peer gets its 503; what it goes on sending is nobody's business (one reactor)."""
    server = start(reactors=1, limits={"connections_per_client": 2})

    def refused_flood(stop):
        while not stop.is_set():
            peer = socket.socket()
            peer.bind(("127.0.0.2", 0))
            try:
                peer.connect(server.address())
                while not stop.is_set():
                    peer.sendall(GET * 2000)
            except OSError:
                pass
            slam(peer)

    def hold():
        peer = socket.socket()
        peer.bind(("127.0.0.2", 0))
        peer.connect(server.address())
        peer.sendall(GET)
        assert peer.recv(4096)
        return peer

    held = [hold(), hold()]
    with Watch(server, "flood behind a 503, one reactor") as watch:
        stop = threading.Event()
        threads = [threading.Thread(target=refused_flood, args=(stop,)) for _ in range(4)]
        for thread in threads:
            thread.start()
        time.sleep(2)  # how long the flood lasts
        stop.set()
        for thread in threads:
            thread.join()
        watch.told("503")
    assert server.metric("equinox_connections_rejected_total", reason="per_client_limit") > 0
    for peer in held:
        peer.close()
