"""Another client, in a process of its own, so that its times are the server's and not those of an attacker's interpreter.

    victim.py HOST PORT PATH [keeps] [leaves]     requests until told to end, then one line of JSON: times in ms, failures

"keeps": one connection for all of them. "leaves": a server that goes is left, which is no failure.
Standard input: "rest" and "go" for a pause, any other line or its end for the end.
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

    def __init__(self, address, path, *how):
        self.address, self.keeps, self.leaves, self.gone = address, "keeps" in how, "leaves" in how, False
        self.request = f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1:{address[1]}\r\n\r\n".encode()
        self.connection, self.used, self.times, self.failures = None, 0, [], []

    def connect(self):
        if self.connection is not None:
            self.connection.close()
        self.connection = socket.create_connection(self.address, timeout=GIVES_UP_AFTER)
        self.connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.used = 0

    def needs_another(self):
        if self.connection is None:
            return True
        if self.leaves and select.select([self.connection], [], [], 0)[0]:
            return True  # its end is already here: nothing is sent into it
        return self.used == REQUESTS_PER_CONNECTION and not self.keeps

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
        self.used += 1
        if self.leaves and fields.get(b"connection") == b"close":
            self.connection = None

    def receive(self):
        data = self.connection.recv(1 << 20)
        if not data:
            raise ConnectionError("closed before the answer was complete")
        return data

    def turn(self):
        began = time.perf_counter()
        try:
            if self.needs_another():
                self.connect()
            self.exchange()
        except (OSError, ValueError) as failure:
            if self.leaves and isinstance(failure, ConnectionRefusedError):
                self.gone = True
                return
            self.failures.append(repr(failure))
            self.connection = None
        self.times.append((time.perf_counter() - began) * 1000)


def main():
    victim = Victim((sys.argv[1], int(sys.argv[2])), *sys.argv[3:])
    victim.turn()
    victim.times.clear()  # the first one pays for the interpreter's warming up
    print("ready", flush=True)
    while True:
        if not select.select([sys.stdin], [], [], PAUSE)[0]:
            if not victim.gone:
                victim.turn()
        elif sys.stdin.readline() != "rest\n":
            break
        else:
            print("resting", flush=True)
            sys.stdin.readline()
    times = victim.times
    p99 = statistics.quantiles(times, n=100)[98] if len(times) > 1 else max(times, default=0.0)
    print(json.dumps({"requests": len(times), "p99_ms": p99, "worst_ms": max(times, default=0.0), "failures": victim.failures[:5]}))


if __name__ == "__main__":
    main()
