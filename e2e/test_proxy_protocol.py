"""The PROXY protocol, versions 1 and 2: required from the named networks, refused when malformed, shown as the client.

On a TLS listener the header stands in the clear, before the handshake, and the handshake's deadline covers both.
"""

import json
import socket
import ssl
import struct
import time

import pytest
from support.raw import receive_answers, receive_until_closed
from support.server import run_equinox
from support.tls import client_context
from support.wait import wait_for

GET = b"GET /hello HTTP/1.1\r\nHost: a\r\n\r\n"
SIGNATURE = b"\r\n\r\n\0\r\nQUIT\n"


def version2(command=1, family=0x11, payload=None, version=2):
    if payload is None:
        payload = socket.inet_aton("192.0.2.7") + socket.inet_aton("192.0.2.8") + struct.pack("!HH", 4711, 80)
    return SIGNATURE + bytes([version << 4 | command, family]) + struct.pack("!H", len(payload)) + payload


V6 = socket.inet_pton(socket.AF_INET6, "2001:db8::7") * 2 + struct.pack("!HH", 4711, 80)
GOOD = {
    "v1 TCP4": (b"PROXY TCP4 192.0.2.7 192.0.2.8 4711 80\r\n", "192.0.2.7"),
    "v1 TCP6": (b"PROXY TCP6 2001:db8::7 2001:db8::8 4711 80\r\n", "2001:db8::7"),
    "v1 UNKNOWN": (b"PROXY UNKNOWN\r\n", "127.0.0.1"),
    "v1 UNKNOWN with words": (b"PROXY UNKNOWN ffff::1 ffff::2 1 2\r\n", "127.0.0.1"),
    "v2 TCP4": (version2(), "192.0.2.7"),
    "v2 TCP6": (version2(family=0x21, payload=V6), "2001:db8::7"),
    "v2 LOCAL": (version2(command=0, family=0, payload=b""), "127.0.0.1"),
    "v2 with TLVs": (version2(payload=version2()[16:] + b"\x04\x00\x02xx"), "192.0.2.7"),
}
BAD = {
    "nothing": b"",
    "no such family": b"PROXY TCP5 1.2.3.4 1.2.3.4 1 2\r\n",
    "bad address": b"PROXY TCP4 1.2.3.456 1.2.3.4 1 2\r\n",
    "bad port": b"PROXY TCP4 1.2.3.4 1.2.3.4 1 99999\r\n",
    "too few words": b"PROXY TCP4 1.2.3.4\r\n",
    "line feed only": b"PROXY TCP4 1.2.3.4 1.2.3.4 1 2\n",
    "endless": b"PROXY TCP4 " + b"1" * 200,
    "lower case": b"proxy TCP4 1.2.3.4 1.2.3.4 1 2\r\n",
    "v2 wrong version": version2(version=3),
    "v2 wrong command": version2(command=5),
    "v2 too short": version2(payload=b"\1\2\3\4"),
}


@pytest.mark.parametrize("cut", [False, True], ids=["whole", "byte by byte"])
@pytest.mark.parametrize("name", ["v1 TCP4", "v2 TCP4"])
def test_a_header_from_elsewhere_is_named(server, name, cut):
    header = GOOD[name][0]
    with server.connect() as connection:
        port = connection.getsockname()[1]
        for piece in [header[i:i + 1] for i in range(len(header))] if cut else [header]:
            try:
                connection.sendall(piece)
            except OSError:
                break  # closed as soon as it was clear
        try:
            assert receive_until_closed(connection) == b""
        except ConnectionResetError:
            pass
    row = wait_for(lambda: server.admin(f"/closed?query=peer:127.0.0.1:{port}")["rows"], 5, "the closing record")[0]
    assert (row["reason"], row["detail"]) == ("wrong_protocol", "PROXY header not expected")
    assert "it began with a PROXY header" in row["sentence"]


@pytest.fixture(scope="module")
def proxied(tmp_path_factory, make_config):
    from support.server import Server
    config = make_config(log={"access": "-", "access_format": "json"})
    for listener in config["listeners"]:
        listener["proxy_protocol"] = {"from": ["127.0.0.1/32"]}
    with Server(tmp_path_factory.mktemp("proxied"), config, expect=("http", "https", "ops", "admin")) as running:
        yield running


class TlsAfter:
    """A TLS client that says something in the clear first, in one piece with its ClientHello."""

    def __init__(self, connection, header, cut=False, alpn=("http/1.1",)):
        self.connection = connection
        self._in, self._out = ssl.MemoryBIO(), ssl.MemoryBIO()
        self._tls = client_context(alpn).wrap_bio(self._in, self._out)
        self._cut = cut
        self._until(self._tls.do_handshake, header)

    def _send(self, before=b""):
        data = before + self._out.read()
        for piece in [data[i:i + 1] for i in range(len(data))] if self._cut else [data]:
            self.connection.sendall(piece)

    def _until(self, step, before=b""):
        while True:
            try:
                result = step()
                self._send()
                return result
            except ssl.SSLWantReadError:
                self._send(before)
                before = b""
                data = self.connection.recv(65536)
                if data:
                    self._in.write(data)
                else:
                    self._in.write_eof()

    def sendall(self, data):
        self._tls.write(data)
        self._send()

    def recv(self, size):
        return self._until(lambda: self._tls.read(size))


@pytest.mark.parametrize("cut", [False, True], ids=["whole", "byte by byte"])
@pytest.mark.parametrize("listener", ["http", "https"])
@pytest.mark.parametrize("name", GOOD)
def test_the_client_is_the_one_it_names(proxied, name, listener, cut):
    header, client = GOOD[name]
    mark = f"{name.replace(' ', '-')}-{listener}-{cut}"
    request = GET.replace(b"/hello", f"/{mark}".encode())
    with proxied.connect(listener) as connection:
        if listener == "https":
            peer = TlsAfter(connection, header, cut)
            peer.sendall(request)
        else:
            peer = connection
            data = header + request
            for piece in [data[i:i + 1] for i in range(len(data))] if cut else [data]:
                connection.sendall(piece)
        assert receive_answers(peer, 1)[0].status == 404
        wait_for(lambda: [e for e in proxied.log if client in json.dumps(e) and mark in json.dumps(e)], 5,
                 f"{client} in the access log")


def test_the_commands_find_the_client(proxied):
    def told(*arguments):
        done = run_equinox(*arguments, "--admin", proxied.addresses["admin"])
        assert done.returncode == 0, done.stderr
        return done.stdout
    with proxied.connect() as connection:
        shown = "198.51.100.7:4711 via 127.0.0.1:%d" % connection.getsockname()[1]
        connection.sendall(b"PROXY TCP4 198.51.100.7 192.0.2.8 4711 80\r\n" + GET)
        assert receive_answers(connection, 1)[0].status == 200
        for query in ("client:198.51.100.7", "client:198.51.*", "198.51.100.7"):
            assert shown in told("conns", query, "--sort", "client")
    wait_for(lambda: shown in told("why", "198.51.100.7"), 5, "the closing record")


@pytest.mark.parametrize("listener", ["http", "https"])
@pytest.mark.parametrize("name", BAD)
def test_anything_else_is_refused(proxied, name, listener):
    refused = proxied.metric("equinox_http_rejected_requests_total", reason="wrong_protocol")
    with proxied.connect(listener) as connection:
        port = connection.getsockname()[1]
        connection.sendall(BAD[name] + GET)
        assert b" 200 " not in receive_until_closed(connection)
    row = wait_for(lambda: [r for r in proxied.admin(f"/closed?query=peer:127.0.0.1:{port}")["rows"]], 5, "the closing record")[0]
    assert row["reason"] == "wrong_protocol" and row["listener"] == listener
    assert proxied.metric("equinox_http_rejected_requests_total", reason="wrong_protocol") == refused + 1
    is_missing = not BAD[name].startswith((b"PROXY ", SIGNATURE))
    assert row["detail"] == ("PROXY header missing" if is_missing else "PROXY header malformed")
    assert ("did not begin with the PROXY header" if is_missing else "its PROXY header was malformed") in row["sentence"]


def test_a_client_hello_without_the_header_is_refused(proxied):
    with proxied.connect("https") as connection:
        port = connection.getsockname()[1]
        with pytest.raises((ssl.SSLError, ConnectionResetError)):
            client_context().wrap_socket(connection)
    row = wait_for(lambda: proxied.admin(f"/closed?query=peer:127.0.0.1:{port}")["rows"], 5, "the closing record")[0]
    assert row["reason"] == "wrong_protocol"
    assert proxied.metric("equinox_tls_handshakes_in_progress") == 0
    assert proxied.metric("equinox_tls_handshake_failures_total") == 0, "no handshake began, so none failed"


def test_http2_over_tls_works_behind_the_header(proxied):
    with proxied.connect("https") as connection:
        peer = TlsAfter(connection, GOOD["v2 TCP6"][0], alpn=("h2",))
        peer.sendall(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + b"\0\0\0\4\0\0\0\0\0")
        assert peer.recv(9)[3] == 4, "the server's SETTINGS"
        port = connection.getsockname()[1]
        row = proxied.admin(f"/connections?query=peer:127.0.0.1:{port}")["rows"][0]
        assert (row["protocol"], row["client"]) == ("h2", "[2001:db8::7]:4711")


@pytest.mark.parametrize("piece", [b"", b"PROXY TC", GOOD["v1 TCP4"][0], GOOD["v1 TCP4"][0] + b"\x16\x03\x01\x02"],
                         ids=["silent", "half a header", "header only", "half a hello"])
def test_one_deadline_covers_header_and_handshake(start, make_config, piece):
    config = make_config(timeouts={"handshake": "2s", "header": "20s"})
    config["listeners"][1]["proxy_protocol"] = {"from": ["127.0.0.1/32"]}
    server = start(config)
    with server.connect("https") as connection:
        began = time.monotonic()
        assert wait_for(lambda: server.admin("/connections")["rows"], 1, "the connection")[0]["state"] == "handshake"
        try:
            for at in range(len(piece)):
                connection.sendall(piece[at:at + 1])  # a drip that renews nothing
                time.sleep(1 / len(piece))
        except OSError:
            pass  # on a slow machine the end comes first
        receive_until_closed(connection)
        assert time.monotonic() - began < 10, "not the 20 s of a head"
    row = wait_for(lambda: server.admin("/closed")["rows"], 5, "the closing record")[0]
    assert row["reason"] == "handshake_timeout"


def test_who_leaves_inside_the_header_failed_the_handshake(start, make_config):
    config = make_config()
    config["listeners"][1]["proxy_protocol"] = {"from": ["127.0.0.1/32"]}
    server = start(config)
    with server.connect("https") as connection:
        connection.sendall(b"PROXY TCP4 192.0.2.7")
        connection.shutdown(socket.SHUT_WR)
        receive_until_closed(connection)
    row = wait_for(lambda: server.admin("/closed")["rows"], 5, "the closing record")[0]
    assert row["reason"] == "tls_handshake_failed" and row["detail"] == "client closed"
    assert row["sentence"].startswith("The client closed the connection within the TLS handshake; ")
    assert server.metric("equinox_tls_handshake_failures_total", reason="client_abort") == 1


def test_the_header_is_no_byte_of_a_request(start, make_config):
    config = make_config(timeouts={"header": "1s"})
    for listener in config["listeners"]:
        listener["proxy_protocol"] = {"from": ["127.0.0.1/32"]}
    server = start(config)
    with server.connect() as connection:
        connection.sendall(GOOD["v1 TCP4"][0])
        assert receive_until_closed(connection) == b"", "408 is for who began a request"
    with server.connect() as connection:
        connection.sendall(GOOD["v1 TCP4"][0][:8])
        assert receive_until_closed(connection) == b"", "half a header is no request either"
    with server.connect() as connection:  # what a load balancer does to see that we are there
        connection.sendall(GOOD["v1 TCP4"][0])
        connection.shutdown(socket.SHUT_WR)
        assert receive_until_closed(connection) == b""
    rows = wait_for(lambda: server.admin("/closed")["total"] == 3 and server.admin("/closed")["rows"], 5, "the closing records")
    assert [row["reason"] for row in rows] == ["client_fin_idle", "first_request_timeout", "first_request_timeout"]
    assert server.metric("equinox_requests_rejected_total") == 0


def test_who_is_not_named_must_not_send_it(start, make_config):
    config = make_config()
    config["listeners"][0]["proxy_protocol"] = {"from": ["192.0.2.0/24"]}
    server = start(config)
    with server.connect() as connection:
        connection.sendall(GET)
        assert receive_answers(connection, 1)[0].status == 200
    with server.connect() as connection:
        connection.sendall(GOOD["v1 TCP4"][0] + GET)
        assert b" 200 " not in receive_until_closed(connection)
    row = wait_for(lambda: server.admin("/closed?query=reason:wrong_protocol")["rows"], 5, "the closing record")[0]
    assert row["detail"] == "PROXY header not expected"
    assert "it began with a PROXY header, which is taken from other networks only" in row["sentence"]


@pytest.mark.parametrize("listener", ["http", "https"])
def test_the_closing_record_names_the_client_too(proxied, listener):
    header, client = GOOD["v1 TCP4"]
    with proxied.connect(listener) as connection:
        port = connection.getsockname()[1]
        if listener == "https":
            peer = TlsAfter(connection, header)
            peer.sendall(GET)
        else:
            peer = connection
            peer.sendall(header + GET)
        assert receive_answers(peer, 1)[0].status == 200
        live = proxied.admin(f"/connections?query=peer:127.0.0.1:{port}")["rows"][0]
        assert live["client"] == f"{client}:4711"
    wait_for(lambda: [row for row in proxied.admin("/closed")["rows"] if row["id"] == live["id"]], 5, "the closing record")
    row = next(row for row in proxied.admin("/closed")["rows"] if row["id"] == live["id"])
    assert row["client"] == f"{client}:4711"
    assert row["peer"] == f"127.0.0.1:{port}"
