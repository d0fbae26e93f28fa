"""Attacks on the frame level: each is ended, is counted under its name, and costs nobody else anything."""

import time

import pytest
from support.attacks import ATTACKS
from support.frames import END_HEADERS, END_STREAM, HEADERS, Attacker, frame, literal, request, request_fields, window_update
from support.wait import wait_for
from watch import Watch

LASTS_SECONDS = 1.5  # ended attackers come again, so that the others are watched for a while


def closed_by_server(server):
    return {key.split('reason="')[1].split('"')[0] for key, value in server.metrics().items()
            if key.startswith("equinox_connections_closed_total") and 'initiator="server"' in key and value}


@pytest.fixture
def hostile_server(start):
    return start(timeouts={"idle": "5s", "write": "2s", "body": "3s", "header": "2s", "ping_after": "1s", "ping": "1s"})


@pytest.mark.parametrize("name", ATTACKS)
def test_a_flood_is_ended(hostile_server, name):
    pieces, reasons = ATTACKS[name]
    with Watch(hostile_server, name) as watch:
        began = time.monotonic()
        while time.monotonic() < began + LASTS_SECONDS:
            attacker, limit = Attacker(hostile_server), time.monotonic() + 15
            for piece in pieces(attacker):
                if not attacker.send(piece) or time.monotonic() > limit:
                    break
            assert attacker.until_ended(3), f"{name}: still served after 15 s"
            if watch.ended_after is None:
                watch.attacker_ended()
            attacker.close()
    wait_for(lambda: closed_by_server(hostile_server) & reasons, 3, f"{reasons} among {closed_by_server(hostile_server)}")


@pytest.mark.parametrize("name", ["PING flood", "SETTINGS flood"])
def test_a_flood_whose_answers_are_not_read_is_ended(hostile_server, name):
    with Watch(hostile_server, name + ", unread") as watch:
        attacker = Attacker(hostile_server, reads=False)
        limit = time.monotonic() + 15
        for piece in ATTACKS[name][0](attacker):
            if not attacker.send(piece) or time.monotonic() > limit:
                break
        attacker.reads = True
        wait_for(lambda: attacker.drain(0.05) or attacker.ended, 10, "the end of the attacker")
        watch.attacker_ended()
        attacker.close()


def test_a_header_bomb_holds_little_memory(hostile_server):
    """99 streams of 15,000 indexed references each, window 0 so that no answer frees them (CVE-2026-49975), ten times."""
    with Watch(hostile_server, "header bomb, 10 × 99 streams", memory=32 << 20) as watch:
        attackers = []
        for _ in range(10):
            attacker = Attacker(hostile_server, (4, 0))
            entry = b"\x40\x01x\x0d" + b"y" * 13  # literal with incremental indexing: becomes entry 62
            for stream in range(1, 199, 2):
                block = request_fields() + (entry if stream == 1 else b"") + b"\xbe" * 15_000
                if not attacker.send(frame(HEADERS, END_STREAM | END_HEADERS, stream, block)):
                    break
            attackers.append(attacker)
        watch.attacker_ended()
        for attacker in attackers:
            attacker.drain(0.2)
            attacker.close()


def test_a_window_that_stays_closed_is_ended(hostile_server):
    with Watch(hostile_server, "window 0, 100 downloads") as watch:
        attacker = Attacker(hostile_server, (4, 0))
        attacker.send(b"".join(request(s, "/32m.bin") for s in range(1, 201, 2)))
        assert attacker.until_ended(8) or attacker.resets >= 100, "neither ended nor its streams reset"
        watch.attacker_ended()
        attacker.close()


def test_a_dribbled_window_is_ended(hostile_server):
    with Watch(hostile_server, "window dribble, 1 byte") as watch:
        attacker = Attacker(hostile_server, (4, 1))
        attacker.send(request(1, "/32m.bin"))
        limit = time.monotonic() + 12
        while not attacker.ended and attacker.resets == 0 and time.monotonic() < limit:
            attacker.send(window_update(1, 1))
            attacker.drain(0.1)
        assert attacker.ended or attacker.resets
        watch.attacker_ended()
        attacker.close()


def test_downloads_that_are_not_read_hold_little_and_are_ended(hostile_server):
    before = hostile_server.metric("equinox_connections_closed_total")
    with Watch(hostile_server, "64 unread downloads × 20") as watch:
        attackers = [Attacker(hostile_server, (4, 0x7fffffff), reads=False) for _ in range(20)]
        for attacker in attackers:
            attacker.send(window_update(0, 0x7fff0000 - 1) + b"".join(request(s, "/32m.bin") for s in range(1, 129, 2)))
        wait_for(lambda: hostile_server.metric("equinox_connections_closed_total") >= before + 20, 12, "the write time-out of all")
        watch.attacker_ended()
        for attacker in attackers:
            attacker.close()


def test_streams_above_the_limit_are_refused_one_by_one(hostile_server):
    attacker = Attacker(hostile_server)
    attacker.drain(0.3)
    attacker.send(b"".join(request(s, "/echo", "POST", ends=False) for s in range(1, 281, 2)))
    attacker.drain(0.5)
    assert attacker.resets == 140 - 128
    assert not attacker.ended
    attacker.close()


@pytest.mark.parametrize("name,payload", {
    "CR LF in a value": literal("x", "a\r\nb"), "upper-case name": literal("X-Up", "a"), "connection": literal("connection", "close"),
    "transfer-encoding": literal("transfer-encoding", "chunked"), "te not trailers": literal("te", "gzip"), "empty name": literal("", "a"),
    "second path": literal(":path", "/b"), "unknown pseudo": literal(":x", "a"), "NUL": literal("x", "\0"), "space in name": literal("a b", "c"),
}.items())
def test_a_request_that_could_be_smuggled_is_reset(hostile_server, name, payload):
    attacker = Attacker(hostile_server)
    attacker.send(frame(HEADERS, END_STREAM | END_HEADERS, 1, request_fields() + payload))
    wait_for(lambda: attacker.drain(0.05) or attacker.resets or attacker.ended, 5, "RST_STREAM")
    assert HEADERS not in attacker.received, "no answer"
    attacker.close()
