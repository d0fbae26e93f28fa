"""The surfaces do not slow each other: a flood on traffic leaves ops and admin quick, and the other way round."""

import contextlib
import subprocess
import threading

import pytest
from crowd import Crowd, Kind
from support.frames import END_HEADERS, HEADERS, Attacker, frame, indexed, request, request_fields
from support.attacks import ATTACKS
from support.raw import exchange
from watch import GET, Watch


@pytest.fixture
def flooded(load_program):
    """flooded(server): closed-loop load on every traffic reactor until the test ends."""
    running = []

    def begin(server):
        running.append(subprocess.Popen([load_program, "closed", str(server.port()), "--connections", "64", "--depth", "16", "--seconds", "60"],
                                        stdout=subprocess.DEVNULL))
        return running[-1]

    yield begin
    for load in running:
        load.kill()
        load.wait()


@pytest.mark.parametrize("listener,path", [("ops", "/livez"), ("ops", "/readyz"), ("ops", "/metrics"), ("admin", "/admin/api/v1/connections?limit=50")],
                         ids=["livez", "readyz", "metrics", "admin"])
def test_a_flood_of_traffic_does_not_slow_ops_and_admin(start, flooded, listener, path):
    server = start()
    load = flooded(server)
    with Watch(server, f"traffic at full load, {path.split('?')[0]}", path=path, listener=listener, memory=None) as watch:
        threading.Event().wait(1.5)  # how long it is watched
        assert load.poll() is None
        watch.told("served")
        load.kill()
        load.wait()


@pytest.mark.parametrize("listener,path", [("ops", "/metrics"), ("admin", "/admin/api/v1/connections?limit=200")], ids=["scrapes", "admin"])
def test_a_flood_of_scrapes_does_not_slow_traffic(start, listener, path):
    server = start()
    stop = threading.Event()

    def scrape():
        with server.connect(listener) as peer:
            request = f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1:{server.port(listener)}\r\n\r\n".encode()
            while not stop.is_set():
                assert exchange(peer, request).status == 200

    with Crowd(server, [Kind("idle", GET)], 3000):
        with Watch(server, f"scraped without pause, {path.split('?')[0]}", memory=None) as watch:
            threads = [threading.Thread(target=scrape) for _ in range(6)]
            for thread in threads:
                thread.start()
            threading.Event().wait(2)  # how long it is watched
            stop.set()
            for thread in threads:
                thread.join(20)
            watch.told("served")


def test_an_attack_on_one_surface_is_ended_there_too(start):
    """Ops and admin are servers like the other, with the same limits."""
    server = start()
    with Watch(server, "PING flood on ops and admin") as watch:
        for listener in ("ops", "admin"):
            attacker = Attacker(type("Surface", (), {"connect": lambda self, timeout, name=listener: server.connect(name, timeout)})())
            for piece in ATTACKS["PING flood"][0](attacker):
                if not attacker.send(piece):
                    break
            assert attacker.until_ended(5)
            attacker.close()
        watch.attacker_ended()
        watch.told("flood_ping")


class Ops:
    """What Attacker asks of a server, of the ops surface."""

    def __init__(self, server):
        self.server = server

    def connect(self, timeout):
        return self.server.connect("ops", timeout)


def status_of(server, path):
    with server.connect("ops") as peer:
        return exchange(peer, f"GET {path} HTTP/1.1\r\nHost: a\r\n\r\n".encode()).status


def test_what_a_client_makes_ops_hold_keeps_no_probe_out(start):
    """Heads by reference, bodies, and scrapes that it does not take: whoever probes and scrapes is served."""
    server = start()
    with Watch(server, "held on ops by one client", memory=None) as watch:
        attackers = [Attacker(Ops(server)) for _ in range(100)]
        entry, uses = indexed(90, "y" * 200)
        for attacker in attackers:
            attacker.send(b"".join(frame(HEADERS, END_HEADERS, stream, request_fields("/livez") + (entry if stream == 1 else b"") + uses)
                                   for stream in range(1, 65, 2)))
        for attacker in attackers:
            attacker.drain()
        assert {status_of(server, "/livez") for _ in range(20)} == {200}
        bodies = [server.connect("ops") for _ in range(100)]
        for body in bodies:
            with contextlib.suppress(OSError):  # refused on its way
                body.sendall(b"GET /livez HTTP/1.1\r\nHost: a\r\nContent-Length: 1000000\r\n\r\n" + b"x" * 500_000)
        assert {status_of(server, path) for path in ("/livez", "/readyz") for _ in range(10)} == {200}
        scraper = Attacker(Ops(server), (4, 0))
        scraper.send(b"".join(request(stream, "/metrics") for stream in range(1, 33, 2)))
        scraper.drain(0.3)
        assert status_of(server, "/metrics") == 200
        watch.told("served")
        for peer in [*attackers, *bodies, scraper]:
            peer.close()
