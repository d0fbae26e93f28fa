#!/usr/bin/python3
"""Runs every command of docs/deploy. A block is run, or carries a comment "no-run: reason" right before it.

A reason that names a part of the tests must name one that exists. A link to a file that does not exist, or to a heading that
its page does not have, is a failure too.
"""
import os
import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]
BLOCK = re.compile(r"(?:<!-- no-run: (?P<reason>[^>]+?) -->\n)?```sh\n(?P<body>.*?)```", re.S)


def commands(body):
    return [line.strip() for line in body.replace("\\\n", " ").splitlines() if line.strip()]


def anchors(path):
    """Headings as they are linked to."""
    titles = re.findall(r"^#+ (.+)$", path.read_text(), re.M)
    return {re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for title in titles}


def check_links(path, text):
    problems = []
    for link in re.findall(r"\]\(([^)]+)\)", text):
        file, _, anchor = link.partition("#")
        target = path.parent / file if file else path
        if "://" in link:
            continue
        if not target.exists():
            problems.append(f"{path.name}: no file {file}")
        elif anchor and anchor not in anchors(target):
            problems.append(f"{path.name}: {file} has no heading {anchor}")
    for name in re.findall(r"`((?:deploy|docs|tests)/[^`\s…*]+)`", text):
        if not (ROOT / name).exists():
            problems.append(f"{path.name}: no file {name}")
    return problems


def check_reason(path, reason):
    """"part NAME of the tests": the script of that name is there."""
    named = re.match(r"part (\w+) of the tests", reason)
    if named and not (ROOT / f"tests/deploy/parts/{named[1]}.sh").exists():
        return [f"{path.name}: there is no part {named[1]}"]
    return []


def main():
    problems, ran, kept = [], 0, 0
    environment = {**os.environ, "HELM": os.environ.get("HELM", "helm")}
    without = os.environ.get("EQUINOX_DOCS_WITHOUT", "-")
    for path in sorted((ROOT / "docs/deploy").rglob("*.md")):
        text = path.read_text()
        problems += check_links(path, text)
        for block in BLOCK.finditer(text):
            if block["reason"]:
                kept += 1
                problems += check_reason(path, block["reason"])
                continue
            for command in commands(block["body"]):
                if command.startswith(without):
                    continue
                ran += 1
                result = subprocess.run(command, shell=True, cwd=ROOT, env=environment, capture_output=True, text=True)
                if result.returncode:
                    problems.append(f"{path.name}: {command}: {result.stderr.strip()[-300:]}")
    print("\n".join(problems))
    print(f"{ran} commands run, {kept} blocks kept with a reason")
    return 1 if problems or not ran else 0


if __name__ == "__main__":
    sys.exit(main())
