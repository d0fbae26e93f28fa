"""What one peer may hold or delay is bounded, whatever it sends in between."""

import contextlib
import signal
import socket
import threading
import time

import pytest
from support.frames import PING, PREFACE, WINDOW_UPDATE, Attacker, frame, request, settings, window_update
from support.raw import exchange, receive_until_closed
from support.tls import client_context
from support.wait import wait_for

GET = b"GET /hello HTTP/1.1\r\nHost: a\r\n\r\n"
UPGRADE = (b"GET /hello HTTP/1.1\r\nHost: a\r\nConnection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\n"
           b"HTTP2-Settings: AAMAAABkAAQAAP__\r\n\r\n")
ABUNDANT = 10  # seconds after which the machine, not the server, is to blame


@pytest.mark.parametrize("cut", [False, True], ids=["whole", "cut"])
def test_frames_that_ask_for_nothing_do_not_keep_a_connection(start, cut):
    server = start(timeouts={"idle": "1s", "header": "5s"})
    attacker = Attacker(server)
    ping = frame(PING, payload=b"12345678")
    began = time.monotonic()
    while not attacker.closed and time.monotonic() < began + ABUNDANT:
        for piece in (ping[:9], ping[9:]) if cut else (ping,):
            attacker.send(piece)
            attacker.drain(0.05)
    assert attacker.closed, "PINGs renewed the idle timer"
    wait_for(lambda: server.metric("equinox_connections_closed_total", reason="h2_idle_timeout") == 1, 5, "its reason")


def test_a_request_line_is_timed_from_its_first_byte(start):
    """Also while it does not yet tell the protocol."""
    server = start(timeouts={"header": "2s"})
    with server.connect() as connection:
        began = time.monotonic()
        connection.sendall(b"G")
        time.sleep(1.2)
        connection.sendall(b"ET /")
        assert receive_until_closed(connection).startswith(b"HTTP/1.1 408 ")
        assert time.monotonic() - began < 3.1, "the second piece began the time anew"


def test_the_first_request_has_its_time_from_accept(start):
    server = start(timeouts={"header": "2s"})
    with server.connect() as connection:
        began = time.monotonic()
        time.sleep(1.2)
        connection.sendall(b"GET /he")
        assert receive_until_closed(connection).startswith(b"HTTP/1.1 408 ")
        assert time.monotonic() - began < 3.1, "its first byte began the time anew"


def test_a_preface_in_pieces_has_its_time_from_the_handshake(start):
    server = start(timeouts={"header": "2s", "linger": "100ms"})
    with client_context(["h2"]).wrap_socket(server.connect("https")) as connection:
        began = time.monotonic()
        time.sleep(1.2)
        connection.sendall(PREFACE[:10])
        receive_until_closed(connection)
        assert time.monotonic() - began < 3.1, "its first byte began the time anew"


def test_an_http2_head_has_its_time_from_its_first_byte(start):
    """Whatever came in pieces before it."""
    server = start(timeouts={"header": "2s"})
    attacker = Attacker(server)
    ping, head = frame(PING, payload=b"12345678"), request(1)
    attacker.send(ping[:4])
    time.sleep(1.5)
    attacker.send(ping[4:] + head[:12])
    time.sleep(1)
    attacker.send(head[12:])
    wait_for(lambda: server.metric("http_server_request_duration_seconds_count", http_response_status_code="200") == 1, 5, "an answer")
    attacker.close()


def test_an_http2_connection_is_idle_from_its_last_refused_request_on(start):
    server = start(timeouts={"idle": "2s", "header": "5s"})
    attacker = Attacker(server)
    refused = request(3, "/hello", "BREW")
    attacker.send(request(1))
    time.sleep(1.4)
    attacker.send(refused[:12])
    time.sleep(1)
    attacker.send(refused[12:])
    time.sleep(0.3)
    attacker.send(request(5))
    wait_for(lambda: server.metric("http_server_request_duration_seconds_count", http_response_status_code="200") == 2, 5, "both answers")
    attacker.close()


def test_an_http2_connection_is_idle_from_its_preface_on(start):
    server = start(timeouts={"idle": "1500ms", "header": "30s", "linger": "100ms"})
    with server.connect() as connection:
        connection.sendall(PREFACE[:10])
        time.sleep(1)
        connection.sendall(PREFACE[10:] + settings())
        began = time.monotonic()
        receive_until_closed(connection)
        assert time.monotonic() - began > 1.4, "idle before it had spoken"
    wait_for(lambda: server.metric("equinox_connections_closed_total", reason="h2_idle_timeout") == 1, 5, "its reason")


def test_who_upgrades_and_says_no_more_is_ended(start):
    server = start(timeouts={"header": "300ms", "ping_after": "0s", "linger": "100ms"})
    with server.connect() as connection:
        connection.sendall(UPGRADE)
        assert receive_until_closed(connection).startswith(b"HTTP/1.1 101 ")
    wait_for(lambda: server.metric("equinox_connections_closed_total", reason="header_timeout") == 1, 5, "its reason")


def test_who_has_not_followed_its_upgrade_yet_owes_no_pong(start):
    server = start(timeouts={"header": "2500ms", "ping_after": "1s", "ping": "100ms", "linger": "100ms"})
    with server.connect() as connection:
        connection.sendall(UPGRADE)
        receive_until_closed(connection)
    row = wait_for(lambda: server.admin("/closed")["rows"], 5, "the closing record")[0]
    assert row["reason"] == "header_timeout"


def test_a_slow_reader_with_open_windows_has_the_time_of_its_reading(start):
    """It has nothing to say, and a PING stands behind all that it has still to read."""
    server = start(timeouts={"ping_after": "1s", "ping": "100ms", "write": "10s"})
    with server.connect() as connection:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 256 * 1024)
        connection.sendall(PREFACE + settings((4, 2**31 - 1)) + window_update(0, 2**30) + request(1, "/32m.bin"))
        end = time.monotonic() + 4
        while time.monotonic() < end:
            assert connection.recv(64 * 1024), "ended while it was reading"
            time.sleep(0.05)
        assert server.admin("/closed")["rows"] == []


def test_a_ping_behind_an_answer_that_the_kernel_holds_waits_for_its_reader(start):
    server = start(timeouts={"ping_after": "1s", "ping": "1s", "body": "60s"})
    with socket.socket() as connection:
        connection.settimeout(ABUNDANT)
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 16 * 1024)
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_MAXSEG, 1400)
        connection.connect(server.address("http"))
        connection.sendall(PREFACE + settings((4, 2**31 - 1)) + window_update(0, 2**30) + request(1, "/echo", "POST", ends=False) +
                           request(3, "/100k.bin"))
        end = time.monotonic() + 3.5
        while time.monotonic() < end:
            assert connection.recv(2000), "ended while it was reading"
            time.sleep(0.1)
        assert server.admin("/closed")["rows"] == []
        # Now it reads no more.
        row = wait_for(lambda: server.admin("/closed")["rows"], ABUNDANT, "the eviction")[0]
        assert row["reason"] == "ping_timeout"


@pytest.mark.parametrize("name", ["http", "https"])
def test_a_reader_above_the_least_rate_is_not_ended_between_two_steps_of_the_kernel(start, name):
    server = start(timeouts={"write": "2s"})
    with socket.socket() as connection:
        connection.settimeout(ABUNDANT)
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 16 * 1024)
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_MAXSEG, 1400)  # the loopback's would open its window in steps, too
        connection.connect(server.address(name))
        reader = client_context().wrap_socket(connection) if name == "https" else connection
        reader.sendall(b"GET /32m.bin HTTP/1.1\r\nHost: a\r\n\r\n")
        end = time.monotonic() + 8
        while time.monotonic() < end:
            assert reader.recv(2000), "ended while it was reading"
            time.sleep(0.1)
        assert server.admin("/closed")["rows"] == []


def test_a_slow_reader_whose_windows_are_shut_is_not_ended_while_it_reads_what_it_was_sent(start):
    """It opens them when it has come to the end of what the server's kernel holds for it."""
    server = start(timeouts={"write": "2s", "ping_after": "0s"})
    with socket.socket() as connection:
        connection.settimeout(ABUNDANT)
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 16 * 1024)
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_MAXSEG, 1400)
        connection.connect(server.address("http"))
        connection.sendall(PREFACE + settings((4, 200_000)) + window_update(0, 2**30) + request(1, "/32m.bin"))
        end = time.monotonic() + 8
        while time.monotonic() < end:
            assert connection.recv(2000), "ended while it was reading"
            time.sleep(0.1)
        assert server.admin("/closed")["rows"] == []
        # It has all of it, and asks for what only answers its own frames.
        connection.settimeout(0.2)
        end = time.monotonic() + ABUNDANT
        while time.monotonic() < end and not server.admin("/closed")["rows"]:
            with contextlib.suppress(OSError):
                connection.sendall(frame(PING, payload=b"12345678") * 10)
                connection.recv(1 << 20)
            time.sleep(0.1)
        assert server.admin("/closed")["rows"][0]["reason"] == "window_stall"


@pytest.mark.parametrize("name", ["http", "https"])
def test_what_only_fills_the_buffers_of_who_reads_nothing_gives_no_further_window(start, name):
    server = start(timeouts={"write": "4s"})
    with socket.socket() as connection:
        connection.settimeout(ABUNDANT)
        connection.connect(server.address(name))
        reader = client_context().wrap_socket(connection) if name == "https" else connection
        reader.sendall(b"GET /32m.bin HTTP/1.1\r\nHost: a\r\n\r\n")
        row = wait_for(lambda: server.admin("/closed")["rows"], ABUNDANT, "the eviction")[0]
        assert row["reason"] == "write_stall"
        assert row["age_seconds"] < 6


def test_who_upgrades_and_leaves_has_left(start):
    server = start(timeouts={"header": "30s"})
    with server.connect() as connection:
        connection.sendall(UPGRADE)
        while b"\r\n\r\n" not in (answer := connection.recv(1000)):
            pass
        assert answer.startswith(b"HTTP/1.1 101 ")
    (row,) = wait_for(lambda: server.admin("/closed")["rows"], 5, "the closing record, before the header timeout")
    assert row["reason"] == "client_fin_mid_request"


def test_closed_windows_end_although_another_stream_moves(start):
    server = start(timeouts={"write": "1s", "idle": "30s"})
    attacker = Attacker(server, (4, 0))
    attacker.send(b"".join(request(stream, "/32m.bin") for stream in range(1, 21, 2)) + request(21, "/32m.bin"))
    began = time.monotonic()
    while attacker.resets < 10 and time.monotonic() < began + ABUNDANT:
        attacker.send(window_update(21, 400) + window_update(0, 400))
        attacker.drain(0.1)
    assert attacker.resets == 10, "all but the one that moves"
    assert not attacker.ended
    assert server.metric("http_server_request_duration_seconds_count", error_type="write_timeout") == 10
    assert server.metric("equinox_idle_evictions_total") == 0, "the connection lives on"
    rows = wait_for(lambda: [r for r in server.admin("/connections")["rows"] if r["protocol"] == "h2c"], 5, "the connection")
    assert rows[0]["streams"] == 1
    attacker.close()


def test_a_stream_that_we_reset_is_over_while_nothing_can_be_sent(start):
    """Its request must not be told later by memory that is somebody else's by then."""
    server = start(timeouts={"body": "1s", "write": "30s"}, reactors=1, log={"access": "-", "access_format": "json"})
    attacker = Attacker(server, (4, 2**31 - 1), reads=False)
    attacker.send(request(1, "/echo", "POST", [("user-agent", "attacker")], ends=False) + request(3, "/32m.bin") + window_update(0, 2**30))
    wait_for(lambda: [r for r in server.admin("/connections")["rows"] if r["pending_bytes"]], 5, "output that is not taken")
    attacker.send(frame(PING, payload=b"12345678") + frame(WINDOW_UPDATE, 0, 1, b"\x7f\xff\xff\xff"))
    wait_for(lambda: [e for e in server.log if e.get("target") == "/echo"], 5, "the line of the request that was ended")
    line = next(e for e in server.log if e.get("target") == "/echo")
    assert line["user_agent"] == "attacker"
    attacker.close()


def test_a_limit_of_each_client_holds_after_it_was_changed(start, make_config):
    config = make_config(limits={"connections_per_client": 4})
    server = start(config)

    def served():
        connection = server.connect()
        with contextlib.suppress(OSError):
            if exchange(connection, GET).status == 200:
                return connection
        connection.close()
        return None

    old = [served() for _ in range(4)]
    assert all(old) and not served()
    before = server.metric("equinox_config_last_reload_timestamp_seconds")
    config["limits"]["connections_per_client"] = 3
    server.write_config(config)
    server.signal(signal.SIGHUP)
    wait_for(lambda: server.metric("equinox_config_last_reload_timestamp_seconds") != before, 5, "the reload")
    assert not served(), "four are open, three may be"
    for connection in old[:2]:
        connection.close()
    newcomer = wait_for(served, 5, "room for one", interval=0.1)
    assert not served()
    newcomer.close()
    old[2].close()
    old[3].close()


def test_a_fast_reader_leaves_the_reactor_to_others(start, site):
    """A file of gigabytes, read as fast as it is sent: between two of its shares everybody is served."""
    with open(site / "4g.bin", "wb") as file:
        file.truncate(4 << 30)
    server = start(reactors=1)
    stop = threading.Event()

    def read():
        buffer = bytearray(1 << 20)
        with server.connect() as connection, contextlib.suppress(OSError):
            connection.sendall(b"GET /4g.bin HTTP/1.1\r\nHost: a\r\n\r\n")
            while not stop.is_set() and connection.recv_into(buffer):
                pass

    reader = threading.Thread(target=read)
    reader.start()
    try:
        with server.connect() as connection:
            for _ in range(100):
                assert exchange(connection, GET).status == 200
        # A reactor that the machine gave no CPU has not been held by anybody.
        worked = [stall for stall in server.admin("/stalls")["rows"] if (stall["cpu_seconds"] or 1) > 0.02]
        assert not worked, "no turn was long enough to be called a stall"
    finally:
        stop.set()
        reader.join()
