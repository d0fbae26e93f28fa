#!/usr/bin/env python3
"""Compiles the C++ on the pages: every block ```cpp of README.md, and every block ```cpp compiled below docs/."""

import argparse
import concurrent.futures
import pathlib
import re
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
INCLUDES = [ROOT / "core/include", ROOT / "metrics/include", ROOT / "admin-ui/include"]
BLOCK = re.compile(r"^```(cpp[^\n]*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
FLAGS = ["-std=c++20", "-fsyntax-only", "-Wall", "-Wextra", "-Wpedantic", "-Wconversion", "-Wshadow", "-Werror"]


def blocks():
    for page in (ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))):
        text = page.read_text(encoding="utf-8")
        for found in BLOCK.finditer(text):
            if page.name == "README.md" or "compiled" in found[1].split():
                yield f"{page.relative_to(ROOT)}:{text.count(chr(10), 0, found.start(2)) + 1}", found[2]


def compile_block(compiler, place, code):
    page, line = place.rsplit(":", 1)
    done = subprocess.run([compiler, *FLAGS, *(f"-I{folder}" for folder in INCLUDES), "-x", "c++", "-"],
                          input=f'#line {line} "{page}"\n{code}', capture_output=True, text=True, check=False)
    return place, done.returncode, done.stderr


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--compiler", default="g++")
    compiler = parser.parse_args().compiler
    found = list(blocks())
    if len(found) < 6:
        sys.exit(f"only {len(found)} blocks were found: the marks have changed")
    failed = 0
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        for place, status, errors in pool.map(lambda block: compile_block(compiler, *block), found):
            print(f"{'ok' if status == 0 else 'FAILED'}: {place}\n{errors}", end="")
            failed += status != 0
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
