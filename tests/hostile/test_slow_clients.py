"""Slow clients by the thousand: evicted in time with the right reason, at no cost to the others."""

import socket

import pytest
from crowd import Crowd, Kind
from support.frames import END_HEADERS, HEADERS, PREFACE, frame, request, request_fields, settings, window_update
from support.raw import exchange
from support.wait import wait_for
from watch import GET, SLOWNESS, Watch, assert_baseline, over_and_over, quiet

COUNT = 1000
ALL_AT_ONCE = 10_000
TIMEOUT = 2.0
WATCHED_SECONDS = 2.0  # how long the other client is served beside those that only idle
POST = b"POST /echo HTTP/1.1\r\nHost: a\r\n"
HALF_HELLO = b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03"
UPLOAD = PREFACE + settings() + frame(HEADERS, END_HEADERS, 1, request_fields("/echo", "POST"))
CLOSED_WINDOW = PREFACE + settings((4, 0)) + request(1, "/100k.bin")


def kind(name, opening, drip, *reasons, **more):
    return Kind(name, opening, drip, reasons=frozenset(reasons), **more)


HEAD, BODY, WRITE = ("header_timeout",), ("body_timeout", "body_rate_too_low"), ("write_stall", "write_rate_too_low")
KINDS = [
    kind("silent", b"", b"", "first_request_timeout"),
    kind("an empty line", b"\r\n", b"", "first_request_timeout", "header_timeout"),  # a second one is refused at once
    kind("request line", b"GET /he", b"l", *HEAD),
    kind("fields", b"GET /hello HTTP/1.1\r\nHost: a\r\n", b"X: y\r\n", *HEAD),
    kind("body, silent", POST + b"Content-Length: 100000\r\n\r\n", b"", *BODY),
    kind("body, dripping", POST + b"Content-Length: 100000\r\n\r\n", b"x", *BODY),
    kind("chunks, dripping", POST + b"Transfer-Encoding: chunked\r\n\r\n", b"1\r\nx\r\n", *BODY),
    kind("chunk extension, dripping", POST + b"Transfer-Encoding: chunked\r\n\r\n5;", b"x", *BODY),
    kind("trailers, dripping", POST + b"Transfer-Encoding: chunked\r\n\r\n0\r\n", b"X: y\r\n", *BODY, *HEAD),
    kind("between requests, an empty line", GET + b"\r\n", b"", "keep_alive_timeout", *HEAD),
    kind("half a TLS handshake", HALF_HELLO, b"", "handshake_timeout", listener="https"),
    kind("TLS, silent", b"", b"", "handshake_timeout", listener="https"),
    kind("TLS hello, dripping", HALF_HELLO, b"x", "handshake_timeout", listener="https"),
    kind("half a preface", PREFACE[:16], b"", "first_request_timeout", *HEAD),
    kind("HTTP/2, silent", PREFACE + settings(), b"", "h2_idle_timeout"),
    kind("HTTP/2, closed window", CLOSED_WINDOW, b"", "window_stall"),
    kind("HTTP/2, dribbled window", CLOSED_WINDOW, window_update(1, 1), "window_stall", "write_rate_too_low"),
    kind("HTTP/2, silent upload", UPLOAD, b"", "h2_idle_timeout"),
]
# The kernel's buffers for answers nobody reads are large: fewer of these.
SLOW_READER = kind("slow reader", b"GET /32m.bin HTTP/1.1\r\nHost: a\r\n\r\n", b"", *WRITE, reads=False)
TIMEOUTS = {key: f"{int(TIMEOUT * 1000)}ms" for key in ("header", "body", "write", "handshake", "idle", "ping_after")} | {"ping": "300ms"}


def allowed_life(one):
    """The timeout and one second; where a byte may have come just before, two windows."""
    windows = 2 if one.drip and ("body_rate_too_low" in one.reasons or "write_rate_too_low" in one.reasons) else 1
    if one.opening is UPLOAD:
        windows = 2  # its stream is answered 408 at the end of the first, the connection, idle then, ends with the second
    return windows * TIMEOUT + 1


@pytest.mark.parametrize("one", [*KINDS, SLOW_READER], ids=lambda k: k.name)
def test_they_are_evicted_within_the_timeout_and_one_second(start, one):
    server = start(timeouts=TIMEOUTS)
    count = COUNT if one.reads else COUNT // 5
    with Watch(server, f"{count} × {one.name}", one.reasons, memory=None) as watch:
        with Crowd(server, [one], count) as crowd:
            crowd.live(allowed_life(one) * SLOWNESS + 4)
            watch.attacker_ended()
            assert not crowd.failed, crowd.failed[:3]
            assert crowd.held == 0, f"{crowd.held} are still there"
            longest = max(crowd.lives())
        wait_for(lambda: sum(watch.closed().get(r, 0) for r in one.reasons) >= count, 3, "each with its reason")
        if one.opening is UPLOAD:
            assert server.metric('equinox_http_rejected_requests_total{protocol="h2c",reason="body_timeout"}') >= count
        watch.row.ended_after = longest
    assert longest < allowed_life(one) * SLOWNESS, f"the last one lived {longest:.2f} s"


def test_ten_thousand_of_every_kind_at_once(start):
    """Half of the time they are all there; what that costs, and whether all go when their time has come.

    Their bytes cost what they cost: "CPU held" is of the moment when all are there and none drips."""
    timeout = 12.0
    server = start(timeouts={key: "12s" for key in TIMEOUTS} | {"ping": "300ms", "ping_after": "12s"})
    readers = Kind(SLOW_READER.name, SLOW_READER.opening, reads=False, reasons=SLOW_READER.reasons)
    with Watch(server, f"{ALL_AT_ONCE} slow clients of every kind", memory=None) as watch:
        with Crowd(server, [readers], 200) as few, Crowd(server, KINDS, ALL_AT_ONCE - 200) as crowd:
            assert not crowd.failed and not few.failed
            crowd.turn(0)
            wait_for(lambda: server.metric("equinox_connections") > ALL_AT_ONCE * 0.95, 5 * SLOWNESS, "all of them at once")
            watch.measure_held()  # who drips does so in turn() only
            crowd.live(timeout + 3 * SLOWNESS + 4)
            few.live(2 * SLOWNESS)
            slow = {k.name for k in KINDS if any(life > timeout * 2 + 1 * SLOWNESS for life in crowd.lives(k))}
            watch.attacker_ended()
            assert not slow
            for one in KINDS:  # those whose bytes trickle in have a second window, a silent upload too
                if not one.drip and one.opening is not UPLOAD:
                    assert max(crowd.lives(one)) < timeout + 1 * SLOWNESS, one.name
            crowd.live(timeout + 2)
            assert crowd.held == 0 and few.held == 0, (crowd.held, few.held)
        # Twelve seconds of fields that trickle in may be more of them than limits.fields.
        wanted = frozenset({"head_too_large"}).union(*(k.reasons for k in [*KINDS, SLOW_READER]))
        wait_for(lambda: sum(watch.closed().values()) >= ALL_AT_ONCE, 5, "the account of all")
        strange = {r: n for r, n in watch.closed().items() if r not in wanted}
        assert not strange
        watch.told("each its own")


def await_answers(crowd):
    def answered():
        crowd.turn(0.01)
        return sum(c.received.startswith(b"HTTP/1.1 200") for c in crowd.clients)
    wait_for(lambda: answered() == crowd.count, 20 * SLOWNESS, "an answer for each")


def test_ten_thousand_held_are_all_answered_and_cost_no_cpu(start):
    """No "ended after": they are served and go when they like. Memory is beside as many before them: what the pools have is used again."""
    server = start(timeouts={"idle": "60s"})
    idle = Kind("idle", GET)
    with Crowd(server, [idle], ALL_AT_ONCE) as crowd:  # pools fill
        await_answers(crowd)
    wait_for(lambda: quiet(server), 20 * SLOWNESS, "the warm-up to be gone")
    descriptors, memory = server.descriptors(), server.rss_bytes()
    with Watch(server, f"{ALL_AT_ONCE} idle ones, each answered twice") as watch, Crowd(server, [idle], ALL_AT_ONCE) as crowd:
        await_answers(crowd)
        wait_for(lambda: server.metric("equinox_connections", state="idle") >= ALL_AT_ONCE, 5 * SLOWNESS, "quiet")
        watch.measure_held()
        crowd.live(WATCHED_SECONDS)
        for client in crowd.clients:
            client.received = b""
            crowd.send(client, GET)
        await_answers(crowd)
        assert not crowd.failed and crowd.held == ALL_AT_ONCE
        watch.told("served")
    assert_baseline(server, descriptors, memory)


def half_closed(server, data):
    """All that comes for `data` and an end."""
    with server.connect() as peer:
        peer.sendall(data)
        peer.shutdown(socket.SHUT_WR)
        received = bytearray()
        while chunk := peer.recv(1 << 20):
            received += chunk
        return received


def test_half_close_is_answered_in_full(start):
    server = start()
    with Watch(server, "half-closed behind a request") as watch:
        for _ in over_and_over():
            for said, ending in ((GET, b'{"status":"ok"}'), (GET + GET, b'{"status":"ok"}'), (POST + b"Content-Length: 3\r\n\r\nabc", b"abc")):
                data = half_closed(server, said)
                assert data.startswith(b"HTTP/1.1 200") and data.endswith(ending)
                assert data.count(b"HTTP/1.1 200") == said.count(b" HTTP/1.1")
            watch.attacker_ended()
            assert len(half_closed(server, b"GET /32m.bin HTTP/1.1\r\nHost: a\r\n\r\n")) > 32 << 20, "a large answer too"
        watch.told("answered in full")
    with server.connect() as peer:
        assert exchange(peer, GET).status == 200


def test_half_close_in_the_middle_of_a_request_ends_it(start):
    server = start()
    count = 0
    with Watch(server, "half-closed in a request", {"client_fin_mid_request"}) as watch:
        for _ in over_and_over():
            for said in (b"GET /he", POST + b"Content-Length: 10\r\n\r\nabc", POST + b"Transfer-Encoding: chunked\r\n\r\n5\r\nab"):
                half_closed(server, said)
                watch.attacker_ended()
                count += 1
        wait_for(lambda: watch.closed().get("client_fin_mid_request") == count, 5, "client_fin_mid_request for each")


def test_unsent_answers_are_dropped_with_the_connection(start):
    """The kernel must not go on holding what a stalled reader will never take."""
    server = start(timeouts={"write": "1s"})
    with Watch(server, "20 answers that are not read", WRITE) as watch, Crowd(server, [SLOW_READER], 20) as crowd:
        crowd.live(4 * SLOWNESS)
        watch.attacker_ended()
        assert crowd.held == 0, "ended by a reset: no orphan with a full send buffer stays behind"
