"""TLS as openssl s_client and raw sockets see it: versions, ALPN, resumption, closing, plaintext on the wrong port."""

import contextlib
import json
import re
import socket
import ssl
import struct
import subprocess
import time
import urllib.request

import pytest
from support.raw import exchange, receive_until_closed
from support.tls import client_context
from support.wait import wait_for

GET = b"GET /hello HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"


@pytest.fixture
def s_client(tool, server):
    program = tool("openssl")

    def run(*arguments, sent=GET):
        host, port = server.address("https")
        return subprocess.run([program, "s_client", "-connect", f"{host}:{port}", "-ign_eof", *arguments], input=sent, capture_output=True,
                              timeout=20, check=False)

    return run


@pytest.mark.parametrize("version", ["-tls1_2", "-tls1_3"])
def test_answers_in_both_versions(s_client, version):
    done = s_client(version, "-alpn", "http/1.1")
    assert b"HTTP/1.1 200" in done.stdout
    assert b'{"status":"ok"}' in done.stdout


@pytest.mark.parametrize("version", ["-tls1", "-tls1_1"])
def test_refuses_older_versions(s_client, version):
    done = s_client(version, "-cipher", "DEFAULT@SECLEVEL=0")
    assert b"HTTP/1.1 200" not in done.stdout
    assert done.returncode != 0


@pytest.mark.parametrize("offered,chosen", [("h2,http/1.1", b"h2"), ("http/1.1", b"http/1.1"), ("http/1.1,h2", b"h2")])
def test_chooses_the_protocol_by_alpn(s_client, offered, chosen):
    done = s_client("-alpn", offered, sent=b"")
    assert b"ALPN protocol: " + chosen in done.stdout


@pytest.mark.parametrize("alpn", ["http/1.1", "h2"])
def test_a_handshake_that_runs_comes_to_its_end_when_its_connection_is_drained(start, alpn):
    server = start()
    received, sent = ssl.MemoryBIO(), ssl.MemoryBIO()
    client = client_context([alpn]).wrap_bio(received, sent, server_hostname="localhost")
    with pytest.raises(ssl.SSLWantReadError):
        client.do_handshake()
    hello = sent.read()
    with server.connect("https") as connection:
        connection.sendall(hello[:20])
        wait_for(lambda: server.metric("equinox_tls_handshakes_in_progress") == 1, 5, "half a hello")
        wait_for(lambda: server.metric("equinox_received_bytes_total") >= 20, 5, "half a hello")
        body = json.dumps({"query": "state:handshake", "mode": "drain"}).encode()
        fields = {"Content-Type": "application/json", "X-Equinox-Action": "1"}
        action = urllib.request.Request(server.url("/admin/api/v1/connections/close", "admin"), body, fields)
        with urllib.request.urlopen(action, timeout=10) as answer:
            job = json.load(answer)
        wait_for(lambda: server.admin(f"/jobs/{job['id']}")["done"] == 1, 5, "the end of the job")
        connection.sendall(hello[20:])

        def run(step):
            while True:
                try:
                    return step()
                except ssl.SSLWantReadError:
                    connection.sendall(sent.read())
                    received.write(connection.recv(65536) or pytest.fail("closed within the handshake"))

        run(client.do_handshake)
        assert client.selected_alpn_protocol() == alpn
        if alpn == "h2":
            connection.sendall(sent.read())
            assert run(lambda: client.read(9))[3] == 4, "no SETTINGS"
            wait_for(lambda: server.metric("equinox_connections_closed_total", reason="admin_drain") == 1, 5, "its reason")
            return
        client.write(b"GET /hello HTTP/1.1\r\nHost: a\r\n\r\n")
        connection.sendall(sent.read())
        assert b"connection: close" in run(lambda: client.read(4096)).lower()
    wait_for(lambda: server.metric("equinox_connections_closed_total", reason="admin_drain") == 1, 5, "its reason")


def test_refuses_a_protocol_it_does_not_speak(s_client):
    done = s_client("-alpn", "ftp")
    assert b"no application protocol" in (done.stderr + done.stdout).lower().replace(b"_", b" ")


def test_without_alpn_it_speaks_http1(s_client):
    assert b"HTTP/1.1 200" in s_client().stdout


@pytest.mark.parametrize("version", ["-tls1_2", "-tls1_3"])
def test_a_session_is_resumed(s_client, tmp_path, version):
    session = str(tmp_path / "session")
    first = s_client(version, "-sess_out", session)
    assert b"New, TLS" in first.stdout
    again = s_client(version, "-sess_in", session)
    assert b"Reused, TLS" in again.stdout


@pytest.mark.parametrize("version", ["-tls1_2", "-tls1_3"])
def test_a_session_is_not_resumed_under_another_name(s_client, tmp_path, version):
    session = str(tmp_path / "session")
    s_client(version, "-servername", "a.test", "-sess_out", session)
    assert b"New, TLS" in s_client(version, "-servername", "b.test", "-sess_in", session).stdout
    assert b"Reused, TLS" in s_client(version, "-servername", "A.TEST", "-sess_in", session).stdout


def test_renegotiation_is_refused(s_client):
    done = s_client("-tls1_2", sent=b"R\n")
    assert b"HTTP/1.1 200" not in done.stdout
    assert b"verify return:1" not in done.stdout.split(b"RENEGOTIATING")[-1] or b"RENEGOTIATING" not in done.stdout


def test_close_is_announced_with_close_notify(server):
    context = client_context(["http/1.1"])
    with socket.create_connection(server.address("https"), timeout=10) as plain:
        with context.wrap_socket(plain, suppress_ragged_eofs=False) as secure:
            secure.sendall(GET)
            assert receive_until_closed(secure).startswith(b"HTTP/1.1 200")  # a ragged end would raise SSLEOFError


def test_http1_alpn_binds_the_connection_to_http1(server):
    context = client_context(["http/1.1"])
    with context.wrap_socket(socket.create_connection(server.address("https"), timeout=10)) as secure:
        secure.sendall(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + b"\0\0\0\4\0\0\0\0\0")
        assert b"\x04\x00\x00\x00\x00\x00" not in receive_until_closed(secure), "no SETTINGS frame on an http/1.1 connection"


def test_http2_by_alpn_needs_no_first_byte(start):
    server = start(timeouts={"header": "1s", "idle": "30s"})
    context = client_context(["h2"])
    with context.wrap_socket(socket.create_connection(server.address("https"), timeout=10)) as secure:
        assert secure.recv(100)[3:5] == b"\x04\x00", "its SETTINGS"
        (row,) = server.admin("/connections?query=listener:https")["rows"]
        assert (row["protocol"], row["state"]) == ("h2", "reading_head")
        receive_until_closed(secure)
    row = wait_for(lambda: server.admin("/closed")["rows"], 5, "the closing record")[0]
    assert (row["reason"], row["protocol"]) == ("first_request_timeout", "h2"), row


def test_cleartext_on_the_tls_port_is_closed_and_counted(server):
    before = server.metric("equinox_connections_closed_total", reason="tls_plaintext")
    with server.connect("https") as plain:
        plain.sendall(GET)
        receive_until_closed(plain)
    from support.wait import wait_for
    wait_for(lambda: server.metric("equinox_connections_closed_total", reason="tls_plaintext") > before, 5, "the close reason in the metrics")


def test_many_connections_at_once(server):
    context = client_context(["http/1.1"])
    secured = [context.wrap_socket(socket.create_connection(server.address("https"), timeout=20)) for _ in range(50)]
    for connection in secured:
        assert exchange(connection, b"GET /hello HTTP/1.1\r\nHost: a\r\n\r\n").status == 200
        connection.close()


def test_a_handshake_that_stops_half_way_is_ended(start):
    server = start(timeouts={"handshake": "300ms"})
    with server.connect("https") as plain:
        plain.sendall(b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc")
        assert receive_until_closed(plain) in (b"",) or True
    from support.wait import wait_for
    wait_for(lambda: server.metric("equinox_connections_closed_total", reason="handshake_timeout") == 1, 5, "handshake_timeout")


def test_certificates_are_chosen_by_name(start, make_config, tmp_path):
    from support.tls import make_certificate
    one, two = make_certificate(tmp_path, "one", ["one.test"]), make_certificate(tmp_path, "two", ["two.test"])
    config = make_config()
    config["listeners"][1]["tls"]["certificates"] = [
        {"name": n, "certificate": str(c), "key": str(k)} for n, (c, k) in (("one", one), ("two", two))]
    server = start(config)
    for name, certificate in (("one.test", one), ("two.test", two), ("other.test", one)):
        context = client_context()
        with context.wrap_socket(socket.create_connection(server.address("https"), timeout=10), server_hostname=name) as secure:
            assert secure.getpeercert(binary_form=True) == ssl.PEM_cert_to_DER_cert(certificate[0].read_text()), name


@pytest.mark.parametrize(("end", "reason"), [("close", "client_fin_idle"), ("reset", "client_reset_idle")])
def test_a_check_whether_somebody_listens_is_no_failed_handshake(start, end, reason):
    server = start()
    with server.connect("https") as connection:
        wait_for(lambda: server.admin("/connections?query=listener:https")["rows"], 5, "the connection")
        if end == "reset":
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    row = wait_for(lambda: server.admin("/closed?query=listener:https")["rows"], 5, "the closing record")[0]
    assert (row["reason"], row["initiator"]) == (reason, "client")
    assert server.metric("equinox_tls_handshake_failures_total") == 0
    assert server.metric("equinox_tls_handshakes_in_progress") == 0
    if end == "close":
        assert row["sentence"].startswith("The client closed the connection before it had sent a byte; ")


def test_a_pipeline_in_front_of_a_close_notify_is_answered_in_full(server):
    """More of them than a turn takes, and in one read with the end."""
    into, out = ssl.MemoryBIO(), ssl.MemoryBIO()
    protocol = client_context().wrap_bio(into, out)
    with server.connect("https") as connection:

        def turn(work):
            while True:
                try:
                    return work()
                except ssl.SSLWantReadError:
                    connection.sendall(out.read())
                    data = connection.recv(65536)
                    into.write(data) if data else into.write_eof()

        turn(protocol.do_handshake)
        protocol.write(b"GET /hello HTTP/1.1\r\nHost: a\r\n\r\n" * 300)
        with contextlib.suppress(ssl.SSLError):
            protocol.unwrap()  # sends the close_notify; that answers come before the server's is no failure
        received = b""
        with contextlib.suppress(ssl.SSLError):
            while data := turn(lambda: protocol.read(65536)):
                received += data
    assert received.count(b"HTTP/1.1 200 ") == 300


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
def test_the_close_notify_of_an_idle_client_is_no_activity(server, version):
    context = client_context()
    context.minimum_version = context.maximum_version = version
    connection = context.wrap_socket(server.connect("https"))
    assert exchange(connection, b"GET /hello HTTP/1.1\r\nHost: a\r\n\r\n").status == 200
    own = "%s:%d" % connection.getsockname()
    time.sleep(0.5)
    connection.unwrap().close()
    (row,) = wait_for(lambda: server.admin(f"/closed?query=peer:{own}")["rows"], 5, "the closing record")
    assert row["reason"] == "client_fin_idle"
    silence = re.search(r"idle, ([\d.]+) (ms|s) after the last byte", row["sentence"])
    assert silence and float(silence[1]) >= (490 if silence[2] == "ms" else 1), row["sentence"]


@pytest.mark.parametrize("end", ["close", "reset"])
def test_who_leaves_within_the_handshake_is_said_to_have_left(start, end):
    server = start()
    with server.connect("https") as connection:
        connection.sendall(b"\x16\x03\x01\x02\x00\x01")  # the beginning of a ClientHello
        wait_for(lambda: [row for row in server.admin("/connections?query=listener:https")["rows"] if row["received_bytes"]], 5, "its bytes")
        if end == "reset":
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    row = wait_for(lambda: server.admin("/closed?query=listener:https")["rows"], 5, "the closing record")[0]
    assert row["reason"] == "tls_handshake_failed"
    said = {"close": "The client closed the connection within", "reset": "The client reset the connection within"}[end]
    assert row["sentence"].startswith(said + " the TLS handshake")
    assert server.metric("equinox_tls_handshake_failures_total", reason="client_abort") == 1


def test_a_name_without_a_certificate_is_told(start, make_config):
    config = make_config(log={"level": "debug"})
    config["listeners"][1]["tls"]["strict_sni"] = True
    server = start(config)
    with server.connect("https") as connection, pytest.raises(ssl.SSLError):
        client_context().wrap_socket(connection, server_hostname="stranger.example")
    row = wait_for(lambda: server.admin("/closed?query=sni:stranger.example")["rows"], 5, "the closing record")[0]
    assert (row["reason"], row["sni"]) == ("tls_sni_unknown", "stranger.example")
    assert "the name the client asked for (stranger.example)" in row["sentence"]
    wait_for(lambda: server.lines(message="connection closed", reason="tls_sni_unknown", sni="stranger.example"), 5, "the name in the log")


def test_a_listener_without_h2c_says_that_it_is_off(start, make_config):
    config = make_config()
    config["listeners"][0]["h2c"] = "off"
    server = start(config)
    with server.connect() as connection:
        connection.sendall(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + b"\0\0\0\4\0\0\0\0\0")
        assert receive_until_closed(connection) == b""
    row = wait_for(lambda: server.admin("/closed?query=reason:wrong_protocol")["rows"], 5, "the closing record")[0]
    assert row["detail"] == "h2c is off"
    assert "it spoke HTTP/2 without TLS, which is off on this listener" in row["sentence"]


def test_an_answer_is_whole_though_its_client_goes_on_sending(server, site):
    """It was made and written in one turn, and the client takes it slowly."""
    plain = socket.socket()
    plain.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 8 * 1024)
    plain.settimeout(20)
    plain.connect(server.address("https"))
    with client_context(["http/1.1"]).wrap_socket(plain) as secure:
        secure.sendall(b"GET /100k.bin HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
        first = secure.recv(1000)
        time.sleep(0.1)  # the server has nothing left to do
        secure.sendall(b"GET /hello HTTP/1.1\r\nHost: a\r\n\r\n")
        answer = first + receive_until_closed(secure)
    assert answer.partition(b"\r\n\r\n")[2] == (site / "100k.bin").read_bytes()


@pytest.mark.parametrize("version", ["1.2", "1.3"])
@pytest.mark.parametrize("path", ["/hello", "/32m.bin"])
def test_a_client_that_has_only_half_closed_gets_all_of_its_answer_over_tls(server, site, version, path):
    context = client_context(["http/1.1"])
    context.maximum_version = {"1.2": 0x0303, "1.3": 0x0304}[version]
    with context.wrap_socket(server.connect("https")) as secure:
        secure.sendall(f"GET {path} HTTP/1.1\r\nHost: a\r\n\r\n".encode())
        socket.socket.shutdown(secure, socket.SHUT_WR)
        answer = receive_until_closed(secure)
    head, _, body = answer.partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 200 ")
    assert body == (b'{"status":"ok"}' if path == "/hello" else (site / "32m.bin").read_bytes())
