"""Mixed good and bad clients for a while; memory must not climb and no descriptor may leak. ./dev soak --minutes N"""

import argparse
import json
import random
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

sys.path[:0] = [str(Path(__file__).resolve().parents[2] / "e2e"), str(Path(__file__).resolve().parent)]

from crowd import Crowd, Kind, slam  # noqa: E402
from support.attacks import ATTACKS  # noqa: E402
from support.clients import Clients, Http1Client, Http2Client  # noqa: E402
from support.frames import PREFACE, Attacker, request, settings  # noqa: E402
from support.raw_tls import RawTls  # noqa: E402
from support.server import Server  # noqa: E402
from support.tls import client_context, make_certificate  # noqa: E402
from support.wait import wait_for  # noqa: E402

SETTLE_SECONDS = 300
SAMPLE_SECONDS = 2
SLOPE_MB_PER_HOUR = 1.0
GET = b"GET /hello HTTP/1.1\r\nHost: a\r\n\r\n"
SAID = [b"", b"GET /hel", b"GET /hello HTTP/1.1\r\nHost: a\r\nX : y\r\n\r\n", b"\0\1\2\3\r\n\r\n", b"GET /" + b"a" * 20000,
        b"POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        b"POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 300000\r\n\r\n" + b"x" * 100_000, PREFACE[:20] + b"xxxx", GET * 50]
SLOW = [Kind("silent", b""), Kind("fields", b"GET / HTTP/1.1\r\nX: y\r\n", b"X: y\r\n"), Kind("TLS", b"\x16\x03\x01\x02\x00", listener="https"),
        Kind("window", PREFACE + settings((4, 0)) + request(1, "/file.bin")), Kind("reader", b"GET /file.bin HTTP/1.1\r\nHost: a\r\n\r\n", reads=False)]


def configuration(folder):
    certificate, key = make_certificate(folder)
    (folder / "site").mkdir()
    (folder / "site" / "file.bin").write_bytes(b"x" * 8_000_000)
    return {"listeners": [{"name": "http", "address": "127.0.0.1:0"},
                          {"name": "https", "address": "127.0.0.1:0", "tls": {"certificates": [{"certificate": str(certificate), "key": str(key)}]}}],
            "ops": {"address": "127.0.0.1:0"}, "admin": {"address": "127.0.0.1:0"}, "rings": {"closed": 1000, "events": 1000},
            "timeouts": {"idle": "5s", "header": "2s", "body": "2s", "write": "2s", "handshake": "2s"},
            "routes": [{"path": "/hello", "respond": {"body": "ok"}}, {"path": "/echo", "echo": {}},
                       {"path": "/*", "static": {"root": str(folder / "site")}}]}


class Mischief:
    """One bad client after the other; what each server must survive, in small."""

    def __init__(self, server, seed):
        self.server, self.dice, self.done = server, random.Random(seed), {}

    def turn(self):
        kind = self.dice.choice([self.says, self.says, self.floods, self.handshakes, self.updates_keys, self.is_slow])
        self.done[kind.__name__] = self.done.get(kind.__name__, 0) + 1
        try:
            kind()
        except OSError:
            pass

    def says(self):
        peer = self.server.connect(timeout=2)
        peer.sendall(self.dice.choice(SAID))
        slam(peer) if self.dice.random() < 0.5 else peer.close()

    def floods(self):
        attacker = Attacker(self.server, reads=self.dice.random() < 0.7)
        stop = time.monotonic() + 0.5
        for piece in ATTACKS[self.dice.choice(list(ATTACKS))][0](attacker):
            if not attacker.send(piece) or time.monotonic() > stop:
                break
        attacker.close()

    def handshakes(self):
        secure = client_context(["h2", "http/1.1"]).wrap_socket(self.server.connect("https", timeout=2))
        secure.sendall(self.dice.choice(SAID))
        slam(secure) if self.dice.random() < 0.5 else secure.close()

    def updates_keys(self):
        peer = RawTls(self.server.connect("https", timeout=2))
        for _ in range(self.dice.randrange(300)):
            if not peer.key_update():
                break
        peer.close()

    def is_slow(self):
        with Crowd(self.server, SLOW, self.dice.randrange(5, 50)) as crowd:
            crowd.live(self.dice.random() * 0.3)


def slope_per_hour(samples):
    """Least squares, bytes per hour."""
    count = len(samples)
    if count < 3:
        return 0.0
    mean_t, mean_b = (sum(s[i] for s in samples) / count for i in (0, 1))
    spread = sum((t - mean_t) ** 2 for t, _ in samples)
    return sum((t - mean_t) * (b - mean_b) for t, b in samples) / spread * 3600


def live(server, clients, mischief, seconds, settle):
    """Samples of (seconds, resident bytes) from `settle` on."""
    began, samples, next_sample = time.monotonic(), [], 0.0
    while (now := time.monotonic() - began) < seconds and server.process.poll() is None:
        mischief.turn()
        if now >= next_sample:
            next_sample = now + SAMPLE_SECONDS
            if now >= settle:
                samples.append((now, server.rss_bytes()))
            print(f"\r{now:6.0f} s  {clients.answered} answered  {server.rss_bytes() >> 10} KiB  {server.descriptors()} descriptors",
                  end="", file=sys.stderr, flush=True)
        time.sleep(0.02)
    return samples


def soak(server, options):
    with Clients(Http1Client(server.address(), "/file.bin")) as warm:  # the file stays open between requests
        wait_for(lambda: warm.answered > 0, 10, "a first answer")
    wait_for(lambda: server.metric("equinox_connections") == 0, 15, "quiet")
    baseline = server.descriptors()
    clients = Clients(*(Http1Client(server.address(), pause=0.01) for _ in range(6)), *(Http1Client(server.address(), "/file.bin", pause=0.5) for _ in range(2)),
                      *(Http2Client(server.address(), pause=0.01) for _ in range(3)))
    mischief = Mischief(server, options.seed)
    seconds = options.minutes * 60
    with clients:
        samples = live(server, clients, mischief, seconds, min(SETTLE_SECONDS, seconds / 2))
    alive = server.process.poll() is None
    if alive:
        wait_for(lambda: server.metric("equinox_connections") == 0, 30, "the last connection to be gone")
    slope = slope_per_hour(samples) / (1 << 20)
    left = server.descriptors() - baseline if alive else None
    result = {"minutes": options.minutes, "seed": options.seed, "answered": clients.answered, "lost": len(clients.lost), "mischief": mischief.done,
              "memory_mb": round(samples[-1][1] / (1 << 20), 2) if samples else None, "memory_slope_mb_per_hour": round(slope, 2),
              "samples": len(samples), "descriptors_leaked": left, "alive": alive}
    print("\n" + json.dumps(result))
    for problem in clients.lost[:10]:
        print(f"lost: {problem}")
    return not alive or bool(clients.lost) or slope >= SLOPE_MB_PER_HOUR or left > 2


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--minutes", type=float, default=30)
    parser.add_argument("--seed", type=int, default=int(time.time()))
    options = parser.parse_args()
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    with tempfile.TemporaryDirectory(prefix="equinox-soak-") as name:
        folder = Path(name)
        with Server(folder, configuration(folder), expect=("http", "https", "ops", "admin")) as server:
            return 1 if soak(server, options) else 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except subprocess.SubprocessError as problem:
        sys.exit(f"soak: {problem}")
