#!/usr/bin/env python3
"""docs/hostile.md names only tests, keys and reasons that exist, and every test of tests/hostile is named there."""

import pathlib
import re
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
PAGE = ROOT / "docs" / "hostile.md"
TEST = re.compile(r"`((?:tests|e2e)/[\w/.-]+)::([^`\[]+?)(?:\[([^`]+)\])?`")
KEY = re.compile(r"`((?:limits|timeouts|drain|admin|listeners)[\w.\[\]]*\.\w+)`")
FUNCTION = re.compile(r"^def (test_\w+)", re.MULTILINE)
TABLE_COLUMNS = 5


def text_of(path):
    return (ROOT / path).read_text(encoding="utf-8")


def is_there(path, name):
    """A Python function, a GoogleTest case or a case of the dashboard's tests."""
    if not (ROOT / path).exists():
        return False
    text = text_of(path)
    if path.endswith(".py"):
        return re.search(rf"^def {re.escape(name)}\(", text, re.MULTILINE) is not None
    if path.endswith(".cpp"):
        suite, _, case = name.partition(".")
        return re.search(rf"^TEST(_F|_P)?\({re.escape(suite)}, {re.escape(case)}\)", text, re.MULTILINE) is not None
    return f"'{name}'" in text


def has_case(path, case):
    """Cases are written out in the test's file, or in the attacks it shares with others."""
    return any(f'"{case}"' in text_of(place) for place in (path, "e2e/support/attacks.py"))


def mistakes():
    page = PAGE.read_text(encoding="utf-8")
    keys, metrics = text_of("docs/configuration.md"), text_of("docs/metrics.md")
    named = TEST.findall(page)
    for path, name, case in named:
        if not is_there(path, name):
            yield f"{path}::{name}: no such test"
        elif case and not has_case(path, case):
            yield f"{path}::{name}[{case}]: no such case"
    for key in KEY.findall(page):
        if f"| `{key}` |" not in keys:
            yield f"{key}: no such key"
    for line in page.splitlines():
        cells = [cell.strip() for cell in line.strip("|").split(" | ")]
        if not line.startswith("|") or line.startswith("|---") or cells[0] == "Attack":
            continue
        if len(cells) != TABLE_COLUMNS or not TEST.search(cells[-1]):
            yield f"a row without a test or with {len(cells)} columns: {line[:60]}"
            continue
        for reason in re.findall(r"`(\w+)`", cells[2]):
            if f"`{reason}`" not in metrics:
                yield f"{reason}: no such reason"
    told = {(path, name) for path, name, _ in named}
    for file in sorted((ROOT / "tests" / "hostile").glob("test_*.py")):
        path = str(file.relative_to(ROOT))
        for name in FUNCTION.findall(file.read_text(encoding="utf-8")):
            if (path, name) not in told:
                yield f"{path}::{name}: not on the page"
    attacks = re.findall(r'^    "([^"]+)": \(\w+, \{', text_of("e2e/support/attacks.py"), re.MULTILINE)
    if len(attacks) < 20:
        yield f"only {len(attacks)} attacks were found: their form has changed"


def main():
    found = list(mistakes())
    print("\n".join(found) or "ok")
    sys.exit(1 if found else 0)


if __name__ == "__main__":
    main()
