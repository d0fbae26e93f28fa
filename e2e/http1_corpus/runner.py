"""Runs many attempts at once over non-blocking sockets, each cut into the pieces that its mode asks for."""

import heapq
import itertools
import selectors
import socket
import ssl
import time
from dataclasses import dataclass, field

from support.raw import BadAnswer, parse_answers

SENTINEL = b"GET /hello?sentinel HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"
PAUSE = 0.002  # between two pieces: long enough that the server reads them apart
AT_ONCE = 200
LONG = 1500  # a case beyond this size is cut at sampled positions only


def sent_bytes(case):
    return case.sent if case.ending == "-" else case.sent + SENTINEL


def byte_by_byte(data):
    if len(data) <= LONG:
        return [data[i:i + 1] for i in range(len(data))]
    head, rest = data[:64], data[64:]
    return [head[i:i + 1] for i in range(len(head))] + [rest[i:i + 4093] for i in range(0, len(rest), 4093)]


def cuts(case):
    """Every way to cut the case in two; a long case at its edges and at sampled places."""
    data, size = sent_bytes(case), len(case.sent)
    places = range(1, size + 1) if size <= LONG else [*range(1, 40), *range(40, size, size // 12), size - 2, size - 1]
    return [[data[:p], data[p:]] if data[p:] else [data] for p in places]


@dataclass
class Attempt:
    case: object
    pieces: list
    before: int = 0  # how many extra 200s come first
    received: bytes = b""
    problem: str = ""
    connection: object = None
    next_piece: int = 0
    offset: int = 0
    deadline: float = 0.0
    handshaking: bool = False
    finished: bool = False
    waiting_until: float = field(default=0.0)

    def final_answers(self):
        heads = [False] * self.before + [e.bodiless for e in self.case.answers if min(e.statuses) >= 200]
        return parse_answers(self.received, heads)


class Runner:
    def __init__(self, address, context=None, patience=8.0):
        self.address, self.context, self.patience = address, context, patience
        self.selector = selectors.DefaultSelector()
        self.timers, self.order = [], itertools.count()
        self.open = 0

    def run(self, attempts):
        queue = list(reversed(attempts))
        while queue or self.open:
            while queue and self.open < AT_ONCE:
                self.begin(queue.pop())
            self.turn()
        self.selector.close()
        return attempts

    def begin(self, attempt):
        connection = socket.socket()
        connection.setblocking(False)
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        connection.connect_ex(self.address)
        attempt.connection, attempt.deadline = connection, time.monotonic() + self.patience
        attempt.handshaking = self.context is not None
        self.selector.register(connection, selectors.EVENT_WRITE, attempt)
        self.open += 1
        self.remind(attempt, attempt.deadline, True)

    def turn(self):
        now = time.monotonic()
        timeout = max(0.0, min(self.timers[0][0] - now, 0.5)) if self.timers else 0.5
        for key, _ in self.selector.select(timeout):
            if not key.data.finished:
                self.advance(key.data)
        now = time.monotonic()
        while self.timers and self.timers[0][0] <= now:
            _, _, attempt, is_deadline = heapq.heappop(self.timers)
            if attempt.finished:
                continue
            if not is_deadline:
                attempt.waiting_until = 0.0
                self.watch(attempt, selectors.EVENT_READ | selectors.EVENT_WRITE)
            elif now < attempt.deadline:
                self.remind(attempt, attempt.deadline, True)
            else:
                attempt.problem = f"no end of the connection {self.patience} s after the last byte sent"
                self.finish(attempt)

    def remind(self, attempt, when, is_deadline):
        heapq.heappush(self.timers, (when, next(self.order), attempt, is_deadline))

    def watch(self, attempt, events):
        self.selector.modify(attempt.connection, events, attempt)

    def advance(self, attempt):
        try:
            if attempt.handshaking and not self.handshake(attempt):
                return
            if not attempt.waiting_until and attempt.next_piece < len(attempt.pieces):
                self.send(attempt)
            self.receive(attempt)
        except (ssl.SSLWantReadError, BlockingIOError):
            pass
        except ssl.SSLWantWriteError:
            self.watch(attempt, selectors.EVENT_READ | selectors.EVENT_WRITE)
        except (ConnectionError, ssl.SSLError) as failure:
            if isinstance(failure, ConnectionRefusedError) or attempt.handshaking:
                attempt.problem = f"connecting: {failure}"
            self.finish(attempt)

    def handshake(self, attempt):
        if not isinstance(attempt.connection, ssl.SSLSocket):
            error = attempt.connection.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
            if error:
                raise ConnectionRefusedError(error)
            self.selector.unregister(attempt.connection)
            attempt.connection = self.context.wrap_socket(attempt.connection, do_handshake_on_connect=False)
            self.selector.register(attempt.connection, selectors.EVENT_READ | selectors.EVENT_WRITE, attempt)
        try:
            attempt.connection.do_handshake()
        except ssl.SSLWantReadError:
            self.watch(attempt, selectors.EVENT_READ)
            return False
        attempt.handshaking = False
        self.watch(attempt, selectors.EVENT_READ | selectors.EVENT_WRITE)
        return True

    def send(self, attempt):
        piece = attempt.pieces[attempt.next_piece]
        try:
            attempt.offset += attempt.connection.send(piece[attempt.offset:])
        except (BlockingIOError, ssl.SSLWantReadError, ssl.SSLWantWriteError):
            return
        except (ConnectionError, ssl.SSLError):
            attempt.next_piece = len(attempt.pieces)  # refused while we still spoke: what it said is to be read
            self.watch(attempt, selectors.EVENT_READ)
            return
        if attempt.offset < len(piece):
            return
        attempt.next_piece, attempt.offset = attempt.next_piece + 1, 0
        attempt.deadline = time.monotonic() + self.patience
        self.watch(attempt, selectors.EVENT_READ)
        if attempt.next_piece < len(attempt.pieces):
            attempt.waiting_until = time.monotonic() + PAUSE
            self.remind(attempt, attempt.waiting_until, False)

    def receive(self, attempt):
        while True:
            chunk = attempt.connection.recv(65536)
            if not chunk:
                self.finish(attempt)
                return
            attempt.received += chunk

    def finish(self, attempt):
        attempt.finished = True
        self.selector.unregister(attempt.connection)
        attempt.connection.close()
        self.open -= 1


def signature(attempt):
    """What must not depend on how the bytes were cut: the final statuses."""
    return [a.status for a in attempt.final_answers() if a.status >= 200]


def matches(expected, answer):
    return answer.status in expected.statuses and (expected.body is None or answer.body == expected.body)


def judge(attempt):
    """None when the attempt went as its case says, else what was wrong."""
    if attempt.problem:
        return f"{attempt.problem}; received {attempt.received[:200]!r}"
    try:
        answers = attempt.final_answers()
    except (BadAnswer, ValueError) as bad:
        return f"not HTTP: {bad}; received {attempt.received[:200]!r}"
    told = [f"{a.status}{'' if a.complete else ' (cut)'}" for a in answers]
    left = list(answers)
    for _ in range(attempt.before):
        if not left or left.pop(0).status != 200:
            return f"the good request before it was not answered: {told}"
    for expected in attempt.case.answers:
        if left and matches(expected, left[0]):
            if not left.pop(0).complete:
                return f"an answer was cut: {told}"
        elif not expected.optional:
            body = left[0].body[:80] if left else b""
            return f"wanted {sorted(expected.statuses)}{expected.body or ''}, got {told} {body!r}"
    return judge_ending(attempt.case.ending, left, told)


def judge_ending(ending, left, told):
    if ending == "-" and left:
        return f"went on after the end: {told}"
    if ending == "+" and not left:
        return f"closed, though the connection should have gone on: {told}"
    if len(left) > 1 or (left and (left[0].status != 200 or not left[0].complete)):
        return f"the request after it was not answered as itself: {told}"
    return None
