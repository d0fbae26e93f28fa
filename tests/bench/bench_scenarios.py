"""P1–P15: what is run, against whom, and which ratio is the goal."""

import json
import re
import statistics
import threading
import time
import urllib.request
from dataclasses import dataclass, field

from bench_measure import Failed, Held, bench_load, callgrind_wrapper, cpu_per_request, h2load, instructions, settled_rss
from bench_servers import SERVER_CPU, ObserveServer

H1_PEERS = ("equinox", "raw", "nginx", "h2o", "lighttpd", "haproxy", "caddy")
H2C_PEERS = ("equinox", "nginx", "h2o", "nghttpd", "lighttpd", "haproxy", "caddy")
TLS_PEERS = ("equinox", "raw", "nginx", "h2o")


@dataclass
class Variant:
    """One line of a scenario. `measure(peer, settings)` returns {"value": …, …} in `unit`, lower is better.

    goals: ((against, factor), …): the value of Equinox is to be ≤ factor × the least of the named servers; "abs" is a plain bound.
    bounds: ((key, bound, unit), …): the same for what else it measured.
    """

    id: str
    title: str
    peers: tuple
    measure: object
    unit: str = "µs"
    goals: tuple = ()
    bounds: tuple = ()
    extra: dict = field(default_factory=dict)  # per server: how it is started
    quick: bool = False
    once: bool = False  # noise-free: one round is enough
    limit: int = 0  # what instruction_gate.py allows: 8 per cent above the figure it was set by
    wrapper: str = ""
    quick_peers: tuple = ("equinox", "raw", "nginx", "h2o", "nghttpd")


def as_cpu(result):
    return {"value": result["cpu_us"], "rate": result["rate"], "busy": result["busy"], "p99_us": result.get("p99_us")}


def h1(connections, **options):
    def measure(peer, settings):
        return as_cpu(cpu_per_request(peer, lambda: bench_load(
            "closed", peer.ports["http"], connections=connections, seconds=settings.window, **options)))
    return measure


def h1_tls(connections):
    def measure(peer, settings):
        port = peer.ports["http" if peer.name == "raw" else "https"]
        return as_cpu(cpu_per_request(peer, lambda: bench_load(
            "closed", port, connections=connections, tls=True, seconds=settings.window)))
    return measure


def churn(**options):
    def measure(peer, settings):
        port = peer.ports["https" if options.get("tls") and peer.name != "raw" else "http"]
        return as_cpu(cpu_per_request(peer, lambda: bench_load(
            "churn", port, connections=32, close=True, seconds=settings.window, **options)))
    return measure


def h2(clients, streams, path="/hello", kind="h2c"):
    def measure(peer, settings):
        scheme = "https" if kind == "https" else "http"
        target = "/hello" if path == "/hello" else path
        url = f"{scheme}://127.0.0.1:{peer.ports[kind]}{target}"
        return as_cpu(cpu_per_request(peer, lambda: h2load(url, clients, streams, seconds=max(1, round(settings.window)))))
    return measure


def idle(kind):
    def measure(peer, settings):
        port = peer.ports["https" if kind == "tls" and peer.name != "raw" else "h2c" if kind == "h2c" else "http"]
        bench_load("closed", port, connections=4, requests=400, tls=kind == "tls") if kind != "h2c" else None
        count = settings.idle_connections if kind != "tls" else min(settings.idle_connections, 10000)
        before = settled_rss(peer)
        held = Held(port, count, tls=kind == "tls", h2c=kind == "h2c")
        try:
            grown = settled_rss(peer) - before
            cpu, started = peer.cpu_seconds(), time.monotonic()
            time.sleep(settings.idle_watch)
            busy = (peer.cpu_seconds() - cpu) / (time.monotonic() - started)
        finally:
            lost = held.release()
        if lost and peer.name != "equinox":
            raise Failed(f"{lost} connections were closed early")  # nothing to compare with
        return {"value": grown / held.count, "connections": held.count, "cpu_percent": busy * 100, "lost": lost}
    return measure


def open_loop(peer, settings):
    held = Held(peer.ports["http"], settings.idle_connections - 1000)
    try:
        result = bench_load("open", peer.ports["http"], connections=64, rate=settings.open_rate, seconds=max(2, settings.window))
    finally:
        held.release()
    return {"value": result["p99_us"], "p999_us": result["p999_us"], "rate": result["requests"] / result["seconds"]}


def beside(peer, settings):
    """How much more a request costs beside many open connections than beside ten, per cent; interleaved within the round."""
    def cost(idle_count):
        held = Held(peer.ports["http"], idle_count)
        try:
            return cpu_per_request(peer, lambda: bench_load(
                "closed", peer.ports["http"], connections=64, seconds=settings.window))["cpu_us"]
        finally:
            held.release()
    few, many = cost(10), cost(settings.idle_connections - 1000)
    middle, again = cost(1000), cost(10)
    base = (few + again) / 2
    return {"value": max(many, middle) / base * 100 - 100, "few_us": base, "thousand_us": middle, "many_us": many}


class Observers:
    """A scrape every second, ten event streams as dashboards keep them, and one dashboard that filters, sorts and turns pages."""

    def __init__(self, peer):
        self.peer, self.stopping = peer, threading.Event()
        self.page_ms, self.scrape_ms = [], []
        self.threads = [threading.Thread(target=self.scrape, daemon=True), threading.Thread(target=self.turn_pages, daemon=True)]
        self.threads += [threading.Thread(target=self.stream, daemon=True) for _ in range(10)]

    def scrape(self):
        while not self.stopping.wait(1.0):
            with urllib.request.urlopen(f"http://127.0.0.1:{self.peer.ops}/metrics", timeout=10) as answer:
                told = re.search(rb"^equinox_scrape_collect_seconds (\S+)", answer.read(), re.MULTILINE)
            self.scrape_ms.append(float(told[1]) * 1e3)

    def turn_pages(self):
        api = f"http://127.0.0.1:{self.peer.admin}/admin/api/v1/connections"
        wanted = json.dumps({"query": "state:idle requests>0", "sort": "sent", "order": "desc"}).encode()
        while not self.stopping.wait(0.5):
            began = time.monotonic()
            asked = urllib.request.Request(f"{api}/query", wanted, {"Content-Type": "application/json", "X-Equinox-Action": "1"})
            with urllib.request.urlopen(asked, timeout=10) as answer:
                handle = json.load(answer)["handle"]
            with urllib.request.urlopen(f"{api}/{handle}?offset=0&limit=200", timeout=10) as answer:
                answer.read()
            self.page_ms.append((time.monotonic() - began) * 1e3)

    def stream(self):
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.peer.admin}/admin/api/v1/events?topics=overview", timeout=5) as answer:
                while not self.stopping.is_set() and answer.read1(65536):
                    pass
        except OSError:
            pass

    def __enter__(self):
        for thread in self.threads:
            thread.start()
        return self

    def __exit__(self, *_):
        self.stopping.set()
        for thread in self.threads:
            thread.join(6)


def reactor_cpu(peer):
    """CPU of the traffic reactors only: observers are served by threads of their own."""
    from pathlib import Path
    total = 0
    for task in Path(f"/proc/{peer.process.pid}/task").iterdir():
        name = (task / "comm").read_text().strip()
        if not any(word in name for word in ("ops", "admin", "log")):
            total += int((task / "schedstat").read_text().split()[0])
    return total / 1e9


def observed(peer, settings):
    """What all of them cost a request of the traffic while ~9,000 connections are open; both sides interleaved."""
    def price():
        before = reactor_cpu(peer)
        result = bench_load("closed", peer.ports["http"], connections=64, seconds=settings.window)
        return (reactor_cpu(peer) - before) * 1e6 / result["requests"], result.get("p99_us") or 0.0
    held = Held(peer.ports["http"], settings.idle_connections - 1000)
    try:
        plain, watched, seen = [], [], []
        for _ in range(3):
            plain.append(price())
            observers = Observers(peer)
            with observers:
                watched.append(price())
            seen.append(observers)
    finally:
        held.release()
    cost = [statistics.median(cpu for cpu, _ in side) for side in (plain, watched)]
    p99 = [statistics.median(p99 for _, p99 in side) for side in (plain, watched)]
    return {"value": (cost[1] / cost[0] - 1) * 100, "plain_us": cost[0], "watched_us": cost[1], "p99_us": p99[0],
            "p99_watched_us": p99[1], "page_ms": statistics.median([ms for o in seen for ms in o.page_ms] or [0]),
            "scrape_ms": statistics.median([ms for o in seen for ms in o.scrape_ms] or [0])}


def counted(kind):
    def measure(peer, _settings):
        port = peer.ports.get("http")

        def generate(requests):
            if kind == "h2c":
                return h2load(f"http://127.0.0.1:{peer.ports['h2c']}/hello", 1, 32, requests=requests)["requests"]
            depth = 16 if kind == "pipelined" else 1
            return bench_load("closed", port, connections=1, depth=depth, requests=requests, browser=kind == "browser")["requests"]
        return {"value": instructions(peer, generate)}
    return measure


def observation(peer, _settings):
    """Instructions a request of samples, timeline and slow log: the same program with them and without."""
    def generate(requests):
        return bench_load("closed", served.ports["http"], connections=1, requests=requests)["requests"]

    served = peer
    on = instructions(served, generate)
    served = type(peer)(peer.work, {"observe": "off"})
    try:
        served.start(callgrind_wrapper(served.work), patience=180)
        off = instructions(served, generate)
    finally:
        served.stop()
    return {"value": on - off, "on": on, "off": off}


def larger_share(peer, settings):
    """Per cent of 512 connections that the fuller of two reactors holds."""
    held = Held(peer.ports["http"], 512)
    try:
        for _ in range(50):
            with urllib.request.urlopen(f"http://127.0.0.1:{peer.ops}/metrics", timeout=10) as answer:
                text = answer.read().decode()
            shares = [float(n) for n in re.findall(r"^equinox_reactor_connections\{[^}]*\} (\S+)", text, re.MULTILINE)]
            if sum(shares) >= held.count:
                return {"value": max(shares) / sum(shares) * 100, "connections": held.count}
            time.sleep(0.1)
    finally:
        held.release()
    raise Failed(f"the reactors told of {sum(shares):.0f} connections, {held.count} are open")


BEST = "nginx h2o"
RAW_TLS = {"raw": {"tls": True}}

SCENARIOS = (
    Variant("P1", "H1 keep-alive, 64 connections", H1_PEERS, h1(64), goals=(("raw", 1.10), (BEST, 0.95)), quick=True),
    Variant("P1", "H1 keep-alive, 512 connections", H1_PEERS, h1(512), goals=(("raw", 1.10), (BEST, 0.95))),
    Variant("P2", "H1 pipelined 16, 32 connections", H1_PEERS, h1(32, depth=16), goals=(("raw", 1.6), ("nginx", 0.15)), quick=True),
    Variant("P3", "H1 with ten browser fields", H1_PEERS, h1(64, browser=True), goals=(("raw", 1.25), ("h2o", 0.90)), quick=True),
    Variant("P4", "h2c 32 × 32 streams", H2C_PEERS, h2(32, 32), goals=(("h2o", 1.05), ("nghttpd", 0.60)), quick=True),
    Variant("P4", "h2c 1 × 100 streams", H2C_PEERS, h2(1, 100), goals=(("h2o", 1.05), ("nghttpd", 0.60))),
    Variant("P4", "H2 over TLS 32 × 32", ("equinox", "nginx", "h2o"), h2(32, 32, kind="https"), goals=(("h2o", 1.05),)),
    Variant("P5", "H1 over TLS keep-alive", TLS_PEERS, h1_tls(64), goals=(("raw", 1.15), ("nginx", 0.85)), extra=RAW_TLS, quick=True),
    Variant("P6", "TLS handshake per request", TLS_PEERS, churn(tls=True), goals=(("raw", 1.05),),
            extra={"raw": {"tls": True, "close": True}}),
    Variant("P7", "a connection per request", ("equinox", "raw", "nginx", "h2o", "lighttpd", "haproxy"), churn(),
            goals=(), extra={"raw": {"close": True}}, quick=True),
    Variant("P7", "a connection per request, deferred accept", ("equinox", "raw", "nginx", "h2o"), churn(),
            goals=(("h2o", 0.80), ("raw", 1.15)), extra={"raw": {"close": True}, "equinox": {"defer_accept": True}}),
    Variant("P8", "1 KiB file, H1", ("equinox", "raw", "nginx", "h2o", "lighttpd", "caddy"), h1(32, path="/1k.bin"),
            goals=(("raw", 1.10),), extra={"raw": {"file": "1k.bin"}}),
    Variant("P8", "100 KiB file, H1", ("equinox", "raw", "nginx", "h2o", "lighttpd", "caddy"), h1(32, path="/100k.bin"),
            goals=(("h2o", 0.70),), extra={"raw": {"file": "100k.bin"}}),
    Variant("P8", "100 KiB file, h2c", ("equinox", "nginx", "h2o", "nghttpd"), h2(8, 8, "/100k.bin"), goals=(("h2o", 0.70),)),
    Variant("P8", "10 MiB file, h2c", ("equinox", "nginx", "h2o", "nghttpd"), h2(4, 2, "/10m.bin"), goals=(("h2o", 0.75),)),
    Variant("P9", "idle H1 connection, record included", ("equinox", "nginx", "h2o", "lighttpd"), idle("h1"), unit="B",
            goals=(("abs", 512),), bounds=(("cpu_percent", 0.05, "% CPU"), ("lost", 0, "closed early")), quick=True, once=True),
    Variant("P10", "idle h2c connection, record included", ("equinox", "nginx", "h2o", "nghttpd"), idle("h2c"), unit="B",
            goals=(("abs", 10496),), bounds=(("lost", 0, "closed early"),), once=True),
    Variant("P11", "idle H1 over TLS, record included", ("equinox", "raw", "nginx", "h2o"), idle("tls"), unit="B", goals=(("nginx", 1.0),),
            bounds=(("lost", 0, "closed early"),), extra=RAW_TLS, once=True),
    Variant("P12", "20,000 req/s beside idle ones, p99", ("equinox", "raw", "nginx", "h2o"), open_loop, unit="µs p99",
            goals=(("raw", 1.15),)),
    Variant("GROWTH", "a request beside 1,000 and ~9,000 idle ones", ("equinox", "nginx", "h2o"), beside, unit="%", goals=(("abs", 10.0),)),
    Variant("P13", "price of scrapes, ten streams, a dashboard; ~9,000 open", ("equinox",), observed, unit="%", goals=(("abs", 3.0),),
            bounds=(("page_ms", 50, "ms a page"), ("scrape_ms", 5, "ms a scrape"))),
    Variant("P13", "instructions for samples, timeline and slow log", ("equinox",), observation, unit="instr", goals=(("abs", 200),),
            extra={"equinox": {"made_by": ObserveServer}}, once=True, wrapper="callgrind"),
    Variant("P14", "instructions, H1, one a turn", ("equinox", "raw"), counted("turn"), unit="instr", goals=(("abs", 3500),),
            once=True, limit=5750, wrapper="callgrind", quick=True, quick_peers=("equinox",)),
    Variant("P14", "instructions, H1, pipelined 16", ("equinox",), counted("pipelined"), unit="instr", goals=(("abs", 3500),), once=True,
            limit=4250, wrapper="callgrind"),
    Variant("P14", "instructions, H1, ten fields", ("equinox",), counted("browser"), unit="instr", goals=(), once=True, limit=9700,
            wrapper="callgrind"),
    Variant("P14", "instructions, h2c, 32 streams", ("equinox", "nghttpd"), counted("h2c"), unit="instr", goals=(("abs", 9500),), once=True,
            limit=14200, wrapper="callgrind", quick=True, quick_peers=("equinox",)),
    Variant("P15", "two reactors, 512 connections, not pinned", ("equinox", "one_reactor"), h1(512), goals=(("one_reactor", 1.05),),
            extra={"equinox": {"reactors": 2}}, wrapper="free", quick_peers=("equinox", "one_reactor")),
    Variant("P15", "the larger share of 512 connections, two reactors", ("equinox",), larger_share, unit="%", goals=(("abs", 60.0),),
            extra={"equinox": {"reactors": 2}}, wrapper="free"),
)

WRAPPERS = {"": lambda work: SERVER_CPU, "free": lambda work: (), "callgrind": callgrind_wrapper}
