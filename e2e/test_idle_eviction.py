"""A silent connection is closed when its time has come, and metric, log, ring and command line say so alike."""

import json
import socket

import pytest
from support.raw import exchange, receive_until_closed
from support.server import run_equinox
from support.wait import wait_for

GET = b"GET /hello HTTP/1.1\r\nHost: a\r\n\r\n"


def silent_after_a_request(server):
    connection = server.connect()
    assert exchange(connection, GET).status == 200
    return connection


def test_an_idle_connection_is_closed_after_the_timeout_and_not_before(start):
    server = start(timeouts={"idle": "1s"})
    with silent_after_a_request(server) as connection:
        connection.settimeout(0.7)
        with pytest.raises(socket.timeout):
            connection.recv(1)
        connection.settimeout(10)
        assert connection.recv(1) == b"", "closed silently"


def test_metric_log_ring_and_command_line_agree(start):
    server = start(timeouts={"idle": "300ms"}, log={"level": "debug"})
    with silent_after_a_request(server) as connection:
        own = "%s:%d" % connection.getsockname()
        assert receive_until_closed(connection) == b""
    wait_for(lambda: server.metric("equinox_connections_closed_total", reason="keep_alive_timeout") == 1, 5, "the close in the metrics")
    assert server.metric("equinox_idle_evictions_total", protocol="http/1.1", phase="between_requests") == 1
    wait_for(lambda: [e for e in server.log if "keep_alive_timeout" in json.dumps(e)], 5, "the close in the log")
    row = next(r for r in server.admin("/closed")["rows"] if r["peer"] == own)
    assert row["reason"] == "keep_alive_timeout"
    assert row["requests"] == 1
    done = run_equinox("why", "--json", "--admin", server.addresses["admin"])
    assert done.returncode == 0, done.stderr
    assert "keep_alive_timeout" in done.stdout and own in done.stdout


@pytest.mark.parametrize("name,timeouts,opening,reason,answer", [
    ("silent from the start", {"header": "300ms"}, b"", "first_request_timeout", b""),
    ("stops in the head", {"header": "300ms"}, b"GET /hello HT", "header_timeout", b"HTTP/1.1 408"),
    ("stops in the body", {"body": "300ms"}, b"POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\n", "body_timeout", b"HTTP/1.1 408"),
    ("between requests", {"idle": "300ms"}, GET, "keep_alive_timeout", b"HTTP/1.1 200"),
], ids=lambda v: v if isinstance(v, str) and " " in v else "")
def test_each_phase_has_its_own_reason(start, name, timeouts, opening, reason, answer):
    server = start(timeouts=timeouts)
    with server.connect() as connection:
        connection.sendall(opening)
        assert receive_until_closed(connection).startswith(answer)
    wait_for(lambda: server.metric("equinox_connections_closed_total", reason=reason) == 1, 5, reason)
    assert server.metric("equinox_connections_closed_total") == 1, "no other reason beside it"


def test_a_drip_does_not_renew_the_deadline_of_a_head(start):
    server = start(timeouts={"header": "1s"})
    with server.connect() as connection:
        connection.settimeout(0.1)
        sent = 0
        for byte in b"GET /hello HTTP/1.1\r\nX-Slow: " + b"y" * 100:
            try:
                connection.send(bytes([byte]))
                sent += 1
                if connection.recv(100):
                    break
            except socket.timeout:
                continue
            except OSError:
                break
        assert 5 <= sent <= 25, "ended about one second after its first byte"
    wait_for(lambda: server.metric("equinox_connections_closed_total", reason="header_timeout") == 1, 5, "header_timeout")


def test_an_idle_http2_connection_gets_a_goaway(start, tool):
    import h2.config
    import h2.connection
    import h2.events
    server = start(timeouts={"idle": "300ms"})
    protocol = h2.connection.H2Connection(h2.config.H2Configuration(client_side=True))
    protocol.initiate_connection()
    with server.connect() as connection:
        connection.sendall(protocol.data_to_send())
        events = []
        while data := connection.recv(65536):
            events += protocol.receive_data(data)
            connection.sendall(protocol.data_to_send())
        assert any(isinstance(e, h2.events.ConnectionTerminated) for e in events)
    wait_for(lambda: server.metric("equinox_connections_closed_total", reason="h2_idle_timeout") == 1, 5, "h2_idle_timeout")
    assert server.metric("equinox_idle_evictions_total", protocol="h2c", phase="h2_no_streams") == 1
