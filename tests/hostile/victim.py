"""Another client, in a process of its own, so that its times are the server's and not those of an attacker's interpreter.

    victim.py HOST PORT [PATH]     requests until standard input ends, then one line of JSON: times in ms, failures
"""

import json
import select
import socket
import statistics
import sys
import time

PAUSE = 0.004
REQUESTS_PER_CONNECTION = 50
GIVES_UP_AFTER = 10.0


class Victim:
    """One request after the other over a kept connection, every fiftieth over a new one."""

    def __init__(self, address, path):
        self.address = address
        self.request = f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1:{address[1]}\r\n\r\n".encode()
        self.connection, self.used, self.times, self.failures = None, 0, [], []

    def connect(self):
        if self.connection is not None:
            self.connection.close()
        self.connection = socket.create_connection(self.address, timeout=GIVES_UP_AFTER)
        self.connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.used = 0

    def exchange(self):
        self.connection.sendall(self.request)
        data = b""
        while b"\r\n\r\n" not in data:
            data += self.receive()
        head, _, body = data.partition(b"\r\n\r\n")
        if not head.startswith(b"HTTP/1.1 200 "):
            raise ValueError(head.split(b"\r\n")[0].decode("latin-1"))
        fields = dict(line.lower().split(b": ", 1) for line in head.split(b"\r\n")[1:])
        length = int(fields.get(b"content-length", b"0"))
        if b"transfer-encoding" in fields:
            while not body.endswith(b"\r\n0\r\n\r\n"):
                body += self.receive()
        while len(body) < length:
            body += self.receive()

    def receive(self):
        data = self.connection.recv(1 << 20)
        if not data:
            raise ConnectionError("closed before the answer was complete")
        return data

    def turn(self):
        began = time.perf_counter()
        try:
            if self.connection is None or self.used == REQUESTS_PER_CONNECTION:
                self.connect()
            self.exchange()
            self.used += 1
        except (OSError, ValueError) as failure:
            self.failures.append(repr(failure))
            self.connection = None
        self.times.append((time.perf_counter() - began) * 1000)


def main():
    victim = Victim((sys.argv[1], int(sys.argv[2])), sys.argv[3] if len(sys.argv) > 3 else "/hello")
    victim.turn()
    victim.times.clear()  # the first one pays for the interpreter's warming up
    print("ready", flush=True)
    while not select.select([sys.stdin], [], [], PAUSE)[0]:
        victim.turn()
    times = victim.times
    p99 = statistics.quantiles(times, n=100)[98] if len(times) > 1 else max(times, default=0.0)
    print(json.dumps({"requests": len(times), "p99_ms": p99, "worst_ms": max(times, default=0.0), "failures": victim.failures[:5]}))


if __name__ == "__main__":
    main()
