"""Families that count rare things: each is provoked, and its value is exactly what happened."""

import socket
import time

import pytest
from support.frames import DATA, END_STREAM, PING, PREFACE, RST_STREAM, Attacker, frame, request, reset, settings
from support.raw import exchange
from support.tls import client_context
from support.wait import wait_for

GET = b"GET /hello HTTP/1.1\r\nHost: a\r\n\r\n"


def becomes(server, expected, name, **labels):
    wait_for(lambda: server.metric(name, **labels) == expected, 5, f"{name}{labels} = {expected}")


def read_one(attacker, kind):
    end = time.monotonic() + 5
    while attacker.received.count(kind) == 0 and time.monotonic() < end:
        attacker.drain(0.05)
    assert kind in attacker.received


@pytest.mark.parametrize("version, offered", [("1.2", "http/1.1"), ("1.3", "h2"), ("1.3", None)])
def test_a_handshake_is_counted_by_what_it_came_to(start, version, offered):
    server = start()
    context = client_context([offered] if offered else None)
    context.minimum_version = context.maximum_version = {"1.2": 0x0303, "1.3": 0x0304}[version]
    with context.wrap_socket(server.connect("https")) as secure:
        cipher = secure.cipher()[0]
    becomes(server, 1, "equinox_tls_connections_total", version=f"TLSv{version}", alpn=offered or "none")
    becomes(server, 1, "equinox_tls_ciphers_total", cipher=cipher)
    assert server.metric("equinox_tls_ciphers_total") == server.metric("equinox_tls_connections_total") == 1
    assert server.metric("equinox_tls_handshake_duration_seconds_count", version=f"TLSv{version}", resumed="false") == 1
    assert server.metric("equinox_tls_handshakes_in_progress") == 0


def test_plain_http_on_a_tls_port_is_a_failure_of_its_own_name(start):
    server = start()
    with server.connect("https") as connection:
        connection.sendall(GET)
        connection.recv(1000)
    becomes(server, 1, "equinox_tls_handshake_failures_total", reason="plaintext_on_tls")
    assert server.metric("equinox_tls_handshake_failures_total") == 1


def test_an_upgrade_is_counted(start):
    server = start()
    with server.connect() as connection:
        connection.sendall(b"GET /hello HTTP/1.1\r\nHost: a\r\nConnection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABk\r\n\r\n")
        assert connection.recv(12) == b"HTTP/1.1 101"
        becomes(server, 1, "equinox_http_upgrades_total", to="h2c")


def test_a_connection_is_counted_with_its_requests(start):
    server = start()
    with server.connect() as connection:
        for _ in range(3):
            exchange(connection, GET)
    becomes(server, 1, "equinox_connection_requests_count", protocol="http/1.1")
    assert server.metric("equinox_connection_requests_sum", protocol="http/1.1") == 3
    assert server.metric("equinox_connection_duration_seconds_count", protocol="http/1.1", initiator="client") == 1


def test_resets_of_streams_are_counted_by_direction_and_code(start):
    server = start()
    attacker = Attacker(server)
    attacker.send(request(1, "/echo", "POST", ends=False) + reset(1, 8) + request(3, extra=[("connection", "close")]))
    read_one(attacker, RST_STREAM)
    becomes(server, 1, "equinox_http2_stream_resets_total", direction="received", error_code="CANCEL")
    becomes(server, 1, "equinox_http2_stream_resets_total", direction="sent", error_code="PROTOCOL_ERROR")
    assert server.metric("equinox_http2_stream_resets_total") == 2
    attacker.close()


def test_the_most_streams_at_once_are_told_when_a_connection_ends(start):
    server = start()
    attacker = Attacker(server)
    attacker.send(b"".join(request(s, "/echo", "POST", ends=False) for s in (1, 3, 5, 7, 9)))
    becomes(server, 5, "equinox_http2_streams")
    attacker.send(b"".join(frame(0, END_STREAM, s) for s in (1, 3, 5, 7, 9)))
    becomes(server, 0, "equinox_http2_streams")
    attacker.send(request(11))
    becomes(server, 6, "equinox_http2_streams_opened_total")
    attacker.close()
    becomes(server, 1, "equinox_http2_concurrent_streams_peak_count")
    assert server.metric("equinox_http2_concurrent_streams_peak_sum") == 5


def test_requests_whose_handlers_wait_for_room_are_counted(start):
    server = start(limits={"output_buffer": "64k"})
    attacker = Attacker(server, (4, 0))  # SETTINGS_INITIAL_WINDOW_SIZE
    ten = range(1, 21, 2)
    attacker.send(b"".join(request(s, "/echo", "POST", ends=False) + frame(DATA, END_STREAM, s, b"x" * 16_000) for s in ten))
    held = wait_for(lambda: server.metric("equinox_http2_requests_held_total"), 5, "requests that wait")
    assert 3 <= held <= 5, "64 KiB and the largest answer are made"
    assert server.admin("/http2")["held_total"] == held
    attacker.close()


def test_the_round_trip_of_a_ping_is_measured(start):
    server = start(timeouts={"ping_after": "1s", "ping": "5s"})
    with server.connect() as connection:
        connection.sendall(PREFACE + settings() + request(1, "/echo", "POST", ends=False))
        buffer, asked = b"", None
        while asked is None:
            buffer += connection.recv(4096)
            while len(buffer) >= 9 and len(buffer) >= 9 + int.from_bytes(buffer[:3], "big"):
                size = 9 + int.from_bytes(buffer[:3], "big")
                if buffer[3] == PING:
                    asked = buffer[9:size]
                buffer = buffer[size:]
        assert server.metric("equinox_http2_ping_rtt_seconds_count") == 0
        time.sleep(0.05)  # is what it measures
        connection.sendall(frame(PING, 1, 0, asked))
        becomes(server, 1, "equinox_http2_ping_rtt_seconds_count")
        assert 0.05 <= server.metric("equinox_http2_ping_rtt_seconds_sum") < 2


def test_what_tcp_knows_of_a_connection_that_read_slowly(start):
    server = start()
    with socket.socket() as connection:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 32 * 1024)
        connection.connect(server.address())
        connection.sendall(b"GET /32m.bin HTTP/1.1\r\nHost: a\r\n\r\n")
        time.sleep(0.5)  # in which the window is shut
        left = 32 << 20
        while left > 0:
            left -= len(connection.recv(1 << 20))
    becomes(server, 1, "equinox_connections_closed_total")
    assert server.metric("equinox_tcp_rtt_seconds_count") == 1
    assert 0 < server.metric("equinox_tcp_rtt_seconds_sum") < 5
    assert server.metric("equinox_tcp_limited_seconds_total", by="receiver_window") > 0.3


def test_a_reactor_counts_each_wakeup_once(start):
    server = start(reactors=1)
    with server.connect() as connection:
        for _ in range(50):
            exchange(connection, GET)
    becomes(server, 1, "equinox_connections_closed_total")

    def agrees():  # one scrape, so that all were read together; a turn may still come in between
        now = server.metrics()
        wakeups, events = now['equinox_reactor_wakeups_total{reactor="0"}'], now['equinox_reactor_events_total{reactor="0"}']
        return (wakeups >= 50 and now["equinox_reactor_events_per_wakeup_count"] == wakeups == now["equinox_reactor_iteration_seconds_count"]
                and now["equinox_reactor_events_per_wakeup_sum"] == events)

    wait_for(agrees, 5, "the same number everywhere")


def test_a_deadline_tells_how_late_it_was_served(start):
    server = start(timeouts={"idle": "100ms"})
    with server.connect() as connection:
        exchange(connection, GET)
        assert connection.recv(1) == b""
    becomes(server, 1, "equinox_reactor_timer_lag_seconds_count")
    assert server.metric("equinox_reactor_timer_lag_seconds_sum") < 1


def test_work_that_waited_for_the_pool_is_timed(start, make_config, site):
    config = make_config(workers={"threads": 2})
    config["routes"][-1]["static"]["compress"] = True
    server = start(config)
    (site / "text.txt").write_text("compressible " * 10_000)
    with server.connect() as connection:
        answer = exchange(connection, b"GET /text.txt HTTP/1.1\r\nHost: a\r\nAccept-Encoding: gzip\r\n\r\n")
    assert answer.get("content-encoding") == "gzip"
    assert server.metric("equinox_worker_queue_wait_seconds_count") >= 1
    assert server.metric("equinox_worker_queue_length") == 0
    assert server.metric("equinox_workers") == 1  # of two: threads are made when there is work for them


def test_a_scrape_names_its_own_faults(start):
    server = start()
    now = server.metrics()
    assert now["equinox_scrape_errors_total"] == 0
    assert now["equinox_scrape_series"] == sum(not key.startswith(("go_",)) for key in now)
    assert 0 < now["equinox_scrape_collect_seconds"] < 1
