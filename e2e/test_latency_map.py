"""Every cell of the latency map that counted a request opens a real one, however small the configured rings are."""

import re
import time

from support.raw import exchange
from support.server import run_equinox
from support.wait import wait_for

STEP = 15
MEASURES = ("duration", "first_byte", "queue", "handler")


def cells(server):
    """(from, above, up to, measure, count) of each cell that counted something; `up to` of the last bucket is none."""
    page = server.admin("/series?names=" + ",".join(MEASURES))
    found = {}
    for measure in MEASURES:
        histogram = page["histograms"][measure]
        edges = [0, *histogram["edges_seconds"], None]
        for second, counts in enumerate(histogram["counts"]):
            for bucket, count in enumerate(counts or []):
                step = int(page["start_at"] + second) // STEP * STEP
                key = (step, edges[bucket], edges[bucket + 1], measure)
                found[key] = found.get(key, 0) + count
    return [(*key, count) for key, count in found.items() if count > 0]


def rows_of(server, cell):
    step, above, up_to, measure, _ = cell
    upper = "" if up_to is None else f"&up_to_seconds={up_to}"
    return server.admin(f"/requests/by-bucket?from={step}&to={step + STEP}&above_seconds={above}{upper}&measure={measure}")["rows"]


def slow_upload(server):
    with server.connect() as connection:
        connection.sendall(b"POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\n\r\nab")
        time.sleep(0.3)  # the length of the request, not a wait for something
        assert exchange(connection, b"cd").status == 200


def test_a_rare_request_is_still_shown_when_the_ring_has_wrapped(start):
    server = start(reactors=1, rings={"samples": 16, "recent": 16})
    with server.connect() as connection:  # a cell is there when its second is over
        def counted():
            assert exchange(connection, b"GET /hello HTTP/1.1\r\nHost: a\r\n\r\n").status == 200
            return cells(server)
        wait_for(counted, 20, "the first second", interval=0.2)
    slow_upload(server)
    overwritten = lambda ring: server.metric("equinox_history_ring_overwritten_total", ring=ring)
    with server.connect() as connection:
        def wrapped():
            for _ in range(200):
                assert exchange(connection, b"GET /hello HTTP/1.1\r\nHost: a\r\n\r\n").status == 200
            return overwritten("samples") > 0 and overwritten("recent") > 0
        wait_for(wrapped, 60, "the rings to wrap")
    assert overwritten("cells") == 0
    slow = [cell for cell in cells(server) if cell[3] == "duration" and cell[1] >= 0.25]
    assert sum(cell[4] for cell in slow) >= 1
    assert "/echo" in [row["target"] for cell in slow for row in rows_of(server, cell)]
    for cell in cells(server):
        assert rows_of(server, cell), f"nobody in {cell}"


def test_a_request_is_counted_in_the_second_in_which_it_ended(server):
    with server.connect() as connection:
        while not 0.2 < time.time() % 1 < 0.6:  # far from where a second is closed
            time.sleep(0.02)
        second = int(time.time())
        for _ in range(7):
            assert exchange(connection, b"GET /hello HTTP/1.1\r\nHost: a\r\n\r\n").status == 200
        assert time.time() < second + 0.95

    def closed():
        page = server.admin("/series?names=requests,duration")
        return page["start_at"] + page["points"] > second and page
    page = wait_for(closed, 10, "the second to be closed", interval=0.1)
    at = second - int(page["start_at"])
    assert page["series"]["requests"][at] == sum(page["histograms"]["duration"]["counts"][at]) == 7
    cell = server.admin(f"/requests/by-bucket?from={second}&to={second + 1}")
    assert cell["total"] == cell["kept"] == 7 and not cell["sampled"]


def test_the_series_add_up_to_the_totals_from_the_start_on(start):
    server = start()
    with server.connect() as connection:
        assert exchange(connection, b"GET /hello HTTP/1.1\r\nHost: a\r\n\r\n").status == 200

    def added_up():
        page = server.admin("/series?names=requests,accepted")
        return {name: sum(value or 0 for value in values) for name, values in page["series"].items()}
    wait_for(lambda: added_up()["requests"] == 1, 5, "the first second")
    totals = server.admin("/status")["totals"]
    assert added_up() == {"requests": totals["requests"], "accepted": totals["accepted"]}


def test_check_says_how_much_memory_each_ring_takes(tmp_path):
    config = tmp_path / "equinox.json"
    sizes = {}
    for reactors in (1, 3):
        config.write_text('{"reactors": %d, "rings": {"samples": 1000}}' % reactors)
        done = run_equinox("check", "--config", str(config))
        assert done.returncode == 0, done.stderr
        sizes[reactors] = {name: float(size) for name, size in re.findall(r"^# rings? (\w+): ([\d.]+) MB", done.stdout, re.M)}
    assert sizes[1]["samples"] == sizes[3]["samples"], "of the process"
    assert abs(sizes[3]["cells"] - sizes[1]["cells"] * 3) < 0.2, "of each reactor, for what it may meet"
    for found in sizes.values():
        assert abs(sum(size for name, size in found.items() if name != "together") - found["together"]) < 0.5
