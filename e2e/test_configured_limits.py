"""Keys that change what a peer may do: the value counts, not only its default."""

import time

import pytest
from support.frames import (CONTINUATION, END_HEADERS, END_STREAM, HEADERS, PING, PREFACE, Attacker, frame, literal, request,
                            request_fields, reset)
from support.raw import exchange
from support.wait import wait_for

GET = b"GET /hello HTTP/1.1\r\nHost: a\r\n\r\n"


def cancelled(count):
    return b"".join(request(s, "/echo", "POST", ends=False) + reset(s) for s in range(1, 2 * count, 2))


def refused(count):
    """A connection field is a stream error, for which the server resets the stream (RFC 9113 §8.2.2)."""
    return b"".join(request(s, extra=[("connection", "close")]) for s in range(1, 2 * count, 2))


def pings(count):
    return frame(PING, payload=b"12345678") * count


def continuations(count):
    pieces = [frame(CONTINUATION, 0, 1, literal("x", "y"))] * (count - 1)
    return frame(HEADERS, END_STREAM, 1, request_fields()) + b"".join(pieces) + frame(CONTINUATION, END_HEADERS, 1, literal("x", "z"))


# key: (what is sent, a value, how much is allowed then, how much is too much, the reason it ends for)
BUDGETS = {
    "http2_resets": (cancelled, 20, 15, 150, "rapid_reset"),
    "http2_own_resets": (refused, 10, 8, 60, "own_resets"),
    "http2_control_frames": (pings, 50, 40, 400, "flood_ping"),
    "http2_continuations": (continuations, 3, 3, 4, "flood_continuation"),
}


def outlives(server, sent):
    """Whether the connection still answers a PING behind what was sent."""
    attacker = Attacker(server)
    attacker.send(sent + frame(PING, payload=b"the last"))
    end = time.monotonic() + 10
    answers = 0
    while not attacker.ended and time.monotonic() < end:
        attacker.drain(0.05)
        answers = attacker.received.count(PING)
        if answers > sent.count(b"12345678"):
            break
    alive = not attacker.ended
    attacker.close()
    return alive


@pytest.mark.parametrize("key", BUDGETS)
def test_a_budget_of_http2_is_what_the_configuration_says(start, key):
    make, value, allowed, beyond, reason = BUDGETS[key]
    server = start(limits={key: value})
    assert outlives(server, make(allowed))
    assert not outlives(server, make(beyond))
    wait_for(lambda: server.metric("equinox_connections_closed_total", reason=reason) == 1, 5, f"a close for {reason}")
    generous = start(limits={key: 1000})
    assert outlives(generous, make(beyond))
    assert generous.metric("equinox_connections_closed_total", reason=reason) == 0


def test_a_deferring_listener_does_not_see_who_is_silent(start, make_config):
    config = make_config()
    config["listeners"][0]["defer_accept"] = "60s"
    config["listeners"].append({"name": "plain", "address": "127.0.0.1:0"})
    server = start(config, expect=("http", "https", "plain", "ops", "admin"))

    def is_open(listener):
        return server.metric("equinox_connections", listener=listener)

    with server.connect() as deferred, server.connect("plain"):
        wait_for(lambda: is_open("plain") == 1, 5, "the connection that was made later")
        assert is_open("http") == 0
        assert exchange(deferred, GET).status == 200
        wait_for(lambda: is_open("http") == 1, 5, "the connection that has spoken")


@pytest.mark.parametrize("h2c, upgrades, knows", [("on", True, True), ("prior-knowledge", False, True), ("off", False, False)])
def test_h2c_says_which_of_its_two_ways_are_open(start, make_config, h2c, upgrades, knows):
    config = make_config()
    config["listeners"][0]["h2c"] = h2c
    server = start(config)
    with server.connect() as connection:
        connection.sendall(b"GET /hello HTTP/1.1\r\nHost: a\r\nConnection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABk\r\n\r\n")
        first = connection.recv(12)
        assert first == (b"HTTP/1.1 101" if upgrades else b"HTTP/1.1 200")
    with server.connect() as connection:
        connection.sendall(PREFACE + frame(4))
        answer = connection.recv(9)
        assert (answer[3:4] == b"\x04") == knows
