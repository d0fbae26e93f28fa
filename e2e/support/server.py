"""Starts the server under test and knows where it listens, what it logged and what it costs."""

import json
import os
import re
import signal
import socket
import subprocess
import threading
import urllib.error
import urllib.request
from pathlib import Path

from .wait import wait_for

BINARY = Path(os.environ.get("EQUINOX_BINARY") or Path(__file__).resolve().parents[2] / "build/release/equinox")

# Sanitizer builds and loaded machines are slower; every limit of the tests may be stretched by one factor.
PATIENCE = float(os.environ.get("EQUINOX_PATIENCE", "1"))


def host_port(address):
    host, _, port = address.rpartition(":")
    return host.strip("[]"), int(port)


class Server:
    """One `equinox serve` process. Use as a context manager; it is always ended, by its own process id."""

    def __init__(self, folder, config=None, arguments=(), expect=("http", "ops", "admin"), environment=None, stdout=None,
                 start=True):
        self.folder = Path(folder)
        self.config_path = self.folder / "equinox.json"
        self.arguments = list(arguments)
        self.expect = set(expect)
        self.environment = {**os.environ, **(environment or {})}
        self.addresses = {}
        self.log = []
        self._lock = threading.Lock()
        self._stdout = stdout
        self.process = None
        if config is not None:
            self.write_config(config)
            self.arguments = ["--config", str(self.config_path), *self.arguments]
        if start:
            self.start()

    def write_config(self, config):
        temporary = self.config_path.with_suffix(".new")
        temporary.write_text(config if isinstance(config, str) else json.dumps(config, indent=1))
        temporary.replace(self.config_path)

    def start(self):
        self.process = subprocess.Popen(
            [str(BINARY), "serve", "--log-format", "json", *self.arguments],
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE if self._stdout is None else self._stdout,
            stderr=subprocess.STDOUT if self._stdout is None else subprocess.PIPE, env=self.environment, cwd=self.folder)
        self._log_pipe = self.process.stdout if self._stdout is None else self.process.stderr
        self._reader = threading.Thread(target=self._read_log, daemon=True)
        self._reader.start()
        wait_for(lambda: self.expect <= set(self.addresses) or self.process.poll() is not None, 15 * PATIENCE,
                 f"listeners {sorted(self.expect)}; so far {self.addresses}")
        if self.process.poll() is not None and not self.expect <= set(self.addresses):
            self._reader.join(2)
            raise AssertionError(f"the server ended with {self.process.returncode}: {self.log_text()}")

    def _read_log(self):
        for raw in self._log_pipe:
            line = raw.decode("utf-8", "replace").rstrip("\n")
            try:
                entry = json.loads(line)
            except ValueError:
                entry = {"message": line, "unparsed": True}
            with self._lock:
                self.log.append(entry)
            if entry.get("message") == "listening" and "name" in entry:
                self.addresses[entry["name"]] = entry["address"]

    # What it said

    def lines(self, **wanted):
        with self._lock:
            return [e for e in self.log if all(e.get(k) == v for k, v in wanted.items())]

    def log_text(self):
        with self._lock:
            return "\n".join(json.dumps(e) for e in self.log[-40:])

    # Where it is

    def address(self, name="http"):
        return host_port(self.addresses[name])

    def port(self, name="http"):
        return self.address(name)[1]

    def url(self, path="/", name="http", scheme=None):
        scheme = scheme or ("https" if name.startswith("https") else "http")
        return f"{scheme}://127.0.0.1:{self.port(name)}{path}"

    def connect(self, name="http", timeout=10.0):
        connection = socket.create_connection(self.address(name), timeout=timeout * PATIENCE)
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return connection

    # What it measures

    def get(self, path, name="ops", headers=None, timeout=10.0):
        request = urllib.request.Request(self.url(path, name), headers=headers or {})
        try:
            with urllib.request.urlopen(request, timeout=timeout * PATIENCE) as answer:
                return answer.status, answer.read().decode()
        except urllib.error.HTTPError as refused:
            return refused.code, refused.read().decode()

    def metrics(self):
        """{'name{labels}': value} of one scrape."""
        _, text = self.get("/metrics")
        found = {}
        for line in text.splitlines():
            if line and not line.startswith("#"):
                key, _, value = line.rpartition(" ")
                found[key] = float(value)
        return found

    def metric(self, name, **labels):
        """The sum of the series of `name` that carry these labels."""
        total = 0.0
        for key, value in self.metrics().items():
            if key == name or key.startswith(name + "{"):
                told = dict(re.findall(r'(\w+)="((?:[^"\\]|\\.)*)"', key))
                if all(told.get(k) == v for k, v in labels.items()):
                    total += value
        return total

    def admin(self, path):
        status, text = self.get("/admin/api/v1" + path, name="admin")
        assert status == 200, f"{path}: {status} {text[:300]}"
        return json.loads(text)

    def rss_bytes(self):
        pages = int(Path(f"/proc/{self.process.pid}/statm").read_text().split()[1])
        return pages * os.sysconf("SC_PAGE_SIZE")

    def descriptors(self):
        return len(os.listdir(f"/proc/{self.process.pid}/fd"))

    def cpu_seconds(self):
        total = 0
        for task in Path(f"/proc/{self.process.pid}/task").iterdir():
            try:
                total += int((task / "schedstat").read_text().split()[0])
            except FileNotFoundError:
                pass
        return total / 1e9

    # How it ends

    def signal(self, number):
        self.process.send_signal(number)

    def wait(self, timeout=40.0):
        return self.process.wait(timeout * PATIENCE)

    def stop(self):
        if self.process is None:
            return None
        if self.process.poll() is None:
            self.signal(signal.SIGQUIT)
            try:
                self.process.wait(5 * PATIENCE)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
        self._reader.join(5)
        self._log_pipe.close()
        return self.process.returncode

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stop()


def run_equinox(*arguments, timeout=20, **options):
    return subprocess.run([str(BINARY), *map(str, arguments)], capture_output=True, text=True, stdin=subprocess.DEVNULL,
                          timeout=timeout * PATIENCE, check=False, **options)
