"""What an attack costs everybody else: another client's p99, memory, CPU while it is held and once it is over. One row of the table each."""

import json
import subprocess
import sys
import threading
import time
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from support.server import BINARY, PATIENCE
from support.wait import wait_for

GET = b"GET /hello HTTP/1.1\r\nHost: a\r\n\r\n"
HERE = Path(__file__).resolve().parent

# AddressSanitizer makes the server slower, keeps what was freed, and puts red zones around what is allocated.
IS_SANITIZED = b"__asan_init" in BINARY.read_bytes()
SLOWNESS = PATIENCE * (3 if IS_SANITIZED else 1)

VICTIM_P99_MS = 250.0
MEMORY_BYTES = 16 << 20
BASELINE_BYTES = 2 << 20
CPU_AFTER = 0.05  # and while peers are held that say nothing
HELD_SECONDS = 2.0
LASTS_SECONDS = 0.5

ROWS = []
HEADINGS = ("attack", "others' p99 ms", "memory MB", "ended after s", "CPU held %", "CPU after %", "reason", "met")


@dataclass
class Row:
    attack: str
    p99_ms: float | None = None
    grown_mb: float | None = None
    ended_after: float | None = None
    cpu_held: float | None = None
    cpu_after: float | None = None
    reason: str = ""
    broken: list = field(default_factory=list)

    def cells(self):
        def number(value, form):
            return "–" if value is None else format(value, form)
        return (self.attack, number(self.p99_ms, ".1f"), number(self.grown_mb, "+.1f"), number(self.ended_after, ".2f"),
                number(self.cpu_held, ".1%").rstrip("%"), number(self.cpu_after, ".1%").rstrip("%"), self.reason or "–",
                "no" if self.broken else "yes")


def table(rows):
    lines = [HEADINGS, *(row.cells() for row in rows)]
    widths = [max(len(line[i]) for line in lines) for i in range(len(HEADINGS))]
    lines.insert(1, tuple("-" * width for width in widths))
    return [" | ".join(cell.ljust(width) for cell, width in zip(line, widths)).rstrip() for line in lines]


def closed_by_reason(server, initiator=None):
    """{reason: count} of the traffic connections that have ended."""
    found = {}
    for key, value in server.metrics().items():
        if key.startswith("equinox_connections_closed_total") and value and (initiator is None or f'initiator="{initiator}"' in key):
            reason = key.split('reason="')[1].split('"')[0]
            found[reason] = found.get(reason, 0) + int(value)
    return found


def cpu_share(server, seconds):
    """Of one core."""
    cpu, began = server.cpu_seconds(), time.monotonic()
    time.sleep(seconds)  # a measuring window, not a wait for anything
    return (server.cpu_seconds() - cpu) / (time.monotonic() - began)


def over_and_over(seconds=LASTS_SECONDS):
    """Ended attackers come again, so that the others are watched for a while."""
    limit = time.monotonic() + seconds
    yield
    while time.monotonic() < limit:
        yield


class Other:
    """Another client beside the attack (victim.py)."""

    def __init__(self, address, path="/hello", *how):
        self.process = subprocess.Popen([sys.executable, str(HERE / "victim.py"), address[0], str(address[1]), path, *how],
                                        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        assert self.process.stdout.readline() == "ready\n"

    def say(self, word):
        self.process.stdin.write(word + "\n")
        self.process.stdin.flush()

    @contextmanager
    def resting(self):
        self.say("rest")
        assert self.process.stdout.readline() == "resting\n"
        yield
        self.say("go")

    def finish(self):
        told, _ = self.process.communicate("\n", timeout=30)
        return json.loads(told)


class Watch:
    """with Watch(server, name) as watch: attack → one row of the table, and the checks.

    `reasons`: close reasons that are right. `within`: seconds until watch.attacker_ended() must have been called.
    `memory`: bytes the server may grow during the attack, None where its memory is the point of another row.
    `keeps`: the other client stays on the connection it has when the attack begins. `ends`: the server is to end."""

    def __init__(self, server, name, reasons=(), within=None, memory=MEMORY_BYTES, path="/hello", listener="http", keeps=False, ends=False):
        self.server, self.reasons, self.within, self.memory = server, set(reasons), within, memory
        self.path, self.listener, self.ends = path, listener, ends
        self.how = ["keeps"] * keeps + ["leaves"] * ends
        self.row = Row(name)

    def __enter__(self):
        self.closed_before = closed_by_reason(self.server)
        self.other = Other(self.server.address(self.listener), self.path, *self.how)
        self.before = self.largest = self.server.rss_bytes()
        self.sampling = threading.Event()
        self.sampler = threading.Thread(target=self.sample, daemon=True)
        self.sampler.start()
        self.began = time.monotonic()
        return self

    def sample(self):
        while not self.sampling.wait(0.02):
            try:
                self.largest = max(self.largest, self.server.rss_bytes())
            except (FileNotFoundError, ProcessLookupError):  # it has ended, as some attacks want it to
                return

    def attacker_ended(self):
        if self.row.ended_after is None:
            self.row.ended_after = time.monotonic() - self.began

    def measure_held(self):
        """While attackers are held that say nothing. The other client rests: its requests are not what is measured."""
        with self.other.resting():
            self.row.cpu_held = cpu_share(self.server, HELD_SECONDS)

    def told(self, reason):
        """Where the answer is a status and not the end of the connection."""
        self.row.reason = reason

    def broke(self, what):
        self.row.broken.append(what)

    def closed(self):
        """{reason: count} since the attack began, without the other client's."""
        now = closed_by_reason(self.server)
        fresh = {r: n - self.closed_before.get(r, 0) for r, n in now.items()}
        return {r: n for r, n in fresh.items() if n and r != "client_fin_idle"}

    def __exit__(self, kind, *_):
        told = self.other.finish()
        self.sampling.set()
        self.sampler.join(5)
        ROWS.append(self.row)
        if kind is not None:
            self.broke("the attack did not run to its end")
        elif (self.server.process.poll() is not None) != self.ends:
            self.broke(f"the server {'goes on' if self.ends else 'ended'}: {self.server.log_text()}")
        else:
            self.judge(told)
        print("\n  " + " | ".join(self.row.cells()), flush=True)
        assert kind is not None or not self.row.broken, "; ".join(self.row.broken)

    def judge(self, told):
        row = self.row
        row.p99_ms, row.grown_mb = told["p99_ms"], (self.largest - self.before) / (1 << 20)
        self.judge_reason()
        row.cpu_after = None if self.ends else self.quiet_cpu()
        if told["failures"]:
            self.broke(f"others failed: {told['failures']}")
        if told["p99_ms"] >= VICTIM_P99_MS * SLOWNESS:
            self.broke(f"others' p99 {told['p99_ms']:.0f} ms of {told['requests']} requests")
        if self.memory is not None and self.largest - self.before >= allowed_memory(self.memory):
            self.broke(f"memory grew by {row.grown_mb:.1f} MB")
        for share, moment in ((row.cpu_held, "while held"), (row.cpu_after, "afterwards")):
            if share is not None and share >= CPU_AFTER:
                self.broke(f"{share * 100:.1f} % CPU {moment}")
        if self.within is not None and (row.ended_after is None or row.ended_after > self.within * SLOWNESS):
            self.broke(f"ended after {row.ended_after} s instead of {self.within}")

    def judge_reason(self):
        if not self.reasons:
            return
        try:
            wait_for(lambda: self.reasons & set(self.closed()), 3 * PATIENCE, "a close reason")
        except AssertionError:
            self.broke(f"closed as {self.closed()} instead of {self.reasons}")
        closed = self.closed()
        self.row.reason = self.row.reason or " ".join(sorted(closed, key=closed.get, reverse=True)[:2])
        strange = {r for r in closed if r not in self.reasons and not r.startswith("client_")}
        if strange:
            self.broke(f"closed as {strange} too")

    def quiet_cpu(self):
        """CPU the server takes when the attack is over; the least of a few looks, since accounts are settled meanwhile."""
        least = 1.0
        for _ in range(4):
            least = min(least, cpu_share(self.server, 0.25))
            if least < CPU_AFTER / 2:
                break
        return least


def allowed_memory(size):
    """Sanitizers multiply what is allocated; the point there is the report, not the figure."""
    return size * 6 if IS_SANITIZED else size


def quiet(server):
    """No connection is open; the account of the last ones is settled."""
    return server.metric("equinox_connections") == 0


def assert_baseline(server, descriptors, memory):
    wait_for(lambda: quiet(server), 20 * SLOWNESS, "all of them to be gone")
    assert server.descriptors() <= descriptors + 2
    grown = server.rss_bytes() - memory
    assert grown <= allowed_memory(BASELINE_BYTES), f"{grown / (1 << 20):.2f} MB above the baseline"
