"""Mixed good and bad clients for a while; memory must not climb and no descriptor may leak. ./dev soak --minutes N"""

import argparse
import json
import random
import subprocess
import sys
import tempfile
import time
from pathlib import Path

sys.path[:0] = [str(Path(__file__).resolve().parents[2] / "e2e"), str(Path(__file__).resolve().parent)]

from support.frames import Attacker, request, reset  # noqa: E402
from support.clients import Clients, Http1Client, Http2Client  # noqa: E402
from support.server import Server  # noqa: E402
from support.tls import make_certificate  # noqa: E402
from test_storm import slam  # noqa: E402

SETTLE_SECONDS = 300
BAD = [b"", b"GET /hel", b"GET /hello HTTP/1.1\r\nHost: a\r\nX : y\r\n\r\n", b"\0\1\2\3\r\n\r\n", b"GET /" + b"a" * 20000,
       b"POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\nxxxxxxxxxxxx"]


def configuration(folder):
    certificate, key = make_certificate(folder)
    (folder / "site").mkdir()
    (folder / "site" / "file.bin").write_bytes(b"x" * 200_000)
    return {"listeners": [{"name": "http", "address": "127.0.0.1:0"},
                          {"name": "https", "address": "127.0.0.1:0", "tls": {"certificates": [{"certificate": str(certificate), "key": str(key)}]}}],
            "ops": {"address": "127.0.0.1:0"}, "admin": {"address": "127.0.0.1:0"}, "rings": {"closed": 1000, "events": 1000},
            "timeouts": {"idle": "5s", "header": "2s", "body": "2s", "write": "2s"},
            "routes": [{"path": "/hello", "respond": {"body": "ok"}}, {"path": "/echo", "echo": {}},
                       {"path": "/*", "static": {"root": str(folder / "site")}}]}


def misbehave(server, dice):
    kind = dice.randrange(len(BAD) + 1)
    try:
        if kind == len(BAD):
            attacker = Attacker(server)
            for stream in range(1, 400, 2):
                if not attacker.send(request(stream) + reset(stream)):
                    break
            attacker.close()
            return
        peer = server.connect(timeout=2)
        peer.sendall(BAD[kind])
        slam(peer) if dice.random() < 0.5 else peer.close()
    except OSError:
        pass


def slope_per_hour(samples):
    """Least squares, bytes per hour."""
    count = len(samples)
    if count < 3:
        return 0.0
    mean_t, mean_b = (sum(s[i] for s in samples) / count for i in (0, 1))
    spread = sum((t - mean_t) ** 2 for t, _ in samples)
    return sum((t - mean_t) * (b - mean_b) for t, b in samples) / spread * 3600


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--minutes", type=float, default=30)
    parser.add_argument("--seed", type=int, default=int(time.time()))
    options = parser.parse_args()
    dice = random.Random(options.seed)
    settle = min(SETTLE_SECONDS, options.minutes * 60 / 2)
    with tempfile.TemporaryDirectory(prefix="equinox-soak-") as name:
        folder = Path(name)
        with Server(folder, configuration(folder), expect=("http", "https", "ops", "admin")) as server:
            clients = Clients(*(Http1Client(server.address(), pause=0.01) for _ in range(6)),
                              *(Http1Client(server.address(), "/file.bin", pause=0.05) for _ in range(2)),
                              *(Http2Client(server.address(), pause=0.01) for _ in range(3)))
            began, samples, next_sample, descriptors = time.monotonic(), [], 0.0, None
            with clients:
                while (now := time.monotonic() - began) < options.minutes * 60:
                    misbehave(server, dice)
                    if now >= next_sample:
                        next_sample = now + 5
                        if now >= settle:
                            samples.append((now, server.rss_bytes()))
                            descriptors = descriptors or server.descriptors()
                        print(f"\r{now:6.0f} s  {clients.answered} answered  {server.rss_bytes() >> 10} KiB  {server.descriptors()} descriptors",
                              end="", file=sys.stderr, flush=True)
                    time.sleep(0.02)
            left = server.descriptors()
            slope = slope_per_hour(samples)
            result = {"minutes": options.minutes, "seed": options.seed, "answered": clients.answered, "lost": len(clients.lost),
                      "memory_slope_bytes_per_hour": round(slope), "descriptors": left, "alive": server.process.poll() is None}
            print("\n" + json.dumps(result))
            for problem in clients.lost[:10]:
                print(f"lost: {problem}")
            failed = clients.lost or slope > (1 << 20) or not result["alive"] or left > (descriptors or left) + 5
    return 1 if failed else 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except subprocess.SubprocessError as problem:
        sys.exit(f"soak: {problem}")
