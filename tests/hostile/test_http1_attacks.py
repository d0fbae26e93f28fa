"""HTTP/1: smuggling under load, pipelines whose answers nobody reads, requests without end, bombs of ranges and chunks."""

import socket
import subprocess
import time

import pytest
from crowd import slam
from http1_corpus import connection, framing, syntax
from http1_corpus.runner import Attempt, Runner, judge, sent_bytes
from http1_corpus.case import get
from support.raw import exchange, receive_answers
from support.wait import wait_for
from watch import GET, SLOWNESS, Watch

POST = b"POST /echo HTTP/1.1\r\nHost: a\r\n"
GOOD = get().encode()


def test_the_smuggling_corpus_is_refused_under_load(start, load_program):
    """Every case whole, behind a good request and before one, while other connections keep the reactors busy."""
    server = start(limits={"request_body": "64k"})
    cases = [*framing.cases(), *syntax.cases(), *connection.cases()]
    attempts = [Attempt(c, [sent_bytes(c)]) for c in cases]
    attempts += [Attempt(c, [GOOD + sent_bytes(c)], before=1) for c in cases if not c.first_line_decides]
    attempts += [Attempt(c, [sent_bytes(c) + GOOD]) for c in cases if c.refused]
    with Watch(server, f"smuggling corpus, {len(attempts)} attempts under load") as watch:
        load = subprocess.Popen([load_program, "closed", str(server.port()), "--connections", "32", "--seconds", "60"],
                                stdout=subprocess.DEVNULL)
        try:
            Runner(server.address(), None, 8.0 * SLOWNESS).run(attempts)
            assert load.poll() is None, "the load went on all the time"
        finally:
            load.kill()
            load.wait()
        watch.attacker_ended()
        watch.told("400, 413, 501, …")
        wrong = [f"{a.case.name}: {judge(a)}" for a in attempts if judge(a)]
        assert not wrong, wrong[:5]


def test_a_pipeliner_that_reads_nothing_is_stopped(start):
    server = start(timeouts={"write": "1s"})
    with Watch(server, "pipelining, answers unread", {"write_stall", "write_rate_too_low"}, within=4) as watch:
        peer = server.connect()
        peer.settimeout(0.5)
        try:
            for _ in range(20_000):
                peer.sendall(GET * 100)
        except OSError:
            pass
        wait_for(watch.closed, 8 * SLOWNESS, "write_stall")
        watch.attacker_ended()
        slam(peer)


def test_a_pipeline_of_downloads_that_is_not_read_holds_little(start):
    server = start(timeouts={"write": "1s"})
    with Watch(server, "50 × 1,000 downloads pipelined, unread", {"write_stall", "write_rate_too_low"}, within=6) as watch:
        peers = [server.connect() for _ in range(50)]
        for peer in peers:
            peer.setblocking(False)
            peer.send(b"GET /100k.bin HTTP/1.1\r\nHost: a\r\n\r\n" * 1000)
        wait_for(lambda: sum(watch.closed().values()) >= 50, 10 * SLOWNESS, "write_stall of each")
        watch.attacker_ended()
        for peer in peers:
            slam(peer)


def test_a_pipeline_that_is_read_starves_nobody(start):
    """One fast peer has its share of a turn, not the turn (one reactor, so that nobody can be served elsewhere)."""
    server = start(reactors=1)
    with Watch(server, "fast pipeline, read, one reactor") as watch:
        peers = [server.connect() for _ in range(4)]
        limit = time.monotonic() + 2
        while time.monotonic() < limit:
            for peer in peers:
                peer.sendall(GET * 200)
            for peer in peers:
                assert len(receive_answers(peer, 200)) == 200
        watch.told("served")
        for peer in peers:
            peer.close()


def endless(first, more):
    """Sends `first`, then `more` again and again until the server has had enough; what it said."""
    def attack(server):
        peer = server.connect()
        peer.settimeout(5)
        received = b""
        try:
            peer.sendall(first)
            for _ in range(4000):
                peer.sendall(more)
        except OSError:
            pass
        try:
            while data := peer.recv(65536):
                received += data
        except OSError:
            pass
        peer.close()
        return received
    return attack


CHUNKED = POST + b"Transfer-Encoding: chunked\r\n\r\n"
# A route that reads whole bodies holds one of limits.request_body while it comes (eight come after each other), but once.
ONE_BODY = (16 << 20) + (2 << 20)
# name: (attack, statuses that are right, close reasons that are right)
ENDLESS = {
    "fields without end": (endless(b"GET / HTTP/1.1\r\nHost: a\r\n", b"X: y\r\n" * 2000), {431}, {"head_too_large"}),
    "one field without end": (endless(b"GET / HTTP/1.1\r\nHost: a\r\nX: ", b"y" * 16384), {431}, {"head_too_large"}),
    "a field name without end": (endless(b"GET / HTTP/1.1\r\nHost: a\r\n", b"y" * 16384), {431}, {"head_too_large"}),
    "a target without end": (endless(b"GET /", b"a" * 16384), {414}, {"head_too_large", "request_refused"}),
    "a method without end": (endless(b"G", b"E" * 16384), {400, 501, None}, {"wrong_protocol", "parse_error_h1", "request_refused"}),
    "empty lines without end": (endless(b"\r\n", b"\r\n" * 8192), {400, None}, {"wrong_protocol", "parse_error_h1", "smuggling_guard"}),
    "a body that is too large": (endless(POST + b"Content-Length: 99999999999\r\n\r\n", b"x" * 65536), {413}, {"body_too_large"}),
    "chunks that are too large": (endless(CHUNKED, b"10000\r\n" + b"x" * 65536 + b"\r\n"), {413}, {"body_too_large"}),
    "chunks of one byte": (endless(CHUNKED, b"1\r\nx\r\n" * 2000), {413}, {"body_too_large"}),
    "a chunk extension without end": (endless(CHUNKED + b"5;", b"x" * 16384), {413}, {"body_too_large"}),
    "extensions on small chunks": (endless(CHUNKED, (b"1;" + b"e" * 500 + b"\r\nx\r\n") * 30), {413}, {"body_too_large"}),
    "trailers without end": (endless(CHUNKED + b"0\r\n", b"X: y\r\n" * 2000), {431}, {"head_too_large"}),
    "bytes that are no HTTP": (endless(b"\0\1\2", b"\0" * 16384), {None}, {"wrong_protocol"}),
}


@pytest.mark.parametrize("name", ENDLESS)
def test_what_has_no_end_is_ended_early(start, name):
    attack, statuses, reasons = ENDLESS[name]
    server = start()
    memory = {"memory": ONE_BODY} if name == "chunks that are too large" else {}
    with Watch(server, name, reasons, within=3, **memory) as watch:
        answers = [attack(server) for _ in range(8)]
        watch.attacker_ended()
        told = {int(a[9:12]) if a.startswith(b"HTTP/1.1 ") else None for a in answers}
        assert told <= statuses, told
        assert server.metric("equinox_network_receive_bytes_total") < 8 * (20 << 20), "ended before it was all read"


def test_a_bomb_of_ranges_is_no_larger_than_the_file(start, site):
    """Overlapping and countless ranges (CVE-2011-3192) are answered by no more than the file."""
    server = start()
    size = (site / "100k.bin").stat().st_size
    bombs = [",".join(["0-"] * 1000), ",".join(f"{i}-" for i in range(1000)), ",".join(f"{i}-{i}" for i in range(0, 20_000, 2)),
             ",".join(["0-0"] * 1500), "0-18446744073709551615", ",".join(["-100000"] * 800)]
    with Watch(server, "ranges, overlapping and countless") as watch:
        for bomb in bombs * 5:
            with server.connect() as peer:
                answer = exchange(peer, f"GET /100k.bin HTTP/1.1\r\nHost: a\r\nRange: bytes={bomb}\r\n\r\n".encode())
                assert answer.status in (200, 206, 416, 431), answer.status
                assert len(answer.body) <= size + 200
        watch.told("200 or 416")


def test_bodies_that_nobody_wants_are_not_read_as_requests(start):
    """CL.0: what follows an early refusal is a body, never the next request."""
    server = start()
    hidden = b"GET /hello?hidden HTTP/1.1\r\nHost: a\r\n\r\n"
    with Watch(server, "requests in bodies that are refused") as watch:
        for head in (b"POST /nowhere HTTP/1.1\r\nHost: a\r\n", b"DELETE /hello/x HTTP/1.1\r\nHost: a\r\n",
                     b"PUT /100k.bin HTTP/1.1\r\nHost: a\r\n", POST + b"Expect: wonders\r\n"):
            with server.connect() as peer:
                peer.settimeout(0.5)
                peer.sendall(head + b"Content-Length: %d\r\n\r\n" % len(hidden) + hidden)
                data = b""
                try:
                    while chunk := peer.recv(65536):
                        data += chunk
                except socket.timeout:
                    pass
                assert data.count(b"HTTP/1.1 ") == 1 and b'{"status":"ok"}' not in data, data[:300]
        watch.attacker_ended()
        watch.told("one answer")
