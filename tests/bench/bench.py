"""Side by side in one run: Equinox, the raw ceiling and the servers Debian has. Use ./dev bench.

    bench.py [--quick] [--only P1,P9] [--rounds 3] [--seconds 2] [--markdown FILE]

The server has one reactor on CPU 0, the generator is on CPU 1, rounds are interleaved, the median counts. The main figure is the
server's CPU microseconds per finished request; requests per second measure the generator and are shown only.
"""

import argparse
import json
import os
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path

import bench_servers
from bench_measure import Failed
from bench_report import judge, machine, markdown, print_variant, summarize
from bench_scenarios import SCENARIOS, WRAPPERS
from bench_servers import HELLO, PEERS, PLAIN, ROOT


@dataclass
class Settings:
    window: float
    rounds: int
    idle_connections: int
    idle_watch: float
    open_rate: int = 20000


def prepare_site(work):
    site = work / "site"
    site.mkdir()
    site.chmod(0o755)
    work.chmod(0o755)  # nginx and h2o drop their rights when started by root
    (site / "hello").write_text(HELLO)
    for name, size in (("1k.bin", 1 << 10), ("100k.bin", 100 << 10), ("10m.bin", 10 << 20)):
        (site / name).write_bytes(os.urandom(size))
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2", "-subj",
                    "/CN=localhost", "-keyout", str(work / "tls.key"), "-out", str(work / "tls.crt")], check=True, capture_output=True)
    (work / "tls.key").chmod(0o644)


def start_peers(variant, work, names, notes):
    peers = {}
    for name in names:
        extra = dict(variant.extra.get(name, {}))
        if name == "equinox" and variant.wrapper == "callgrind":
            if PLAIN.exists():
                extra["binary"] = str(PLAIN)
        for attempt in (1, 2, 3):
            peer = extra.get("made_by", PEERS[name])(work, extra)
            if not peer.available():
                notes.append(f"{name}: not installed")
                break
            try:
                peer.start(WRAPPERS[variant.wrapper](peer.work), patience=180 if variant.wrapper == "callgrind" else 10)
                peers[name] = peer
                break
            except (RuntimeError, Failed) as problem:
                peer.stop()
                # A port that was free may have been taken meanwhile.
                if attempt == 3 or "in use" not in str(problem):
                    notes.append(str(problem))
                    break
    return peers


def measure_variant(variant, settings, work, names):
    notes, samples = [], {}
    peers = start_peers(variant, work, names, notes)
    try:
        for _ in range(1 if variant.once else settings.rounds):
            for name, peer in peers.items():
                try:
                    figure = variant.measure(peer, settings)
                    samples.setdefault(name, []).append(figure)
                except (Failed, subprocess.SubprocessError, RuntimeError, OSError, ValueError) as problem:
                    notes.append(f"{name}: {problem}")
    finally:
        for peer in peers.values():
            peer.stop()
    return samples, notes


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--quick", action="store_true", help="a minute: one short round of the main scenarios")
    parser.add_argument("--only", default="", help="scenario ids, as P1,P9")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=2.0)
    parser.add_argument("--servers", default="", help="only these, as equinox,raw,nginx")
    parser.add_argument("--json", type=Path, default=None)
    parser.add_argument("--markdown", type=Path, default=None, help="the table once more, as docs/performance.md shows it")
    options = parser.parse_args()
    wanted = {w.strip().upper() for w in options.only.split(",") if w.strip()}
    settings = Settings(0.6, 1, 2000, 1.0) if options.quick else Settings(options.seconds, options.rounds, 10000, 4.0)
    chosen = [v for v in SCENARIOS if (v.id in wanted if wanted else (v.quick or not options.quick))]
    if not chosen:
        parser.error(f"--only: no scenario named so; there are {', '.join(dict.fromkeys(v.id for v in SCENARIOS))}")
    results = []
    with tempfile.TemporaryDirectory(prefix="equinox-bench-") as folder:
        work = Path(folder)
        prepare_site(work)
        for variant in chosen:
            names = variant.quick_peers if options.quick else variant.peers
            names = [n for n in variant.peers if n in names and (not options.servers or n in options.servers.split(","))]
            samples, notes = measure_variant(variant, settings, work, names)
            figures = {name: summarize(found) for name, found in samples.items()}
            verdicts = judge(variant, figures)
            print_variant(variant, figures, notes, verdicts)
            results.append({"id": variant.id, "title": variant.title, "unit": variant.unit, "figures": figures, "notes": notes,
                            "goals": [vars(verdict) for verdict in verdicts]})
    target = options.json or ROOT / "build/bench" / f"{'quick' if options.quick else 'full'}.json"
    target.parent.mkdir(parents=True, exist_ok=True)
    told = {"machine": machine(), "settings": vars(settings), "build": str(bench_servers.BUILD.name), "results": results}
    target.write_text(json.dumps(told, indent=1))
    if options.markdown:
        options.markdown.write_text(markdown(told))
    print(f"\nwritten: {os.path.relpath(target)}")


if __name__ == "__main__":
    main()
