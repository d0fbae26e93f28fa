"""Stopping: what was sent is answered, what runs is finished, GOAWAY is said, the exit status is 0."""

import os
import signal
import socket
import subprocess
import threading
import time

import pytest
from support.clients import Clients, Http1Client, Http2Client
from support.raw import exchange, parse_answers, receive_until_closed
from support.server import BINARY, run_equinox
from support.wait import wait_for

GET = b"GET /hello HTTP/1.1\r\nHost: a\r\n\r\n"


@pytest.mark.parametrize("delay", ["0s", "500ms"])
def test_sigterm_under_load_loses_no_request(start, delay):
    server = start(drain={"delay": delay, "timeout": "10s"})
    clients = Clients(*(Http1Client(server.address()) for _ in range(12)), *(Http1Client(server.address(), pause=0.3) for _ in range(4)),
                      *(Http2Client(server.address()) for _ in range(3)))
    with clients:
        wait_for(lambda: clients.answered > 500 and all(c.answered > 0 for c in clients.clients), 20, "traffic of every client")
        server.signal(signal.SIGTERM)
        assert server.wait() == 0
    assert clients.lost == []
    assert set(clients.statuses) == {200}
    assert sum(c.goaways for c in clients.clients if isinstance(c, Http2Client)) >= 3


SETTINGS, HEADERS, GOAWAY, ACK, END_STREAM, ALL_STREAMS = 4, 1, 7, 1, 1, 2**31 - 1
PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + bytes([0, 0, 0, SETTINGS, 0, 0, 0, 0, 0])


def request_frame(stream):
    block = b"\x82\x86" + b"\x04\x06/hello" + b"\x41\x01a"
    return len(block).to_bytes(3, "big") + bytes([HEADERS, 0x5]) + stream.to_bytes(4, "big") + block


class Peer:
    """One HTTP/2 connection that notes when its frames came."""

    def __init__(self, connection):
        self.connection, self.data, self.frames, self.ended = connection, b"", [], False

    def read_until(self, is_enough):
        while not self.ended and not is_enough(self):
            chunk = self.connection.recv(65536)
            self.ended = not chunk
            self.data += chunk
            while len(self.data) >= 9 and len(self.data) >= 9 + int.from_bytes(self.data[:3], "big"):
                size = int.from_bytes(self.data[:3], "big")
                self.frames.append((time.monotonic(), self.data[3], self.data[4], int.from_bytes(self.data[5:9], "big"), self.data[9:9 + size]))
                self.data = self.data[9 + size:]

    def is_settled(self):
        return any(kind == SETTINGS and flags & ACK for _, kind, flags, _, _ in self.frames)

    def is_answered(self, stream):
        return any(kind in (0, HEADERS) and flags & END_STREAM and number == stream for _, kind, flags, number, _ in self.frames)

    def goaways(self):
        return [(at, int.from_bytes(payload[:4], "big")) for at, kind, _, _, payload in self.frames if kind == GOAWAY]


def assert_two_steps(peer, last_stream):
    (first_at, first), (second_at, second) = peer.goaways()
    assert (first, second) == (ALL_STREAMS, last_stream)
    assert second_at - first_at > 0.9


def finish_drain_through_the_api(server):
    """Until the connection that has asked before the drain has had both its GOAWAYs."""
    with server.connect() as connection:
        early = Peer(connection)
        connection.sendall(PREFACE + request_frame(1))
        early.read_until(lambda peer: peer.is_answered(1))
        assert run_equinox("drain", "--admin", server.addresses["admin"]).returncode == 0
        early.read_until(lambda peer: False)
        assert_two_steps(early, 1)


def test_a_connection_opened_during_the_delay_has_its_goaway_only_with_its_first_request(start):
    """A client may be about to send the request it opened the connection for; some give it up on a GOAWAY (HAProxy)."""
    server = start(drain={"delay": "5s", "timeout": "5s"})
    server.signal(signal.SIGTERM)
    wait_for(lambda: server.get("/readyz")[0] == 503, 2, "the drain")
    with server.connect() as connection:
        peer = Peer(connection)
        connection.sendall(PREFACE)
        peer.read_until(Peer.is_settled)
        assert peer.goaways() == []
        connection.sendall(request_frame(1))
        peer.read_until(lambda seen: seen.is_answered(1) and seen.goaways())
        assert peer.goaways()[0][1] == ALL_STREAMS  # the first of two: nothing is refused yet (RFC 9113 section 6.8)
    server.signal(signal.SIGQUIT)


def test_a_new_connection_of_a_drained_server_gets_its_first_request_answered(start):
    """The preface often comes a moment before the request: a GOAWAY between them would cost the request."""
    server = start()
    finish_drain_through_the_api(server)
    with server.connect() as connection:
        peer = Peer(connection)
        connection.sendall(PREFACE)
        peer.read_until(Peer.is_settled)
        assert peer.goaways() == []
        connection.sendall(request_frame(1))
        peer.read_until(lambda seen: seen.is_answered(1) and seen.goaways())
        connection.sendall(request_frame(3))  # it crossed the first GOAWAY
        peer.read_until(lambda seen: seen.is_answered(3))
        assert peer.is_answered(3)
        peer.read_until(lambda seen: False)
        assert_two_steps(peer, 3)


def test_a_reload_of_a_drained_server_takes_no_goaway_back(start):
    server = start()
    finish_drain_through_the_api(server)
    with server.connect() as connection:
        peer = Peer(connection)
        connection.sendall(PREFACE + request_frame(1))
        peer.read_until(lambda seen: seen.is_answered(1) and seen.goaways())
        server.signal(signal.SIGHUP)
        peer.read_until(lambda seen: len(seen.goaways()) == 2)
        assert_two_steps(peer, 1)


def test_a_reload_while_it_stops_reopens_the_logs_and_tells_the_service_manager_nothing(start, tmp_path):
    log = tmp_path / "access.log"
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        manager.bind(str(tmp_path / "notify"))
        manager.settimeout(5)
        server = start(log={"access": str(log)}, drain={"delay": "20s", "timeout": "20s"},
                       environment={"NOTIFY_SOCKET": str(tmp_path / "notify")})
        server.signal(signal.SIGTERM)
        while not manager.recv(1000).startswith(b"STOPPING=1"):
            pass
        log.rename(tmp_path / "access.log.1")
        server.signal(signal.SIGHUP)
        wait_for(lambda: server.lines(message="draining: log files are reopened, the configuration is not read again"), 5, "the reload")
        wait_for(log.exists, 5, "the reopened file")
        server.signal(signal.SIGTERM)
        assert server.wait(5) == 0
        manager.setblocking(False)
        with pytest.raises(BlockingIOError):
            pytest.fail(manager.recv(1000).decode())


def test_a_drained_server_also_ends_a_connection_that_asks_for_nothing(start):
    server = start()
    finish_drain_through_the_api(server)
    with server.connect() as connection:
        began = time.monotonic()
        peer = Peer(connection)
        connection.sendall(PREFACE)
        peer.read_until(lambda seen: seen.goaways())
        assert time.monotonic() - began > 0.9
        peer.read_until(lambda seen: False)
        assert_two_steps(peer, 0)


@pytest.mark.parametrize("delay", ["0s", "2s"])
def test_an_idle_connection_that_never_asked_is_told_twice_and_a_request_between_is_answered(start, delay):
    server = start(drain={"delay": delay, "timeout": "10s"})
    with server.connect() as idle, server.connect() as late:
        peers = [Peer(idle), Peer(late)]
        for peer in peers:
            peer.connection.sendall(PREFACE)
            peer.read_until(Peer.is_settled)
        server.signal(signal.SIGTERM)
        peers[1].read_until(lambda seen: seen.goaways())
        late.sendall(request_frame(1))
        for peer, last_stream in zip(peers, [0, 1], strict=True):
            peer.read_until(lambda seen: False)
            assert_two_steps(peer, last_stream)
        assert peers[1].is_answered(1)
    assert server.wait() == 0


def test_a_request_that_is_half_here_at_the_final_goaway_is_answered(start):
    """GOAWAY counts it among those that are, so that its client may not ask again elsewhere (RFC 9113 section 6.8)."""
    server = start(drain={"timeout": "10s"})
    with server.connect() as connection:
        peer = Peer(connection)
        connection.sendall(PREFACE)
        peer.read_until(Peer.is_settled)
        server.signal(signal.SIGTERM)
        connection.sendall(request_frame(1)[:12])
        peer.read_until(lambda seen: len(seen.goaways()) == 2)
        assert peer.goaways()[1][1] == 1
        connection.sendall(request_frame(1)[12:])
        peer.read_until(lambda seen: False)
        assert peer.is_answered(1)
    assert server.wait() == 0


def test_a_drain_that_is_taken_back_ends_no_connection(start):
    server = start(drain={"delay": "1500ms"})
    admin = ["--admin", server.addresses["admin"]]
    with server.connect() as connection:
        peer = Peer(connection)
        connection.sendall(PREFACE + request_frame(1))
        peer.read_until(lambda seen: seen.is_answered(1))
        assert run_equinox("drain", *admin).returncode == 0
        peer.read_until(lambda seen: seen.goaways())
        assert run_equinox("undrain", *admin).returncode == 0
        connection.sendall(request_frame(3))
        peer.read_until(lambda seen: seen.is_answered(3))
        with pytest.raises(TimeoutError):
            connection.settimeout(2)
            peer.read_until(lambda seen: len(seen.goaways()) == 2)
    server.signal(signal.SIGQUIT)


def test_readiness_falls_at_once_while_requests_are_still_served(start):
    server = start(drain={"delay": "2s", "timeout": "5s"})
    assert server.get("/readyz")[0] == 200
    server.signal(signal.SIGTERM)
    wait_for(lambda: server.get("/readyz")[0] == 503, 1, "/readyz to fail")
    assert server.get("/livez")[0] == 200
    with server.connect() as connection:
        answer = exchange(connection, GET)
        assert answer.status == 200
        assert "close" in (answer.get("connection") or "").lower()
    assert server.wait() == 0


def test_downloads_in_flight_are_finished(start, site):
    server = start(drain={"timeout": "20s"})
    size = (site / "32m.bin").stat().st_size
    got = []

    def download(name):
        with server.connect(name, 30) as plain:
            from support.tls import client_context
            connection = client_context(["http/1.1"]).wrap_socket(plain) if name == "https" else plain
            connection.sendall(b"GET /32m.bin HTTP/1.1\r\nHost: a\r\n\r\n")
            data = bytearray(connection.recv(65536))
            started.release()
            while chunk := connection.recv(65536):
                data += chunk
                time.sleep(0.0005)  # slower than the server, so that the drain finds it unfinished
            got.append(len(parse_answers(bytes(data))[0].body))

    started = threading.Semaphore(0)
    threads = [threading.Thread(target=download, args=(name,)) for name in ("http", "http", "https")]
    for thread in threads:
        thread.start()
    for _ in threads:
        started.acquire(timeout=10)
    server.signal(signal.SIGTERM)
    assert server.wait() == 0
    for thread in threads:
        thread.join(20)
    assert got == [size] * 3


def test_a_reader_that_stalls_does_not_hold_the_end_beyond_the_timeout(start):
    server = start(drain={"timeout": "1s"})
    with server.connect() as connection:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        connection.sendall(b"GET /32m.bin HTTP/1.1\r\nHost: a\r\n\r\n")
        connection.recv(1000)
        began = time.monotonic()
        server.signal(signal.SIGTERM)
        assert server.wait() == 0
        assert time.monotonic() - began < 1.0 + 0.5


def test_a_second_signal_ends_the_drain(start):
    server = start(drain={"delay": "20s", "timeout": "20s"})
    server.signal(signal.SIGTERM)
    wait_for(lambda: server.get("/readyz")[0] == 503, 2, "the drain")
    server.signal(signal.SIGTERM)
    assert server.wait(3) == 0


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGQUIT])
def test_a_signal_that_comes_while_the_configuration_is_read_ends_it(tmp_path, number):
    pipe = tmp_path / "equinox.json"
    os.mkfifo(pipe)
    with subprocess.Popen([str(BINARY), "serve", "--config", str(pipe)], stdin=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        with open(pipe, "w", encoding="utf-8"):  # when the other side has opened it, too
            process.send_signal(number)
            assert process.wait(10) == 0


def test_a_signal_skips_the_delay_of_a_drain_that_the_api_began(start):
    server = start(drain={"delay": "20s", "timeout": "20s"})
    assert run_equinox("drain", "--admin", server.addresses["admin"]).returncode == 0
    wait_for(lambda: server.get("/readyz")[0] == 503, 3, "the drain")
    server.signal(signal.SIGTERM)
    assert server.wait(5) == 0


def test_an_answer_made_while_it_is_sent_is_whole_though_more_was_asked(start, site):
    """Whoever sends a further request behind the last one that is answered must not lose the end of that answer by it."""
    server = start(drain={"delay": "20s", "timeout": "20s"})
    server.signal(signal.SIGTERM)
    wait_for(lambda: server.get("/readyz")[0] == 503, 2, "the drain")
    parts = b"GET /32m.bin HTTP/1.1\r\nHost: a\r\nRange: bytes=0-16000000,16777216-33554430\r\n\r\n"
    with socket.socket() as connection:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 64 * 1024)
        connection.settimeout(20)
        connection.connect(server.address())
        connection.sendall(parts)
        data = bytearray(connection.recv(1000))
        connection.sendall(GET)
        length = int(data.partition(b"Content-Length: ")[2].partition(b"\r")[0])
        whole = data.index(b"\r\n\r\n") + 4 + length
        while len(data) < whole - 300_000:
            data += connection.recv(65536)
        time.sleep(0.3)  # all of it is the kernel's now, and the server has nothing left to do
        data += receive_until_closed(connection)
    assert len(data) == whole
    server.signal(signal.SIGTERM)
    assert server.wait() == 0


def test_sigquit_ends_at_once(start):
    server = start(drain={"delay": "20s"})
    with server.connect() as connection:
        exchange(connection, GET)
        server.signal(signal.SIGQUIT)
        assert server.wait(3) == 0
        assert receive_until_closed(connection) == b""


def test_an_idle_connection_gets_a_second_before_it_is_closed(start):
    server = start(drain={"timeout": "10s"})
    with server.connect() as early, server.connect() as busy:
        exchange(early, GET)
        exchange(busy, GET)
        server.signal(signal.SIGTERM)
        began = time.monotonic()
        wait_for(lambda: server.get("/readyz")[0] == 503, 1, "the drain")
        answer = exchange(busy, GET)  # the request that was already on its way
        assert answer.status == 200
        assert "close" in (answer.get("connection") or "").lower()
        assert receive_until_closed(early) == b""
        assert 0.8 <= time.monotonic() - began <= 3
    assert server.wait() == 0


def test_drain_through_the_api_keeps_listening_and_can_be_taken_back(start):
    server = start()
    admin = ["--admin", server.addresses["admin"]]
    assert run_equinox("drain", *admin).returncode == 0
    wait_for(lambda: server.get("/readyz")[0] == 503, 3, "/readyz to fail")
    with server.connect() as connection:
        assert exchange(connection, GET).status == 200
    assert run_equinox("undrain", *admin).returncode == 0
    wait_for(lambda: server.get("/readyz")[0] == 200, 3, "/readyz to recover")
    with server.connect() as connection:
        assert "close" not in (exchange(connection, GET).get("connection") or "").lower()


def test_the_timeout_ends_what_is_left_of_a_drain_through_the_api_too(start):
    server = start(drain={"timeout": "1s"})
    admin = ["--admin", server.addresses["admin"]]
    with server.connect() as stalled:
        stalled.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        stalled.sendall(b"GET /32m.bin HTTP/1.1\r\nHost: a\r\n\r\n")
        stalled.recv(1000)
        wait_for(lambda: server.admin("/status")["drain"]["requests_in_flight"] == 1, 5, "the request")
        began = time.monotonic()
        assert run_equinox("drain", *admin).returncode == 0
        wait_for(lambda: server.admin("/closed?query=reason:shutdown_timeout")["total"] == 1, 5, "its end")
        assert time.monotonic() - began >= 0.9
    with server.connect() as late:
        assert exchange(late, GET).status == 200, "the listeners stay open"
    assert server.admin("/status")["drain"]["state"] == "draining"
    assert run_equinox("undrain", *admin).returncode == 0
    wait_for(lambda: server.get("/readyz")[0] == 200, 3, "/readyz to recover")


def test_the_preview_of_a_drain_does_not_promise_the_end_of_a_reader_that_takes_nothing(start):
    server = start()
    with server.connect() as stalled:
        stalled.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        stalled.sendall(b"GET /32m.bin HTTP/1.1\r\nHost: a\r\n\r\n")
        stalled.recv(1000)
        drain = wait_for(lambda: (found := server.admin("/status")["drain"])["no_estimate"] == "a client takes nothing" and found, 10, "the outlook")
        assert drain["estimate_seconds"] is None
        holder = drain["holders"][0]
        assert (holder["waiting_for"], holder["target"]) == ("the client to read what is ready", "/32m.bin")
        assert holder["left_bytes"] > 1_000_000 and holder["age_seconds"] > 1
    wait_for(lambda: server.admin("/status")["drain"]["connections_left"] == 0, 5, "its end")
    assert server.admin("/status")["drain"]["estimate_seconds"] == 0


def test_the_holder_of_a_drain_is_named_by_what_it_waits_for(start):
    server = start()
    with server.connect() as upload:
        upload.sendall(b"POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nab")
        wait_for(lambda: server.metric("equinox_connections", state="reading_body") == 1, 5, "the request")
        assert run_equinox("drain", "--admin", server.addresses["admin"]).returncode == 0
        wait_for(lambda: server.metric("equinox_connections", state="draining") == 1, 5, "the drain")
        holder = server.admin("/status")["drain"]["holders"][0]
        assert holder["waiting_for"] == "the client's upload, the rest of a request body"
        assert server.admin(f"/connection/{holder['id']}")["waiting_for"]["sentence"] == holder["waiting_for"]
