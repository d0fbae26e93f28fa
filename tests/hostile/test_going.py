"""Going and changing under load: nothing is lost, nothing is cut, whatever the peers do meanwhile."""

import json
import signal
import socket
import subprocess
import threading
import time

import h2.config
import h2.connection
import h2.events
from support.clients import Clients, Http1Client, Http2Client, receive_frames
from support.raw import exchange, parse_answers
from support.server import PATIENCE
from support.wait import wait_for
from watch import GET, SLOWNESS, Watch

GRACE = 8.0
REQUESTS = 50_000
TRAFFIC = 10_000  # answers before the signal: long enough for a p99 of the other client


def judged(watch, reason, broken, took):
    watch.told(reason)
    watch.row.ended_after = took
    for what in filter(None, broken):
        watch.broke(what)


class Download(threading.Thread):
    """32 MB over HTTP/1, taken more slowly than they could come."""

    def __init__(self, server, size):
        super().__init__(daemon=True)
        self.server, self.size, self.got, self.started = server, size, 0, threading.Event()

    def run(self):
        with self.server.connect(timeout=30) as connection:
            connection.sendall(b"GET /32m.bin HTTP/1.1\r\nHost: a\r\n\r\n")
            data = bytearray(connection.recv(65536))
            self.started.set()
            while chunk := connection.recv(262144):
                data += chunk
                time.sleep(0.003)
            self.got = len(parse_answers(bytes(data))[0].body)

    def broken(self):
        return f"a download ended after {self.got} of {self.size}" if self.got != self.size else ""


class Download2(Download):
    """Four streams of 32 MB at once on one HTTP/2 connection; notes whether a GOAWAY came."""

    streams = 4
    goaway = False

    def run(self):
        protocol = h2.connection.H2Connection(h2.config.H2Configuration(client_side=True))
        protocol.initiate_connection()
        with self.server.connect(timeout=30) as connection:
            for stream in range(1, 2 * self.streams, 2):
                protocol.send_headers(stream, [(":method", "GET"), (":scheme", "http"), (":authority", "a"), (":path", "/32m.bin")], end_stream=True)
            open_streams, unread = set(range(1, 2 * self.streams, 2)), bytearray()
            connection.sendall(protocol.data_to_send())
            while open_streams and (data := connection.recv(262144)):
                unread += data
                for event in receive_frames(protocol, unread):
                    if isinstance(event, h2.events.DataReceived):
                        self.got += len(event.data)
                        self.started.set()
                        protocol.acknowledge_received_data(event.flow_controlled_length, event.stream_id)
                    elif isinstance(event, h2.events.StreamEnded):
                        open_streams.discard(event.stream_id)
                    elif isinstance(event, h2.events.ConnectionTerminated):
                        self.goaway = True
                connection.sendall(protocol.data_to_send())

    def broken(self):
        whole = self.size * self.streams
        return f"streams ended after {self.got} of {whole}" if self.got != whole else "" if self.goaway else "no GOAWAY was seen"


def going(start):
    return start(drain={"timeout": f"{int(GRACE)}s"}, timeouts={"write": "30s"})


def drained_under_load(server, site, stalled):
    size = (site / "32m.bin").stat().st_size
    downloads = [Download(server, size), Download(server, size), Download2(server, size)]
    load = Clients(*(Http1Client(server.address(), pause=0.002) for _ in range(6)), *(Http2Client(server.address(), pause=0.002) for _ in range(2)))
    reader = None
    if stalled:
        reader = socket.socket()
        reader.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        reader.connect(server.address())
        reader.sendall(b"GET /32m.bin HTTP/1.1\r\nHost: a\r\n\r\n")
        reader.recv(100)
    with load:
        wait_for(lambda: load.answered > TRAFFIC, 60 * PATIENCE, "traffic")
        for download in downloads:
            download.start()
        for download in downloads:
            assert download.started.wait(10)
        began = time.monotonic()
        server.signal(signal.SIGTERM)
        status = server.wait(GRACE + 20)
        took = time.monotonic() - began
    for download in downloads:
        download.join(20)
    if reader:
        reader.close()
    return status, took, [d.broken() for d in downloads], load


def test_sigterm_under_load_loses_and_cuts_nothing(start, site):
    """No "CPU after": the server is gone."""
    server = going(start)
    with Watch(server, "SIGTERM under load, downloads in flight", ends=True) as watch:
        status, took, cut, load = drained_under_load(server, site, stalled=False)
        judged(watch, f"exit {status}", [*cut, *load.lost[:3], "not exit 0" if status else "",
               "later than the grace" if took > GRACE + 0.5 * SLOWNESS else ""], took)


def test_sigterm_with_a_stalled_reader_ends_with_the_grace(start, site):
    server = going(start)
    with Watch(server, "SIGTERM under load, a reader stalls", ends=True) as watch:
        status, took, cut, load = drained_under_load(server, site, stalled=True)
        judged(watch, f"exit {status}", [*cut, *load.lost[:3], "not exit 0" if status else "",
               f"after {took:.2f} s, not grace + 0.5 s" if not GRACE - 0.5 < took < GRACE + 0.5 * SLOWNESS else ""], took)


def test_reloads_under_load_fail_none_of_fifty_thousand(start, make_config, load_program):
    config = make_config()
    server = start(config)
    with Watch(server, "reloads under load") as watch:
        load = subprocess.Popen([load_program, "closed", str(server.port()), "--connections", "16", "--requests", str(REQUESTS), "--seconds", "60",
                                 "--rate", "0"], stdout=subprocess.PIPE, text=True)
        others = Clients(*(Http2Client(server.address(), pause=0.01) for _ in range(2)))
        reloads = 0
        with others, server.connect() as held:
            while load.poll() is None and reloads < 400:
                reloads += 1
                config["routes"][0]["respond"]["body"] = f'{{"status":"ok","turn":{reloads}}}'
                config["timeouts"] = {"idle": f"{50 + reloads % 20}s"}
                server.write_config(config)
                server.signal(signal.SIGHUP)
                wait_for(lambda: f'"turn":{reloads}' in exchange(held, GET).body.decode(), 10 * PATIENCE, "the reload")
        told = json.loads(load.communicate(timeout=60)[0])
        watch.row.attack = f"{reloads} reloads within {told['requests']} requests"
        judged(watch, f"{told['failed']} failed",
               [f"{told['failed']} failed" if told["failed"] else "", "too few requests" if told["requests"] < REQUESTS else "",
                "too few reloads" if reloads < 5 else "", *others.lost[:3]], told["seconds"])
