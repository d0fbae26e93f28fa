#!/usr/bin/python3
"""Rules every dashboard keeps: stable uid, data source variable, described panels with units, no overlap."""
import json
import re
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]
FOLDER = ROOT / "deploy/helm/equinox/files/dashboards"
WANTED = {"overview", "connections", "latency", "reactors", "http2", "fleet"}


def check_panel(panel):
    if panel["type"] == "row":
        return []
    problems = [] if panel.get("description") else ["no description"]
    if not panel["fieldConfig"]["defaults"].get("unit"):
        problems.append("no unit")
    if panel.get("datasource", {}).get("uid") != "${datasource}":
        problems.append("fixed or null data source")
    for target in panel["targets"]:
        if target.get("datasource", {}).get("uid") != "${datasource}":
            problems.append("target with a fixed or null data source")
        for selector in re.findall(r"\{[^}]*\}", target["expr"]):
            missing = [name for name in ("job", "namespace", "pod") if f'{name}=~"${name}"' not in selector]
            if missing:
                problems.append(f"selector without ${missing[0]}: {selector}")
    return problems if panel["targets"] else problems + ["no query"]


def overlap(panels):
    cells = set()
    for panel in panels:
        place = panel["gridPos"]
        if place["x"] + place["w"] > 24:
            return [f"{panel['title']}: wider than the page"]
        for x in range(place["x"], place["x"] + place["w"]):
            for y in range(place["y"], place["y"] + place["h"]):
                if (x, y) in cells:
                    return [f"{panel['title']}: overlaps"]
                cells.add((x, y))
    return []


def check(path):
    board = json.loads(path.read_text())
    problems = [] if board["uid"] == f"equinox-{path.stem}" else ["another uid"]
    names = [variable["name"] for variable in board["templating"]["list"]]
    if names != ["datasource", "job", "namespace", "pod"]:
        problems.append(f"variables {names}")
    problems += [f"{variable['name']}: All is not .*" for variable in board["templating"]["list"][1:]
                 if variable.get("allValue") != ".*"]
    titles = [panel["title"] for panel in board["panels"]]
    if len(set(titles)) != len(titles):
        problems.append("two panels have the same title")
    for panel in board["panels"]:
        problems += [f"{panel['title']}: {problem}" for problem in check_panel(panel)]
    if path.stat().st_size >= 1 << 20:
        problems.append("too large for a ConfigMap")
    return problems + overlap(board["panels"])


def main():
    paths = sorted(FOLDER.glob("*.json"))
    problems = [f"{path.name}: {problem}" for path in paths for problem in check(path)]
    missing = WANTED - {path.stem for path in paths}
    problems += [f"{name}: missing" for name in sorted(missing)]
    print("\n".join(problems))
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
