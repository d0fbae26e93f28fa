#!/usr/bin/python3
"""Runs every command of docs/deploy. A block is run, or carries a comment "no-run: reason" right before it.

A link to a file that does not exist is a failure too.
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


def check_links(path, text):
    problems = []
    for link in re.findall(r"\]\(([^)#]+)\)", text):
        if "://" not in link and not (path.parent / link).exists():
            problems.append(f"{path.name}: no file {link}")
    for name in re.findall(r"`((?:deploy|docs|tests)/[^`\s…*]+)`", text):
        if not (ROOT / name).exists():
            problems.append(f"{path.name}: no file {name}")
    return problems


def main():
    problems, ran, kept = [], 0, 0
    environment = {**os.environ, "HELM": os.environ.get("HELM", "helm")}
    for path in sorted((ROOT / "docs/deploy").rglob("*.md")):
        text = path.read_text()
        problems += check_links(path, text)
        for block in BLOCK.finditer(text):
            if block["reason"]:
                kept += 1
                continue
            for command in commands(block["body"]):
                ran += 1
                result = subprocess.run(command, shell=True, cwd=ROOT, env=environment, capture_output=True, text=True)
                if result.returncode:
                    problems.append(f"{path.name}: {command}: {result.stderr.strip()[-300:]}")
    print("\n".join(problems))
    print(f"{ran} commands run, {kept} blocks kept with a reason")
    return 1 if problems or not ran else 0


if __name__ == "__main__":
    sys.exit(main())
