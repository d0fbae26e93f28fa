"""nghttp, h2load and wrk: other people's HTTP/2 clients and load generators."""

import re
import subprocess
from pathlib import Path

import pytest


def run(*command, timeout=60):
    return subprocess.run([str(word) for word in command], capture_output=True, text=True, stdin=subprocess.DEVNULL, timeout=timeout, check=False)


@pytest.mark.parametrize("name,arguments", [("http", []), ("http", ["-u"]), ("https", ["--no-verify-peer"])],
                         ids=["prior-knowledge", "upgrade", "tls"])
def test_nghttp_gets_a_page_with_its_resources(tool, server, name, arguments):
    done = run(tool("nghttp"), "-nv", *arguments, server.url("/hello", name))
    assert done.returncode == 0, done.stderr
    assert ":status: 200" in done.stdout
    assert "GOAWAY" not in done.stdout.replace("send GOAWAY", "") or "NO_ERROR" in done.stdout


def test_the_library_has_the_fixes_that_its_version_hides():
    # 1.52.0 ends the process on a frame behind a session's end (CVE-2026-27135); Debian mended that in its third update.
    if 'VERSION_ID="12"' not in Path("/etc/os-release").read_text(encoding="utf-8"):
        pytest.skip("not Debian 12, whose update numbers these are")
    for package in ("libnghttp2-14", "libnghttp2-dev"):
        have = run("dpkg-query", "-W", "-f=${Version}", package).stdout
        assert run("dpkg", "--compare-versions", have, "ge", "1.52.0-1+deb12u3").returncode == 0, f"{package} {have}"


def test_nghttp_uploads(tool, server, tmp_path):
    (tmp_path / "sent").write_bytes(b"0123456789" * 100_000)
    done = run(tool("nghttp"), "-d", tmp_path / "sent", server.url("/echo"))
    assert done.returncode == 0, done.stderr
    assert len(done.stdout) == 1_000_000


def test_settings_announce_the_stream_limit_and_no_priorities(tool, server):
    done = run(tool("nghttp"), "-nv", server.url("/hello"))
    assert re.search(r"SETTINGS_MAX_CONCURRENT_STREAMS\(0x03\):128", done.stdout)
    assert re.search(r"\(0x09\):1", done.stdout), "SETTINGS_NO_RFC7540_PRIORITIES"


@pytest.mark.parametrize("name,arguments", [("http", []), ("https", []), ("http", ["--h1"]), ("https", ["--h1"])],
                         ids=["h2c", "h2", "http1", "http1-tls"])
def test_h2load_loses_no_request(tool, server, name, arguments):
    done = run(tool("h2load"), "-n", 20000, "-c", 50, "-m", 1 if "--h1" in arguments else 20, *arguments, server.url("/hello", name))
    assert "20000 succeeded, 0 failed, 0 errored, 0 timeout" in done.stdout, done.stdout + done.stderr


@pytest.mark.parametrize("name", ["http", "https"])
def test_h2load_downloads_files_in_parallel(tool, server, name):
    done = run(tool("h2load"), "-n", 400, "-c", 4, "-m", 16, server.url("/100k.bin", name))
    assert "400 succeeded, 0 failed" in done.stdout, done.stdout + done.stderr


@pytest.mark.parametrize("name", ["http", "https"])
def test_wrk_sees_no_error(tool, server, name):
    done = run(tool("wrk"), "-t1", "-c50", "-d2", server.url("/hello", name))
    assert done.returncode == 0, done.stderr
    assert "Non-2xx" not in done.stdout and "Socket errors" not in done.stdout, done.stdout
    assert int(re.search(r"(\d+) requests in", done.stdout)[1]) > 100
