"""The HTTP/1.1 conformance and smuggling corpus: every case whole, byte by byte, cut everywhere, behind and before others."""

import pytest
from support.server import PATIENCE, Server
from support.tls import client_context

from . import connection, framing, syntax
from .case import get
from .runner import Attempt, Runner, byte_by_byte, cuts, judge, sent_bytes, signature

CASES = [*framing.cases(), *syntax.cases(), *connection.cases()]
GOOD = get().encode()


def test_the_corpus_is_large_and_each_case_has_its_own_name_and_section():
    assert len(CASES) >= 300
    assert len({c.name for c in CASES}) == len(CASES)
    assert all(c.rfc for c in CASES)


@pytest.fixture(scope="module")
def corpus_server(tmp_path_factory, make_config):
    config = make_config(limits={"request_body": "64k", "request_head": "64k", "request_target": "8k", "fields": 100})
    with Server(tmp_path_factory.mktemp("corpus"), config, expect=("http", "https", "ops", "admin")) as running:
        yield running


@pytest.fixture(scope="module", params=["cleartext", "tls"])
def transport(request, corpus_server):
    if request.param == "tls":
        return request.param, corpus_server.address("https"), client_context(["http/1.1"])
    return request.param, corpus_server.address("http"), None


def attempts_of(mode):
    if mode == "whole":
        return [Attempt(c, [sent_bytes(c)]) for c in CASES]
    if mode == "bytes":
        return [Attempt(c, byte_by_byte(sent_bytes(c))) for c in CASES]
    if mode == "cut":
        return [Attempt(c, pieces) for c in CASES for pieces in cuts(c)]
    if mode == "preceded":
        return [Attempt(c, [GOOD + sent_bytes(c)], before=1) for c in CASES if not c.first_line_decides]
    return [Attempt(c, [sent_bytes(c) + GOOD]) for c in CASES if c.refused]


MODES = ("whole", "bytes", "cut", "preceded", "followed")


@pytest.fixture(scope="module")
def problems(transport):
    """{case name: problems} over all modes on one transport; the attempts of a mode run together."""
    _, address, context = transport
    found, whole = {}, {}
    for mode in MODES:
        for attempt in Runner(address, context, 8.0 * PATIENCE).run(attempts_of(mode)):
            name, problem = attempt.case.name, judge(attempt)
            if problem is None and mode == "whole":
                whole[name] = signature(attempt)
            elif problem is None and mode in ("bytes", "cut") and signature(attempt) != whole.get(name, signature(attempt)):
                problem = f"answered {signature(attempt)}, but {whole[name]} when whole"
            if problem:
                place = f" at {len(attempt.pieces[0])}" if mode == "cut" else ""
                found.setdefault(name, []).append(f"{mode}{place}: {problem}")
    return found


@pytest.mark.parametrize("case", CASES, ids=lambda c: c.name)
def test_case(case, problems):
    told = problems.get(case.name, [])
    assert not told, f"RFC {case.rfc}: {case.sent[:300]!r}\n  " + "\n  ".join(told[:6]) + f"\n  ({len(told)} in all)"


def test_the_server_is_still_there_and_holds_nothing(corpus_server, problems):
    assert corpus_server.process.poll() is None
    assert corpus_server.get("/livez")[0] == 200
