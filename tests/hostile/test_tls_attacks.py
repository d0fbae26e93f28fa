"""TLS as nobody speaks it: plaintext, wrong names, records cut or tiny, key updates without end, ends without a word."""

import socket
import ssl
import struct
import threading
import time

import pytest
from crowd import slam
from support.raw_tls import TLS1_2, RawTls
from support.raw import exchange, receive_until_closed
from support.tls import client_context, make_certificate
from support.wait import wait_for
from test_storm import hello_of
from watch import GET, SLOWNESS, Watch

POST = b"POST /echo HTTP/1.1\r\nHost: a\r\n"


@pytest.fixture
def tls_server(start):
    return start(reactors=1, timeouts={"handshake": "1s", "idle": "5s", "body": "2s", "header": "2s"})


def record(kind, payload, version=b"\x03\x03"):
    return bytes([kind]) + version + struct.pack("!H", len(payload)) + payload


HELLO = hello_of(client_context(["http/1.1"]))
# name: (what is sent instead of a handshake, close reasons that are right)
BROKEN_HANDSHAKES = {
    "plaintext on the TLS port": (GET, {"tls_plaintext"}),
    "an HTTP/2 preface on the TLS port": (b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", {"tls_plaintext"}),
    "SSH on the TLS port": (b"SSH-2.0-x\r\n" + b"x" * 100, {"tls_plaintext", "tls_handshake_failed"}),
    "random bytes": (bytes(range(255, 0, -1)) * 4, {"tls_handshake_failed"}),
    "a record that is too long": (b"\x16\x03\x01\xff\xff" + b"x" * 20_000, {"tls_handshake_failed"}),
    "an empty record": (record(22, b"") * 100, {"tls_handshake_failed"}),
    "application data first": (record(23, b"x" * 100), {"tls_handshake_failed"}),
    "a fatal alert": (record(21, b"\x02\x28"), {"tls_handshake_failed", "tls_alert"}),
    "warnings without end": (record(21, b"\x01\x5a") * 5000, {"tls_handshake_failed", "tls_alert"}),
    "a hello cut by the end": (HELLO[:-20], {"tls_handshake_failed", "handshake_timeout"}),
    "a hello, then junk": (HELLO + record(22, b"\xff" * 200), {"tls_handshake_failed"}),
    "a hello in a thousand records": (b"".join(record(22, HELLO[5 + i:6 + i]) for i in range(len(HELLO) - 5)), {"tls_handshake_failed", "handshake_timeout"}),
    "two hellos": (HELLO + HELLO, {"tls_handshake_failed"}),
}


@pytest.mark.parametrize("name", BROKEN_HANDSHAKES)
def test_a_broken_handshake_is_ended(tls_server, name):
    said, reasons = BROKEN_HANDSHAKES[name]
    with Watch(tls_server, name, reasons, within=3) as watch:
        for _ in range(20):
            peer = tls_server.connect("https", timeout=5)
            try:
                peer.sendall(said)
                peer.shutdown(socket.SHUT_WR)
            except OSError:
                pass
            assert b"HTTP/" not in receive_until_closed(peer)
            peer.close()
        watch.attacker_ended()


def test_an_unknown_alpn_is_refused_by_alert(tls_server):
    with Watch(tls_server, "ALPN that is not spoken", {"tls_handshake_failed", "tls_alert"}, within=2) as watch:
        for offered in (["ftp"], ["smtp", "imap"], ["h3"], ["http/0.9"]):
            with pytest.raises(ssl.SSLError, match="(?i)no.application.protocol"):
                client_context(offered).wrap_socket(tls_server.connect("https"))
        watch.attacker_ended()


def test_http2_alpn_binds_the_connection_to_http2(tls_server):
    with Watch(tls_server, "HTTP/1 behind ALPN h2", {"h2_preface_invalid"}, within=2) as watch:
        secure = client_context(["h2"]).wrap_socket(tls_server.connect("https"))
        secure.sendall(GET)
        assert b"HTTP/1.1" not in receive_until_closed(secure)
        watch.attacker_ended()


def test_an_unknown_server_name_is_refused_where_that_is_asked_for(start, make_config, tmp_path):
    certificate, key = make_certificate(tmp_path, "strict", ["known.example"])
    config = make_config()
    config["listeners"][1]["tls"] = {"strict_sni": True, "certificates": [{"certificate": str(certificate), "key": str(key)}]}
    server = start(config)
    with Watch(server, "SNI of somebody else", {"tls_sni_unknown"}, within=2) as watch:
        for name in ("other.example", "known.example.evil", "evil.known.example", "x" * 63 + ".example"):
            with pytest.raises(ssl.SSLError):
                client_context().wrap_socket(server.connect("https"), server_hostname=name)
        watch.attacker_ended()
    with client_context(["http/1.1"]).wrap_socket(server.connect("https"), server_hostname="known.example") as secure:
        assert exchange(secure, b"GET /hello HTTP/1.1\r\nHost: known.example:8443\r\n\r\n").status == 200


@pytest.mark.parametrize("strict", [False, True], ids=["usual", "strict"])
def test_a_request_for_another_certificates_host_is_misdirected(start, make_config, tmp_path, strict):
    """ALPACA and confused proxies: the name in SNI and the one in Host are not the same server."""
    certificates = [dict(zip(("name", "certificate", "key"), (name, *map(str, make_certificate(tmp_path, name, [f"{name}.example"])))))
                    for name in ("one", "two")]
    config = make_config()
    config["listeners"][1]["tls"] = {"strict_sni": strict, "certificates": certificates}
    server = start(config)

    def status(server_name, host):
        with client_context(["http/1.1"]).wrap_socket(server.connect("https"), server_hostname=server_name) as secure:
            return exchange(secure, f"GET /hello HTTP/1.1\r\nHost: {host}\r\n\r\n".encode()).status

    nobodys = ("stranger.example", "127.0.0.1")
    refused = [("one.example", host) for host in ("two.example", "TWO.example:443", *(nobodys if strict else ()))]
    refused += [] if strict else [("stranger.example", "two.example")]
    with Watch(server, "Host of another certificate", {"request_refused"}, within=2) as watch:
        assert [status(*asked) for asked in refused] == [421] * len(refused)
        watch.attacker_ended()
    assert server.metric("equinox_http_rejected_requests_total", reason="misdirected") == len(refused)
    assert status("two.example", "two.example") == status("two.example", "Two.Example:8443") == 200
    if not strict:
        assert [status("one.example", host) for host in nobodys] == [200, 200]
        assert status("stranger.example", "one.example") == 200  # whom the first certificate serves


def test_renegotiation_is_refused(tls_server):
    with Watch(tls_server, "TLS 1.2 renegotiation") as watch:
        for _ in range(20):
            peer = RawTls(tls_server.connect("https"), TLS1_2)
            assert not peer.renegotiate()
            peer.close()
        watch.told("refused")


def test_key_updates_without_end_cost_nobody_else(tls_server):
    """Each makes the server derive keys and answer; left alone, OpenSSL takes any number of them within one read."""
    with Watch(tls_server, "TLS key updates, one reactor", {"flood_tls"}, within=2) as watch:
        def flood():
            peer = RawTls(tls_server.connect("https"))
            peer.peer.setblocking(True)
            peer.peer.settimeout(None)
            limit = time.monotonic() + 3
            while time.monotonic() < limit and peer.key_update():
                pass
            peer.close()
        threads = [threading.Thread(target=flood) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(15)
            assert not thread.is_alive()
        watch.attacker_ended()


def test_tiny_records_are_taken_at_their_price(tls_server):
    """A body in records of one byte: slow for who sends it, one piece of a turn for the server."""
    with Watch(tls_server, "TLS records of one byte, one reactor") as watch:
        peers = [client_context(["http/1.1"]).wrap_socket(tls_server.connect("https")) for _ in range(4)]
        size = 4000
        for peer in peers:
            peer.sendall(POST + f"Content-Length: {size}\r\n\r\n".encode())
        for _ in range(size):
            for peer in peers:
                peer.send(b"x")
        for peer in peers:
            assert exchange(peer, b"").body == b"x" * size
            peer.close()
        watch.told("served")


def test_empty_records_end_the_connection_or_cost_nothing(tls_server):
    """OpenSSL takes 32 of them in a row (RFC 8446 §5.1 allows them for padding)."""
    with Watch(tls_server, "TLS 1.3 records of padding only") as watch:
        context = client_context(["http/1.1"])
        incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        secure = context.wrap_bio(incoming, outgoing)
        peer = tls_server.connect("https")
        while True:
            try:
                secure.do_handshake()
                break
            except ssl.SSLWantReadError:
                peer.sendall(outgoing.read())
                incoming.write(peer.recv(65536))
        peer.sendall(outgoing.read())
        # An application-data record that does not decrypt ends it; the server says so and goes.
        try:
            peer.sendall(record(23, b"") * 1000)
            receive_until_closed(peer)
        except OSError:
            pass
        peer.close()
        watch.told("ended")
    wait_for(lambda: tls_server.metric("equinox_connections", listener="https") == 0, 5, "the end")


@pytest.mark.parametrize("name,said,reason", [
    ("in a head", b"GET /he", "client_fin_mid_request"),
    ("in a body", POST + b"Content-Length: 100\r\n\r\nabc", "client_fin_mid_request"),
    ("in a chunk", POST + b"Transfer-Encoding: chunked\r\n\r\n5\r\nab", "client_fin_mid_request"),
    ("in an open body without length", POST + b"Transfer-Encoding: chunked\r\n\r\n5\r\nabcde\r\n", "client_fin_mid_request"),
])
def test_an_end_without_close_notify_completes_nothing(tls_server, name, said, reason):
    """Truncation (RFC 8446 §6.1): the FIN anybody can forge does not end a message."""
    with Watch(tls_server, f"TLS cut {name}", {reason}, within=2) as watch:
        secure = client_context(["http/1.1"]).wrap_socket(tls_server.connect("https"))
        secure.sendall(said)
        plain = socket.socket(fileno=secure.detach())  # closes TCP without a word of TLS
        plain.settimeout(5)
        plain.shutdown(socket.SHUT_WR)
        assert b"200" not in receive_until_closed(plain)
        plain.close()
        watch.attacker_ended()


def test_handshakes_dropped_half_way_leave_nothing(tls_server):
    with Watch(tls_server, "500 handshakes dropped half way", memory=None) as watch:
        for turn in range(500):
            peer = tls_server.connect("https")
            peer.sendall(HELLO[:1 + turn * 7 % len(HELLO)])
            slam(peer)
        watch.attacker_ended()
    wait_for(lambda: tls_server.metric("equinox_connections") == 0, 10 * SLOWNESS, "all of them to be gone")
