"""Bytes are the sockets': what a client measured on its own socket, TLS records and handshake included, is what the server has counted."""

import socket
import ssl

import h2.config
import h2.connection
import h2.events
import pytest
from support.raw import parse_answers
from support.tls import client_context
from support.wait import wait_for

BODY = bytes(range(256)) * 1200


class Wire:
    """A connection that counts what passes its socket."""

    def __init__(self, peer):
        self.peer, self.sent, self.received = peer, 0, 0

    def send_raw(self, data):
        self.peer.sendall(data)
        self.sent += len(data)

    def receive_raw(self):
        data = self.peer.recv(65536)
        self.received += len(data)
        return data

    send, receive = send_raw, receive_raw

    def finish(self):
        """Says that nothing more comes, and reads until the server says so too."""
        self.peer.shutdown(socket.SHUT_WR)
        while self.receive_raw():
            pass
        self.peer.close()


class TlsWire(Wire):
    def __init__(self, peer, alpn, version=ssl.TLSVersion.TLSv1_3):
        super().__init__(peer)
        context = client_context([alpn])
        context.minimum_version = context.maximum_version = version
        self.incoming, self.outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        self.tls = context.wrap_bio(self.incoming, self.outgoing)
        self.turn(self.tls.do_handshake)

    def flush(self):
        if data := self.outgoing.read():
            self.send_raw(data)

    def turn(self, step, *arguments):
        """Goes on with a step of the library until the peer has let it end."""
        while True:
            try:
                result = step(*arguments)
                self.flush()
                return result
            except ssl.SSLWantReadError:
                self.flush()
                if data := self.receive_raw():
                    self.incoming.write(data)
                else:
                    self.incoming.write_eof()

    def send(self, data):
        self.turn(self.tls.write, data)

    def receive(self):
        return self.turn(self.tls.read, 65536)

    def finish(self):
        self.turn(self.tls.unwrap)
        super().finish()


def converse_http1(wire):
    """A file, which TCP sends by sendfile, and a body there and back."""
    wire.send(b"GET /100k.bin HTTP/1.1\r\nHost: a\r\n\r\n")
    wire.send(b"POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: %d\r\n\r\n" % len(BODY) + BODY)
    data = b""
    while len(answers := parse_answers(data, at_end=False)) < 2 or not answers[1].complete:
        data += wire.receive()
    assert [(answer.status, len(answer.body)) for answer in answers] == [(200, 100 * 1024), (200, len(BODY))]
    wire.finish()


def converse_http2(wire):
    protocol = h2.connection.H2Connection(h2.config.H2Configuration(client_side=True, header_encoding="utf-8"))
    protocol.initiate_connection()
    protocol.increment_flow_control_window(1 << 24)
    fields = [(":scheme", "https"), (":authority", "a")]
    protocol.send_headers(1, [(":method", "GET"), (":path", "/100k.bin"), *fields], end_stream=True)
    protocol.send_headers(3, [(":method", "POST"), (":path", "/echo"), *fields])
    sizes, left = {1: 0, 3: 0}, BODY
    ended = set()
    while ended != {1, 3}:
        while left and (room := min(protocol.local_flow_control_window(3), protocol.max_outbound_frame_size, len(left))):
            protocol.send_data(3, left[:room], end_stream=room == len(left))
            left = left[room:]
        wire.send(protocol.data_to_send())
        for event in protocol.receive_data(wire.receive()):
            if isinstance(event, h2.events.DataReceived):
                sizes[event.stream_id] += len(event.data)
                protocol.acknowledge_received_data(event.flow_controlled_length, event.stream_id)
            elif isinstance(event, h2.events.StreamEnded):
                ended.add(event.stream_id)
    assert sizes == {1: 100 * 1024, 3: len(BODY)}
    wire.send(protocol.data_to_send())
    wire.finish()


def check_counts(server, wire, *protocols):
    """Of the metric, and of the record of the one connection that was."""
    wait_for(lambda: server.metric("equinox_connections_closed_total") == 1, 10, "the connection to be closed")
    counted = (server.metric("equinox_received_bytes_total"), server.metric("equinox_sent_bytes_total"))
    assert counted == (wire.sent, wire.received)
    for protocol in protocols:
        assert server.metric("equinox_sent_bytes_total", protocol=protocol) > 400_000
    row = server.admin("/closed?limit=1")["rows"][0]
    assert (row["received_bytes"], row["sent_bytes"]) == (wire.sent, wire.received)


@pytest.mark.parametrize("converse,protocol", [(converse_http1, "http/1.1"), (converse_http2, "h2c")], ids=["http1", "h2c"])
def test_without_tls(start, converse, protocol):
    server = start()
    wire = Wire(server.connect())
    converse(wire)
    check_counts(server, wire, protocol)
    assert server.metric("equinox_received_bytes_total", protocol="unknown") == 0, "the protocol was known from the first byte on"


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3], ids=["tls12", "tls13"])
@pytest.mark.parametrize("converse,alpn", [(converse_http1, "http/1.1"), (converse_http2, "h2")], ids=["http1", "h2"])
def test_with_tls(start, converse, alpn, version):
    server = start()
    wire = TlsWire(server.connect("https"), alpn, version)
    converse(wire)
    check_counts(server, wire, alpn)
    plain = 2 * len(BODY) + 100 * 1024
    assert wire.sent + wire.received > plain + 2000, "a handshake has passed"
    assert server.metric("equinox_received_bytes_total", protocol="unknown") > 200, "its hello before any protocol"


def test_a_handshake_that_fails(start, make_config):
    config = make_config()
    config["listeners"][1]["tls"] = {**config["listeners"][1]["tls"], "min_version": "1.3"}
    server = start(config)
    wire = Wire(server.connect("https"))
    context = client_context(["http/1.1"])
    context.maximum_version = ssl.TLSVersion.TLSv1_2
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    tls = context.wrap_bio(incoming, outgoing)
    with pytest.raises(ssl.SSLWantReadError):
        tls.do_handshake()
    wire.send(outgoing.read())
    while wire.receive():
        pass
    assert wire.received == 7, "the alert"
    wire.peer.close()
    check_counts(server, wire)


def test_what_comes_after_the_last_answer_counts_too(start):
    server = start()
    wire = Wire(server.connect())
    wire.send(b"GET  / HTTP/1.1\r\nHost: a\r\n\r\n")
    while wire.receive():
        pass
    wire.send(b"late" * 1000)
    wire.finish()
    check_counts(server, wire)


def test_the_header_of_a_proxy_counts_in_front_of_tls(start, make_config):
    config = make_config()
    config["listeners"][1]["proxy_protocol"] = {"from": ["127.0.0.1/32"]}
    server = start(config)
    peer = server.connect("https")
    header = b"PROXY TCP4 192.0.2.7 192.0.2.8 4711 443\r\n"
    peer.sendall(header)
    wire = TlsWire(peer, "http/1.1")
    wire.sent += len(header)
    converse_http1(wire)
    check_counts(server, wire, "http/1.1")
