"""A connection that has served its share, or is old enough, is ended in two steps (RFC 9113 6.8): no request is lost."""

import time

import h2.config
import h2.connection
import h2.events
import pytest
from support.clients import receive_frames
from support.wait import wait_for

ALL = 2**31 - 1


class Peer:
    """One HTTP/2 connection that goes on asking after a GOAWAY, as a client whose request crossed it does."""

    def __init__(self, connection):
        self.connection = connection
        self.protocol = h2.connection.H2Connection(h2.config.H2Configuration(client_side=True, header_encoding="utf-8"))
        self.protocol.initiate_connection()
        self.unread = bytearray()
        self.statuses, self.goaways, self.ended = [], [], False

    def ask(self):
        stream = self.protocol.get_next_available_stream_id()
        self.protocol.send_headers(stream, [(":method", "GET"), (":scheme", "http"), (":authority", "a"), (":path", "/hello")], end_stream=True)
        self.connection.sendall(self.protocol.data_to_send())
        return stream

    def read_until(self, is_enough):
        while not is_enough() and not self.ended:
            data = self.connection.recv(65536)
            self.ended = not data
            self.unread += data
            for event in receive_frames(self.protocol, self.unread):
                if isinstance(event, h2.events.ResponseReceived):
                    self.statuses.append(int(dict(event.headers)[":status"]))
                elif isinstance(event, h2.events.ConnectionTerminated):
                    self.goaways.append((time.monotonic(), event.last_stream_id, int(event.error_code)))


CASES = {"max_requests": {"limits": {"requests_per_connection": 2}}, "max_age": {"timeouts": {"max_age": "1s"}}}


@pytest.mark.parametrize("reason", CASES)
def test_it_is_told_twice_and_what_comes_between_is_answered(start, reason):
    server = start(**CASES[reason])
    with server.connect() as connection:
        peer = Peer(connection)
        peer.ask()
        peer.ask()
        peer.read_until(lambda: peer.goaways)
        last = peer.ask()  # it was on its way
        peer.read_until(lambda: len(peer.statuses) == 3)
        assert peer.statuses == [200] * 3
        peer.read_until(lambda: False)
        (first_at, first_last, first_error), (second_at, second_last, second_error) = peer.goaways
        assert (first_last, first_error) == (ALL, 0)
        assert (second_last, second_error) == (last, 0)
        assert second_at - first_at > 0.8, "a round trip lies between"
    row = wait_for(lambda: server.admin("/closed")["rows"], 5, "the closing record")[0]
    assert row["reason"] == reason
