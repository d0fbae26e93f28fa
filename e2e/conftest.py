"""Fixtures: a certificate and a small site for the run, servers that are always ended, tools that are skipped by name."""

import os
import shutil
import sys
import time
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parent))

from support.server import BINARY, Server  # noqa: E402
from support.tls import make_certificate  # noqa: E402


def pytest_configure(config):
    if not BINARY.exists():
        pytest.exit(f"no server to test at {BINARY}: run ./dev build, or set EQUINOX_BINARY", returncode=3)


@pytest.fixture(scope="session")
def certificate(tmp_path_factory):
    return make_certificate(tmp_path_factory.mktemp("certificate"))


@pytest.fixture(scope="session")
def site(tmp_path_factory):
    return make_site(tmp_path_factory.mktemp("site"))


def make_site(root):
    """A static site: a page that loads a script and a style sheet, and files of known sizes."""
    (root / "index.html").write_text(
        '<!doctype html><html lang="en"><head><meta charset="utf-8"><title>Equinox test site</title>'
        '<link rel="stylesheet" href="/style.css"><link rel="icon" href="data:,"></head>'
        '<body><h1 id="title">waiting</h1><script src="/app.js"></script></body></html>\n')
    (root / "style.css").write_text("h1 { color: rgb(1, 2, 3); }\n")
    (root / "app.js").write_text('document.getElementById("title").textContent = "loaded";\n')
    (root / "1k.bin").write_bytes(os.urandom(1024))
    # A file has no Last-Modified in the second of its change: what is asked at once and later must get one answer.
    an_hour_ago = time.time() - 3600
    os.utime(root / "1k.bin", (an_hour_ago, an_hour_ago))
    (root / "100k.bin").write_bytes(os.urandom(100 * 1024))
    (root / "32m.bin").write_bytes(os.urandom(1 << 20) * 32)
    return root


def standard_config(certificate, site, **changes):
    config = {
        "listeners": [
            {"name": "http", "address": "127.0.0.1:0", "h2c": "on"},
            {"name": "https", "address": "127.0.0.1:0",
             "tls": {"certificates": [{"name": "main", "certificate": str(certificate[0]), "key": str(certificate[1])}]}},
        ],
        "ops": {"address": "127.0.0.1:0"},
        "admin": {"address": "127.0.0.1:0"},
        "routes": [
            {"path": "/hello", "respond": {"code": 200, "content_type": "application/json", "body": '{"status":"ok"}'}},
            {"path": "/echo", "echo": {}},
            {"path": "/echo/*", "echo": {}},
            {"path": "/api/status", "status": {}},
            {"path": "/old/*", "redirect": {"to": "/new/{rest}", "code": 308}},
            {"path": "/*", "static": {"root": str(site), "index": ["index.html"]}},
        ],
    }
    config.update(changes)
    return config


@pytest.fixture(scope="session")
def make_config(certificate, site):
    return lambda **changes: standard_config(certificate, site, **changes)


@pytest.fixture
def start(tmp_path, make_config):
    """start(**config changes) → a running server; all are ended after the test."""
    running = []

    def begin(config=None, arguments=(), expect=("http", "https", "ops", "admin"), environment=None, stdout=None, **changes):
        folder = tmp_path / f"server{len(running)}"
        folder.mkdir()
        server = Server(folder, config if config is not None else make_config(**changes), arguments, expect, environment,
                        stdout)
        running.append(server)
        return server

    yield begin
    for server in running:
        server.stop()


@pytest.fixture(scope="module")
def server(tmp_path_factory, make_config):
    """One server with the standard configuration for all tests of a file."""
    with Server(tmp_path_factory.mktemp("server"), make_config(), expect=("http", "https", "ops", "admin")) as running:
        yield running


@pytest.fixture
def tool():
    """tool(NAME) → its path, or a skip that names it."""

    def find(name):
        own = os.environ.get("EQUINOX_TOOLS")
        found = shutil.which(name) or (shutil.which(name, path=own) if own else None)
        if not found:
            pytest.skip(f"{name} is not installed")
        return found

    return find
