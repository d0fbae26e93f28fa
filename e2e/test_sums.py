"""Sums that must hold, as a real Prometheus sees them: it scrapes every second while wrk and h2load run."""

import json
import re
import signal
import subprocess
import urllib.error
import urllib.parse
import urllib.request

import pytest
from support.server import host_port
from support.wait import wait_for

LOAD_SECONDS = 6
# One scrape reads cell after cell while the reactors count on: what moves meanwhile may be seen on one side only. Those
# are the connections and requests under way, and those served before a scrape that lost its CPU went on: never more than
# the server served in the time Prometheus says the scrape took. That no difference grows is checked at rest, exactly.
MOVING = 128


class Prometheus:
    def __init__(self, program, folder, target):
        self.config = folder / "prometheus.yml"
        self.config.write_text(json.dumps({
            "global": {"scrape_interval": "1s", "scrape_timeout": "1s"},
            "scrape_configs": [{"job_name": "equinox", "static_configs": [{"targets": [target]}]}]}))
        self.log = open(folder / "prometheus.log", "wb+")  # noqa: SIM115 - closed with the process
        self.process = subprocess.Popen(
            [program, f"--config.file={self.config}", f"--storage.tsdb.path={folder / 'data'}", "--web.listen-address=127.0.0.1:0",
             "--enable-feature=exemplar-storage"], stdin=subprocess.DEVNULL, stdout=self.log, stderr=subprocess.STDOUT)
        self.address = wait_for(self.said_address, 20, "Prometheus to listen")
        wait_for(self.is_ready, 20, "Prometheus to be ready")

    def said_address(self):
        self.log.seek(0)
        found = re.search(rb'msg="Listening on" address=(\S+)', self.log.read())
        return found and found[1].decode()

    def is_ready(self):
        try:
            with urllib.request.urlopen(f"http://{self.address}/-/ready", timeout=10) as answer:
                return answer.status == 200
        except urllib.error.HTTPError:
            return False

    def query(self, expression):
        url = f"http://{self.address}/api/v1/query?" + urllib.parse.urlencode({"query": expression})
        with urllib.request.urlopen(url, timeout=10) as answer:
            return json.load(answer)["data"]["result"]

    def value(self, expression):
        found = self.query(expression)
        assert len(found) == 1, f"{expression}: {found}"
        return float(found[0]["value"][1])

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        self.process.wait(20)
        self.log.close()


@pytest.fixture
def prometheus(tool, tmp_path):
    running = []

    def begin(server):
        running.append(Prometheus(tool("prometheus"), tmp_path, "%s:%d" % host_port(server.addresses["ops"])))
        return running[-1]

    yield begin
    for each in running:
        each.stop()


def load(*command):
    return subprocess.Popen([str(word) for word in command], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)


# name: (two sums that must be the same)
SUMS = {
    "accepted = open + closed": ("sum(equinox_connections_accepted_total)",
                                 "sum(equinox_connections) + sum(equinox_connections_closed_total)"),
    "closed = lifetimes recorded": ("sum(equinox_connections_closed_total)", "sum(equinox_connection_duration_seconds_count)"),
    "by state = by reactor": ("sum(equinox_connections)", "sum(equinox_reactor_connections)"),
    "requests timed = requests given their phases": ("sum(http_server_request_duration_seconds_count)",
                                                     'sum(equinox_http_phase_seconds_count{phase="handler"})'),
    "a histogram's last bucket is its count": ('sum(http_server_request_duration_seconds_bucket{le="+Inf"})',
                                               "sum(http_server_request_duration_seconds_count)"),
}


def test_sums_hold_during_and_after_a_mixed_run(start, tool, prometheus):
    server = start()
    database = prometheus(server)
    wait_for(lambda: database.query("up == 1"), 20, "the first scrape")
    runs = [load(tool("wrk"), "-t1", "-c32", f"-d{LOAD_SECONDS}s", server.url("/hello")),
            load(tool("h2load"), "-D", LOAD_SECONDS, "-c8", "-m16", server.url("/hello")),
            load(tool("h2load"), "-D", LOAD_SECONDS, "-c8", "-m16", server.url("/1k.bin", "https"))]
    said = [run.communicate(timeout=60)[0] for run in runs]
    assert all(run.returncode == 0 for run in runs), said
    wait_for(lambda: server.metric("equinox_connections") == 0, 10, "the clients to be gone")

    # Every scrape of the run, each looked at alone.
    scrapes = wait_for(lambda: database.query(f"up[{LOAD_SECONDS}s]"), 10, "scrapes")[0]["values"]
    assert len(scrapes) >= LOAD_SECONDS - 2
    assert all(value == "1" for _, value in scrapes)
    span = f"[{LOAD_SECONDS + 2}s:1s]"
    longest = database.value(f"max_over_time(scrape_duration_seconds{span})")
    fastest = database.value(f"max_over_time(sum(rate(http_server_request_duration_seconds_count[3s])){span})")
    bound = MOVING + fastest * longest
    for name, (left, right) in SUMS.items():
        worst = database.value(f"max_over_time(abs({left} - ({right})){span})")
        assert worst <= bound, f"{name}: {worst} apart during the run, {fastest}/s in scrapes of at most {longest} s"

    # At rest they are equal, to the last one, and are what the clients counted.
    wait_for(lambda: database.value("sum(equinox_connections)") == 0, 10, "a scrape at rest")
    for name, (left, right) in SUMS.items():
        assert database.value(f"abs({left} - ({right}))") == 0, name
    assert database.value("sum(http_server_active_requests)") == 0
    by_wrk = int(re.search(r"(\d+) requests in", said[0])[1])
    by_h2load = sum(int(re.search(r"(\d+) succeeded", text)[1]) for text in said[1:])
    counted = database.value('sum(http_server_request_duration_seconds_count{error_type=""})')
    assert counted >= by_wrk + by_h2load
    # What was under way when a generator stopped is counted here and not there.
    assert counted + database.value('sum(http_server_request_duration_seconds_count{error_type!=""} or vector(0))') <= \
        by_wrk + by_h2load + 32 + 2 * 8 * 16
