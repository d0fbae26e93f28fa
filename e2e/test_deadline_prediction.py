"""How many connections another idle timeout would close: what the deadline view says, and what a reload with it then does."""

import contextlib
import signal
import time

import h2.config
import h2.connection
from support.raw import exchange
from support.wait import wait_for

GET = b"GET /hello HTTP/1.1\r\nHost: a\r\n\r\n"
TIMEOUT = 5
REASONS = ("keep_alive_timeout", "h2_idle_timeout")


def predicted(server, seconds):
    """As the slider counts: who has waited at least so long."""
    elapsed = server.admin("/deadlines")["elapsed"]["idle"]
    return sum(elapsed["counts"][seconds:]) + elapsed["over"]


def idle_http1(server):
    connection = server.connect()
    assert exchange(connection, GET).status == 200
    return connection


def idle_http2(server):
    """One request, its whole answer, then silence."""
    protocol = h2.connection.H2Connection(h2.config.H2Configuration(client_side=True, header_encoding="utf-8"))
    protocol.initiate_connection()
    protocol.send_headers(1, [(":method", "GET"), (":scheme", "http"), (":authority", "a"), (":path", "/hello")], end_stream=True)
    connection = server.connect()
    while protocol.open_outbound_streams:
        connection.sendall(protocol.data_to_send())
        protocol.receive_data(connection.recv(65536))
    connection.sendall(protocol.data_to_send())
    return connection


def ids(server, query):
    return {row["id"] for row in server.admin(f"/connections?limit=500&query={query}")["rows"]}


def by_timer(server):
    return [row for row in server.admin("/closed?limit=500")["rows"] if row["reason"] in REASONS]


def reload(server, config):
    done = len(server.lines(message="configuration reloaded"))
    server.write_config(config)
    server.signal(signal.SIGHUP)
    wait_for(lambda: len(server.lines(message="configuration reloaded")) > done, 5, "the reload")


def check_prediction(start, make_config, **timeouts):
    timeouts = {"header": "2m", "body": "2m", **timeouts}
    server = start(timeouts={"idle": "60s", **timeouts})
    with contextlib.ExitStack() as held:
        hold = held.enter_context
        # Not idle, however long it lasts: in a body, and before its first request.
        hold(server.connect()).sendall(b"POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\nhalf")
        hold(server.connect())
        begun = time.monotonic()
        old = 0
        for age in range(4):  # of differing ages: three seconds lie between the oldest and the youngest of these
            wait_for(lambda: time.monotonic() >= begun + age, 10, "the next group")
            for number in range(10):
                hold(idle_http2(server) if number % 5 == 0 else idle_http1(server))
                old += 1
        wait_for(lambda: predicted(server, TIMEOUT + 1) == old, 20, "all of them older than the timeout")
        young = [hold(idle_http1(server)) for _ in range(20)]

        listed = ids(server, f"unused%3E%3D{TIMEOUT}s")
        count = predicted(server, TIMEOUT)
        assert count == old == len(listed)
        assert predicted(server, 1) >= old
        assert predicted(server, 59) == 0
        reload(server, make_config(timeouts={"idle": f"{TIMEOUT}s", **timeouts}))
        wait_for(lambda: len(by_timer(server)) >= count, 5, "what was predicted")
        closed = by_timer(server)
        assert {row["id"] for row in closed} == listed, "these, and none of the others"
        assert {row["timer_seconds"] for row in closed} == {TIMEOUT}
        assert server.metric("equinox_idle_evictions_total", phase="between_requests") == old * 4 / 5
        assert server.metric("equinox_idle_evictions_total", phase="h2_no_streams") == old / 5
        assert server.metric("equinox_connections") == len(young) + 2

        # The others follow when their own time has come.
        wait_for(lambda: len(by_timer(server)) == count + len(young), TIMEOUT + 5, "the young ones")
        late = [row for row in by_timer(server) if row["id"] not in listed]
        assert min(row["age_seconds"] for row in late) >= TIMEOUT - 0.1


def test_what_the_slider_says_is_what_a_reload_does(start, make_config):
    check_prediction(start, make_config)


def test_also_where_another_timer_would_come_first(start, make_config):
    """All of them would be too old before they are idle for too long; the shorter timeout comes before both."""
    check_prediction(start, make_config, max_age="50s")
