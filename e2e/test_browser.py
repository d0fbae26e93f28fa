"""Chromium loads the static site over TLS and HTTP/2: page, style sheet and script, from one connection, without a complaint."""

import json
import socket
import subprocess

import pytest


@pytest.fixture
def chromium(tool, tmp_path):
    program = tool("chromium")

    def load(url, *arguments):
        log = tmp_path / "net.json"
        done = subprocess.run(
            [program, "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--ignore-certificate-errors",
             "--disable-background-networking", "--disable-component-update", "--no-first-run", "--host-resolver-rules=MAP localhost 127.0.0.1",
             f"--user-data-dir={tmp_path / 'profile'}", f"--log-net-log={log}", "--virtual-time-budget=5000", *arguments, "--dump-dom", url],
            capture_output=True, text=True, stdin=subprocess.DEVNULL, timeout=90, check=False)
        assert done.returncode == 0, done.stderr[-2000:]
        text = log.read_text()
        try:
            events = json.loads(text)
        except ValueError:
            events = json.loads(text.rstrip().rstrip(",") + "]}")
        return done.stdout, events

    return load


def event_names(log):
    names = {number: name for name, number in log["constants"]["logEventTypes"].items()}
    return [(names[e["type"]], e.get("params", {})) for e in log["events"]]


def test_chromium_loads_the_site_over_http2_and_tls(chromium, server):
    page, log = chromium(server.url("/", "https"))
    assert '<h1 id="title">loaded</h1>' in page, "the script ran"
    events = event_names(log)
    sessions = [p for n, p in events if n == "HTTP2_SESSION" and p.get("host", "").startswith(("127.0.0.1", "localhost"))]
    assert len(sessions) >= 1, "an HTTP/2 session"
    requested = json.dumps([p for n, p in events if n == "HTTP2_SESSION_SEND_HEADERS"])
    for path in ("/style.css", "/app.js"):
        assert f":path: {path}" in requested
    assert not [p for n, p in events if n == "HTTP2_SESSION_RECV_RST_STREAM"]


def test_chromium_loads_the_site_over_http1(chromium, server):
    page, _ = chromium(server.url("/"))
    assert '<h1 id="title">loaded</h1>' in page


def test_the_welcome_page_needs_no_configuration_and_leads_to_the_dashboard(chromium, start):
    with socket.socket() as probe:  # a dashboard on port 0 has no address to link to
        probe.bind(("127.0.0.1", 0))
        admin = "%s:%d" % probe.getsockname()
    server = start(config={"listeners": [{"name": "http", "address": "127.0.0.1:0"}], "ops": {"address": "127.0.0.1:0"},
                           "admin": {"address": admin}}, expect=("http", "ops", "admin"))
    page, _ = chromium(server.url("/"))
    assert "Equinox" in page
    assert f"http://{admin}/admin/" in page
