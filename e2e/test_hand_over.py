"""SIGUSR2: a new process takes the listening sockets over, under load, and nobody is refused."""

import os
import re
import signal
import socket
from pathlib import Path

import pytest
from support.clients import Clients, Http1Client, Http2Client
from support.raw import exchange
from support.server import PATIENCE
from support.wait import wait_for

GET = b"GET /hello HTTP/1.1\r\nHost: a\r\n\r\n"
ENABLED = {"hand_over": {"enabled": True, "timeout": "20s"}, "drain": {"timeout": "10s"}}


def is_running(number):
    try:
        state = Path(f"/proc/{number}/stat").read_text().rpartition(")")[2].split()[0]
    except FileNotFoundError:
        return False
    return state != "Z"


@pytest.fixture
def successors():
    """Numbers of processes that no fixture started: they are ended after the test."""
    numbers = []
    yield numbers
    for number in numbers:
        if is_running(number):
            os.kill(number, signal.SIGQUIT)
            wait_for(lambda n=number: not is_running(n), 10, f"the end of process {number}")


def successor_of(server, successors, nth=1):
    """Waits until the process has handed over for the nth time; the new one's number."""
    lines = wait_for(lambda: (found := server.lines(message="handed over")) and len(found) >= nth and found, 30 * PATIENCE, "the hand-over")
    number = int(re.search(r"\d+", lines[nth - 1]["detail"]).group())
    successors.append(number)
    return number


def children(number):
    return Path(f"/proc/{number}/task/{number}/children").read_text().split()


@pytest.mark.parametrize("sandbox", ["auto", "off"])
def test_under_load_nobody_is_refused_and_no_request_is_lost(start, successors, sandbox):
    server = start(**ENABLED, sandbox=sandbox, reactors=2)
    clients = Clients(*(Http1Client(server.address()) for _ in range(8)), *(Http1Client(server.address(), pause=0.05) for _ in range(4)),
                      *(Http2Client(server.address()) for _ in range(2)))
    with clients:
        wait_for(lambda: clients.answered > 500 and all(c.answered > 0 for c in clients.clients), 20, "traffic of every client")
        server.signal(signal.SIGUSR2)
        first = successor_of(server, successors)
        assert server.wait() == 0, "the old process drains and ends"
        before = clients.answered
        wait_for(lambda: clients.answered > before + 500, 20, "traffic of the new process")
        # And once more: what was handed over can be handed on.
        os.kill(first, signal.SIGUSR2)
        second = successor_of(server, successors, 2)
        wait_for(lambda: not is_running(first), 20, "the end of the second process")
        before = clients.answered
        wait_for(lambda: clients.answered > before + 500, 20, "traffic of the third process")
        assert len({server.process.pid, first, second}) == 3
    assert clients.lost == []
    assert sum(c.refused for c in clients.clients) == 0
    assert set(clients.statuses) == {200}


def test_the_surfaces_go_over_too(start, successors):
    server = start(**ENABLED)
    started = server.metric("process_start_time_seconds")
    server.signal(signal.SIGUSR2)
    number = successor_of(server, successors)
    assert server.wait() == 0
    assert server.get("/readyz")[0] == 200
    assert server.metric("process_start_time_seconds") >= started
    assert server.admin("/certificates")
    assert is_running(number)
    assert {e["address"] for e in server.lines(message="listening", name="ops")} == {server.addresses["ops"]}
    os.kill(number, signal.SIGTERM)
    wait_for(lambda: not is_running(number), 20, "the end of the new process")
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(server.address(), timeout=5).close()


def test_a_new_process_that_fails_leaves_the_old_one_serving(start, make_config):
    server = start(**ENABLED)
    server.write_config('{ "nonsense": 1 }')
    server.signal(signal.SIGUSR2)
    wait_for(lambda: server.lines(message="hand-over failed, this process goes on serving"), 20, "the failure")
    assert [e for e in server.log if "nonsense" in str(e)], "the new process said why"
    with server.connect() as connection:
        assert exchange(connection, GET).status == 200
    server.write_config(make_config(**ENABLED))
    server.signal(signal.SIGHUP)
    wait_for(lambda: server.metric("equinox_config_last_reload_successful") == 1, 5, "a reload")


def test_without_the_key_it_is_refused_and_there_is_no_second_process(start):
    server = start()
    assert children(server.process.pid) == []
    server.signal(signal.SIGUSR2)
    wait_for(lambda: server.lines(message="hand-over refused, nothing has changed"), 5, "the refusal")
    assert "hand_over.enabled" in server.lines(message="hand-over refused, nothing has changed")[0]["detail"]
    with server.connect() as connection:
        assert exchange(connection, GET).status == 200


def test_the_launcher_ends_with_its_server(start):
    server = start(**ENABLED)
    launchers = children(server.process.pid)
    assert len(launchers) == 1
    server.process.kill()
    wait_for(lambda: not is_running(int(launchers[0])), 5, "the launcher's end")
