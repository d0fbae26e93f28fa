"""Wrong configurations: one precise message with file, line, column and key, exit status 2, nothing opened."""

import hashlib
import http.client
import json
import re
import socket
import subprocess

import pytest
from support.server import BINARY, run_equinox
from support.tls import make_certificate

# name: (text of the file, line of the mistake, words that must be in the message)
MISTAKES = {
    "not JSON": ('{\n  "listeners": [\n', 3, []),
    "unknown key": ('{\n  "listner": []\n}', 2, ["listner", "listeners"]),
    "unknown nested key": ('{\n  "timeouts": {\n    "idel": "60s"\n  }\n}', 3, ["idel", "idle"]),
    "duplicate key": ('{\n  "reactors": 1,\n  "reactors": 2\n}', 3, ["reactors"]),
    "duplicate nested key": ('{\n  "limits": {\n    "fields": 50,\n    "fields": 60\n  }\n}', 4, ["fields"]),
    "string for a number": ('{\n  "limits": { "fields": "many" }\n}', 2, ["fields"]),
    "number for texts by name": ('{\n  "routes": [ { "path": "/", "headers": 5, "respond": {} } ]\n}', 2, ["headers", "is a whole number", "object of strings"]),
    "number for a section": ('{\n  "limits": 3\n}', 2, ["limits"]),
    "section for a list": ('{\n  "routes": {}\n}', 2, ["routes"]),
    "duration without a unit": ('{\n  "timeouts": { "idle": "60" }\n}', 2, ["idle", "ms"]),
    "unknown unit": ('{\n  "timeouts": { "idle": "6 weeks" }\n}', 2, ["idle"]),
    "size that is none": ('{\n  "limits": { "request_body": "16 apples" }\n}', 2, ["request_body"]),
    "below its bound": ('{\n  "limits": {\n   "fields": 1\n  }\n}', 3, ["fields", "8"]),
    "above its bound": ('{\n  "reactors": 1000\n}', 2, ["reactors", "255"]),
    "address without a port": ('{\n  "listeners": [ { "address": "127.0.0.1" } ]\n}', 2, ["address"]),
    "port out of range": ('{\n  "listeners": [ { "address": "127.0.0.1:70000" } ]\n}', 2, ["address"]),
    "missing address": ('{\n  "listeners": [\n    { "name": "x" }\n  ]\n}', 3, ["address"]),
    "two listeners of one name": ('{\n  "listeners": [\n    { "name": "x", "address": "127.0.0.1:0" },\n    { "name": "x", "address": '
                                  '"127.0.0.1:0" }\n  ]\n}', 4, ["x"]),
    "unknown choice": ('{\n  "listeners": [ { "address": "127.0.0.1:0", "h2c": "maybe" } ]\n}', 2, ["h2c", "prior-knowledge"]),
    "certificate that is not there": ('{\n  "listeners": [ { "address": "127.0.0.1:0", "tls": { "certificates": [\n    { "certificate": '
                                      '"missing.crt", "key": "missing.key" } ] } } ]\n}', 3, ["missing.crt"]),
    "certificate that is none": ('{\n  "listeners": [ { "address": "127.0.0.1:0", "tls": { "certificates": [\n    { "certificate": '
                                 '"wrong.json", "key": "wrong.json" } ] } } ]\n}', 3, ["tls.certificates[0].certificate: ", "PEM"]),
    "ciphers that are none": ('{\n  "listeners": [ { "address": "127.0.0.1:0", "tls": {\n    "self_signed": true, "ciphers": "NONSENSE" '
                              '} } ]\n}', 3, ["listeners[0].tls.ciphers: ", "NONSENSE", "allowed"]),
    "admin certificate that is none": ('{\n  "admin": { "tls": { "certificates": [\n    { "certificate": "wrong.json", "key": '
                                       '"wrong.json" } ] } }\n}', 3, ["admin.tls.certificates[0].certificate: ", "PEM"]),
    "route without a handler": ('{\n  "routes": [\n    { "path": "/a" }\n  ]\n}', 3, ["route"]),
    "route with two handlers": ('{\n  "routes": [\n    { "path": "/a", "echo": {}, "status": {} }\n  ]\n}', 3, ["echo", "status"]),
    "route that cannot match": ('{\n  "routes": [\n    { "path": "/*", "echo": {} },\n    { "path": "/*", "status": {} }\n  ]\n}', 4, []),
    "path without its slash": ('{\n  "routes": [ { "path": "a", "echo": {} } ]\n}', 2, ["path"]),
    "star in the middle": ('{\n  "routes": [ { "path": "/a/*/b", "echo": {} } ]\n}', 2, ["*"]),
    "redirect code that is none": ('{\n  "routes": [ { "path": "/a", "redirect": { "to": "/b", "code": 304 } } ]\n}', 2, ["code", "308"]),
    "network that is none": ('{\n  "trusted_proxies": [ "10.0.0.0/99" ]\n}', 2, ["10.0.0.0/99"]),
    "log in no folder": ('{\n  "log": {\n    "access": "/nonexistent/dir/a.log" }\n}', 3, ["log.access: ", "No such file"]),
    "log without a name": ('{\n  "log": {\n    "target": "" }\n}', 3, ["log.target: ", "stdout"]),
    "field with a blank behind it": ('{\n  "routes": [\n    { "path": "/", "echo": {}, "headers": { "X": "a " } }\n  ]\n}', 3,
                                     ["begins or ends with a blank"]),
    "field of two lines": ('{\n  "server_field": "a\\r\\nb: c"\n}', 2, ["server_field: "]),
    "fallback that is not there": ('{\n  "routes": [ { "path": "/*", "static": { "root": ".",\n    "fallback": "missing.html" } } ]\n}', 3,
                                   ["routes[0].static.fallback: ", "missing.html"]),
    "fallback outside of the root": ('{\n  "routes": [ { "path": "/*", "static": { "root": ".",\n    "fallback": "../c.json" } } ]\n}', 3,
                                     ["routes[0].static.fallback: "]),
    "trailing words": ('{\n}\nmore', 3, []),
    "comment never closed": ('{\n  /* begins\n}', None, []),
}


@pytest.mark.parametrize("name", MISTAKES)
def test_check_names_the_place_and_the_key(tmp_path, name):
    text, line, words = MISTAKES[name]
    file = tmp_path / "wrong.json"
    file.write_text(text)
    done = run_equinox("check", "--config", file)
    assert done.returncode == 2, done.stdout + done.stderr
    message = done.stderr.strip()
    place = re.search(r"wrong\.json:(\d+):(\d+): ", message)
    assert place, message
    assert line is None or int(place[1]) == line, message
    for word in words:
        assert word in message, message
    assert len(message.splitlines()) <= 3, f"one precise message, not many: {message}"


def test_a_key_of_another_certificate_is_named_at_its_place(tmp_path, certificate):
    _, other = make_certificate(tmp_path, "other")
    file = tmp_path / "wrong.json"
    file.write_text('{ "listeners": [ { "address": "127.0.0.1:0", "tls": { "certificates": [\n'
                    f'{{ "certificate": "{certificate[0]}",\n"key": "{other}" }} ] }} }} ] }}')
    done = run_equinox("check", "--config", file)
    assert done.returncode == 2, done.stdout + done.stderr
    assert "wrong.json:3:8: listeners[0].tls.certificates[0].key: " in done.stderr
    assert "does not belong to" in done.stderr


@pytest.mark.parametrize("tokens", ["{", '{"tokens": [{"role": "root", "sha256": "00"}]}'])
@pytest.mark.parametrize("command", ["check", "serve"])
def test_a_tokens_file_that_cannot_be_used_is_named_with_its_own_place(tmp_path, command, tokens):
    (tmp_path / "tokens.json").write_text(tokens)
    file = tmp_path / "wrong.json"
    file.write_text('{ "admin": { "tokens_file": "tokens.json" } }')
    done = run_equinox(command, "--config", file)
    assert done.returncode == 2, done.stdout + done.stderr
    assert "tokens.json:1:" in done.stderr


@pytest.mark.parametrize("command", ["check", "serve"])
def test_admin_beyond_loopback_needs_a_token_in_its_file(tmp_path, command):
    (tmp_path / "tokens.json").write_text('{\n  "tokens": []\n}')
    file = tmp_path / "wrong.json"
    file.write_text('{ "admin": { "address": "0.0.0.0:0", "cleartext": true, "tokens_file": "tokens.json" } }')
    done = run_equinox(command, "--config", file)
    assert done.returncode == 2, done.stdout + done.stderr
    assert "tokens.json:2:13: tokens: " in done.stderr and "equinox token --role" in done.stderr, done.stderr


def test_text_only_leaves_out_what_needs_files_and_nothing_else(tmp_path):
    file = tmp_path / "wrong.json"
    text = ('{ "listeners": [ { "address": "127.0.0.1:0", "tls": { "certificates": [ { "certificate": "missing", "key": "missing" } ] } } ],\n'
            '  "routes": [ { "path": "/*", "static": { "root": "/nonexistent" } }')
    file.write_text(text + " ] }")
    assert run_equinox("check", "--text-only", "--config", file).returncode == 0
    file.write_text(text + ',\n  { "path": "/a", "methods": ["GET"], "status": {} } ] }')
    done = run_equinox("check", "--text-only", "--config", file)
    assert done.returncode == 2, done.stdout
    assert "wrong.json:3:13: routes[1].path: " in done.stderr, done.stderr


@pytest.mark.parametrize("name", ["unknown key", "log in no folder"])
def test_serve_refuses_the_same_way_and_opens_nothing(tmp_path, name):
    text, line, words = MISTAKES[name]
    file = tmp_path / "wrong.json"
    file.write_text(text)
    done = run_equinox("serve", "--config", file)
    assert done.returncode == 2
    assert f"wrong.json:{line}:" in done.stderr + done.stdout
    for word in words:
        assert word in done.stderr


@pytest.mark.parametrize("arguments", [["--no-such-option"], ["--idle-timeout", "soon"], ["--reactors", "0"], ["--log-format", "xml"],
                                       ["--listen", "nowhere"], ["--config", "missing.json"], ["--tls-listen", "127.0.0.1:0"]],
                         ids=lambda a: a[0])
def test_a_wrong_option_is_status_2_with_its_name(tmp_path, arguments):
    done = run_equinox("serve", "--ops", "127.0.0.1:0", "--admin", "127.0.0.1:0", *arguments, cwd=tmp_path)
    assert done.returncode == 2, done.stdout + done.stderr
    assert arguments[0].lstrip("-").split("-")[0] in done.stderr + done.stdout


def test_a_port_that_is_taken_is_status_1_with_address_and_reason(server, tmp_path):
    taken = f"127.0.0.1:{server.port('ops')}"
    done = run_equinox("serve", "--listen", "127.0.0.1:0", "--ops", taken, "--admin", "127.0.0.1:0", cwd=tmp_path)
    assert done.returncode == 1, done.stdout + done.stderr
    assert taken in done.stderr + done.stdout
    assert "in use" in (done.stderr + done.stdout).lower()


def test_admin_beyond_loopback_without_tokens_is_refused_with_the_remedy(tmp_path):
    done = run_equinox("serve", "--listen", "127.0.0.1:0", "--ops", "127.0.0.1:0", "--admin", "0.0.0.0:0", cwd=tmp_path)
    assert done.returncode == 2, done.stdout + done.stderr
    assert "token" in done.stderr + done.stdout


@pytest.mark.parametrize("name", ["equinox-admin", ""], ids=["by name", "by port"])
def test_an_admin_socket_that_is_handed_over_is_judged_by_its_own_address(tmp_path, name):
    """The configuration says loopback, the socket is open to everybody."""
    with socket.create_server(("0.0.0.0", 0)) as listener:
        port = listener.getsockname()[1]
        script = f'LISTEN_PID=$$ LISTEN_FDS=1 LISTEN_FDNAMES={name} exec "$@" 3<&0 0</dev/null'
        done = subprocess.run(["sh", "-c", script, "sh", str(BINARY), "serve", "--listen", "127.0.0.1:0", "--ops", "127.0.0.1:0",
                               "--admin", f"127.0.0.1:{port}"], stdin=listener, capture_output=True, text=True, timeout=20,
                              check=False, cwd=tmp_path)
    assert done.returncode == 2, done.stdout + done.stderr
    assert f'inherited socket 3: admin.address: "0.0.0.0:{port}" is not a loopback address' in done.stderr, done.stderr
    assert "equinox token --role" in done.stderr


def address_beyond_loopback():
    """Of this machine, where it has one: a datagram's route is found without sending any."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as asking:
        try:
            asking.connect(("198.51.100.1", 9))
        except OSError:
            pytest.skip("no route to anywhere: this machine has no address but loopback")
        return asking.getsockname()[0]


def test_an_admin_socket_that_is_handed_over_answers_at_its_own_address(tmp_path):
    """The configuration says another address; the dashboard's link has that of the socket."""
    (tmp_path / "tokens.json").write_text(json.dumps({"tokens": [{"name": "ann", "role": "viewer",
                                                                  "sha256": hashlib.sha256(b"secret").hexdigest()}]}))
    (tmp_path / "equinox.json").write_text(json.dumps({
        "listeners": [{"address": "127.0.0.1:0"}], "ops": {"address": "127.0.0.1:0"},
        "admin": {"address": "127.0.0.1:0", "tokens_file": "tokens.json", "cleartext": True}}))
    with socket.create_server((address_beyond_loopback(), 0)) as listener:
        host, port = listener.getsockname()
        script = 'LISTEN_PID=$$ LISTEN_FDS=1 LISTEN_FDNAMES=equinox-admin exec "$@" 3<&0 0</dev/null'
        with subprocess.Popen(["sh", "-c", script, "sh", str(BINARY), "serve", "--config", "equinox.json"], stdin=listener,
                              stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, cwd=tmp_path) as server:
            try:
                for name, status in ((host, 200), ("192.0.2.99", 421)):
                    asked = http.client.HTTPConnection(host, port, timeout=20)
                    asked.request("GET", "/admin/api/v1/status", headers={"Host": f"{name}:{port}", "Authorization": "Bearer secret"})
                    assert asked.getresponse().status == status, name
                    asked.close()
            finally:
                server.terminate()


def test_check_prints_what_was_left_out_and_which_option_made_a_listener():
    done = run_equinox("check", "--tls-self-signed")
    assert done.returncode == 0, done.stderr
    for line in (r'listeners\[0\]\.name = "http"', r'listeners\[1\]\.name = "https"', r"trusted_proxies = \[\]", r'instance = ".+"',
                 r"listeners\[1\]\.tls = \{\} *# --tls-self-signed"):
        assert re.search(f"^{line}", done.stdout, re.MULTILINE), (line, done.stdout)


def test_check_prints_every_value_with_its_origin(tmp_path):
    file = tmp_path / "good.json"
    file.write_text('{ "timeouts": { "idle": "5s" } }  // a comment\n')
    done = run_equinox("check", "--config", file)
    assert done.returncode == 0, done.stderr
    assert re.search(r"timeouts\.idle\b.*5s.*good\.json:1", done.stdout), done.stdout[:2000]
    assert re.search(r"timeouts\.write\b.*30s.*default", done.stdout)
