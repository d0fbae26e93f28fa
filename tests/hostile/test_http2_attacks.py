"""Floods of HTTP/2 frames, read and unread: each is ended, is counted under its name, and costs nobody else anything."""

import time

import pytest
from support.attacks import ATTACKS
from support.frames import END_HEADERS, END_STREAM, HEADERS, Attacker, frame, literal, request, request_fields
from support.wait import wait_for
from watch import SLOWNESS, Watch, over_and_over

LONGEST_FLOOD = 4.0  # seconds of one attacker; each is ended long before


@pytest.fixture
def hostile_server(start):
    return start(timeouts={"idle": "5s", "write": "2s", "body": "3s", "header": "2s", "ping_after": "1s", "ping": "1s"})


def flood(attacker, name):
    limit = time.monotonic() + LONGEST_FLOOD * SLOWNESS
    for piece in ATTACKS[name][0](attacker):
        if not attacker.send(piece) or time.monotonic() > limit:
            break


@pytest.mark.parametrize("name", ATTACKS)
def test_a_flood_is_ended(hostile_server, name):
    with Watch(hostile_server, name, ATTACKS[name][1], within=2) as watch:
        for _ in over_and_over():
            attacker = Attacker(hostile_server)
            flood(attacker, name)
            assert attacker.until_ended(3 * SLOWNESS), "still served"
            watch.attacker_ended()
            attacker.close()


# Attacks that make the server say something each time. Who reads nothing is not read from while answers pile up: either
# the budget or the write time-out ends it.
ANSWERED = ["rapid reset", "own resets, window overflow", "own resets, past the length", "own resets, malformed", "own resets, trailers",
            "streams above the limit", "SETTINGS flood", "PING flood", "table size churn", "HEADERS for a closed stream"]


@pytest.mark.parametrize("name", ANSWERED)
def test_a_flood_whose_answers_are_not_read_is_ended(hostile_server, name):
    reasons = ATTACKS[name][1] | {"write_stall", "write_rate_too_low"}
    with Watch(hostile_server, name + ", unread", reasons, within=5) as watch:
        attacker = Attacker(hostile_server, reads=False)
        flood(attacker, name)
        wait_for(lambda: reasons & set(watch.closed()), 6 * SLOWNESS, "the end of the attacker")
        watch.attacker_ended()
        attacker.close()


def test_streams_above_the_limit_are_refused_one_by_one(hostile_server):
    """No "ended after": the connection goes on."""
    with Watch(hostile_server, "140 streams, 128 are allowed") as watch:
        attacker = Attacker(hostile_server)
        attacker.drain(0.3)
        attacker.send(b"".join(request(s, "/echo", "POST", ends=False) for s in range(1, 281, 2)))
        wait_for(lambda: attacker.drain(0.05) or attacker.resets >= 140 - 128, 5, "RST_STREAM of each above")
        attacker.drain(0.5)  # and of no other
        assert attacker.resets == 140 - 128
        assert not attacker.ended
        attacker.close()
        watch.told("REFUSED_STREAM")


@pytest.mark.parametrize("name,payload", {
    "CR LF in a value": literal("x", "a\r\nb"), "upper-case name": literal("X-Up", "a"), "connection": literal("connection", "close"),
    "transfer-encoding": literal("transfer-encoding", "chunked"), "te not trailers": literal("te", "gzip"), "empty name": literal("", "a"),
    "second path": literal(":path", "/b"), "unknown pseudo": literal(":x", "a"), "NUL": literal("x", "\0"), "space in name": literal("a b", "c"),
    "upgrade": literal("upgrade", "h2c"), "keep-alive": literal("keep-alive", "1"), "proxy-connection": literal("proxy-connection", "close"),
    "two lengths": literal("content-length", "1") + literal("content-length", "2"), "length of nothing": literal("content-length", "5"),
    "pseudo behind others": literal("x", "y") + literal(":scheme", "http"), "LF in a name": literal("a\nb", "c"),
}.items())
def test_a_request_that_could_be_smuggled_is_reset(hostile_server, name, payload):
    with Watch(hostile_server, "HTTP/2 request with " + name) as watch:
        for _ in over_and_over():
            attacker = Attacker(hostile_server)
            attacker.send(frame(HEADERS, END_STREAM | END_HEADERS, 1, request_fields() + payload))
            wait_for(lambda: attacker.drain(0.05) or attacker.resets or attacker.ended, 5, "RST_STREAM")
            watch.attacker_ended()
            assert HEADERS not in attacker.received, "no answer"
            attacker.close()
        watch.told("RST_STREAM" if attacker.resets else "GOAWAY")
