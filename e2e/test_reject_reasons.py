"""Who was turned away, and why? Every reason of both vocabularies is provoked from outside, and counted under its own name only."""

import http.client
import re
import resource
import signal
from pathlib import Path

import pytest
from support.frames import END_HEADERS, END_STREAM, HEADERS, Attacker, frame, request, request_fields
from support.raw import exchange, receive_until_closed
from support.tls import client_context, make_certificate
from support.wait import wait_for

GET = b"GET /hello HTTP/1.1\r\nHost: a\r\n\r\n"
POST = b"POST /echo HTTP/1.1\r\nHost: a\r\n"
CHUNKED = POST + b"Transfer-Encoding: chunked\r\n\r\n"
DOWNLOAD = b"GET /32m.bin HTTP/1.1\r\nHost: a\r\n\r\n"


def refused(data, status):
    """Sends this; the answer says `status` (None: closed without text)."""
    def provoke(server):
        with server.connect() as connection:
            connection.sendall(data)
            answer = receive_until_closed(connection)
            assert answer.startswith(b"HTTP/1.1 %d " % status) if status else answer == b"", answer[:200]
    return provoke


# {reason: (how, configuration)}
REQUESTS = {
    "bad_request_line": (refused(b"GET  / HTTP/1.1\r\nHost: a\r\n\r\n", 400), {}),
    "bad_header": (refused(b"GET / HTTP/1.1\r\nHost: a\r\nno colon\r\n\r\n", 400), {}),
    "bad_host": (refused(b"GET / HTTP/1.1\r\n\r\n", 400), {}),
    "bad_target": (refused(b"GET /#there HTTP/1.1\r\nHost: a\r\n\r\n", 400), {}),
    "bad_chunk": (refused(CHUNKED + b"zz\r\n", 400), {}),
    "head_too_large": (refused(b"GET / HTTP/1.1\r\nHost: a\r\nX: " + b"y" * 70_000 + b"\r\n\r\n", 431), {}),
    "target_too_long": (refused(b"GET /" + b"y" * 9_000 + b" HTTP/1.1\r\nHost: a\r\n\r\n", 414), {}),
    "trailers_too_large": (refused(CHUNKED + b"1\r\nx\r\n0\r\nX: " + b"y" * 70_000 + b"\r\n\r\n", 431), {}),
    "body_too_large": (refused(POST + b"Content-Length: 99999999999\r\n\r\n", 413), {}),
    "chunk_overhead": (refused(CHUNKED + b"1;" + b"x" * 70_000, 413), {}),
    "header_timeout": (refused(b"GET /hello HT", 408), {"timeouts": {"header": "300ms"}}),
    "body_timeout": (refused(POST + b"Content-Length: 9\r\n\r\n", 408), {"timeouts": {"body": "300ms"}}),
    "smuggling_guard": (refused(POST + b"Content-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400), {}),
    "method_unknown": (refused(b"BREW / HTTP/1.1\r\nHost: a\r\n\r\n", 501), {}),
    "version": (refused(b"GET / HTTP/1.7\r\nHost: a\r\n\r\n", 505), {}),
    "transfer_coding": (refused(POST + b"Transfer-Encoding: gzip, chunked\r\n\r\n", 501), {}),
    "expectation": (refused(POST + b"Content-Length: 3\r\nExpect: wonders\r\n\r\n", 417), {}),
    "wrong_protocol": (refused(b"SSH-2.0-client\r\n", None), {}),
}


def provokes(table, reason, **config):
    def register(provoke):
        table[reason] = (provoke, config)
        return provoke
    return register


@provokes(REQUESTS, "h2_protocol_error")
def _(server):
    attacker = Attacker(server)
    attacker.send(frame(HEADERS, END_STREAM | END_HEADERS, 2, request_fields()))
    assert attacker.until_ended(5)
    attacker.close()


@provokes(REQUESTS, "h2_stream_refused", limits={"http2_concurrent_streams": 1})
def _(server):
    attacker = Attacker(server)
    # The limit is announced but not acknowledged: a stream beyond it is refused alone (RFC 9113 §5.1.2).
    attacker.send(request(1, "/echo", "POST", ends=False) + request(3))
    wait_for(lambda: attacker.drain(0.05) or attacker.resets, 5, "RST_STREAM")
    assert not attacker.ended, "the connection lives on"
    attacker.close()


@provokes(REQUESTS, "memory", limits={"memory": "16M", "request_body": "64M"})
def _(server):
    """One upload does not get all of the memory: whoever comes meanwhile is served."""
    with server.connect() as connection:
        connection.sendall(POST + b"Content-Length: 60000000\r\n\r\n")
        try:
            for _ in range(60):
                connection.sendall(b"x" * 1_000_000)
        except OSError:
            pass  # refused on its way
        with server.connect() as other:
            assert exchange(other, GET).status == 200


@provokes(REQUESTS, "misdirected", two_names=True)
def _(server):
    """One certificate each for a.example and b.example: who was shown one may not ask for the other's names."""
    def ask(sni, host):
        with client_context(["http/1.1"]).wrap_socket(server.connect("https"), server_hostname=sni) as connection:
            return exchange(connection, f"GET /hello HTTP/1.1\r\nHost: {host}\r\n\r\n".encode()).status
    assert ask("a.example", "a.example:8443") == ask("b.example", "B.example") == 200
    assert ask(None, "127.0.0.1") == 200, "who names no server is not judged"
    assert ask("a.example", "b.example") == 421


CONNECTIONS = {}


@provokes(CONNECTIONS, "max_connections", limits={"connections": 1}, reactors=1)
def _(server):
    kept = server.connect()
    assert exchange(kept, GET).status == 200
    with server.connect() as newcomer:
        answer = exchange(newcomer, GET)
        assert answer.status == 503 and answer.get("retry-after")
    return kept


@provokes(CONNECTIONS, "per_client_limit", limits={"connections_per_client": 2})
def _(server):
    kept = [server.connect(), server.connect()]
    assert [exchange(peer, GET).status for peer in kept] == [200, 200]
    with server.connect() as newcomer:
        assert exchange(newcomer, GET).status == 503
    return kept


@provokes(CONNECTIONS, "memory", limits={"memory": "16M", "request_body": "64M"}, reactors=1)
def _(server):
    kept = [server.connect() for _ in range(300)]  # bodies may not grow beyond it, but heads that are not complete are held
    for connection in kept:
        connection.sendall(GET[:-2] + b"X: " + b"y" * 60_000)
    wait_for(lambda: server.metric("equinox_received_bytes_total") > 300 * 60_000, 10, "the heads to be held")
    with server.connect() as newcomer:
        assert exchange(newcomer, GET).status == 503
    return kept


class NoDescriptors:
    """Takes the server's descriptors away but for a few; scrapes by a connection that is open already."""

    def __init__(self, server, left):
        self.server = server
        self.ops = http.client.HTTPConnection(*server.address("ops"), timeout=10)
        self.counted("x")  # the connection is made
        self.before = resource.prlimit(server.process.pid, resource.RLIMIT_NOFILE)
        resource.prlimit(server.process.pid, resource.RLIMIT_NOFILE, (server.descriptors() + left, self.before[1]))

    def counted(self, reason):
        self.ops.request("GET", "/metrics")
        text = self.ops.getresponse().read().decode()
        return sum(float(value) for value in re.findall(
            rf'^equinox_connections_rejected_total{{[^}}]*reason="{reason}"[^}}]*}} (\S+)$', text, re.MULTILINE))

    def give_back(self):
        resource.prlimit(self.server.process.pid, resource.RLIMIT_NOFILE, self.before)


@provokes(CONNECTIONS, "fd_exhausted", reactors=1)
def _(server):
    scarce = NoDescriptors(server, 2)
    peers = [server.connect() for _ in range(6)]
    wait_for(lambda: scarce.counted("fd_exhausted"), 5, "a failed accept")
    scarce.give_back()
    for peer in peers:  # they were not lost, they waited
        assert exchange(peer, GET).status == 200
    return peers


@provokes(CONNECTIONS, "draining", reactors=1, drain={"timeout": "20s"}, timeouts={"write": "30s"}, beside={"fd_exhausted"})
def _(server):
    unread = server.connect()
    unread.sendall(DOWNLOAD)  # holds the drain, so that somebody is left to ask
    unread.recv(1000)
    scarce = NoDescriptors(server, 2)
    peers = [server.connect() for _ in range(30)]
    wait_for(lambda: scarce.counted("fd_exhausted"), 5, "a failed accept")
    server.signal(signal.SIGTERM)
    # A few more are taken: a drain closes what else holds the listening sockets, which frees descriptors.
    wait_for(lambda: scarce.counted("draining"), 5, "the closing of the listener")
    assert 10 <= scarce.counted("draining") <= 28
    with pytest.raises(ConnectionResetError):
        peers[-1].recv(1)
    scarce.give_back()
    return unread, peers


def vocabulary(family):
    """The reasons as the documentation lists them, which is checked against the definition."""
    text = (Path(__file__).resolve().parents[1] / "docs" / "metrics.md").read_text()
    line = re.search(rf"^- reason of `{family}`: (.*)$", text, re.MULTILINE).group(1)
    return set(re.findall(r"`(\w+)`", line))


def test_every_reason_is_provoked():
    assert set(REQUESTS) == vocabulary("equinox_http_rejected_requests_total")
    assert set(CONNECTIONS) == vocabulary("equinox_connections_rejected_total")


def counted(server, family):
    return {re.search(r'reason="(\w+)"', key).group(1) for key, value in server.metrics().items()
            if key.startswith(family + "{") and value}


def configured(make_config, folder, changes):
    changes = dict(changes)
    two_names = changes.pop("two_names", False)
    config = make_config(**changes)
    if two_names:
        pairs = [make_certificate(folder, name, [f"{name}.example"]) for name in "ab"]
        config["listeners"][1]["tls"] = {"strict_sni": True, "certificates": [
            {"name": str(path.stem), "certificate": str(path), "key": str(key)} for path, key in pairs]}
    return config


@pytest.mark.parametrize("reason", REQUESTS)
def test_a_refused_request_is_counted_once_under_its_reason(start, make_config, tmp_path, reason):
    provoke, changes = REQUESTS[reason]
    server = start(configured(make_config, tmp_path, changes))
    provoke(server)
    family = "equinox_http_rejected_requests_total"
    wait_for(lambda: server.metric(family, reason=reason) == 1, 5, f"{reason}; counted: {counted(server, family)}")
    assert counted(server, family) == {reason}


@pytest.mark.parametrize("reason", CONNECTIONS)
def test_a_refused_connection_is_counted_under_its_reason(start, make_config, tmp_path, reason):
    provoke, changes = CONNECTIONS[reason]
    changes = dict(changes)
    beside = changes.pop("beside", set())
    server = start(configured(make_config, tmp_path, changes))
    kept = provoke(server)
    family = "equinox_connections_rejected_total"
    assert server.metric(family, reason=reason) >= 1
    assert counted(server, family) - beside == {reason}
    del kept


@pytest.mark.parametrize("name", ["http", "https"])
def test_a_first_request_of_line_ends_alone_is_one_that_comes_too_late(start, name):
    server = start(timeouts={"header": "300ms"})
    connection = server.connect(name)
    with client_context(["http/1.1"]).wrap_socket(connection) if name == "https" else connection as client:
        client.sendall(b"\r\n")
        assert receive_until_closed(client).startswith(b"HTTP/1.1 408 ")
    assert server.metric("equinox_http_rejected_requests_total", reason="header_timeout") == 1
    assert server.metric("equinox_http_rejected_requests_total") == 1
