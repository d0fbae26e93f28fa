"""The beginning of it all: 1, 10, 50, 100 clients and thousands of held connections, both protocols at once on one port."""

import resource
import socket
import threading

import pytest
from support.clients import Clients, Http1Client, Http2Client
from support.raw import exchange
from support.wait import wait_for

GET = b"GET /hello HTTP/1.1\r\nHost: a\r\n\r\n"


def how_many():
    """10,000 held connections, or what the descriptors of this machine allow."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    return min(10_000, hard - 2000)


@pytest.mark.parametrize("count", [1, 10, 50, 100])
def test_concurrent_clients_of_both_protocols_are_all_answered(server, count):
    clients = Clients(*(Http1Client(server.address()) for _ in range((count + 1) // 2)),
                      *(Http2Client(server.address(), streams=4) for _ in range(count // 2)))
    with clients:
        wait_for(lambda: all(c.answered >= 5 for c in clients.clients), 60, "five answers for each client")
    assert clients.lost == []
    assert set(clients.statuses) == {200}


def hold(address, count):
    held = []
    for _ in range(count):
        connection = socket.create_connection(address, timeout=20)
        held.append(connection)
        connection.sendall(GET)
    for connection in held:
        assert connection.recv(4096).startswith(b"HTTP/1.1 200")
    return held


def test_ten_thousand_held_connections_cost_little_and_the_others_notice_nothing(start):
    server = start(timeouts={"idle": "10m"}, limits={"connections": 15000})
    count = how_many()
    for connection in hold(server.address(), 300):
        connection.close()
    wait_for(lambda: server.metric("equinox_connections") == 0, 10, "the warm-up to be gone")
    before = server.rss_bytes()
    held = hold(server.address(), count)
    try:
        # An answer is with its client before the turn that sent it is over.
        wait_for(lambda: server.metric("equinox_connections", protocol="http/1.1", state="idle") == count, 10, "all of them to be idle")
        each = (server.rss_bytes() - before) / count
        clients = Clients(*(Http1Client(server.address()) for _ in range(20)), *(Http2Client(server.address()) for _ in range(5)))
        with clients:
            wait_for(lambda: clients.answered > 2000, 60, "traffic beside the held ones")
        assert clients.lost == []
        for connection in held[:: max(1, count // 500)]:
            assert exchange(connection, GET).status == 200
        print(f"{count} held connections: {each:.0f} bytes each, public record included")
        assert each <= 512
    finally:
        for connection in held:
            connection.close()
    wait_for(lambda: server.metric("equinox_connections") == 0, 20, "all of them to be gone")


def test_more_connections_than_the_limit_evict_the_longest_idle(start):
    server = start(limits={"connections": 20}, reactors=1)
    held = hold(server.address(), 20)
    began = threading.Event()
    began.wait(1.2)  # an idle connection may be evicted from one second on
    newcomer = socket.create_connection(server.address(), timeout=10)
    newcomer.sendall(GET)
    assert newcomer.recv(4096).startswith(b"HTTP/1.1 200")
    held[0].settimeout(5)
    assert held[0].recv(1) == b"", "the longest idle went"
    held[-1].settimeout(0.3)
    with pytest.raises(socket.timeout):
        held[-1].recv(1)
    for connection in (*held, newcomer):
        connection.close()


def test_without_an_idle_one_the_newcomer_is_told_to_come_back(start):
    server = start(limits={"connections": 5}, reactors=1)
    busy = [socket.create_connection(server.address(), timeout=10) for _ in range(5)]
    for connection in busy:
        connection.sendall(b"POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\nabc")
    wait_for(lambda: server.metric("equinox_connections", state="reading_body") == 5, 5, "five bodies")
    newcomer = socket.create_connection(server.address(), timeout=10)
    newcomer.sendall(GET)
    answer = newcomer.recv(4096)
    assert answer.startswith(b"HTTP/1.1 503") and b"retry-after" in answer.lower()
    assert server.metric("equinox_connections_rejected_total") >= 1
    for connection in (*busy, newcomer):
        connection.close()
