"""The surfaces do not slow each other: a flood on traffic leaves ops and admin quick, and the other way round."""

import subprocess
import threading

import pytest
from crowd import Crowd, Kind
from support.frames import Attacker
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
