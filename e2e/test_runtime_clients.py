"""The HTTP clients that come with Node.js and Go, each with an HTTP/1 and an HTTP/2 of its own: uploads, 100-continue, trailers, many
requests at once, downloads that are given up. Nothing of it is the server's to refuse or to end."""

import json
import re
import subprocess
from pathlib import Path

import pytest
from support.server import PATIENCE
from support.wait import wait_for

CLIENTS = Path(__file__).resolve().parent / "clients"


def talk(server, *command):
    done = subprocess.run([*command, server.url("", "http"), server.url("", "https")], capture_output=True, text=True,
                          stdin=subprocess.DEVNULL, timeout=180 * PATIENCE, check=False)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def check_that_no_client_was_wrong(server):
    wait_for(lambda: server.metric("http_server_active_requests") == 0, what="no request open")
    assert server.metric("equinox_connections_closed_total", initiator="client") > 0
    assert server.metric("equinox_connections_closed_total", initiator="server") == 0
    assert server.metric("equinox_http_rejected_requests_total") == 0


def test_node(start, tool):
    server = start()
    seen = talk(server, tool("node"), "--no-warnings", str(CLIENTS / "node_client.mjs"))
    assert len(seen) == 16 and set(seen.values()) == {True}, seen
    check_that_no_client_was_wrong(server)


def test_go(start, tool, tmp_path):
    program = tool("go")
    version = re.search(r"go(\d+)\.(\d+)", subprocess.run([program, "version"], capture_output=True, text=True, check=True).stdout)
    if not version or (int(version[1]), int(version[2])) < (1, 26):
        pytest.skip("no Go 1.26 or newer")
    subprocess.run([program, "build", "-o", str(tmp_path / "client"), str(CLIENTS / "go_client.go")], check=True,
                   stdin=subprocess.DEVNULL, timeout=180 * PATIENCE)
    server = start()
    seen = talk(server, str(tmp_path / "client"))
    versions = {name: value for name, value in seen.items() if name.endswith("version")}
    assert versions == {"http/1.1 version": "HTTP/1.1", "h2c version": "HTTP/2.0", "http/1.1 over TLS version": "HTTP/1.1",
                        "h2 version": "HTTP/2.0"}
    others = {name: value for name, value in seen.items() if name not in versions}
    assert len(others) == 24 and set(others.values()) == {True}, others
    check_that_no_client_was_wrong(server)
