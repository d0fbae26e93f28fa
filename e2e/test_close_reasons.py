"""Why was it closed? Every reason is provoked from outside, and metric, ring, log, API and command line say the same.

A server of its own for each reason closes exactly one connection of interest: any other reason beside it is a mistake.
"""

import contextlib
import json
import os
import re
import signal
import socket
import ssl
import struct
from pathlib import Path

import pytest
from support.attacks import ATTACKS
from support.frames import (END_HEADERS, END_STREAM, GOAWAY, HEADERS, PING, Attacker, frame, request,
                            request_fields, window_update)
from support.raw_tls import RawTls
from support.raw import exchange, receive_until_closed
from support.server import run_equinox
from support.tls import client_context
from support.wait import wait_for

GET = b"GET /hello HTTP/1.1\r\nHost: a\r\n\r\n"
POST = b"POST /echo HTTP/1.1\r\nHost: a\r\n"
DOWNLOAD = b"GET /32m.bin HTTP/1.1\r\nHost: a\r\n\r\n"
RESET_ON_CLOSE = struct.pack("ii", 1, 0)

CASES = {}

# Reasons the appliance's own handlers cannot give, or the loopback network not: provoked, with the same questions, there.
ELSEWHERE = "tests/appliance/close_agreement_test.cpp"

# Who kept it from going on, where only one can be to blame.
LIMITED_BY = {"write_stall": "receiver_window", "window_stall": "h2_window"}


def case(reason, **config):
    """Registers how a reason is provoked; what the function returns stays open until everything was asked."""
    def register(provoke):
        CASES[reason] = (provoke, config)
        return provoke
    return register


def hang_up(connection, how):
    if how == "reset":
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET_ON_CLOSE)
    connection.close()


def sends(data, name="http"):
    """Sends this and waits for the server to close."""
    def provoke(server):
        connection = server.connect(name)
        connection.sendall(data)
        try:
            receive_until_closed(connection)
        except OSError:
            pass
        return connection
    return provoke


def http2(*pieces, first=()):
    """Says these frames after the preface and waits for the end."""
    def provoke(server):
        attacker = Attacker(server, *first)
        for piece in pieces:
            attacker.send(piece)
        return attacker
    return provoke


def flood(name):
    def provoke(server):
        attacker = Attacker(server)
        for piece in ATTACKS[name][0](attacker):
            if not attacker.send(piece):
                break
        assert attacker.until_ended(5), "still served"
        attacker.close()
    return provoke


# Clients that go

@case("client_fin_idle")
def _(server):
    with server.connect() as connection:
        assert exchange(connection, GET).status == 200


@case("client_fin_mid_request")
def _(server):
    with server.connect() as connection:
        connection.sendall(b"GET /hel")


@case("client_reset_idle")
def _(server):
    connection = server.connect()
    assert exchange(connection, GET).status == 200
    hang_up(connection, "reset")


@case("client_reset_mid_request")
def _(server):
    connection = server.connect()
    connection.sendall(POST + b"Content-Length: 10\r\n\r\nx")
    wait_for(lambda: server.admin("/connections")["total"] == 1, 5, "the connection")
    hang_up(connection, "reset")


@case("client_goaway")
def _(server):
    attacker = Attacker(server)
    attacker.send(frame(GOAWAY, payload=struct.pack("!II", 0, 0)))
    wait_for(lambda: server.metric("equinox_http2_goaways_total", direction="received") == 1, 5, "the GOAWAY")
    attacker.close()


CASES["client_connection_close"] = (sends(b"GET /hello HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"), {})

# As configured

CASES["max_requests"] = (sends(GET + GET), {"limits": {"requests_per_connection": 2}})
CASES["max_age"] = (sends(GET), {"timeouts": {"max_age": "1s"}})


@case("admin_close")
def _(server):
    connection = server.connect()
    assert exchange(connection, GET).status == 200
    done = run_equinox("close", "protocol:http/1.1", "--admin", server.addresses["admin"])
    assert done.returncode == 0, done.stderr
    receive_until_closed(connection)


@case("admin_drain")
def _(server):
    connection = server.connect()
    assert exchange(connection, GET).status == 200
    assert run_equinox("drain", "--admin", server.addresses["admin"]).returncode == 0
    receive_until_closed(connection)


@case("drain", drain={"timeout": "20s"}, timeouts={"write": "30s"})
def _(server):
    unread, idle = server.connect(), server.connect()
    unread.sendall(DOWNLOAD)  # holds the drain, so that somebody is left to ask
    unread.recv(1000)
    assert exchange(idle, GET).status == 200
    server.signal(signal.SIGTERM)
    receive_until_closed(idle)
    return unread


# Timers

CASES["handshake_timeout"] = (sends(b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", "https"), {"timeouts": {"handshake": "300ms"}})
CASES["first_request_timeout"] = (sends(b""), {"timeouts": {"header": "300ms"}})
CASES["header_timeout"] = (sends(b"GET /hello HT"), {"timeouts": {"header": "300ms"}})
CASES["body_timeout"] = (sends(POST + b"Content-Length: 9\r\n\r\n"), {"timeouts": {"body": "300ms"}})
CASES["body_rate_too_low"] = (sends(POST + b"Content-Length: 9000\r\n\r\nx"), {"timeouts": {"body": "300ms"}})
CASES["keep_alive_timeout"] = (sends(GET), {"timeouts": {"idle": "300ms"}})
CASES["h2_idle_timeout"] = (http2(), {"timeouts": {"idle": "300ms"}})
CASES["window_stall"] = (http2(request(1), first=[(4, 0)]), {"timeouts": {"write": "300ms"}})
CASES["ping_timeout"] = (http2(request(1, "/echo", "POST", ends=False)), {"timeouts": {"ping_after": "1s", "ping": "200ms"}})


@case("write_stall", timeouts={"write": "500ms"})
def _(server):
    connection = socket.socket()
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    connection.connect(server.address())
    connection.sendall(DOWNLOAD)
    return connection


@case("write_rate_too_low", timeouts={"write": "1s"}, limits={"minimum_rate": "64M"})
def _(server):
    connection = server.connect()
    connection.sendall(DOWNLOAD)

    def is_over():
        try:
            return not connection.recv(65536)
        except OSError:
            return True
    wait_for(is_over, 10, "the end of a reader that is too slow", interval=0.02)


# What is refused

CASES["parse_error_h1"] = (sends(b"GET / HTTP/1.1\r\nHost: a\r\nno colon\r\n\r\n"), {})
CASES["head_too_large"] = (sends(b"GET / HTTP/1.1\r\nHost: a\r\nX: " + b"y" * 70_000 + b"\r\n\r\n"), {})
CASES["body_too_large"] = (sends(POST + b"Content-Length: 99999999999\r\n\r\n"), {})
CASES["smuggling_guard"] = (sends(POST + b"Content-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"), {})
CASES["request_refused"] = (sends(POST + b"Content-Length: 3\r\nExpect: wonders\r\n\r\n"), {})
CASES["wrong_protocol"] = (sends(b"SSH-2.0-client\r\n"), {})
CASES["h2_protocol_error"] = (http2(frame(HEADERS, END_STREAM | END_HEADERS, 2, request_fields())), {})
CASES["h2_flow_control_error"] = (http2(window_update(0, 0x7fffffff)), {})
CASES["h2_compression_error"] = (http2(frame(HEADERS, END_STREAM | END_HEADERS, 1, b"\xff\xff\xff\xff\xff\xff")), {})
CASES["h2_frame_size"] = (http2(frame(PING, payload=b"1234567")), {})
CASES["header_bomb"] = (http2(frame(HEADERS, END_STREAM | END_HEADERS, 1,
                                    request_fields() + b"\x40\x01x\x7f\xa1\x1e" + b"y" * 4000 + b"\xbe" * 12_000)), {})


@case("h2_preface_invalid")
def _(server):
    connection = client_context(["h2"]).wrap_socket(server.connect("https"))
    connection.sendall(GET)
    receive_until_closed(connection)
    return connection


# TLS

CASES["tls_handshake_failed"] = (sends(b"\x16\x03\x01\x00\x05hello", "https"), {})
CASES["tls_plaintext"] = (sends(GET, "https"), {})


@case("tls_alert")
def _(server):
    context = ssl.create_default_context()  # trusts no certificate of the test's
    with pytest.raises(ssl.SSLCertVerificationError):
        context.wrap_socket(server.connect("https"), server_hostname="localhost")


@case("tls_sni_unknown", strict_sni=True)
def _(server):
    with pytest.raises(ssl.SSLError):
        client_context().wrap_socket(server.connect("https"), server_hostname="stranger.example")


# Abuse

for _reason, _attack in {"rapid_reset": "rapid reset", "own_resets": "own resets, past the length", "flood_settings": "SETTINGS flood",
                         "flood_ping": "unasked PING answers", "flood_continuation": "empty CONTINUATIONs", "flood_empty": "empty DATA",
                         "flood_priority": "PRIORITY churn", "flood_window_update": "WINDOW_UPDATE flood",
                         "flood_data_tiny": "tiny DATA"}.items():
    CASES[_reason] = (flood(_attack), {})


@case("flood_tls")
def _(server):
    peer = RawTls(server.connect("https"))
    for _ in range(5000):
        if not peer.key_update():
            break
    else:
        pytest.fail("still served")
    peer.close()


# Pressure

@case("memory_pressure", limits={"memory": "16M", "request_body": "64M"})
def _(server):
    with server.connect() as connection:
        connection.sendall(POST + b"Content-Length: 60000000\r\n\r\n")
        with contextlib.suppress(OSError):
            for _ in range(60):
                connection.sendall(b"x" * 1_000_000)


@case("connection_limit", limits={"connections": 2}, reactors=1)
def _(server):
    old, other = server.connect(), server.connect()
    assert exchange(old, GET).status == exchange(other, GET).status == 200
    newcomers = []

    def has_room():
        newcomers.append(server.connect())
        return exchange(newcomers[-1], GET).status == 200
    wait_for(has_room, 5, "room for a newcomer", interval=0.3)
    return old, other, newcomers


def assert_tells_of(lines, row):
    """The log lines shown with a connection end with the one about its end."""
    assert lines[-1]["message"] == "connection closed", lines
    fields = {field["name"]: field["value"] for field in lines[-1]["fields"]}
    assert (fields["reason"], fields["peer"]) == (row["reason"], row["peer"])


def vocabulary():
    """The reasons as the documentation lists them, which is checked against the definition."""
    text = (Path(__file__).resolve().parents[1] / "docs" / "metrics.md").read_text()
    table = text[text.index("### Close reasons"):]
    return set(re.findall(r"^\| `(\w+)` \| \w+ \| \w+ \|", table, re.MULTILINE))


def test_every_reason_is_provoked():
    only_as_the_process_ends = {"shutdown", "shutdown_timeout"}  # below
    elsewhere = set(re.findall(r"everybody_says\(CloseReason::(\w+)\)", (Path(__file__).resolve().parents[1] / ELSEWHERE).read_text()))
    assert set(CASES) | elsewhere | only_as_the_process_ends == vocabulary()


def configured(make_config, changes):
    changes = dict(changes)
    strict_sni = changes.pop("strict_sni", False)
    config = make_config(log={"level": "debug"}, **changes)
    config["listeners"][1]["tls"]["strict_sni"] = strict_sni
    config["rings"] = {"closed": 1000, "samples": 1000, "events": 1000}
    return config


@pytest.mark.parametrize("reason", CASES)
def test_metric_ring_log_api_and_command_line_agree(start, make_config, reason):
    provoke, changes = CASES[reason]
    server = start(configured(make_config, changes))
    kept = provoke(server)
    wait_for(lambda: server.metric("equinox_connections_closed_total", reason=reason) == 1, 10,
             f"{reason}; closed: {[k for k, v in server.metrics().items() if k.startswith('equinox_connections_closed_total') and v]}")
    others = {k: v for k, v in server.metrics().items()
              if k.startswith("equinox_connections_closed_total") and v and f'reason="{reason}"' not in k}
    assert not others, "no other reason beside it"

    rows = server.admin("/closed")["rows"]
    assert [r["reason"] for r in rows] == [reason]
    row = rows[0]
    assert row.get("limited_by") == LIMITED_BY.get(reason, row.get("limited_by"))
    assert len(row["sentence"]) > 10 and row["sentence"].endswith("."), row["sentence"]
    # The ops and admin surfaces log their connections too, and a client's port may have served one of those.
    lines = wait_for(lambda: server.lines(message="connection closed", peer=row["peer"], connection=row["id"]), 5, "a line in the log")
    assert [e["reason"] for e in lines] == [reason]
    one = server.admin("/connection/" + row["id"])
    assert one["closed"]["reason"] == reason
    assert_tells_of(one["log"], row)
    done = run_equinox("why", row["id"], "--json", "--admin", server.addresses["admin"])
    assert done.returncode == 0, done.stderr
    (told,) = json.loads(done.stdout)["rows"]
    assert (told["reason"], told["peer"]) == (reason, row["peer"])
    assert_tells_of(told["log"], row)
    del kept


def test_an_alert_is_told_as_whose_it_was(start, make_config):
    server = start(configured(make_config, {}))
    with client_context().wrap_socket(server.connect("https"), server_hostname="localhost") as connection:
        socket.socket(fileno=os.dup(connection.fileno())).sendall(b"\x17\x03\x03\x00\x20" + b"x" * 32)
        with pytest.raises(ssl.SSLError):
            while connection.recv(1000):
                pass
    row = wait_for(lambda: server.admin("/closed")["rows"], 5, "the closing record")[0]
    assert row["reason"] == "tls_alert"
    assert row["sentence"].startswith("The server ended TLS because a record from the client was broken (alert 20 bad_record_mac sent); ")


@pytest.mark.parametrize("reason,ends", [("shutdown", signal.SIGQUIT), ("shutdown_timeout", signal.SIGTERM)])
def test_the_last_words_are_in_the_log(start, make_config, reason, ends):
    server = start(configured(make_config, {"drain": {"timeout": "300ms"}}))
    with server.connect() as connection:
        connection.sendall(DOWNLOAD)
        connection.recv(1000)
        server.signal(ends)
        assert server.wait() == 0
        own = "%s:%d" % connection.getsockname()
    lines = wait_for(lambda: server.lines(message="connection closed", peer=own, requests=1), 5, "the line")
    assert [e["reason"] for e in lines] == [reason]
