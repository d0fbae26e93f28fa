"""Every cell of the four maps of requests that counted somebody opens a real request, and that opens its connection."""

import contextlib
import socket
import subprocess
import threading
import time

from support.clients import Clients, Http1Client, Http2Client
from support.raw import receive_answers, receive_until_closed
from support.wait import wait_for

MEASURES = {
    "duration": lambda row: row["total_seconds"],
    "first_byte": lambda row: row["first_byte_seconds"],
    "queue": lambda row: row["phases"]["queue_seconds"],
    "handler": lambda row: row["phases"]["handler_seconds"],
}
COLUMN = 15  # seconds, as the dashboard draws them
LOAD_SECONDS = 20


class SlowUploader(threading.Thread):
    """Bodies in two parts, each a little longer than the one before: requests in many buckets."""

    def __init__(self, address):
        super().__init__(daemon=True)
        self.address, self.stopping = address, threading.Event()

    def run(self):
        pause = 0.002
        with socket.create_connection(self.address, timeout=20) as connection:
            while not self.stopping.is_set():
                connection.sendall(b"POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 8\r\n\r\nhalf")
                self.stopping.wait(pause)
                connection.sendall(b"more")
                receive_answers(connection, 1)
                pause = pause * 2 if pause < 2 else 0.002


class SlowReader(threading.Thread):
    """Takes its time before it reads a large answer."""

    def __init__(self, address):
        super().__init__(daemon=True)
        self.address, self.stopping = address, threading.Event()

    def run(self):
        while not self.stopping.is_set():
            with socket.socket() as connection:
                connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 256 * 1024)
                connection.settimeout(20)
                connection.connect(self.address)
                connection.sendall(b"GET /32m.bin HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
                self.stopping.wait(0.3)
                receive_until_closed(connection)


@contextlib.contextmanager
def slow_ones(server):
    threads = [SlowUploader(server.address()) for _ in range(3)] + [SlowReader(server.address())]
    for thread in threads:
        thread.start()
    try:
        yield
    finally:
        for thread in threads:
            thread.stopping.set()
        for thread in threads:
            thread.join(25)


def mixed_load(server, tool):
    """HTTP/1.1 and HTTP/2, short and long, for a good second column."""
    clients = Clients(*(Http1Client(server.address(), pause=0.01) for _ in range(4)),
                      *(Http1Client(server.address(), path="/100k.bin") for _ in range(2)),
                      *(Http1Client(server.address(), path="/nowhere", pause=0.05) for _ in range(2)),
                      *(Http2Client(server.address(), streams=20) for _ in range(2)))
    h2load = subprocess.Popen([tool("h2load"), "-t1", "-c8", "-m50", "-D", str(LOAD_SECONDS), f"{server.url()}/1k.bin"],
                              stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        with clients, slow_ones(server):
            assert h2load.wait(LOAD_SECONDS + 60) == 0
    finally:
        h2load.kill()
        h2load.wait()
    assert not clients.lost


def cells(server, measure):
    """(from, edges below and above, count) of each cell that is not empty, oldest first."""
    series = server.admin(f"/series?names={measure}")
    histogram = series["histograms"][measure]
    edges, columns = histogram["edges_seconds"], {}
    for offset, counts in enumerate(histogram["counts"]):
        if counts:
            begin = (int(series["start_at"]) + offset) // COLUMN * COLUMN
            columns.setdefault(begin, [0] * (len(edges) + 1))
            columns[begin] = [a + b for a, b in zip(columns[begin], counts)]
    for begin, counts in sorted(columns.items()):
        for row, count in enumerate(counts):
            if count:
                yield begin, edges[row - 1] if row else 0, edges[row] if row < len(edges) else None, count


def check_cell(server, measure, begin, above, up_to, count):
    where = f"{measure} {begin} above {above} up to {up_to}: {count}"
    bounds = f"&above_seconds={above}" + (f"&up_to_seconds={up_to}" if up_to is not None else "")
    page = server.admin(f"/requests/by-bucket?measure={measure}&from={begin}&to={begin + COLUMN}{bounds}&limit=100")
    assert page["rows"], f"{where}: nobody"
    assert page["total"] >= len(page["rows"]), where
    for row in page["rows"]:
        value = MEASURES[measure](row)
        assert value >= above - 1e-9 and (up_to is None or value <= up_to + 1e-9), f"{where}: {row}"
        assert abs(sum(row["phases"].values()) - row["total_seconds"]) <= 1e-6, row
    newest = page["rows"][0]
    detail = server.admin(f"/connection/{newest['connection']}")
    assert detail["id"] == newest["connection"], where
    assert detail["live"] == (detail["connection"] is not None) == (detail["closed"] is None), where


def test_every_cell_of_every_map_opens_a_request(start, tool):
    server = start()
    mixed_load(server, tool)
    wait_for(lambda: server.metric("http_server_active_requests") == 0, 30, "the end of the last request")
    ended = time.time()

    def last_second_is_counted():
        series = server.admin("/series?names=requests")
        return series["series"]["requests"][-1] is not None and series["start_at"] + series["points"] > ended + 1

    wait_for(last_second_is_counted, 10, "the last second")
    opened = {}
    for measure in MEASURES:
        for cell in cells(server, measure):
            check_cell(server, measure, *cell)
            opened[measure] = opened.get(measure, 0) + 1
    assert set(opened) == set(MEASURES)
    assert opened["duration"] >= 12 and opened["first_byte"] >= 8 and opened["handler"] >= 2, opened
