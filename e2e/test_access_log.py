"""Logs are observers: they never hold the traffic up, they escape what the wire brings, they count what they drop."""

import contextlib
import json
import os
import re
import statistics
import time

import pytest
from support.frames import PING, PREFACE, Attacker, frame, request, settings
from support.raw import exchange, receive_until_closed
from support.server import run_equinox
from support.wait import wait_for

GET = b"GET /hello HTTP/1.1\r\nHost: a\r\n\r\n"


def p99(server, count=3000):
    times = []
    with server.connect() as connection:
        for _ in range(count):
            began = time.perf_counter()
            assert exchange(connection, GET).status == 200
            times.append(time.perf_counter() - began)
    return statistics.quantiles(times, n=100)[98]


def test_a_pipe_that_nobody_reads_stops_no_request_and_lost_lines_are_counted(start):
    readable, writable = os.pipe()
    try:
        server = start(stdout=writable, log={"access": "-", "target": "stderr", "level": "warn"},
                       expect=("ops",), arguments=["--log-level", "info"])
        wait_for(lambda: {"http", "ops"} <= set(server.addresses), 10, "addresses")
        before = p99(server, 200)
        for _ in range(8):
            after = p99(server, 3000)  # far more lines than the pipe (64 KiB) and the rings hold
        assert after < max(10 * before, 0.02)
        wait_for(lambda: server.metric("equinox_log_dropped_total", log="access") > 0, 10, "dropped lines in the metrics")
        assert server.get("/livez")[0] == 200
    finally:
        os.close(writable)
        os.close(readable)


def test_a_line_in_the_combined_format_for_each_request(start, tmp_path):
    log = tmp_path / "access.log"
    server = start(log={"access": str(log), "access_format": "combined"})
    with server.connect() as connection:
        exchange(connection, b"GET /hello?a=b HTTP/1.1\r\nHost: a\r\nUser-Agent: some \"agent\"\r\nReferer: /from\r\n\r\n")
    line = wait_for(lambda: log.exists() and log.read_text(), 5, "a line").splitlines()[0]
    assert re.match(r'127\.0\.0\.1 - - \[[^\]]+\] "GET /hello\?a=[^ ]* HTTP/1\.1" 200 15 "/from" "some .+agent', line), line


def test_where_the_server_log_is_json_the_access_log_is_and_holds_the_ids(start, tmp_path):
    log = tmp_path / "access.log"
    server = start(log={"access": str(log)})  # with --log-format json
    trace = "4bf92f3577b34da6a3ce929d0e0e4736"
    with server.connect() as connection:
        exchange(connection, b"GET /hello HTTP/1.1\r\nHost: a\r\nX-Request-Id: abc-123\r\ntraceparent: 00-%s-00f067aa0ba902b7-01\r\n\r\n"
                 % trace.encode())
    line = json.loads(wait_for(lambda: log.exists() and log.read_text(), 5, "a line").splitlines()[0])
    assert (line["status"], line["target"]) == (200, "/hello")
    assert "abc-123" in line.values() and trace in line.values()


# {refusal: (request, status, method, target, version, reason)}
REFUSED = {
    "no Host": (b"GET /hello HTTP/1.1\r\n\r\n", 400, "GET", "/hello", "HTTP/1.1", "bad_host"),
    "no request line": (b"GET  /hello HTTP/1.1\r\nHost: a\r\n\r\n", 400, "GET", "-", "-", "bad_request_line"),
    "target too long": (b"GET /" + b"y" * 9_000 + b" HTTP/1.1\r\nHost: a\r\n\r\n", 414, "GET", re.compile("/y{300,}"), None, "target_too_long"),
    "unknown method": (b"BREW /hello HTTP/1.1\r\nHost: a\r\n\r\n", 501, "BREW", "/hello", "HTTP/1.1", "method_unknown"),
    "unknown version": (b"GET /hello HTTP/1.7\r\nHost: a\r\n\r\n", 505, "GET", "/hello", "HTTP/1.7", "version"),
    "head too large": (b"GET /hello HTTP/1.1\r\nHost: a\r\nX: " + b"y" * 70_000 + b"\r\n\r\n", 431, "GET", "/hello", "HTTP/1.1", "head_too_large"),
    "expectation": (b"POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\nExpect: wonders\r\n\r\n", 417, "POST", "/echo", "HTTP/1.1",
                    "expectation"),
    "body too large": (b"POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 99999999999\r\n\r\n", 413, "POST", "/echo", "HTTP/1.1",
                       "body_too_large"),
    "head too late": (b"GET /hello HT", 408, "GET", "/hello", "-", "header_timeout"),
}


@pytest.fixture(scope="module", params=["combined", "json"])
def refusing(request, tmp_path_factory, make_config):
    from support.server import Server
    folder = tmp_path_factory.mktemp("refusing")
    config = make_config(log={"access": str(folder / "access.log"), "access_format": request.param}, timeouts={"header": "500ms"})
    with Server(folder, config, expect=("http", "ops", "admin")) as running:
        running.access = (request.param, folder / "access.log")
        yield running


@pytest.mark.parametrize("name", REFUSED)
def test_a_refused_request_has_its_line_and_its_reason(refusing, name):
    data, status, method, target, version, reason = REFUSED[name]
    form, log = refusing.access
    seen = len(log.read_text()) if log.exists() else 0
    with refusing.connect() as connection:
        peer = f"127.0.0.1:{connection.getsockname()[1]}"
        connection.sendall(data)
        answer = receive_until_closed(connection)
    assert answer.startswith(b"HTTP/1.1 %d " % status)
    lines = wait_for(lambda: log.exists() and log.read_text()[seen:].splitlines(), 5, "a line")
    assert len(lines) == 1
    if form == "json":
        line = json.loads(lines[0])
        assert (line["client"], line["status"], line["method"], line["refused"]) == ("127.0.0.1", status, method, reason)
        assert re.fullmatch(target, line["target"])
        assert version in (None, line["version"])
        assert line["connection"] and line["sent_bytes"] == len(answer.split(b"\r\n\r\n", 1)[1])
    else:
        line = re.fullmatch(r'127\.0\.0\.1 - - \[[^\]]+\] "(\S+) (\S+) (\S+)" (\d+) (\d+) "-" "-"', lines[0])
        assert line, lines[0]
        assert (line[1], int(line[4])) == (method, status) and re.fullmatch(target, line[2])
        assert version in (None, line[3])
    row = wait_for(lambda: refusing.admin(f"/closed?query=peer:{peer}")["rows"], 5, "the closing record")[0]
    assert row["status"] == status
    assert row["method"] == (method if method != "BREW" else "_OTHER")
    if reason != "header_timeout":
        words = row["detail"].removeprefix(f"{status} ")
        assert words != row["detail"]
        assert f"The server refused the request with {status} ({words})" in row["sentence"]
        told = run_equinox("why", row["id"], "--admin", refusing.addresses["admin"])
        assert f"refused the request with {status}" in told.stdout


def test_a_refusal_behind_an_answer_is_the_last_request(refusing):
    with refusing.connect() as connection:
        peer = f"127.0.0.1:{connection.getsockname()[1]}"
        connection.sendall(GET + b"GET /other HTTP/1.1\r\n\r\n")
        receive_until_closed(connection)
    row = wait_for(lambda: refusing.admin(f"/closed?query=peer:{peer}")["rows"], 5, "the closing record")[0]
    assert (row["status"], row["target"], row["requests"], row["detail"]) == (400, "/other", 1, "400 no valid Host")


def test_a_request_refused_over_http2_has_its_line(refusing):
    form, log = refusing.access
    attacker = Attacker(refusing)
    attacker.send(request(1, "/echo", "POST", extra=[("expect", "wonders")]))

    def its_lines():
        attacker.drain(0.05)
        return [line for line in (log.read_text().splitlines() if log.exists() else []) if "HTTP/2.0" in line]

    lines = wait_for(its_lines, 5, "a line")
    attacker.close()
    if form == "json":
        line = json.loads(lines[0])
        assert (line["status"], line["method"], line["target"], line["version"], line["stream"]) == (417, "POST", "/echo", "HTTP/2.0", 1)
        assert (line["refused"], line["protocol"]) == ("expectation", "h2c")
    else:
        assert '"POST /echo HTTP/2.0" 417 ' in lines[0]


@pytest.mark.parametrize("form", ["combined", "json"])
@pytest.mark.parametrize("shows", [False, True], ids=["masked", "shown"])
def test_logs_keep_to_the_rules_of_redaction(start, tmp_path, form, shows):
    log = tmp_path / "access.log"
    rules = {"query_values": "show", "client_address": "full"} if shows else {"client_address": "truncate"}
    server = start(log={"access": str(log), "access_format": form, "level": "debug", "format": "json"}, redaction=rules)
    refused = b"BREW /hello?token=hidden HTTP/1.1\r\nHost: a\r\n\r\n"
    with server.connect() as connection:
        peer = f"127.0.0.1:{connection.getsockname()[1]}"
        assert exchange(connection, b"GET /hello?token=hidden HTTP/1.1\r\nHost: a\r\nReferer: http://a/?key=hidden\r\n\r\n").status == 200
        connection.sendall(refused)
        receive_until_closed(connection)
    lines = wait_for(lambda: log.exists() and len(log.read_text().splitlines()) == 2 and log.read_text(), 5, "its lines")
    value, client = ("hidden", "127.0.0.1") if shows else ("***", "127.0.0.0")
    assert lines.count(f"/hello?token={value}") == 2 and lines.count(f"http://a/?key={value}") == 1 and lines.count(client) == 2
    assert ("hidden" in lines) == shows
    (closed,) = wait_for(lambda: [line for line in server.log if line.get("message") == "connection closed" and line["reason"] == "request_refused"],
                         5, "the server log's line")
    assert closed["peer"] == (peer if shows else "127.0.0.0")


def test_a_long_field_costs_a_combined_line_its_own_end_only(start, tmp_path):
    log = tmp_path / "access.log"
    server = start(log={"access": str(log), "access_format": "combined"})
    with server.connect() as connection:
        exchange(connection, b"GET /hello HTTP/1.1\r\nHost: a\r\nReferer: /" + b"x" * 4000 + b"\r\nUser-Agent: some\r\n\r\n")
    line = wait_for(lambda: log.exists() and log.read_text(), 5, "a line").splitlines()[0]
    assert re.fullmatch(r'127\.0\.0\.1 - - \[[^\]]+\] "GET /hello HTTP/1\.1" 200 15 "/x{100,}" "some"', line), line


def test_the_lines_of_one_connection_are_shown_with_it_redacted(start, tmp_path):
    server = start(log={"access": str(tmp_path / "access.log")}, redaction={"client_address": "truncate"})
    with server.connect() as one, server.connect() as other:
        assert exchange(one, b"GET /hello?token=hidden HTTP/1.1\r\nHost: a\r\nReferer: http://a/?key=hidden\r\n\r\n").status == 200
        assert exchange(other, b"GET /other HTTP/1.1\r\nHost: a\r\n\r\n").status == 404
        # An answer may be read before its turn is over, and the record is written at its end.
        wait_for(lambda: all(row["target"] for row in server.admin("/connections")["rows"]), 5, "both targets")
        ids = {row["target"]: row["id"] for row in server.admin("/connections")["rows"]}
        lines = wait_for(lambda: server.admin("/connection/" + ids["/hello?token=***"])["log"], 5, "its line, while it is open")
    (line,) = lines
    fields = {field["name"]: field["value"] for field in line["fields"]}
    assert (line["component"], fields["status"], fields["target"]) == ("access", "200", "/hello?token=***")
    assert (fields["referer"], fields["client"]) == ("http://a/?key=***", "127.0.0.0")
    assert "hidden" not in json.dumps(lines)
    wait_for(lambda: server.admin("/closed")["total"] == 2, 5, "both closed")
    assert server.admin("/connection/" + ids["/hello?token=***"])["log"] == lines
    wait_for(lambda: server.admin("/connection/" + ids["/other"])["log"], 5, "the other's line: the log has a thread of its own")
    told = run_equinox("why", ids["/other"], "--admin", server.addresses["admin"])
    assert told.returncode == 0, told.stderr
    assert re.search(r"log lines\n    \d{4}-\d\d-\d\d [\d:.]+  info \[access\] request .*status=404 .*target=/other", told.stdout), told.stdout
    assert "/hello" not in told.stdout


def test_a_log_that_nobody_reads_hides_no_line_of_a_connection(start):
    readable, writable = os.pipe()
    try:
        os.set_blocking(writable, False)
        with contextlib.suppress(BlockingIOError):
            while True:
                os.write(writable, b"x" * 4096)
        os.set_blocking(writable, True)
        server = start(stdout=writable, log={"access": "-", "target": "stderr", "level": "info"}, expect=("ops", "admin"))
        wait_for(lambda: {"http", "ops", "admin"} <= set(server.addresses), 10, "addresses")
        with server.connect() as connection:
            for n in range(150):
                assert exchange(connection, b"GET /hello?%d HTTP/1.1\r\nHost: a\r\n\r\n" % n).status == 200
            (row,) = server.admin("/connections?query=listener:http")["rows"]
            newest = wait_for(lambda: [told for told in [server.admin("/connection/" + row["id"])] if len(told["log"]) == 50], 5, "its lines")[0]
        assert newest["log_from_at"] == newest["log"][0]["at"], "there are more than are shown"
        wait_for(lambda: server.metric("equinox_history_ring_entries", ring="log") == 150, 5, "all of them in the ring")
    finally:
        os.close(writable)
        os.close(readable)


def test_json_lines_stay_valid_whatever_bytes_come(start, tmp_path):
    log = tmp_path / "access.log"
    server = start(log={"access": str(log), "access_format": "json"}, redaction={"query_values": "show"})
    hostile = [b"/hello?\xff\xfe", b"/hello?\"}{", b"/hello?%0a%0d", b"/hello?<script>", b"/hello?\\u0000"]
    for target in hostile:
        with server.connect() as connection:
            connection.sendall(b"GET " + target + b" HTTP/1.1\r\nHost: a\r\nUser-Agent: \xe9\t\"\\\r\nConnection: close\r\n\r\n")
            receive_until_closed(connection)
    with server.connect() as connection:
        exchange(connection, b"GET /hello?last HTTP/1.1\r\nHost: a\r\nUser-Agent: \xe9\xff \"q\" \\\r\n\r\n")
    wait_for(lambda: log.exists() and "hello?last" in log.read_text("utf-8", "strict"), 5, "the last line")
    for line in log.read_bytes().decode("utf-8").splitlines():
        assert json.loads(line)["status"] in (200, 400)


def test_the_request_id_is_accepted_made_and_answered(start, tmp_path):
    log = tmp_path / "access.log"
    server = start(log={"access": str(log), "access_format": "json"})
    with server.connect() as connection:
        given = exchange(connection, b"GET /hello HTTP/1.1\r\nHost: a\r\nX-Request-Id: abc-123\r\n\r\n")
        made = exchange(connection, GET)
    assert given.get("x-request-id") == "abc-123"
    assert made.get("x-request-id")
    wait_for(lambda: log.exists() and "abc-123" in log.read_text() and made.get("x-request-id") in log.read_text(), 5, "both ids in the log")


def test_a_preface_in_pieces_is_no_time_of_the_first_request(start, tmp_path):
    log = tmp_path / "access.log"
    server = start(log={"access": str(log), "access_format": "json"})
    with server.connect() as connection:
        connection.sendall(PREFACE[:10])
        time.sleep(1)
        connection.sendall(PREFACE[10:] + settings() + request(1))
        line = json.loads(wait_for(lambda: log.exists() and log.read_text(), 5, "a line"))
    assert line["status"] == 200 and line["duration_seconds"] < 0.9


def test_a_malformed_http2_request_has_its_line(start, tmp_path):
    log = tmp_path / "access.log"
    server = start(log={"access": str(log), "access_format": "json"})
    attacker = Attacker(server)
    ping = frame(PING, payload=b"12345678")
    attacker.send(ping[:4])
    time.sleep(1)
    attacker.send(ping[4:] + request(1, "/hello?q=1", extra=[("connection", "close")]) + request(3, "/hello", "BREW"))
    lines = wait_for(lambda: log.exists() and log.read_text().count("\n") == 2 and log.read_text().splitlines(), 5, "the lines")
    line, unknown = sorted(map(json.loads, lines), key=lambda one: one["stream"])
    assert (line["method"], line["target"], line["stream"], line["status"]) == ("GET", "/hello?q=***", 1, 0)
    assert line["refused"] == "h2_protocol_error" and line["version"] == "HTTP/2.0"
    assert (unknown["method"], unknown["status"], unknown["refused"]) == ("BREW", 501, "method_unknown")
    assert max(line["duration_seconds"], unknown["duration_seconds"]) < 0.9, "of a frame in pieces before them"
    assert server.metric("equinox_http_rejected_requests_total", protocol="h2c", reason="h2_protocol_error") == 1
    attacker.close()
