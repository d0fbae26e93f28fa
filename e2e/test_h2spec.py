"""h2spec, strict, on the detecting cleartext port and over TLS: every case, and all that its newest module has."""

import re
import subprocess

import pytest

kCases = 146


@pytest.mark.parametrize("name,arguments", [("http", []), ("https", ["-t", "-k"])], ids=["cleartext", "tls"])
def test_every_case_passes_strictly(tool, server, name, arguments):
    program = tool("h2spec")
    host, port = server.address(name)
    done = subprocess.run([program, "-S", "-h", host, "-p", str(port), "-P", "/hello", "-o", "3", *arguments], capture_output=True, text=True,
                          stdin=subprocess.DEVNULL, timeout=300, check=False)
    totals = re.search(r"(\d+) tests, (\d+) passed, (\d+) skipped, (\d+) failed", done.stdout)
    assert totals, done.stdout[-2000:] + done.stderr[-500:]
    failures = done.stdout[done.stdout.find("Failures:"):] if "Failures:" in done.stdout else ""
    print(totals[0])
    assert int(totals[1]) >= kCases, "the list has become shorter"
    assert int(totals[4]) == 0, failures
    assert int(totals[3]) == 0, "skipped cases are no passes"
