"""Adds up the JUnit files and closing lines that the parts left, names the skipped tests, and says pass or fail."""

import re
import sys
import xml.etree.ElementTree as ElementTree
from pathlib import Path

CLOSING = re.compile(r"^(?:\w+: )?(\d+) passed, (\d+) failed(?:, (\d+) skipped)?$", re.MULTILINE)


def skip_reason(case, skipped):
    """ctest keeps the reason in the output, pytest in the element."""
    reason = skipped.get("message") or ""
    output = case.findtext("system-out") or ""
    told = re.search(r"(?:Skipped|SKIP)[:\s]+(.+)", output)
    if reason.startswith("SKIP_") or not reason:
        reason = told.group(1).strip() if told else "no reason given"
    return reason.splitlines()[0]


def failure_reason(case):
    """What a reader of the last lines alone must know: pytest and node say it in the element, ctest keeps it in the output."""
    broken = case.find("failure") if case.find("failure") is not None else case.find("error")
    told = (broken.get("message") or broken.text or "") if broken is not None else ""
    if told in ("", "Failed", "SIGABRT", "SEGFAULT", "Timeout"):
        output = case.findtext("system-out") or ""
        first = re.search(r"^.*: Failure\n|^.*(?:ERROR|WARNING): \w*Sanitizer|^.*runtime error: ", output, re.MULTILINE)
        told = f"{told} {output[first.start():]}" if first else told
    return " | ".join(line.strip() for line in told.strip().splitlines()[:4] if line.strip())[:400] or "no reason given"


def add_junit(path, totals, skips, failures):
    for case in ElementTree.parse(path).getroot().iter("testcase"):
        name = f'{path.stem}: {case.get("name")}'
        skipped = case.find("skipped")
        if case.find("failure") is not None or case.find("error") is not None or case.get("status") == "fail":
            totals["failed"] += 1
            failures.append(f"{name}: {failure_reason(case)}")
        elif skipped is not None or case.get("status") in ("notrun", "disabled"):
            totals["skipped"] += 1
            skips.append(f"{name}: {skip_reason(case, skipped if skipped is not None else case)}")
        else:
            totals["passed"] += 1


def add_closing_line(path, totals):
    lines = CLOSING.findall(path.read_text(errors="replace"))
    if lines:
        for key, number in zip(("passed", "failed", "skipped"), lines[-1]):
            totals[key] += int(number or 0)


def main(argv):
    folder = Path(argv[0])
    failed_parts = [a.split("=", 1)[1] for a in argv[1:] if a.startswith("--failed-part=") and a.split("=", 1)[1]]
    totals = {"passed": 0, "failed": 0, "skipped": 0}
    skips, failures = [], []
    for path in sorted(folder.glob("*.xml")):
        try:
            add_junit(path, totals, skips, failures)
        except ElementTree.ParseError as problem:
            failures.append(f"{path.stem}: unreadable report ({problem})")
            totals["failed"] += 1
    deploy = folder / "deploy.log"
    if deploy.exists():
        add_closing_line(deploy, totals)
    for line in skips:
        print(f"skipped  {line}")
    for line in failures:
        print(f"FAILED   {line}")
    if failed_parts:
        print(f"parts that failed: {', '.join(failed_parts)}")
        totals["failed"] = totals["failed"] or len(failed_parts)
    if sum(totals.values()) == 0:
        print("no test was run")
        totals["failed"] = 1
    print(f'tests: {totals["passed"]} passed, {totals["failed"]} failed, {totals["skipped"]} skipped')
    print(f'{totals["passed"]} passed, {totals["failed"]} failed, {totals["skipped"]} skipped')
    return 1 if totals["failed"] else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
