"""The audit trail in the log: what came of an action is there, whatever was asked for."""

import json
import urllib.request

from support.wait import wait_for


def test_a_long_query_leaves_room_for_result_and_reason(server):
    body = json.dumps({"query": "target:" + "a" * 900, "reason": "because I can"}).encode()
    fields = {"Content-Type": "application/json", "X-Equinox-Action": "1"}
    request = urllib.request.Request(server.url("/admin/api/v1/connections/close", "admin"), body, fields)
    with urllib.request.urlopen(request, timeout=10) as answer:
        assert answer.status == 202
    line = wait_for(lambda: server.lines(message="audit", reason="because I can"), 5, "the line with its reason")[0]
    assert line["result"] == "done"
    assert "target:aaaa" in line["what"]
