"""Every call of the Admin API, on a server with traffic of both protocols, judged by openapi.yaml."""

import contextlib
import hashlib
import http.client
import json
import re
import socket
import ssl
import time

import h2.config
import h2.connection
import pytest
from support.clients import Clients, Http1Client, Http2Client
from support.contract import Contract
from support.frames import PREFACE, request, settings
from support.raw import receive_answers
from support.server import Server
from support.wait import wait_for

SECRETS = {"viewer": "look-secret", "operator": "act-secret", "admin": "all-secret"}
BASE = "/admin/api/v1"

# Promised, and not to be had in this scenario: what each would need.
ABSENT = {
    "needs a handler that blocks its reactor": {
        "ReactorRow.stall", "Change.reactor", "Change.route", "Change.connection",
        *(f"Stall.{name}" for name in (
            "id", "reactor", "started_at", "duration_seconds", "running", "cause", "method", "target", "route", "connection",
            "peer", "cpu_seconds", "delayed_connections")),
        "StallPage.oldest_at", "ConnectionDetail.reactor_busy", "ConnectionDetail.reactor_busy.route",
        "ConnectionDetail.reactor_busy.since_at"},
    "needs an attack": {"Http2.abuse.last_at", "Change.reason", "Change.count", "Change.query"},
    "needs a reload, a refused one among them": {
        "ConfigPage.last_reload_at", "ConfigPage.last_reload_successful", "ConfigPage.last_reload_error"},
    "needs a drain": {"Drain.by", "Drain.started_at", "Drain.delay_left_seconds", "Drain.holders.estimate_seconds"},
    "needs clients that all take what they are sent": {"Drain.estimate_seconds", "Overview.drain_estimate_seconds"},
    "needs a row that ends between two pages": {"ConnectionRow.closed", "ClosedBrief.closed_at", "ClosedBrief.reason"},
    "needs a reader that was given up": {"ClosedRow.limited_by"},
    "needs a timeline ring that has gone round": {"ConnectionDetail.timeline_from_at"},
    "needs a log ring that has gone round": {"ConnectionDetail.log_from_at"},
    "needs silence with open streams, and an answer to the PING": {"ConnectionDetail.http2.ping_rtt_seconds"},
    "needs a session cookie": {"Session.expires_at"},
    "needs a level that reverts": {"LogLevelPage.rows.reverts_at"},
}


class Admin:
    """Calls of one server's API; every answer is checked on the way."""

    def __init__(self, server, contract):
        self.server, self.contract = server, contract
        self.operations = contract.operations()

    def send(self, method, path, body=None, fields=None, role="admin"):
        connection = http.client.HTTPConnection(*self.server.address("admin"), timeout=20)
        try:
            fields = {"Authorization": f"Bearer {SECRETS[role]}", **(fields or {})} if role else dict(fields or {})
            if body is not None:
                fields["Content-Type"] = "application/json"
            connection.request(method, BASE + path, None if body is None else json.dumps(body), fields)
            answer = connection.getresponse()
            return answer, answer.read().decode()
        finally:
            connection.close()

    def call(self, operation_id, path=None, body=None, expect=200, **options):
        method, pattern, operation = self.operations[operation_id]
        answer, text = self.send(method, path or pattern, body, **options)
        assert answer.status == expect, f"{operation_id}: {answer.status} {text[:400]}"
        assert answer.getheader("Cache-Control") == "no-store", operation_id
        assert answer.getheader("X-Content-Type-Options") == "nosniff", operation_id
        media_type = (answer.getheader("Content-Type") or "").split(";")[0]
        return self.contract.answer(operation, answer.status, media_type, text)


@pytest.fixture(scope="module")
def contract():
    return Contract()


@pytest.fixture(scope="module")
def busy(tmp_path_factory, make_config):
    """A server that has seen something of everything, and still sees it."""
    folder = tmp_path_factory.mktemp("contract")
    tokens = folder / "tokens.json"
    tokens.write_text(json.dumps({"tokens": [
        {"name": role, "role": role, "sha256": hashlib.sha256(secret.encode()).hexdigest()} for role, secret in SECRETS.items()]}))
    config = make_config(thresholds={"slow": "50ms"}, timeouts={"header": "1s", "idle": "10m", "write": "10m"})
    config["admin"]["tokens_file"] = str(tokens)
    config["listeners"].append({"name": "proxied", "address": "127.0.0.1:0", "proxy_protocol": {"from": ["127.0.0.1/32"]}})
    with Server(folder, config, expect=("http", "https", "proxied", "ops", "admin")) as server:
        clients = Clients(*(Http1Client(server.address(), pause=0.02) for _ in range(3)),
                          *(Http2Client(server.address(), streams=4, pause=0.02) for _ in range(2)))
        with clients:
            yield server
        assert clients.lost == []


def read_head(connection):
    received = b""
    while b"\r\n\r\n" not in received:
        received += connection.recv(4096)
    return received


def until_closed(connection):
    with contextlib.suppress(OSError):
        while connection.recv(4096):
            pass


@pytest.fixture(scope="module")
def held(busy):
    """Connections that stay: TLS, a reader that stopped, one behind a proxy, an HTTP/2 stream whose window is shut."""
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    context.set_alpn_protocols(["http/1.1"])
    tls = context.wrap_socket(busy.connect("https"), server_hostname="localhost")
    tls.sendall(b"GET /hello?a=1 HTTP/1.1\r\nHost: localhost\r\n\r\n")
    read_head(tls)
    stalled = busy.connect()
    stalled.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    stalled.sendall(b"GET /32m.bin HTTP/1.1\r\nHost: a\r\n\r\n")
    proxied = busy.connect("proxied")
    proxied.sendall(b"PROXY TCP4 192.0.2.7 192.0.2.8 4711 80\r\nGET /hello HTTP/1.1\r\nHost: a\r\n\r\n")
    read_head(proxied)
    shut = busy.connect()
    protocol = h2.connection.H2Connection(h2.config.H2Configuration(client_side=True))
    protocol.initiate_connection()
    protocol.send_headers(1, [(":method", "GET"), (":scheme", "http"), (":authority", "a"), (":path", "/32m.bin")], end_stream=True)
    shut.sendall(protocol.data_to_send())
    deadline = time.monotonic() + 5
    while not protocol.streams[1].state_machine.headers_received and time.monotonic() < deadline:
        protocol.receive_data(shut.recv(65536))
        shut.sendall(protocol.data_to_send())
    everything = {"tls": tls, "stalled": stalled, "proxied": proxied, "shut": shut}
    yield everything
    for connection in everything.values():
        connection.close()


@pytest.fixture(scope="module")
def ended(busy):
    """Connections that ended in ways of their own."""
    with busy.connect("proxied") as polite:
        polite.sendall(b"PROXY TCP4 192.0.2.7 192.0.2.8 4711 80\r\nGET /hello HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
        receive_answers(polite, 1)
    with busy.connect() as silent:
        silent.sendall(b"GET /slow")
        until_closed(silent)  # 408 by the header timer
    with busy.connect() as bad:
        bad.sendall(b"GET / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n")
        until_closed(bad)
    with busy.connect() as slow:  # an upload that takes longer than the slow threshold
        slow.sendall(b"POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\ntraceparent: "
                     b"00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01\r\n\r\nx")
        time.sleep(0.15)
        slow.sendall(b"y")
        receive_answers(slow, 1)
    reset = busy.connect()
    reset.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
    reset.sendall(b"GET /hello HTTP/1.1\r\nHost: a\r\n\r\n")
    read_head(reset)
    reset.close()
    context = ssl.create_default_context()  # trusts nobody here: the client's alert ends it
    context.check_hostname = False
    with contextlib.suppress(ssl.SSLError):
        context.wrap_socket(busy.connect("https"), server_hostname="localhost")
    context.verify_mode = ssl.CERT_NONE
    with context.wrap_socket(busy.connect("https"), server_hostname="localhost") as secret:
        secret.sendall(b"GET /hello HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
        until_closed(secret)
    with busy.connect() as wrong:  # a stream id no client may use
        wrong.sendall(PREFACE + settings() + request(1) + request(2))
        until_closed(wrong)
    with busy.connect() as gone:  # before its answer
        gone.sendall(b"POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nx")
        gone.shutdown(socket.SHUT_WR)
        until_closed(gone)
    with busy.connect("https") as plain:
        plain.sendall(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
        until_closed(plain)


@pytest.fixture(scope="module")
def admin(busy, contract, held, ended):
    calls = Admin(busy, contract)
    wait_for(lambda: calls.call("getSeries", "/series?names=requests")["series"]["requests"], 5, "a recorded second")
    # Rates want a second look, samples of TCP a connection that is a second old.
    wait_for(lambda: any(row["rtt_seconds"] and row["received_bytes_per_second"] is not None
                         for row in calls.call("listConnections", "/connections?limit=500&sort=in_rate")["rows"]), 10, "rates")
    wait_for(lambda: any(row["per_second"] for row in calls.call("getHttp2")["frames"]), 10, "rates of frames")
    return calls


def ids(admin, query):
    rows = admin.call("listConnections", f"/connections?query={query}")["rows"]
    return [row["id"] for row in rows]


def look_at_everything(admin):
    """Calls every GET operation, with what it takes. Answers {operationId: answers}."""
    query = admin.call("queryConnections", body={"query": "", "sort": "sent", "order": "desc"})
    tls = ids(admin, "listener:https")[0]
    shut = ids(admin, "proto:h2c%20target:/32m.bin")[0]
    stalled = ids(admin, "proto:http*%20target:/32m.bin")[0]
    closed = admin.call("listClosed", "/closed?limit=500")["rows"]
    job = admin.call("closeConnections", body={"query": "listener:proxied", "reason": "contract", "rate": 100}, expect=202)
    now = time.time()
    cell = f"from={now - 300}&to={now + 1}"
    calls = {
        "getSession": ["/session"], "getStatus": ["/status"],
        "listConnections": ["/connections", "/connections?query=state:idle&sort=age&order=desc&limit=3"],
        "getConnectionPage": [f"/connections/{query['handle']}?offset=1&limit=5"],
        "getConnection": [f"/connection/{tls}", f"/connection/{shut}", f"/connection/{stalled}",
                          *(f"/connection/{row['id']}" for row in closed[:20])],
        "getJob": [f"/jobs/{job['id']}"],
        "listClosed": ["/closed", "/closed?query=reason:header_timeout", f"/closed?before={closed[0]['sequence']}&limit=500"],
        "listSlowRequests": ["/requests/slow", "/requests/slow?route=/echo&limit=1"],
        "listRequestsInCell": [f"/requests/by-bucket?{cell}", f"/requests/by-bucket?{cell}&measure=first_byte&protocol=h2c",
                               f"/requests/by-bucket?{cell}&above_seconds=0.1&up_to_seconds=0.25"],
        "getSeries": ["/series?names=requests,connections,p99_seconds,closed_reason,reactor_busy_ratio,reactor_stalls,duration,handler",
                      f"/series?names=accepted&since={now - 60}&step_seconds=5"],
        "getStrip": ["/strip", "/strip?cells=8"], "getDeadlines": ["/deadlines"], "listRoutes": ["/routes"],
        "getHttp2": ["/http2"], "listReactors": ["/reactors"], "listStalls": ["/stalls?limit=5"], "getConfig": ["/config"],
        "listCertificates": ["/certificates"], "listAudit": ["/audit"], "getLogLevels": ["/log-level"],
    }
    return {operation: [admin.call(operation, path) for path in paths] for operation, paths in calls.items()}


def test_every_look_answers_as_described(admin):
    answers = look_at_everything(admin)
    looks = {name for name, (method, _, _) in admin.operations.items() if method == "GET"}
    assert set(answers) == looks - {"streamEvents"}
    one, = (row for row in admin.call("listClosed", "/closed?query=reason:client_connection_close%20listener:proxied")["rows"])
    assert one["client"] == "192.0.2.7:4711"


def test_no_property_is_promised_that_never_comes(admin, contract):
    look_at_everything(admin)
    never = contract.promised_by_looks() - contract.seen
    unexplained = sorted(never - set().union(*ABSENT.values()))
    assert not unexplained, " ".join(unexplained)
    came_all_the_same = {name for name in set().union(*ABSENT.values()) if name not in contract.promised_by_looks()}
    assert came_all_the_same == set(), "no longer promised"


def test_every_change_answers_as_described(admin):
    preview = admin.call("closeConnections", body={"query": "state:idle", "dry_run": True, "rate": 5})
    assert preview["count"] >= 0
    begun = admin.call("closeConnections", body={"query": "listener:https", "mode": "drain", "rate": 0.1}, expect=202)
    admin.call("stopJob", f"/jobs/{begun['id']}")
    admin.call("setLogLevel", body={"level": "info", "for_seconds": 60})
    admin.call("drain", body={"dry_run": True})
    admin.call("undrain", body={}, expect=409)
    assert admin.call("reload", body={})["changed"] == []
    admin.call("signIn", body={"token": "wrong"}, expect=401, role=None)
    signed = admin.call("signIn", body={"token": SECRETS["viewer"]}, role=None)
    assert signed["how"] == "cookie"
    admin.call("signOut", expect=204, role=None)
    changes = {name for name, (method, _, _) in admin.operations.items() if method != "GET"}
    assert changes == {"closeConnections", "stopJob", "setLogLevel", "drain", "undrain", "reload", "signIn", "signOut",
                       "queryConnections", "setViewport"}


def path_of(pattern):
    return re.sub(r"\{\w+\}", "none", pattern)


def test_refusals_are_problem_documents(admin, contract):
    refusals = {
        "listConnections": [("/connections?limit=0", 400), ("/connections?query=colour:red", 400), ("/connections?sort=colour", 400)],
        "queryConnections": [("/connections/query", 400)],
        "getConnectionPage": [("/connections/none", 410)], "getConnection": [("/connection/none", 404)],
        "getJob": [("/jobs/none", 404)], "listClosed": [("/closed?before=x", 400)],
        "listRequestsInCell": [("/requests/by-bucket", 400)], "getSeries": [("/series?names=nothing", 400)],
        "getStrip": [("/strip?cells=1", 400)], "streamEvents": [("/events?topics=nothing", 400)],
    }
    for operation, calls in refusals.items():
        for path, status in calls:
            body = {"sort": "colour"} if operation == "queryConnections" else None
            problem = admin.call(operation, path, body, expect=status)
            assert problem["status"] == status
    problem = contract.schema("Problem")
    for path in contract.document["paths"]:
        for method in ("GET", "PUT", "POST", "DELETE", "PATCH"):
            if method in contract.methods(path):
                continue
            answer, text = admin.send(method, path_of(path))
            assert answer.status == 405, f"{method} {path}: {answer.status}"
            allowed = contract.methods(path) | ({"HEAD"} if "GET" in contract.methods(path) else set())
            assert set(answer.getheader("Allow").split(", ")) == allowed, path
            assert answer.getheader("Content-Type") == "application/problem+json"
            contract.check(json.loads(text), problem, f"{method} {path}")
    for fields, status in [({"Host": "evil.example"}, 421), ({"Authorization": "Bearer no"}, 401)]:
        answer, text = admin.send("GET", "/status", fields=fields)
        assert answer.status == status
        contract.check(json.loads(text), problem, str(status))


@pytest.mark.parametrize("role", SECRETS)
def test_each_role_may_what_its_description_says(admin, role):
    rank = list(SECRETS).index(role)
    for name, (method, path, _) in admin.operations.items():
        if method == "GET" or name in ("signIn", "signOut", "setViewport", "queryConnections", "drain"):
            continue
        needed = 2 if name == "reload" else 1
        body = {"closeConnections": {"dry_run": True, "query": "id:none"}, "setLogLevel": {"level": "info"}}.get(name, {})
        answer, text = admin.send(method, path_of(path), body, role=role)
        assert (answer.status == 403) == (rank < needed), f"{role} {name}: {answer.status}"
        if answer.status == 403:
            assert json.loads(text)["needs_role"] == list(SECRETS)[needed]


def test_the_event_stream_says_what_is_described(admin, contract, busy):
    connection = http.client.HTTPConnection(*busy.address("admin"), timeout=20)
    connection.request("GET", BASE + "/events", headers={"Authorization": f"Bearer {SECRETS['viewer']}"})
    stream = connection.getresponse()
    assert stream.status == 200 and stream.getheader("Content-Type").startswith("text/event-stream")
    schemas = dict(re.findall(r"\| `(\w+)` \| `(\w+)` \|", admin.operations["streamEvents"][2]["description"]))
    seen, event, event_id = {}, None, None
    deadline = time.monotonic() + 20
    wanted = {"hello", "overview", "series", "rows", "job", "change"}
    while not wanted <= set(seen):
        assert time.monotonic() < deadline, f"only {sorted(seen)}"
        line = stream.readline().decode().rstrip("\n")
        if line.startswith("event: "):
            event = line[7:]
        elif line.startswith("id: "):
            event_id = line[4:]
        elif line.startswith("data: "):
            data = json.loads(line[6:])
            contract.check(data, contract.schema(schemas[event]), event)
            seen.setdefault(event, []).append(data)
            if event == "overview" and data["full"]:
                contract.check(data["data"], contract.schema("Overview"), "overview")
            if event == "hello":
                found = admin.call("queryConnections", body={"query": "target:/hello"})
                page = admin.call("getConnectionPage", f"/connections/{found['handle']}")
                view = {"ids": [row["id"] for row in page["rows"]], "handle": found["handle"]}
                admin.call("setViewport", f"/events/{data['stream']}/viewport", view, expect=204)
                admin.call("setLogLevel", body={"level": "info"})
                admin.call("closeConnections", body={"query": "target:/nowhere"}, expect=202)
    connection.close()
    boot, second, change = event_id.rsplit("/", 2)
    assert boot == seen["hello"][0]["boot_id"] and second.isdigit() and change.isdigit()
