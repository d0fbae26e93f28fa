"""What the admin surface costs and does is in the metrics, like everything else; and who may read them there."""

import hashlib
import json

import pytest
from support.raw import exchange
from support.server import run_equinox
from support.wait import wait_for

GET = b"GET /hello HTTP/1.1\r\nHost: a\r\n\r\n"


def test_actions_are_counted_by_result_and_role(start):
    server = start()
    with server.connect() as connection:
        assert exchange(connection, GET).status == 200
        assert run_equinox("close", "protocol:http/1.1", "--admin", server.addresses["admin"]).returncode == 0
    assert run_equinox("undrain", "--admin", server.addresses["admin"]).returncode != 0, "nothing to take back"
    assert server.metric("equinox_admin_actions_total", action="close", result="done", role="operator") == 1
    assert server.metric("equinox_admin_actions_total", action="undrain", result="done") == 0
    assert server.metric("equinox_admin_actions_total", action="undrain") == 1
    metrics = server.metrics()
    assert metrics['equinox_admin_actions_total{action="close",result="refused",role="viewer"}'] == 0
    assert metrics['equinox_admin_actions_total{action="reload",result="failed",role="admin"}'] == 0


def test_listening_dashboards_are_counted_by_topic(start):
    server = start()
    topics = ("overview", "series", "connections", "changes", "stalls", "jobs")
    assert all(f'equinox_admin_stream_clients{{topic="{t}"}}' in server.metrics() for t in topics), "zeros from the start"
    with server.connect("admin") as listener:
        listener.sendall(b"GET /admin/api/v1/events?topics=overview,stalls HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n")
        wait_for(lambda: server.metric("equinox_admin_stream_clients", topic="overview") == 1, 5, "the listener")
        assert server.metric("equinox_admin_stream_clients", topic="stalls") == 1
        assert server.metric("equinox_admin_stream_clients", topic="series") == 0
    wait_for(lambda: server.metric("equinox_admin_stream_clients") == 0, 5, "the listener to be gone")


FOREIGN = [({"Host": "evil.example"}, 421), ({"Host": "127.0.0.1.evil.example"}, 421),
           ({"Origin": "https://evil.example"}, 403), ({"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "no-cors"}, 403),
           ({"X-Forwarded-For": "192.0.2.7"}, 401)]


@pytest.mark.parametrize("fields,status", FOREIGN)
def test_strangers_get_no_metrics_from_the_admin_surface(server, fields, status):
    got, text = server.get("/metrics", name="admin", headers=fields)
    assert got == status and "equinox_" not in text
    assert server.get("/metrics", name="admin")[0] == 200, "this machine may look"
    assert server.get("/metrics", name="ops", headers=fields)[0] == 200, "the ops surface asks nobody"


def test_with_a_tokens_file_metrics_need_a_viewer(start, make_config, tmp_path):
    tokens = tmp_path / "tokens.json"
    tokens.write_text(json.dumps({"tokens": [{"name": "prometheus", "role": "viewer",
                                              "sha256": hashlib.sha256(b"scrape").hexdigest()}]}))
    config = make_config()
    config["admin"]["tokens_file"] = str(tokens)
    server = start(config)
    for headers in ({}, {"Authorization": "Bearer other"}):
        status, text = server.get("/metrics", name="admin", headers=headers)
        assert status == 401 and "equinox_" not in text
    status, text = server.get("/metrics", name="admin", headers={"Authorization": "Bearer scrape"})
    assert status == 200 and "equinox_connections" in text
    assert server.get("/metrics", name="ops")[0] == 200
