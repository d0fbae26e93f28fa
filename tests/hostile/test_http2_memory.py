"""HTTP/2 peers that make the server hold much: header bombs, closed and dribbled windows, output that is not read."""

import time

import pytest
from support.frames import CONTINUATION, DATA, END_HEADERS, END_STREAM, HEADERS, PREFACE, Attacker, frame, indexed, literal, request, request_fields, window_update
from support.wait import wait_for
from watch import SLOWNESS, Watch

WINDOW_0 = (4, 0)
STREAMS = range(1, 199, 2)  # 99
ATTACKERS = 10
BOMB_BYTES = 32 << 20


@pytest.fixture
def hostile_server(start):
    return start(timeouts={"idle": "5s", "write": "2s", "body": "3s", "header": "2s", "ping_after": "1s", "ping": "1s"})


def bomb(attacker, head_of, path="/hello"):
    """99 streams whose heads are made by head_of(first?)."""
    for stream in STREAMS:
        head = request_fields(path) + head_of(stream == 1)
        pieces = [head[i:i + 16_000] for i in range(0, len(head), 16_000)]
        frames = frame(HEADERS, END_STREAM | (END_HEADERS if len(pieces) == 1 else 0), stream, pieces[0])
        for i, piece in enumerate(pieces[1:], 2):
            frames += frame(CONTINUATION, END_HEADERS if i == len(pieces) else 0, stream, piece)
        if not attacker.send(frames):
            return


def references(count, value):
    entry, uses = indexed(count, value)
    return lambda first: (entry if first else b"") + uses


BOMBS = {
    # The classic of CVE-2026-49975, and three that stay below what ends a connection.
    "15,000 references": (references(15_000, "y" * 13), "/hello"),
    "90 references to 600 bytes": (references(90, "y" * 600), "/hello"),
    "90 references, answers of 32 MB": (references(90, "y" * 600), "/32m.bin"),
    "4,000 references, refused": (references(4_000, "y" * 13), "/hello"),
    "cookie crumbs": (lambda first: literal("cookie", "a=b") * 2_000, "/hello"),
    "60 KB of fields": (lambda first: literal("x", "y" * 600) * 90, "/32m.bin"),
}


@pytest.mark.parametrize("name", BOMBS)
def test_a_header_bomb_holds_little_memory(hostile_server, name):
    """Ten connections of 99 streams each, window 0 so that no answer frees them."""
    head_of, path = BOMBS[name]
    reasons = {"header_bomb", "window_stall", "write_stall", "own_resets", "h2_idle_timeout", "ping_timeout"}
    with Watch(hostile_server, f"header bomb, {name}", reasons, within=12, memory=BOMB_BYTES) as watch:
        attackers = [Attacker(hostile_server, WINDOW_0) for _ in range(ATTACKERS)]
        for attacker in attackers:
            bomb(attacker, head_of, path)
        wait_for(lambda: [a.drain() for a in attackers] and all(a.closed for a in attackers), 12 * SLOWNESS, "the end of each")
        watch.attacker_ended()


def test_bombs_in_trailers_hold_little_memory(hostile_server):
    with Watch(hostile_server, "header bomb, in trailers", {"header_bomb", "own_resets", "h2_idle_timeout"}, memory=BOMB_BYTES, within=12) as watch:
        entry, uses = indexed(4_000, "y" * 13)
        attackers = [Attacker(hostile_server) for _ in range(ATTACKERS)]
        for attacker in attackers:
            for stream in STREAMS:
                trailers = (entry if stream == 1 else b"") + uses
                head = frame(HEADERS, END_HEADERS, stream, request_fields("/echo", "POST"))
                if not attacker.send(head + frame(HEADERS, END_STREAM | END_HEADERS, stream, trailers)):
                    break
        wait_for(lambda: [a.drain() for a in attackers] and all(a.closed for a in attackers), 12 * SLOWNESS, "the end of each")
        watch.attacker_ended()


def test_a_window_that_stays_closed_is_ended(hostile_server):
    with Watch(hostile_server, "window 0, 100 downloads", {"window_stall"}, within=4) as watch:
        attacker = Attacker(hostile_server, WINDOW_0)
        attacker.send(b"".join(request(s, "/32m.bin") for s in range(1, 201, 2)))
        assert attacker.until_ended(8 * SLOWNESS) or attacker.resets >= 100, "neither ended nor its streams reset"
        watch.attacker_ended()


def test_a_dribbled_window_is_ended(hostile_server):
    with Watch(hostile_server, "window dribble, 1 byte", {"write_rate_too_low", "window_stall"}, within=4) as watch:
        attacker = Attacker(hostile_server, (4, 1))
        attacker.send(request(1, "/32m.bin"))
        limit = time.monotonic() + 12 * SLOWNESS
        while not attacker.ended and attacker.resets == 0 and time.monotonic() < limit:
            attacker.send(window_update(1, 1))
            attacker.drain(0.05)
        assert attacker.ended or attacker.resets
        watch.attacker_ended()


def test_a_window_of_one_byte_on_many_streams_costs_little(hostile_server):
    """Fast enough not to be slow, in frames of one byte (CVE-2019-9511)."""
    with Watch(hostile_server, "window dribble, 100 streams", {"flood_window_update", "flood_data_tiny", "write_rate_too_low", "window_stall"},
               within=12) as watch:
        attacker = Attacker(hostile_server, (4, 1))
        attacker.send(b"".join(request(s, "/32m.bin") for s in range(1, 201, 2)))
        limit = time.monotonic() + 12 * SLOWNESS
        while not attacker.ended and time.monotonic() < limit:
            attacker.send(b"".join(window_update(s, 1) for s in range(1, 201, 2)))
        assert attacker.ended
        watch.attacker_ended()


def test_downloads_that_are_not_read_hold_little_and_are_ended(hostile_server):
    with Watch(hostile_server, "64 unread downloads × 20", {"write_stall", "write_rate_too_low"}, within=6) as watch:
        attackers = [Attacker(hostile_server, (4, 0x7fffffff), reads=False) for _ in range(20)]
        for attacker in attackers:
            attacker.send(window_update(0, 0x7fff0000 - 1) + b"".join(request(s, "/32m.bin") for s in range(1, 129, 2)))
        wait_for(lambda: sum(watch.closed().values()) >= 20, 12 * SLOWNESS, "the write time-out of all")
        watch.attacker_ended()
        for attacker in attackers:
            attacker.close()


def test_uploads_that_drip_on_every_stream_are_answered_408(hostile_server):
    """128 uploads of one connection at a byte a time: each has its own window, the connection goes on."""
    with Watch(hostile_server, "128 uploads, dripping", within=7) as watch:
        attacker = Attacker(hostile_server)
        streams = range(1, 257, 2)
        attacker.send(b"".join(request(s, "/echo", "POST", ends=False) for s in streams))
        limit = time.monotonic() + 8 * SLOWNESS
        while attacker.received.count(HEADERS) < 128 and not attacker.ended and time.monotonic() < limit:
            attacker.send(b"".join(frame(DATA, 0, s, b"x" * 40) for s in streams))
            attacker.drain(0.8)
        assert attacker.received.count(HEADERS) == 128 or attacker.ended
        watch.attacker_ended()
        watch.told("408")
        attacker.close()


@pytest.mark.parametrize("name,opening,drip,reasons", [
    ("silent after the preface", b"", b"", {"h2_idle_timeout"}),
    ("PING drip without a stream", b"", frame(6, payload=b"12345678"), {"h2_idle_timeout"}),
    ("half a frame header", b"\0\0", b"", {"header_timeout"}),
    ("half a frame header, dripping", frame(HEADERS, END_STREAM, 1, request_fields()), frame(CONTINUATION, 0, 1, b""), {"header_timeout", "flood_continuation"}),
    ("fields without their end", frame(HEADERS, END_STREAM, 1, request_fields()), b"", {"header_timeout"}),
    ("a stream that says nothing", request(1, "/echo", "POST", ends=False), b"", {"h2_idle_timeout", "ping_timeout"}),
], ids=lambda value: value if isinstance(value, str) else "")
def test_a_slow_http2_peer_is_ended(start, name, opening, drip, reasons):
    """A stream alone is answered 408; the connection that is then idle goes a time-out later."""
    server = start(timeouts={"idle": "1s", "write": "1s", "body": "1s", "header": "1s", "ping_after": "1s", "ping": "300ms"})
    with Watch(server, f"HTTP/2: {name}", reasons, within=3) as watch:
        attacker = Attacker(server)
        attacker.send(opening)
        limit = time.monotonic() + 5 * SLOWNESS
        while not attacker.closed and time.monotonic() < limit:
            if drip:
                attacker.send(drip)
            attacker.drain(0.2)
        watch.attacker_ended()
        assert attacker.closed


@pytest.mark.parametrize("name,said,reasons", [
    ("half a preface, then silence", [PREFACE[:16]], {"header_timeout", "first_request_timeout"}),
    ("preface byte by byte, then silence", [bytes([b]) for b in PREFACE], {"h2_idle_timeout", "header_timeout"}),
    ("a preface that is none", [b"PRI * HTTP/2.0\r\n\r\nSM\r\n\rX"], {"request_refused"}),
    ("a second preface", [PREFACE + b"\0\0\0\4\0\0\0\0\0", PREFACE], {"h2_frame_size", "h2_protocol_error", "flood_empty"}),
], ids=lambda value: value if isinstance(value, str) else "")
def test_fake_and_slow_prefaces_are_ended(start, name, said, reasons):
    server = start(timeouts={"idle": "1s", "header": "1s"})
    with Watch(server, name, reasons, within=2) as watch:
        peer = server.connect(timeout=5)
        for piece in said:
            peer.sendall(piece)
        try:
            while peer.recv(4096):
                pass
        except ConnectionResetError:
            pass
        watch.attacker_ended()
        peer.close()
