"""Floods of HTTP/2 frames: each attack yields pieces to send until the server has had enough."""

import struct

from .frames import (ACK, CONTINUATION, DATA, END_STREAM, HEADERS, PADDED, PING, PRIORITY, SETTINGS, frame, literal, request, request_fields,
                     reset, window_update)


def rapid_reset(attacker):
    return (b"".join(request(s) + reset(s) for s in range(first, first + 200, 2)) for first in range(1, 400_001, 200))


def window_overflow(attacker):
    """The server must reset each stream itself (CVE-2025-8671)."""
    return (b"".join(request(s, "/echo", "POST", ends=False) + window_update(s, 0x7fffffff) for s in range(f, f + 40, 2))
            for f in range(1, 200_001, 40))


def data_past_length(attacker):
    return (b"".join(request(s, "/echo", "POST", [("content-length", "1")], ends=False) + frame(DATA, END_STREAM, s, b"xx")
                     for s in range(f, f + 40, 2)) for f in range(1, 200_001, 40))


def continuation_flood(attacker):
    yield frame(HEADERS, END_STREAM, 1, request_fields())
    for _ in range(20_000):
        yield frame(CONTINUATION, 0, 1, literal("x", "y")) * 10


def empty_continuations(attacker):
    yield frame(HEADERS, END_STREAM, 1, request_fields())
    for _ in range(20_000):
        yield frame(CONTINUATION, 0, 1, b"") * 20


def settings_flood(attacker):
    return (frame(SETTINGS, payload=struct.pack("!HI", 4, 65535)) * 100 for _ in range(20_000))


def ping_flood(attacker):
    return (frame(PING, payload=b"12345678") * 100 for _ in range(20_000))


def ping_answers(attacker):
    return (frame(PING, ACK, payload=b"12345678") * 100 for _ in range(20_000))


def empty_data(attacker):
    yield request(1, "/echo", "POST", ends=False)
    for _ in range(20_000):
        yield frame(DATA, 0, 1) * 100


def padding_only(attacker):
    yield request(1, "/echo", "POST", ends=False)
    for _ in range(20_000):
        yield frame(DATA, PADDED, 1, b"\x01\0") * 50


def priority_churn(attacker):
    return (b"".join(frame(PRIORITY, 0, s, struct.pack("!IB", 0, 16)) for s in range(1, 201, 2)) for _ in range(20_000))


def window_updates(attacker):
    yield request(1, "/echo", "POST", ends=False)
    for _ in range(20_000):
        yield window_update(1, 1) * 100


def tiny_data(attacker):
    yield request(1, "/echo", "POST", ends=False)
    for _ in range(20_000):
        yield frame(DATA, 0, 1, b"x") * 100


def unknown_frames(attacker):
    return (frame(0x77, 0, 0, b"x") * 100 for _ in range(20_000))


# name: (what is sent, close reasons that are right)
ATTACKS = {
    "rapid reset": (rapid_reset, {"rapid_reset"}),
    "own resets, window overflow": (window_overflow, {"own_resets", "h2_flow_control_error"}),
    "own resets, past the length": (data_past_length, {"own_resets", "h2_protocol_error"}),
    "CONTINUATION flood": (continuation_flood, {"flood_continuation", "header_bomb"}),
    "empty CONTINUATIONs": (empty_continuations, {"flood_continuation"}),
    "SETTINGS flood": (settings_flood, {"flood_settings"}),
    "PING flood": (ping_flood, {"flood_ping"}),
    "unasked PING answers": (ping_answers, {"flood_ping"}),
    "empty DATA": (empty_data, {"flood_empty"}),
    "padding-only DATA": (padding_only, {"flood_empty", "flood_data_tiny"}),
    "tiny DATA": (tiny_data, {"flood_data_tiny"}),
    "PRIORITY churn": (priority_churn, {"flood_priority"}),
    "WINDOW_UPDATE flood": (window_updates, {"flood_window_update"}),
    "unknown frames": (unknown_frames, {"flood_empty"}),
}
