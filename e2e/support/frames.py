"""HTTP/2 frames by hand (RFC 9113 §4, §6; HPACK literals only), and a connection that says anything."""

import socket
import struct
import time

PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
DATA, HEADERS, PRIORITY, RST_STREAM, SETTINGS, PUSH_PROMISE, PING, GOAWAY, WINDOW_UPDATE, CONTINUATION = range(10)
END_STREAM, END_HEADERS, PADDED, ACK = 1, 4, 8, 1


def frame(kind, flags=0, stream=0, payload=b""):
    return struct.pack("!I", len(payload))[1:] + bytes([kind, flags]) + struct.pack("!I", stream) + payload


def settings(*pairs):
    return frame(SETTINGS, payload=b"".join(struct.pack("!HI", key, value) for key, value in pairs))


def literal(name, value):
    """A field without indexing, not Huffman-coded (RFC 7541 §6.2.2)."""
    def text(words):
        raw = words.encode()
        if len(raw) < 127:
            return bytes([len(raw)]) + raw
        rest, out = len(raw) - 127, [127]
        while rest >= 128:
            out.append(rest % 128 + 128)
            rest //= 128
        return bytes([*out, rest]) + raw
    return b"\0" + text(name) + text(value)


def indexed(count, value):
    """A field that goes into the table once, then `count` references of one byte to it."""
    size = len(value)
    length = bytes([size]) if size < 127 else bytes([127, (size - 127) % 128 + 128, (size - 127) // 128])
    return b"\x40\x01x" + length + value.encode(), b"\xbe" * count


def request_fields(path="/hello", method="GET", extra=()):
    fields = [(":method", method), (":scheme", "http"), (":path", path), (":authority", "a"), *extra]
    return b"".join(literal(name, value) for name, value in fields)


def request(stream, path="/hello", method="GET", extra=(), ends=True):
    return frame(HEADERS, END_HEADERS | (END_STREAM if ends else 0), stream, request_fields(path, method, extra))


def reset(stream, code=8):
    return frame(RST_STREAM, 0, stream, struct.pack("!I", code))


def window_update(stream, increment):
    return frame(WINDOW_UPDATE, 0, stream, struct.pack("!I", increment))


class Attacker:
    """Sends frames and notes what comes back. `ended` is true once the server closed or sent a GOAWAY."""

    def __init__(self, server, *first_settings, reads=True):
        self.connection = server.connect(timeout=5)
        self.connection.sendall(PREFACE + settings(*first_settings))
        self.reads, self.closed, self.goaway, self.resets, self.buffer = reads, False, None, 0, b""
        self.received = []

    def send(self, data):
        """False once the server does not take any more."""
        try:
            self.connection.settimeout(1.0)
            self.connection.sendall(data)
        except (socket.timeout, TimeoutError):
            return False
        except OSError:
            self.closed = True
            return False
        if self.reads:
            self.drain()
        return not self.ended

    def drain(self, wait=0.0):
        self.connection.settimeout(wait) if wait else self.connection.setblocking(False)
        try:
            while True:
                data = self.connection.recv(65536)
                if not data:
                    self.closed = True
                    break
                self.buffer += data
        except (BlockingIOError, TimeoutError):
            pass
        except OSError:
            self.closed = True
        self.parse()

    def parse(self):
        while len(self.buffer) >= 9:
            length = int.from_bytes(self.buffer[:3], "big")
            if len(self.buffer) < 9 + length:
                return
            kind, payload = self.buffer[3], self.buffer[9:9 + length]
            self.received.append(kind)
            if kind == GOAWAY:
                self.goaway = struct.unpack("!I", payload[4:8])[0]
            self.resets += kind == RST_STREAM
            self.buffer = self.buffer[9 + length:]

    @property
    def ended(self):
        return self.closed or self.goaway not in (None, 0)

    def until_ended(self, seconds):
        """Reads until the server ends it."""
        end = time.monotonic() + seconds
        while not self.ended and time.monotonic() < end:
            self.drain(0.1)
        return self.ended

    def close(self):
        self.connection.close()
