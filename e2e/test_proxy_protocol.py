"""The PROXY protocol, versions 1 and 2: required from the named networks, refused when malformed, shown as the client."""

import json
import socket
import struct

import pytest
from support.raw import receive_answers, receive_until_closed
from support.wait import wait_for

GET = b"GET /hello HTTP/1.1\r\nHost: a\r\n\r\n"
SIGNATURE = b"\r\n\r\n\0\r\nQUIT\n"


def version2(command=1, family=0x11, payload=None, version=2):
    if payload is None:
        payload = socket.inet_aton("192.0.2.7") + socket.inet_aton("192.0.2.8") + struct.pack("!HH", 4711, 80)
    return SIGNATURE + bytes([version << 4 | command, family]) + struct.pack("!H", len(payload)) + payload


V6 = socket.inet_pton(socket.AF_INET6, "2001:db8::7") * 2 + struct.pack("!HH", 4711, 80)
GOOD = {
    "v1 TCP4": (b"PROXY TCP4 192.0.2.7 192.0.2.8 4711 80\r\n", "192.0.2.7"),
    "v1 TCP6": (b"PROXY TCP6 2001:db8::7 2001:db8::8 4711 80\r\n", "2001:db8::7"),
    "v1 UNKNOWN": (b"PROXY UNKNOWN\r\n", "127.0.0.1"),
    "v1 UNKNOWN with words": (b"PROXY UNKNOWN ffff::1 ffff::2 1 2\r\n", "127.0.0.1"),
    "v2 TCP4": (version2(), "192.0.2.7"),
    "v2 TCP6": (version2(family=0x21, payload=V6), "2001:db8::7"),
    "v2 LOCAL": (version2(command=0, family=0, payload=b""), "127.0.0.1"),
    "v2 with TLVs": (version2(payload=version2()[16:] + b"\x04\x00\x02xx"), "192.0.2.7"),
}
BAD = {
    "nothing": b"",
    "no such family": b"PROXY TCP5 1.2.3.4 1.2.3.4 1 2\r\n",
    "bad address": b"PROXY TCP4 1.2.3.456 1.2.3.4 1 2\r\n",
    "bad port": b"PROXY TCP4 1.2.3.4 1.2.3.4 1 99999\r\n",
    "too few words": b"PROXY TCP4 1.2.3.4\r\n",
    "line feed only": b"PROXY TCP4 1.2.3.4 1.2.3.4 1 2\n",
    "endless": b"PROXY TCP4 " + b"1" * 200,
    "lower case": b"proxy TCP4 1.2.3.4 1.2.3.4 1 2\r\n",
    "v2 wrong version": version2(version=3),
    "v2 wrong command": version2(command=5),
    "v2 too short": version2(payload=b"\1\2\3\4"),
}


@pytest.fixture(scope="module")
def proxied(tmp_path_factory, make_config):
    from support.server import Server
    config = make_config(log={"access": "-", "access_format": "json"})
    config["listeners"][0]["proxy_protocol"] = {"from": ["127.0.0.1/32"]}
    with Server(tmp_path_factory.mktemp("proxied"), config) as running:
        yield running


@pytest.mark.parametrize("cut", [False, True], ids=["whole", "byte by byte"])
@pytest.mark.parametrize("name", GOOD)
def test_the_client_is_the_one_it_names(proxied, name, cut):
    header, client = GOOD[name]
    target = f"/hello?{name.replace(' ', '-')}-{cut}"
    with proxied.connect() as connection:
        data = header + GET.replace(b"/hello", target.encode())
        for piece in [data[i:i + 1] for i in range(len(data))] if cut else [data]:
            connection.sendall(piece)
        assert receive_answers(connection, 1)[0].status == 200
        wait_for(lambda: [e for e in proxied.log if client in json.dumps(e) and name.replace(" ", "-") in json.dumps(e)], 5,
                 f"{client} in the access log")


@pytest.mark.parametrize("name", BAD)
def test_anything_else_is_refused(proxied, name):
    with proxied.connect() as connection:
        connection.sendall(BAD[name] + GET)
        assert b" 200 " not in receive_until_closed(connection)


def test_who_is_not_named_must_not_send_it(start, make_config):
    config = make_config()
    config["listeners"][0]["proxy_protocol"] = {"from": ["192.0.2.0/24"]}
    server = start(config)
    with server.connect() as connection:
        connection.sendall(GET)
        assert receive_answers(connection, 1)[0].status == 200
    with server.connect() as connection:
        connection.sendall(GOOD["v1 TCP4"][0] + GET)
        assert b" 200 " not in receive_until_closed(connection)


def test_the_closing_record_names_the_client_too(proxied):
    header, client = GOOD["v1 TCP4"]
    with proxied.connect() as connection:
        port = connection.getsockname()[1]
        connection.sendall(header + GET)
        assert receive_answers(connection, 1)[0].status == 200
        live = proxied.admin(f"/connections?query=peer:127.0.0.1:{port}")["rows"][0]
        assert live["client"] == f"{client}:4711"
    wait_for(lambda: [row for row in proxied.admin("/closed")["rows"] if row["id"] == live["id"]], 5, "the closing record")
    row = next(row for row in proxied.admin("/closed")["rows"] if row["id"] == live["id"])
    assert row["client"] == f"{client}:4711"
    assert row["peer"] == f"127.0.0.1:{port}"
