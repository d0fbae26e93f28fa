"""What a case of the corpus is, and how its expectation is written.

An expectation lists the answers in order, then how the connection ends:

    "200 +"            one 200, and the connection takes another request
    "200:abc 400 -"    a 200 whose body is abc, then a 400, and the server closes
    "200/ +"           a 200 without body bytes (the answer to HEAD)
    "400|501 -"        either status
    "505? -"           closed without text, or after a 505
    "405|501 ~"        closing or going on are both right
"""

import re
from dataclasses import dataclass


@dataclass(frozen=True)
class Expected:
    statuses: frozenset
    body: bytes | None = None
    bodiless: bool = False
    optional: bool = False


@dataclass(frozen=True)
class Case:
    name: str
    rfc: str
    sent: bytes
    answers: tuple
    ending: str  # "+" goes on, "-" closes, "~" either
    first_line_decides: bool = False  # the answer is different when it is not the first thing on a connection

    @property
    def refused(self):
        return self.ending == "-" and min(min(a.statuses) for a in self.answers) >= 400 if self.answers else False


TOKEN = re.compile(r"(?P<statuses>\d{3}(?:\|\d{3})*)(?P<head>/)?(?P<optional>\?)?(?::(?P<body>.*))?")


def expected(text):
    found = TOKEN.fullmatch(text)
    if not found:
        raise ValueError(f"expectation {text!r}")
    body = found["body"]
    return Expected(frozenset(int(s) for s in found["statuses"].split("|")), body.encode() if body is not None else None,
                    bool(found["head"]), bool(found["optional"]))


def case(name, rfc, sent, expectation, first_line_decides=False):
    *answers, ending = expectation.split(" ")
    if ending not in ("+", "-", "~"):
        raise ValueError(f"{name}: the expectation ends in neither + nor - nor ~")
    raw = sent if isinstance(sent, bytes) else sent.encode("latin-1")
    return Case(name, rfc, raw, tuple(expected(a) for a in answers), ending, first_line_decides)


def get(*lines, target="/hello", method="GET", host=True):
    """A request without a body: the request line, Host, these field lines."""
    fields = (["Host: a"] if host else []) + list(lines)
    return f"{method} {target} HTTP/1.1\r\n" + "".join(f"{line}\r\n" for line in fields) + "\r\n"


def post(*lines, body="", method="POST", target="/echo"):
    return get(*lines, target=target, method=method) + body


def chunked(body, *lines):
    """A chunked POST to the echo; `body` is everything after the head."""
    return post("Transfer-Encoding: chunked", *lines, body=body)
