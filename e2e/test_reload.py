"""Reload: routes, limits and certificates change under load without a lost request; a wrong file changes nothing."""

import json
import os
import shutil
import signal
import socket
import ssl
import time
import urllib.request

import pytest
from support.clients import Clients, Http1Client, Http2Client
from support.raw import exchange
from support.server import Server
from support.tls import client_context, make_certificate
from support.wait import wait_for

GET = b"GET /hello HTTP/1.1\r\nHost: a\r\n\r\n"


def with_answer(make_config, body, **changes):
    config = make_config(**changes)
    config["routes"][0]["respond"]["body"] = body
    return config


def body_of(server):
    with server.connect() as connection:
        return exchange(connection, GET).body.decode()


def test_sighup_applies_new_routes_to_old_and_new_connections(start, make_config):
    server = start(with_answer(make_config, "one"))
    with server.connect() as held:
        assert exchange(held, GET).body == b"one"
        server.write_config(with_answer(make_config, "two"))
        server.signal(signal.SIGHUP)
        wait_for(lambda: body_of(server) == "two", 5, "the new answer")
        assert exchange(held, GET).body == b"two"
    assert server.metric("equinox_config_last_reload_successful") == 1


def test_reloads_under_load_fail_no_request(start, make_config):
    server = start(with_answer(make_config, "0"))
    clients = Clients(*(Http1Client(server.address()) for _ in range(8)), *(Http2Client(server.address()) for _ in range(2)))
    with clients:
        for turn in range(1, 11):
            before = clients.answered
            server.write_config(with_answer(make_config, str(turn), timeouts={"idle": f"{50 + turn}s"}))
            server.signal(signal.SIGHUP)
            wait_for(lambda: body_of(server) == str(turn), 10, f"answer {turn}")
            wait_for(lambda: clients.answered > before + 500, 20, "traffic after the reload")
    assert clients.lost == []
    assert set(clients.statuses) == {200}


def test_a_wrong_file_changes_nothing_and_is_told_with_its_line(start, make_config):
    server = start(with_answer(make_config, "good"))
    server.write_config('{\n  "listner": []\n}')
    server.signal(signal.SIGHUP)
    wait_for(lambda: server.metric("equinox_config_last_reload_successful") == 0, 5, "the failed reload in the metrics")
    assert body_of(server) == "good"
    wait_for(lambda: [e for e in server.log if ":2:" in str(e) and "listner" in str(e)], 5, "the line in the log")


def with_admin_certificate(config, folder, pair=None):
    """admin.tls with files of its own; the pair given is what they hold now."""
    certificate, key = folder / "admin.crt", folder / "admin.key"
    for source, target in zip(pair or make_certificate(folder, "good"), (certificate, key)):
        shutil.copy(source, target)
    config["admin"]["tls"] = {"certificates": [{"certificate": str(certificate), "key": str(key)}]}
    return config, certificate


def test_an_admin_certificate_that_is_none_changes_nothing_of_the_traffic_either(start, make_config, tmp_path):
    config, admin = with_admin_certificate(with_answer(make_config, "good", reload={"certificates": "signal"}), tmp_path)
    server = start(config)
    admin.write_text("no certificate")
    server.write_config({**with_answer(make_config, "new", reload={"certificates": "signal"}), "admin": config["admin"]})
    server.signal(signal.SIGHUP)
    wait_for(lambda: server.lines(message="reload refused, nothing has changed"), 5, "the refusal in the log")
    assert body_of(server) == "good"
    assert server.metric("equinox_config_last_reload_successful") == 0


def test_certificates_are_renewed_together_or_not_at_all(start, make_config, tmp_path):
    config, admin = with_admin_certificate(make_config(), tmp_path)
    certificate, key = make_certificate(tmp_path, "first")
    config["listeners"][1]["tls"]["certificates"] = [{"certificate": str(certificate), "key": str(key)}]
    server = start(config)
    before = served_certificate(server)
    admin.write_text("no certificate")
    for source, target in zip(make_certificate(tmp_path, "second"), (certificate, key)):
        shutil.copy(source, target)
    wait_for(lambda: server.lines(message="new certificates refused, the old ones stay"), 10, "the refusal in the log")
    assert served_certificate(server) == before


def test_renewed_certificates_leave_the_reloaded_routes_alone(start, make_config, tmp_path):
    certificate, key = make_certificate(tmp_path, "first")

    def config(body):
        changed = with_answer(make_config, body)
        changed["listeners"][1]["tls"]["certificates"] = [{"certificate": str(certificate), "key": str(key)}]
        return changed

    server = start(config("at start"))
    server.write_config(config("reloaded"))
    server.signal(signal.SIGHUP)
    wait_for(lambda: body_of(server) == "reloaded", 5, "the new answer")
    for source, target in zip(make_certificate(tmp_path, "second"), (certificate, key)):
        shutil.copy(source, target)
    wait_for(lambda: server.lines(message="certificates reloaded"), 10, "the new certificate")
    assert body_of(server) == "reloaded"


class WhenItListens(list):
    """A log that acts the moment the server says that it listens, once."""

    def __init__(self, action):
        super().__init__()
        self.action = action

    def append(self, entry):
        super().append(entry)
        if entry.get("message") == "listening" and self.action:
            action, self.action = self.action, None
            action()


def test_a_configuration_that_changes_while_the_server_starts_is_read(make_config, tmp_path):
    with Server(tmp_path, with_answer(make_config, "at start", reload={"config": "watch"}), start=False) as server:
        server.log = WhenItListens(lambda: server.write_config(with_answer(make_config, "new", reload={"config": "watch"})))
        server.start()
        wait_for(lambda: body_of(server) == "new", 5, "the new answer")


def test_a_configuration_that_changes_while_another_is_read_is_not_lost(start, make_config):
    server = start(with_answer(make_config, "0", reload={"config": "watch"}))
    for turn in range(1, 16):
        server.signal(signal.SIGHUP)
        end = time.perf_counter() + turn * 0.0004  # over all of what a reload does
        while time.perf_counter() < end:
            pass
        server.write_config(with_answer(make_config, str(turn), reload={"config": "watch"}))
        wait_for(lambda: body_of(server) == str(turn), 5, f"answer {turn}")


def test_a_refused_configuration_is_read_again_when_its_key_has_come(start, make_config, tmp_path):
    first, second = make_certificate(tmp_path, "first"), make_certificate(tmp_path, "second")
    certificate, key = (shutil.copy(source, tmp_path / name) for source, name in zip(first, ("tls.crt", "tls.key")))

    def config(body):
        changed = with_answer(make_config, body, reload={"config": "watch"})
        changed["listeners"][1]["tls"]["certificates"] = [{"certificate": str(certificate), "key": str(key)}]
        return changed

    server = start(config("old"))
    shutil.copy(second[0], certificate)
    server.write_config(config("new"))
    wait_for(lambda: server.lines(message="reload refused, nothing has changed"), 5, "the refusal")
    assert body_of(server) == "old"
    shutil.copy(second[1], key)
    wait_for(lambda: body_of(server) == "new", 5, "the new answer")
    assert served_certificate(server) == ssl.PEM_cert_to_DER_cert(second[0].read_text())


def test_a_refused_configuration_is_tried_at_each_poll_and_told_of_once(start, make_config, tmp_path):
    def config(body, root):
        changed = with_answer(make_config, body, sandbox="off", reload={"config": "watch", "poll": "1s"})
        changed["routes"][-1]["static"]["root"] = str(root)
        return changed

    (tmp_path / "old").mkdir()
    server = start(config("old", tmp_path / "old"))
    server.write_config(config("new", tmp_path / "new"))
    wait_for(lambda: server.lines(message="reload refused, nothing has changed"), 5, "the refusal")
    with pytest.raises(AssertionError):
        wait_for(lambda: len(server.lines(message="reload refused, nothing has changed")) > 1, 2.5)
    (tmp_path / "new").mkdir()
    wait_for(lambda: body_of(server) == "new", 5, "the new answer")
    assert server.metric("equinox_config_last_reload_successful") == 1


def test_a_certificate_renewed_meanwhile_does_not_hide_a_refused_configuration(start, make_config, tmp_path):
    certificate, key = make_certificate(tmp_path, "first")
    config = make_config()
    config["listeners"][1]["tls"]["certificates"] = [{"certificate": str(certificate), "key": str(key)}]
    server = start(config)
    server.write_config("{")
    server.signal(signal.SIGHUP)
    wait_for(lambda: server.metric("equinox_config_last_reload_successful") == 0, 5, "the refusal")
    for source, target in zip(make_certificate(tmp_path, "second"), (certificate, key)):
        shutil.copy(source, target)
    wait_for(lambda: server.lines(message="certificates reloaded"), 10, "the new certificate")
    assert server.metric("equinox_config_last_reload_successful") == 0


def test_a_certificate_that_becomes_a_fifo_is_refused_by_name(start, make_config, tmp_path):
    """Whoever opens one waits for its writer: the main thread, which hears the signals, must not."""
    certificate, key = make_certificate(tmp_path, "first")
    config = make_config()
    config["listeners"][1]["tls"]["certificates"] = [{"certificate": str(certificate), "key": str(key)}]
    server = start(config)
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "pipe").replace(certificate)
    shutil.copy(make_certificate(tmp_path, "second")[1], key)
    wait_for(lambda: [e for e in server.log if "is a FIFO" in str(e)], 5, "the refusal in the log")
    server.signal(signal.SIGTERM)
    assert server.wait(5) == 0


def test_a_reload_goes_on_when_the_cpus_have_changed(start, make_config):
    """As with taskset or a changed cgroup quota: how many threads `auto` came to is a matter of the start."""
    allowed = os.sched_getaffinity(0)
    if len(allowed) < 2:
        pytest.skip("needs two CPUs")
    server = start(with_answer(make_config, "one", reactors="auto"))
    os.sched_setaffinity(server.process.pid, {min(allowed)})
    server.write_config(with_answer(make_config, "two", reactors="auto"))
    server.signal(signal.SIGHUP)
    wait_for(lambda: body_of(server) == "two", 5, "the new answer")


def log_level(server):
    row = server.admin("/log-level")["rows"][0]
    return row["level"], row["configured"]


def set_log_level(server, level, **more):
    body = json.dumps({"level": level, **more}).encode()
    fields = {"Content-Type": "application/json", "X-Equinox-Action": "1"}
    with urllib.request.urlopen(
        urllib.request.Request(server.url("/admin/api/v1/log-level", "admin"), body, fields, method="PUT"), timeout=10
    ) as answer:
        assert answer.status == 200


def test_the_api_shows_the_reloaded_log_level_and_one_set_for_a_time_outlasts_the_reload(start, make_config):
    server = start(make_config(log={"level": "info"}))
    set_log_level(server, "debug", for_seconds=3600)
    server.signal(signal.SIGHUP)
    wait_for(lambda: server.lines(message="configuration reloaded"), 5, "the reload")
    before = len(server.lines(level="debug"))
    body_of(server)
    wait_for(lambda: len(server.lines(level="debug")) > before, 5, "a debug line after the reload")
    assert log_level(server) == ("debug", "info")
    server.write_config(make_config(log={"level": "error"}))
    server.signal(signal.SIGHUP)
    wait_for(lambda: log_level(server) == ("debug", "error"), 5, "the level of the new file")
    set_log_level(server, "debug", for_seconds=1)
    wait_for(lambda: log_level(server) == ("error", "error"), 5, "the end of its time")


def test_a_change_that_needs_a_restart_is_refused_by_name(start, make_config):
    server = start(with_answer(make_config, "good", reactors=1))
    server.write_config(with_answer(make_config, "new", reactors=2))
    server.signal(signal.SIGHUP)
    wait_for(lambda: [e for e in server.log if "reactors" in str(e) and "restart" in str(e)], 5, "the refusal in the log")
    assert body_of(server) == "good"


def served_certificate(server):
    with client_context().wrap_socket(socket.create_connection(server.address("https"), timeout=10)) as secure:
        return secure.getpeercert(binary_form=True)


def test_a_self_signed_listener_takes_new_rules_and_keeps_its_certificate(start, make_config):
    def config(**tls):
        changed = make_config()
        changed["listeners"][1]["tls"] = tls
        return changed

    def version_spoken(server):
        context = client_context()
        context.maximum_version = ssl.TLSVersion.TLSv1_2
        try:
            with context.wrap_socket(socket.create_connection(server.address("https"), timeout=10)) as secure:
                return secure.version()
        except ssl.SSLError:
            return None

    def reload(server, **tls):
        done = len(server.lines(message="configuration reloaded"))
        server.write_config(config(**tls))
        server.signal(signal.SIGHUP)
        wait_for(lambda: len(server.lines(message="configuration reloaded")) > done, 5, "the reload")

    server = start(make_config())
    from_file = served_certificate(server)
    reload(server, self_signed=True)
    wait_for(lambda: served_certificate(server) != from_file, 5, "a certificate that is not the file's")
    made = served_certificate(server)
    assert version_spoken(server) == "TLSv1.2"
    reload(server, self_signed=True, min_version="1.3")
    wait_for(lambda: version_spoken(server) is None, 5, "TLS 1.2 refused")
    assert served_certificate(server) == made


def test_a_certificate_swapped_by_symlink_is_served_within_five_seconds(start, make_config, tmp_path):
    """As kubelet does it: files are links into ..data, which is a link to a dated folder and is replaced by rename."""
    folder = tmp_path / "secret"
    folder.mkdir()

    def publish(stamp):
        certificate, key = make_certificate(tmp_path, stamp)
        (folder / stamp).mkdir()
        shutil.copy(certificate, folder / stamp / "tls.crt")
        shutil.copy(key, folder / stamp / "tls.key")
        os.symlink(stamp, folder / "..data_tmp")
        os.rename(folder / "..data_tmp", folder / "..data")
        return ssl.PEM_cert_to_DER_cert(certificate.read_text())

    first = publish("..2026_01")
    for name in ("tls.crt", "tls.key"):
        os.symlink(f"..data/{name}", folder / name)
    config = make_config()
    config["listeners"][1]["tls"]["certificates"] = [{"name": "main", "certificate": str(folder / "tls.crt"), "key": str(folder / "tls.key")}]
    server = start(config)
    assert served_certificate(server) == first
    with client_context(["http/1.1"]).wrap_socket(socket.create_connection(server.address("https"), timeout=10)) as held:
        assert exchange(held, GET).status == 200
        second = publish("..2026_02")
        wait_for(lambda: served_certificate(server) == second, 5, "the new certificate")
        assert exchange(held, GET).status == 200, "a connection under the old certificate goes on"


def test_the_access_log_is_reopened_on_sighup(start, tmp_path):
    log = tmp_path / "access.log"
    server = start(log={"access": str(log)})
    body_of(server)
    wait_for(lambda: log.exists() and "/hello" in log.read_text(), 5, "a line")
    log.rename(tmp_path / "access.log.1")
    server.signal(signal.SIGHUP)
    wait_for(log.exists, 5, "the reopened file")
    body_of(server)
    wait_for(lambda: "/hello" in log.read_text(), 5, "a line in the new file")
