"""Counts the instructions of a request (P14) and fails above the limits in bench_scenarios.py. Use ./dev test instructions.

    instruction_gate.py REPORT

REPORT is a JUnit file. A missing tool is a skip that names it, with EQUINOX_DEPLOY_STRICT=1 a failure.
"""

import os
import shutil
import sys
import tempfile
import xml.etree.ElementTree as ElementTree
from pathlib import Path

from bench import Settings, measure_variant, prepare_site
from bench_scenarios import SCENARIOS
from bench_servers import PLAIN


def missing_tool(variant):
    wanted = ("valgrind", "callgrind_control", "openssl") + (("h2load",) if "h2c" in variant.title else ())
    return next((name for name in wanted if not shutil.which(name)), None)


def check(variant, work):
    """(passed | failed | skipped, what to tell)"""
    tool = missing_tool(variant)
    if tool:
        return ("failed" if os.environ.get("EQUINOX_DEPLOY_STRICT") == "1" else "skipped"), f"{tool} is missing"
    if not PLAIN.exists():
        return "failed", f"no {PLAIN.parent.name} build"
    samples, notes = measure_variant(variant, Settings(1.0, 1, 0, 0.0), work, ["equinox"])
    if "equinox" not in samples:
        # callgrind_control stops the server to speak to it (ptrace); where a sandbox forbids that, nothing can be counted.
        return "skipped", "callgrind gave no figure here: " + "; ".join(notes)
    figure = samples["equinox"][0]["value"]
    told = f"{figure:,.0f} a request, limit {variant.limit:,}"
    return ("passed" if figure <= variant.limit else "failed"), told


def main():
    report = ElementTree.Element("testsuite", name="instructions")
    outcomes = []
    with tempfile.TemporaryDirectory(prefix="equinox-bench-") as folder:
        if shutil.which("openssl"):
            prepare_site(Path(folder))
        for variant in (v for v in SCENARIOS if v.limit):
            outcome, told = check(variant, Path(folder))
            outcomes.append(outcome)
            print(f"{outcome:<8} {variant.title}: {told}", flush=True)
            case = ElementTree.SubElement(report, "testcase", classname="instructions", name=variant.title)
            if outcome != "passed":
                ElementTree.SubElement(case, {"failed": "failure", "skipped": "skipped"}[outcome], message=told)
    ElementTree.ElementTree(report).write(sys.argv[1], encoding="unicode")
    return 1 if "failed" in outcomes else 0


if __name__ == "__main__":
    sys.exit(main())
