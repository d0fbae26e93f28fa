"""Closed-loop clients that know which of their requests were lost: HTTP/1.1 keep-alive and HTTP/2."""

import socket
import threading
import time

import h2.config
import h2.connection
import h2.errors
import h2.events

from .raw import BadAnswer, receive_answers


class Client(threading.Thread):
    """Sends one request after the other until told to stop; `lost` lists every request that was sent and not answered."""

    def __init__(self, address, path="/hello", pause=0.0):
        super().__init__(daemon=True)
        self.address, self.path, self.pause = address, path, pause
        self.stopping = threading.Event()
        self.answered, self.refused, self.lost, self.statuses = 0, 0, [], {}

    def count(self, status):
        self.answered += 1
        self.statuses[status] = self.statuses.get(status, 0) + 1

    def run(self):
        while not self.stopping.is_set():
            try:
                connection = socket.create_connection(self.address, timeout=20)
            except OSError:
                self.refused += 1
                if self.stopping.wait(0.05):
                    return
                continue
            try:
                with connection:
                    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                    self.converse(connection)
            except Exception as failure:  # a client thread reports, it never raises
                self.lost.append(repr(failure))

    def converse(self, connection):
        raise NotImplementedError

    def stop(self):
        self.stopping.set()

    @staticmethod
    def peer_has_closed(connection):
        """Whether the end of the connection is already here, so that nothing is sent into it."""
        connection.setblocking(False)
        try:
            return connection.recv(1, socket.MSG_PEEK) == b""
        except BlockingIOError:
            return False
        except OSError:
            return True
        finally:
            connection.settimeout(20)


class Http1Client(Client):
    def converse(self, connection):
        request = f"GET {self.path} HTTP/1.1\r\nHost: a\r\n\r\n".encode()
        while not self.stopping.is_set():
            if self.peer_has_closed(connection):
                return
            try:
                connection.sendall(request)
                answers = receive_answers(connection, 1)
            except (OSError, BadAnswer) as failure:
                self.lost.append(f"http/1.1: {failure!r}")
                return
            if not answers or not answers[0].complete:
                self.lost.append("http/1.1: closed before the answer was whole")
                return
            self.count(answers[0].status)
            if "close" in (answers[0].get("connection") or "").lower():
                return
            if self.pause and self.stopping.wait(self.pause):
                return


def receive_frames(protocol, unread):
    """Events of the whole frames in `unread`, which are taken out of it.

    The library takes a connection for closed with the first GOAWAY, although the streams below its last stream id go on
    (RFC 9113 6.8): it is given one frame at a time and told that the connection is still open."""
    events = []
    while len(unread) >= 9 and len(unread) >= 9 + int.from_bytes(unread[:3], "big"):
        size = 9 + int.from_bytes(unread[:3], "big")
        events += protocol.receive_data(bytes(unread[:size]))
        del unread[:size]
        if protocol.state_machine.state == h2.connection.ConnectionState.CLOSED:
            protocol.state_machine.state = h2.connection.ConnectionState.CLIENT_OPEN
    return events


class Http2Client(Client):
    """Keeps `streams` requests in flight; after a GOAWAY it opens no more and waits for those that the server took."""

    def __init__(self, address, path="/hello", streams=10, pause=0.0):
        super().__init__(address, path, pause)
        self.streams = streams
        self.goaways = 0

    def converse(self, connection):
        protocol = h2.connection.H2Connection(h2.config.H2Configuration(client_side=True, header_encoding="utf-8"))
        protocol.initiate_connection()
        protocol.increment_flow_control_window(1 << 24)
        open_streams, last_taken, leaving, unread = set(), None, False, bytearray()
        fields = [(":method", "GET"), (":scheme", "http"), (":authority", "a"), (":path", self.path)]
        while True:
            while not leaving and not self.stopping.is_set() and len(open_streams) < self.streams:
                stream = protocol.get_next_available_stream_id()
                protocol.send_headers(stream, fields, end_stream=True)
                open_streams.add(stream)
            if not open_streams:
                return
            try:
                connection.sendall(protocol.data_to_send())
                data = connection.recv(65536)
            except OSError as failure:
                data, leaving = b"", leaving
                reason = repr(failure)
            else:
                reason = "closed"
            if not data:
                gone = [s for s in open_streams if last_taken is None or s <= last_taken]
                self.lost += [f"h2c stream {s}: {reason}" for s in gone]
                return
            unread += data
            for event in receive_frames(protocol, unread):
                if isinstance(event, h2.events.ResponseReceived):
                    self.count(int(dict(event.headers)[":status"]))
                elif isinstance(event, h2.events.DataReceived):
                    protocol.acknowledge_received_data(event.flow_controlled_length, event.stream_id)
                elif isinstance(event, h2.events.StreamEnded):
                    open_streams.discard(event.stream_id)
                elif isinstance(event, h2.events.StreamReset):
                    open_streams.discard(event.stream_id)
                    if event.error_code != h2.errors.ErrorCodes.REFUSED_STREAM:
                        self.lost.append(f"h2c stream {event.stream_id}: reset {event.error_code}")
                elif isinstance(event, h2.events.ConnectionTerminated):
                    self.goaways += 1
                    leaving, last_taken = True, event.last_stream_id
                    open_streams = {s for s in open_streams if s <= last_taken}
            if self.pause:
                time.sleep(self.pause)


class Clients:
    """A group of clients as a context manager."""

    def __init__(self, *clients):
        self.clients = clients

    def __enter__(self):
        for client in self.clients:
            client.start()
        return self

    def __exit__(self, *_):
        self.stop()

    def stop(self):
        for client in self.clients:
            client.stop()
        for client in self.clients:
            client.join(25)

    @property
    def answered(self):
        return sum(c.answered for c in self.clients)

    @property
    def lost(self):
        return [problem for c in self.clients for problem in c.lost]

    @property
    def statuses(self):
        merged = {}
        for client in self.clients:
            for status, count in client.statuses.items():
                merged[status] = merged.get(status, 0) + count
        return merged
