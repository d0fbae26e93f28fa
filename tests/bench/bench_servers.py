"""The servers that are compared: each writes its configuration, starts on CPU 0 with one worker, and says where it is."""

import json
import os
import shutil
import signal
import socket
import subprocess
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
BUILD = Path(os.environ.get("EQUINOX_BENCH_BUILD") or ROOT / "build/release")
PLAIN = ROOT / "build/bench-nolto/equinox"  # of which instructions are counted
HELLO = '{"status":"ok"}'

_CPUS = sorted(os.sched_getaffinity(0))
SERVER_CPU = ("taskset", "-c", str(_CPUS[0]))
GENERATOR_CPU = ("taskset", "-c", str(_CPUS[min(1, len(_CPUS) - 1)]))  # instructions can be counted with one CPU, too


def program(name):
    """A program of this project's build."""
    found = next((p for p in (BUILD / name, BUILD / "tests/bench" / name) if p.exists()), None)
    return str(found) if found else None


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Peer:
    """One server with up to three listeners: http (HTTP/1.1), h2c, https (both by ALPN)."""

    name = ""
    binary = ""
    ports_wanted = ("http", "h2c", "https")

    def __init__(self, work, extra=None):
        self.work = Path(work) / self.name
        self.work.mkdir(parents=True, exist_ok=True)
        self.site, self.certificate, self.key = Path(work) / "site", Path(work) / "tls.crt", Path(work) / "tls.key"
        self.ports = {kind: free_port() for kind in self.ports_wanted}
        self.extra = extra or {}
        self.process = None

    def available(self):
        return shutil.which(self.binary, path=f"{os.environ['PATH']}:/usr/sbin:/sbin")

    def command(self):
        raise NotImplementedError

    def start(self, wrapper=SERVER_CPU, patience=10):
        log = open(self.work / "log", "wb")
        self.process = subprocess.Popen([*wrapper, *map(str, self.command())], stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                                        start_new_session=True, env={**os.environ, **self.environment()}, cwd=self.work)
        log.close()
        for port in self.ports.values():
            self.await_port(port, patience)
        return self

    def await_port(self, port, patience):
        end = time.monotonic() + patience
        while time.monotonic() < end:
            if self.process.poll() is not None:
                break
            try:
                socket.create_connection(("127.0.0.1", port), timeout=1).close()
                return
            except OSError:
                time.sleep(0.02)
        raise RuntimeError(f"{self.name} does not listen on {port}: {(self.work / 'log').read_text(errors='replace')[-400:]}")

    def environment(self):
        return {}

    def pids(self):
        """The process and its descendants."""
        children = {}
        for entry in Path("/proc").iterdir():
            if entry.name.isdigit():
                try:
                    parent = int((entry / "stat").read_text().rsplit(")", 1)[1].split()[1])
                except (FileNotFoundError, ProcessLookupError):
                    continue
                children.setdefault(parent, []).append(int(entry.name))
        found, queue = [], [self.process.pid]
        while queue:
            pid = queue.pop()
            found.append(pid)
            queue += children.get(pid, [])
        return found

    def cpu_seconds(self):
        total = 0
        for pid in self.pids():
            try:
                for task in Path(f"/proc/{pid}/task").iterdir():
                    total += int((task / "schedstat").read_text().split()[0])
            except (FileNotFoundError, ProcessLookupError):
                continue
        return total / 1e9

    def rss_bytes(self):
        page = os.sysconf("SC_PAGE_SIZE")
        total = 0
        for pid in self.pids():
            try:
                total += int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * page
            except (FileNotFoundError, ProcessLookupError):
                continue
        return total

    def stop(self):
        if self.process and self.process.poll() is None:
            os.killpg(self.process.pid, signal.SIGTERM)  # the session that start() made: this server and its workers only
            try:
                self.process.wait(1)
            except subprocess.TimeoutExpired:
                os.killpg(self.process.pid, signal.SIGKILL)
                self.process.wait()


class Equinox(Peer):
    name = "equinox"

    def __init__(self, work, extra=None):
        super().__init__(work, extra)
        self.ports["h2c"] = self.ports["http"]
        self.ops, self.admin = free_port(), free_port()

    def available(self):
        return self.extra.get("binary") or program("equinox")

    def command(self):
        config = {
            "listeners": [
                {"name": "http", "address": f"127.0.0.1:{self.ports['http']}", "h2c": "on",
                 **({"defer_accept": "1s"} if self.extra.get("defer_accept") else {})},
                {"name": "https", "address": f"127.0.0.1:{self.ports['https']}",
                 "tls": {"certificates": [{"name": "main", "certificate": str(self.certificate), "key": str(self.key)}]}}],
            "ops": {"address": f"127.0.0.1:{self.ops}"},
            "admin": {"address": f"127.0.0.1:{self.admin}"},
            "routes": [{"path": "/hello", "respond": {"code": 200, "content_type": "application/json", "body": HELLO}},
                       {"path": "/*", "static": {"root": str(self.site), "index": ["index.html"]}}],
            "timeouts": {"idle": "600s"},
            "limits": {"connections": 18000},
            "reactors": self.extra.get("reactors", 1)}
        file = self.work / "equinox.json"
        file.write_text(json.dumps(config, indent=1))
        return [self.available(), "serve", "--config", file, "--log-level", "warn"]


class OneReactor(Equinox):
    """What two reactors are compared with."""

    name = "one_reactor"


class ObserveServer(Peer):
    """A server on the library, with samples, timeline and slow log or without; the configuration file has no key for that."""

    name = "observe_server"
    ports_wanted = ("http",)

    def available(self):
        return program("observe_server")

    def command(self):
        return [self.available(), self.ports["http"], self.extra.get("observe", "on")]


class Raw(Peer):
    name = "raw"
    ports_wanted = ("http",)

    def available(self):
        return program("raw_server")

    def command(self):
        arguments = [self.available(), str(self.ports["http"])]
        if self.extra.get("tls"):
            arguments += ["--tls", self.certificate, self.key]
        if self.extra.get("file"):
            arguments += ["--file", self.site / self.extra["file"]]
        return arguments + (["--close"] if self.extra.get("close") else [])


class Nginx(Peer):
    name = binary = "nginx"

    def command(self):
        tls = f"ssl_certificate {self.certificate}; ssl_certificate_key {self.key};"
        place = f"root {self.site}; location = /hello {{ default_type application/json; return 200 '{HELLO}'; }}"
        file = self.work / "nginx.conf"
        file.write_text(f"""
daemon off; pid {self.work}/pid; error_log {self.work}/error.log; worker_processes 1; worker_rlimit_nofile 20000;
events {{ worker_connections 18000; }}
http {{ access_log off; sendfile on; tcp_nopush on; open_file_cache max=100; keepalive_timeout 600s; keepalive_requests 1000000000;
 client_body_temp_path {self.work}/b; proxy_temp_path {self.work}/p; fastcgi_temp_path {self.work}/f; uwsgi_temp_path {self.work}/u;
 scgi_temp_path {self.work}/s; types {{ application/octet-stream bin; }} http2_max_concurrent_streams 128; reset_timedout_connection on;
 server {{ listen 127.0.0.1:{self.ports['http']} backlog=4096; {place} }}
 server {{ listen 127.0.0.1:{self.ports['h2c']} http2 backlog=4096; {place} }}
 server {{ listen 127.0.0.1:{self.ports['https']} ssl http2 backlog=4096; {tls} {place} }} }}
""")
        return [self.available(), "-e", self.work / "error.log", "-c", file, "-p", self.work]


class H2o(Peer):
    name = binary = "h2o"

    def command(self):
        file = self.work / "h2o.conf"
        file.write_text(f"""
num-threads: 1
max-connections: 18000
http1-request-timeout: 600
http2-idle-timeout: 600
error-log: {self.work}/error.log
listen: {{ host: 127.0.0.1, port: {self.ports['http']} }}
listen: {{ host: 127.0.0.1, port: {self.ports['h2c']} }}
listen: {{ host: 127.0.0.1, port: {self.ports['https']}, ssl: {{ certificate-file: {self.certificate}, key-file: {self.key}, neverbleed: OFF }} }}
hosts:
  default:
    paths:
      "/": {{ file.dir: {self.site}, file.mime.setdefaulttype: application/json }}
""")
        return [self.available(), "-m", "worker", "-c", file]


class Lighttpd(Peer):
    name = binary = "lighttpd"
    ports_wanted = ("http",)

    def __init__(self, work, extra=None):
        super().__init__(work, extra)
        self.ports["h2c"] = self.ports["http"]

    def command(self):
        file = self.work / "lighttpd.conf"
        file.write_text(f"""
server.document-root = "{self.site}"
server.bind = "127.0.0.1"
server.port = {self.ports['http']}
server.max-connections = 18000
server.max-fds = 20000
server.max-keep-alive-requests = 1000000000
server.max-keep-alive-idle = 600
server.listen-backlog = 4096
server.feature-flags = ( "server.h2c" => "enable" )
mimetype.assign = ( "" => "application/json" )
""")
        return [self.available(), "-D", "-f", file]


class Haproxy(Peer):
    name = binary = "haproxy"
    ports_wanted = ("http", "h2c")

    def command(self):
        file = self.work / "haproxy.cfg"
        answer = "http-request return status 200 content-type application/json string '{\"status\":\"ok\"}'"
        file.write_text(f"""
global
  nbthread 1
  maxconn 9000
defaults
  mode http
  timeout client 600s
  timeout http-keep-alive 600s
  timeout connect 5s
  timeout server 5s
frontend f
  bind 127.0.0.1:{self.ports['http']}
  bind 127.0.0.1:{self.ports['h2c']} proto h2
  {answer}
""")
        return [self.available(), "-db", "-f", file]


class Caddy(Peer):
    name = binary = "caddy"
    ports_wanted = ("http",)

    def __init__(self, work, extra=None):
        super().__init__(work, extra)
        self.ports["h2c"] = self.ports["http"]

    def environment(self):
        return {"GOMAXPROCS": "1", "HOME": str(self.work), "XDG_DATA_HOME": str(self.work), "XDG_CONFIG_HOME": str(self.work)}

    def command(self):
        file = self.work / "Caddyfile"
        file.write_text(f"""{{
  admin off
  auto_https off
  servers {{
    protocols h1 h2 h2c
  }}
}}
http://127.0.0.1:{self.ports['http']} {{
  header Content-Type application/json
  respond /hello `{HELLO}`
  root * {self.site}
  file_server
}}
""")
        return [self.available(), "run", "--adapter", "caddyfile", "--config", file]


class Nghttpd(Peer):
    name = binary = "nghttpd"
    ports_wanted = ("h2c",)

    def command(self):
        return [self.available(), "--no-tls", "-n1", "-a", "127.0.0.1", "-d", self.site, "-m", "128", self.ports["h2c"]]


PEERS = {p.name: p for p in (Equinox, Raw, Nginx, H2o, Lighttpd, Haproxy, Caddy, Nghttpd, OneReactor)}
