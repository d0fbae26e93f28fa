"""Who holds memory? A connection shows what it holds of the process while it holds it, and no longer."""

import h2.config
import h2.connection
import h2.events
import h2.settings
import pytest
from support.raw import exchange, receive_answers
from support.server import run_equinox
from support.wait import wait_for

GET = b"GET /hello HTTP/1.1\r\nHost: a\r\n\r\n"
RESTING = 512


def row_of(server, connection):
    host, port = connection.getsockname()
    rows = server.admin(f"/connections?query=peer:{host}:{port}")["rows"]
    return rows[0] if rows else None


def memory_of(server, connection):
    row = row_of(server, connection)
    return row["memory_bytes"] if row else None


@pytest.fixture
def idle(server):
    with server.connect() as connection:
        assert exchange(connection, GET).status == 200
        wait_for(lambda: (row_of(server, connection) or {}).get("state") == "idle", 10, "the connection to rest")
        yield connection


def test_an_idle_connection_holds_itself_and_its_record(server, idle):
    assert 300 < memory_of(server, idle) <= RESTING


def test_half_a_body_is_held_until_it_is_answered(server, idle):
    body = b"b" * 2_000_000
    with server.connect() as connection:
        connection.sendall(b"POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: %d\r\n\r\n" % len(body) + body[:1_500_000])
        wait_for(lambda: (memory_of(server, connection) or 0) >= 1_500_000, 10, "the body to be held")
        page = server.admin("/connections?sort=memory&order=desc&limit=1")
        assert page["rows"][0]["peer"] == "%s:%d" % connection.getsockname()
        found = server.admin("/connections?query=memory%3E1M")["rows"]
        assert [row["peer"] for row in found] == ["%s:%d" % connection.getsockname()]
        inside = server.admin(f"/connection/{found[0]['id']}")["memory"]
        assert inside["requests_bytes"] >= 1_500_000 and inside["codec_bytes"] > 0
        assert inside["total_bytes"] == sum(value for name, value in inside.items() if name != "total_bytes")
        assert memory_of(server, idle) <= RESTING
        connection.sendall(body[1_500_000:])
        assert receive_answers(connection, 1)[0].body == body
        # Its answer was too large for the socket: what is known of a slow reader stays.
        wait_for(lambda: memory_of(server, connection) <= 2 * RESTING, 10, "the memory to be given back")


def test_an_http2_session_holds_more_with_output_that_waits(server, idle):
    protocol = h2.connection.H2Connection(h2.config.H2Configuration(client_side=True, header_encoding="utf-8"))
    protocol.initiate_connection()
    body, received = b"e" * 60_000, 0
    with server.connect() as connection:
        def talk(until):
            nonlocal received
            while not until():
                connection.sendall(protocol.data_to_send())
                for event in protocol.receive_data(connection.recv(65536)):
                    received += len(event.data) if isinstance(event, h2.events.DataReceived) else 0
            connection.sendall(protocol.data_to_send())

        # The peer's window stays shut: its answer has nowhere to go.
        protocol.update_settings({h2.settings.SettingCodes.INITIAL_WINDOW_SIZE: 0})
        talk(lambda: protocol.local_settings.initial_window_size == 0)
        wait_for(lambda: (row_of(server, connection) or {}).get("state") == "idle", 10, "the session to rest")
        resting = memory_of(server, connection)
        assert resting > memory_of(server, idle), "a session is more than a parser that was given back"
        assert resting < 20_000
        fields = [(":method", "POST"), (":scheme", "http"), (":authority", "a"), (":path", "/echo")]
        protocol.send_headers(1, fields)
        for at in range(0, len(body), 15_000):
            protocol.send_data(1, body[at:at + 15_000], end_stream=at + 15_000 == len(body))
        connection.sendall(protocol.data_to_send())
        wait_for(lambda: row_of(server, connection)["state"] == "writing", 10, "the answer to wait")
        assert memory_of(server, connection) >= resting + len(body)
        protocol.increment_flow_control_window(len(body), stream_id=1)
        talk(lambda: received == len(body))
        # Room for the peer's fields may have grown; texts, streams and buffers are gone.
        wait_for(lambda: memory_of(server, connection) <= resting + 4096, 10, "the memory to be given back")


def test_the_command_line_sorts_by_it(server, idle):
    with server.connect() as connection:
        connection.sendall(b"POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 400000\r\n\r\n" + b"b" * 300_000)
        wait_for(lambda: (memory_of(server, connection) or 0) >= 300_000, 10, "the body to be held")
        done = run_equinox("conns", "--admin", server.addresses["admin"], "--sort=-memory")
        assert done.returncode == 0, done.stderr
        lines = done.stdout.splitlines()
        assert "MEMORY" in lines[0].split()
        assert "%s:%d" % connection.getsockname() in lines[1]
