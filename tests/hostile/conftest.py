"""The hostile tests use the harness of e2e/: same server, same fixtures, worse clients. At the end the table is printed."""

import importlib.util
import os
import resource
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
E2E = ROOT / "e2e"
sys.path[:0] = [str(E2E), str(Path(__file__).resolve().parent)]

_spec = importlib.util.spec_from_file_location("equinox_e2e_fixtures", E2E / "conftest.py")
_fixtures = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(_fixtures)
certificate, site, make_config, tool = (getattr(_fixtures, n) for n in ("certificate", "site", "make_config", "tool"))

SANITIZER_WORDS = ("AddressSanitizer", "LeakSanitizer", "UndefinedBehaviorSanitizer", "runtime error:", "ThreadSanitizer")


def pytest_configure(config):
    _fixtures.pytest_configure(config)
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    # A short quarantine: freed memory shall count as freed where memory is measured.
    os.environ.setdefault("ASAN_OPTIONS", "quarantine_size_mb=4:detect_leaks=1")


@pytest.fixture
def start(tmp_path, make_config):
    """start(**config changes) → a running server; all are ended after the test, and none may have a sanitizer's report."""
    from support.server import Server
    running = []

    def begin(config=None, arguments=(), expect=("http", "https", "ops", "admin"), **changes):
        folder = tmp_path / f"server{len(running)}"
        folder.mkdir()
        server = Server(folder, config if config is not None else make_config(**changes), arguments, expect)
        running.append(server)
        return server

    yield begin
    for server in running:
        status = server.stop()
        reports = [line["message"] for line in server.lines(unparsed=True) if any(w in line["message"] for w in SANITIZER_WORDS)]
        assert not reports, reports[:5]
        assert status == 0, f"ended with {status}: {server.log_text()}"


@pytest.fixture
def load_program():
    """The closed-loop load of tests/bench, which counts every request that fails."""
    program = Path(os.environ.get("EQUINOX_BENCH_LOAD") or ROOT / "build/release/tests/bench/bench_load")
    if not program.exists():
        pytest.skip("bench_load is not built")
    return program


def pytest_terminal_summary(terminalreporter):
    from watch import IS_SANITIZED, ROWS, table
    if not ROWS:
        return
    lines = table(ROWS)
    terminalreporter.write_line("")
    for line in lines:
        terminalreporter.write_line(line)
    unmet = [row.attack for row in ROWS if row.broken]
    terminalreporter.write_line(f"{len(ROWS) - len(unmet)} of {len(ROWS)} rows met{': not ' + ', '.join(unmet) if unmet else ''}")
    report = ROOT / "build" / "reports"
    report.mkdir(parents=True, exist_ok=True)
    (report / f"hostile{'-sanitized' if IS_SANITIZED else ''}.txt").write_text("\n".join(lines) + "\n")
