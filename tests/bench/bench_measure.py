"""Generators and meters. The generator runs on CPU 1; the main figure is CPU microseconds of the server per request."""

import json
import re
import shutil
import subprocess
import time
from pathlib import Path

from bench_servers import GENERATOR_CPU, SERVER_CPU, program


class Failed(Exception):
    """A measurement that cannot be had; its text goes into the table."""


def tool(name):
    found = shutil.which(name)
    if not found:
        raise Failed(f"{name} is not installed")
    return found


def run(command, timeout=180):
    done = subprocess.run([*GENERATOR_CPU, *map(str, command)], capture_output=True, text=True, stdin=subprocess.DEVNULL, timeout=timeout,
                          check=False)
    if done.returncode != 0:
        raise Failed((done.stderr or done.stdout)[-200:].strip())
    return done.stdout


def bench_load(mode, port, **options):
    words = [program("bench_load"), mode, port]
    for key, value in options.items():
        if value is True:
            words.append(f"--{key}")
        elif value not in (None, False):
            words += [f"--{key}", value]
    result = json.loads(run(words))
    if result["failed"] > result["requests"] * 0.001:
        raise Failed(f"{result['failed']} of {result['requests']} requests failed")
    return result


def h2load(url, clients, streams, seconds=None, requests=None, h1=False):
    words = [tool("h2load"), "-t1", f"-c{clients}", f"-m{streams}", "--connection-window-bits=24", "--window-bits=20"]
    words += ["--h1"] if h1 else []
    words += ["-D", str(seconds), "--warm-up-time=0"] if seconds else ["-n", str(requests)]
    text = run([*words, url])
    counts = re.search(r"requests: (\d+) total.*?(\d+) done, (\d+) succeeded, (\d+) failed", text)
    if not counts or int(counts[3]) == 0:
        raise Failed(f"h2load: {text[-200:].strip()}")
    if int(counts[4]) > int(counts[2]) * 0.001:
        raise Failed(f"{counts[4]} of {counts[2]} requests failed")
    spent = re.search(r"finished in ([\d.]+)(us|ms|s)", text)
    scale = {"us": 1e-6, "ms": 1e-3, "s": 1.0}[spent[2]]
    return {"requests": int(counts[3]), "failed": int(counts[4]), "seconds": float(spent[1]) * scale}


def cpu_per_request(peer, generate):
    """Runs generate() → result and adds the server's CPU microseconds per finished request."""
    before, started = peer.cpu_seconds(), time.monotonic()
    result = generate()
    spent = peer.cpu_seconds() - before
    result["cpu_us"] = spent * 1e6 / max(1, result["requests"])
    result["busy"] = spent / (time.monotonic() - started)
    result["rate"] = result["requests"] / max(1e-9, result["seconds"])
    return result


class Held:
    """Idle connections, held by a process of their own until released."""

    def __init__(self, port, count, timeout=120, **options):
        words = [program("bench_load"), "idle", str(port), "--connections", str(count)]
        words += [f"--{key}" for key, value in options.items() if value]
        self.process = subprocess.Popen([*GENERATOR_CPU, *words], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        line = self.process.stdout.readline()
        if not line:
            raise Failed("the idle holder ended early")
        told = json.loads(line)
        self.count = told["ready"]
        if told["failed"] or not self.count:
            self.release()
            raise Failed(f"{told['failed']} of {count} idle connections were not answered")

    def release(self):
        """Closes them; how many the server had closed before."""
        out, _ = self.process.communicate(timeout=60)
        return json.loads(out.splitlines()[-1])["lost"] if out.strip() else 0


def settled_rss(peer):
    """Resident bytes once they stand still."""
    last = peer.rss_bytes()
    for _ in range(20):
        time.sleep(0.1)
        now = peer.rss_bytes()
        if abs(now - last) < 8192:
            return now
        last = now
    return last


def instructions(peer, generate):
    """User-space instructions of the serving thread per request under callgrind: zeroed after warm-up, dumped after the requests.

    The other threads are left out: what they do once a second would count by how long the run takes, not by requests.
    """
    control = tool("callgrind_control")
    pid = str(peer.process.pid)
    generate(2000)

    def command(flag):
        subprocess.run([control, flag, pid], capture_output=True, timeout=60, check=True)

    command("--zero")
    count = generate(20000)
    for old in Path(peer.work).glob("callgrind.out*"):
        old.unlink()
    command("--dump")
    total = 0
    for dump in Path(peer.work).glob("callgrind.out*"):  # one for each thread
        found = re.search(r"^(?:summary|totals): (\d+)", dump.read_text(errors="replace"), re.MULTILINE)
        if found:
            total = max(total, int(found[1]))
    if not total:
        raise Failed("callgrind left no totals")
    return total / count


def callgrind_wrapper(work):
    return (*SERVER_CPU, tool("valgrind"), "--tool=callgrind", "--separate-threads=yes", f"--callgrind-out-file={work}/callgrind.out",
            "-q")
