"""What a visitor with curl sees: HTTP/1.0, 1.1, 2 over TLS, h2c by prior knowledge and by Upgrade."""

import json
import os
import subprocess

import pytest

VERSIONS = [("http", "--http1.0", "1.1"), ("http", "--http1.1", "1.1"), ("http", "--http2-prior-knowledge", "2"), ("http", "--http2", "2"),
            ("https", "--http1.1", "1.1"), ("https", "--http2", "2")]
BY_VERSION = pytest.mark.parametrize("name,flag,version", VERSIONS, ids=lambda v: v if isinstance(v, str) else None)


@pytest.fixture
def curl(tool, server, tmp_path):
    program = tool("curl")

    def run(name, path, *arguments, check=True):
        """→ (facts, body): status, version, fields of the last answer."""
        out = tmp_path / "body"
        out.unlink(missing_ok=True)
        done = subprocess.run(
            [program, "-sS", "-k", "--max-time", "30", "-o", str(out), "-D", str(tmp_path / "head"), "-w",
             '{"status":%{http_code},"version":"%{http_version}","exit":%{exitcode}}', *arguments, server.url(path, name)],
            capture_output=True, text=True, stdin=subprocess.DEVNULL, check=False)
        assert done.returncode == 0 or not check, done.stderr
        facts = json.loads(done.stdout)
        facts["head"] = (tmp_path / "head").read_text().lower() if (tmp_path / "head").exists() else ""
        return facts, out.read_bytes() if out.exists() else b""

    return run


@BY_VERSION
def test_gets_a_page_in_the_version_it_asked_for(curl, name, flag, version):
    facts, body = curl(name, "/hello", flag)
    assert (facts["status"], facts["version"]) == (200, version)
    assert json.loads(body) == {"status": "ok"}


@BY_VERSION
def test_uploads_a_body_and_gets_it_back(curl, tmp_path, name, flag, version):
    sent = os.urandom(3 * 1024 * 1024)
    (tmp_path / "sent").write_bytes(sent)
    facts, body = curl(name, "/echo", flag, "--data-binary", f"@{tmp_path / 'sent'}", "-H", "Content-Type: application/octet-stream")
    assert (facts["status"], body == sent) == (200, True)


@BY_VERSION
def test_a_refusal_that_comes_before_the_body_is_complete_is_seen(curl, tmp_path, name, flag, version):
    """curl looks at no answer whose stream is reset right behind it."""
    (tmp_path / "large").write_bytes(b"x" * 17_500_000)
    for _ in range(5):
        facts, _ = curl(name, "/echo", flag, "--data-binary", f"@{tmp_path / 'large'}", check=False)
        assert facts["status"] == 413
        facts, _ = curl(name, "/echo", flag, "-d", "abc", "-H", "Expect: foo", check=False)
        assert facts["status"] == (200 if flag == "--http1.0" else 417)


@BY_VERSION
def test_downloads_a_large_file_whole(curl, site, name, flag, version):
    facts, body = curl(name, "/32m.bin", flag)
    assert facts["status"] == 200
    assert body == (site / "32m.bin").read_bytes()


@BY_VERSION
def test_head_carries_the_length_and_no_body(curl, name, flag, version):
    facts, _ = curl(name, "/1k.bin", flag, "--head")
    assert facts["status"] == 200
    assert "content-length: 1024" in facts["head"]


@BY_VERSION
def test_a_range_is_a_part_of_the_file(curl, site, name, flag, version):
    facts, body = curl(name, "/1k.bin", flag, "-r", "100-199")
    assert (facts["status"], body) == (206, (site / "1k.bin").read_bytes()[100:200])


def test_a_range_may_end_beyond_every_number(curl, site):
    facts, body = curl("http", "/1k.bin", "-r", "1000-99999999999999999999")
    assert (facts["status"], body) == (206, (site / "1k.bin").read_bytes()[1000:])
    assert "content-range: bytes 1000-1023/1024" in facts["head"]
    assert curl("http", "/1k.bin", "-r", "99999999999999999999-")[0]["status"] == 416


@BY_VERSION
def test_an_unchanged_file_is_not_sent_again(curl, name, flag, version):
    facts, _ = curl(name, "/1k.bin", flag)
    tag = next(line.split(": ", 1)[1] for line in facts["head"].splitlines() if line.startswith("etag"))
    assert curl(name, "/1k.bin", flag, "-H", f"If-None-Match: {tag}")[0]["status"] == 304


@BY_VERSION
def test_what_is_not_there_is_404_and_a_wrong_method_405_with_allow(curl, name, flag, version):
    assert curl(name, "/nothing", flag)[0]["status"] == 404
    facts, _ = curl(name, "/1k.bin", flag, "-X", "DELETE")
    assert facts["status"] == 405
    assert "allow:" in facts["head"] and "get" in facts["head"].split("allow:")[1].splitlines()[0]


@pytest.mark.parametrize("flag", ["--http1.1", "--http2-prior-knowledge"])
def test_sends_chunks_when_the_length_is_unknown(tool, server, flag):
    sent = os.urandom(300_000)
    done = subprocess.run([tool("curl"), "-sS", flag, "--max-time", "20", "-T", "-", "-X", "POST", server.url("/echo")], input=sent,
                          capture_output=True, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout == sent


@pytest.mark.parametrize("flag", ["--http1.1", "--http2-prior-knowledge"])
def test_a_body_that_ends_before_it_began_is_none_to_echo(tool, server, flag):
    done = subprocess.run([tool("curl"), "-sS", flag, "--max-time", "20", "-T", "-", "-X", "POST", server.url("/echo")], input=b"",
                          capture_output=True, check=False)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["method"] == "POST"


def test_waits_for_100_continue_before_a_large_body(curl, tmp_path):
    (tmp_path / "sent").write_bytes(b"x" * 2_000_000)
    facts, body = curl("http", "/echo", "--http1.1", "-H", "Expect: 100-continue", "--data-binary", f"@{tmp_path / 'sent'}")
    assert "100 continue" in facts["head"]
    assert (facts["status"], len(body)) == (200, 2_000_000)


def test_a_redirect_keeps_the_rest_of_the_path(curl):
    facts, _ = curl("http", "/old/a/b?c=d")
    assert facts["status"] == 308
    assert "location: /new/a/b" in facts["head"]
    facts, _ = curl("http", "/old/a;v=1@b:c,d/e%20f%3Fg")
    assert "location: /new/a;v=1@b:c,d/e%20f%3fg" in facts["head"]


def test_the_status_page_names_the_version_and_the_uptime(curl):
    _, body = curl("http", "/api/status")
    told = json.loads(body)
    assert told["status"] == "ok"
    assert "version" in told and any("uptime" in key for key in told)


def test_text_is_compressed_on_request(curl, site):
    (site / "long.txt").write_text("the same words again and again\n" * 2000)

    def compressed():
        facts, body = curl("http", "/long.txt", "-H", "Accept-Encoding: gzip")
        return "content-encoding: gzip" in facts["head"] and len(body) < 20000

    from support.wait import wait_for
    wait_for(compressed, 10, "the compressed copy that is made beside the traffic")
    facts, body = curl("http", "/long.txt", "--compressed")
    assert body.decode() == (site / "long.txt").read_text()
