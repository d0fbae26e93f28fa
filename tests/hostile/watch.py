"""What an attack costs everybody else: another client's p99, memory, and CPU once it is over."""

import statistics
import threading
import time

from support.raw import exchange
from support.server import PATIENCE

GET = b"GET /hello HTTP/1.1\r\nHost: a\r\n\r\n"
VICTIM_P99_SECONDS = 0.25 * PATIENCE
MEMORY_BYTES = 16 << 20


class Victim(threading.Thread):
    """Somebody else's requests during the attack, over one kept connection and some new ones."""

    def __init__(self, server):
        super().__init__(daemon=True)
        self.server, self.times, self.failures, self.stopping = server, [], [], threading.Event()

    def run(self):
        connection = None
        turn = 0
        while not self.stopping.is_set():
            turn += 1
            try:
                began = time.perf_counter()
                if connection is None or turn % 50 == 0:
                    if connection:
                        connection.close()
                    connection = self.server.connect(timeout=5)
                assert exchange(connection, GET).status == 200
                self.times.append(time.perf_counter() - began)
            except Exception as failure:  # reported, not raised: this is a thread
                self.failures.append(repr(failure))
                connection = None
            self.stopping.wait(0.005)
        if connection:
            connection.close()


class Watch:
    """with Watch(server, name) as watch: attack → one printed line and the checks of resilience."""

    def __init__(self, server, name, memory=MEMORY_BYTES):
        self.server, self.name, self.memory = server, name, memory
        self.ended_after = None

    def __enter__(self):
        self.before = self.server.rss_bytes()
        self.largest = self.before
        self.victim = Victim(self.server)
        self.sampling = threading.Event()
        self.sampler = threading.Thread(target=self.sample, daemon=True)
        self.victim.start()
        self.sampler.start()
        self.began = time.monotonic()
        return self

    def sample(self):
        while not self.sampling.wait(0.02):
            self.largest = max(self.largest, self.server.rss_bytes())

    def attacker_ended(self):
        self.ended_after = time.monotonic() - self.began

    def __exit__(self, kind, *_):
        self.victim.stopping.set()
        self.victim.join(10)
        self.sampling.set()
        self.sampler.join(5)
        cpu, began = self.server.cpu_seconds(), time.monotonic()
        time.sleep(0.5)  # a measuring window, not a wait for anything
        busy = (self.server.cpu_seconds() - cpu) / (time.monotonic() - began)
        times = self.victim.times
        p99 = statistics.quantiles(times, n=100)[98] if len(times) > 1 else float("inf")
        grown = self.largest - self.before
        ended = "never" if self.ended_after is None else f"{self.ended_after:.2f} s"
        print(f"\n  {self.name:<34} others p99 {p99 * 1000:7.2f} ms  memory +{grown / (1 << 20):6.2f} MB  ended {ended:>8}  "
              f"CPU after {busy * 100:5.1f} %")
        if kind is None:
            assert self.server.process.poll() is None, self.server.log_text()
            assert not self.victim.failures, self.victim.failures[:3]
            assert p99 < VICTIM_P99_SECONDS
            assert grown < self.memory
            assert busy < 0.10
