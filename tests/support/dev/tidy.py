"""Runs clang-tidy over the translation units of a compile database and remembers clean ones by content.

A unit is remembered by the hash of its command, the checks, and its own text with every project header it reaches, so
an unchanged unit costs a few milliseconds and a changed header checks exactly the units that see it.
"""

import argparse
import concurrent.futures
import hashlib
import json
import os
import re
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]
CHECKED = ("core", "metrics", "admin-ui", "deploy")  # tests are formatted and compiled by two compilers
INCLUDE = re.compile(r'^\s*#\s*include\s+[<"]([^">]+)[">]', re.MULTILINE)
SEARCH = [ROOT / "core" / "include", ROOT / "core", ROOT, ROOT / "metrics" / "include", ROOT / "admin-ui" / "include"]


def reach(path, seen):
    """The project files that `path` includes, itself first."""
    if path in seen or not path.is_file():
        return
    seen.append(path)
    for name in INCLUDE.findall(path.read_text(errors="replace")):
        for base in [path.parent, *SEARCH]:
            candidate = (base / name).resolve()
            if candidate.is_file() and ROOT in candidate.parents:
                reach(candidate, seen)
                break


def fingerprint(unit, salt):
    digest = hashlib.sha256(salt)
    digest.update(unit["command"].encode())
    files = []
    reach(Path(unit["file"]), files)
    for path in sorted(files):
        digest.update(str(path.relative_to(ROOT)).encode() + b"\0" + path.read_bytes() + b"\0")
    return digest.hexdigest()


def check(unit, build, cache, salt):
    mark = cache / fingerprint(unit, salt)
    if mark.exists():
        os.utime(mark)
        return None
    run = subprocess.run(
        ["clang-tidy-14", "-p", str(build), "--quiet", unit["file"]], capture_output=True, text=True, check=False
    )
    if run.returncode == 0:
        mark.touch()
        return None
    problems = [line for line in run.stderr.splitlines() if "error" in line.lower() or "warning:" in line]
    return run.stdout + "\n".join(problems[:5])


def units_of(build):
    for unit in json.loads((build / "compile_commands.json").read_text()):
        path = Path(unit["file"]).resolve()
        if ROOT not in path.parents or path.suffix != ".cpp":
            continue
        relative = path.relative_to(ROOT)
        if relative.parts[0] in CHECKED and relative.parts[0] != "build":
            yield unit


def forget_old(cache, days=30):
    limit = time.time() - days * 86400
    for mark in cache.iterdir():
        if mark.stat().st_mtime < limit:
            mark.unlink()


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--build", type=Path, required=True)
    parser.add_argument("--jobs", type=int, default=os.cpu_count())
    parser.add_argument("--cache", type=Path, required=True)
    options = parser.parse_args()
    options.cache.mkdir(parents=True, exist_ok=True)
    version = subprocess.run(["clang-tidy-14", "--version"], capture_output=True, check=True).stdout
    salt = version + (ROOT / ".clang-tidy").read_bytes()
    units = list({unit["file"]: unit for unit in units_of(options.build)}.values())
    failed = 0
    with concurrent.futures.ThreadPoolExecutor(options.jobs) as pool:
        runs = {pool.submit(check, unit, options.build, options.cache, salt): unit for unit in units}
        for run in concurrent.futures.as_completed(runs):
            problem = run.result()
            if problem:
                failed += 1
                print(problem, flush=True)
    forget_old(options.cache)
    print(f"clang-tidy: {len(units)} units, {failed} with findings")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
