#!/usr/bin/python3
"""Every metric in rules, dashboards and the autoscaling rules is exported, with the labels that are asked of it."""
import json
import re
import sys
from pathlib import Path

import yaml

from promql import grouping_labels, selectors

ROOT = Path(__file__).resolve().parents[3]
CHART = ROOT / "deploy/helm/equinox"
TARGET_LABELS = {"job", "namespace", "pod", "instance", "le"}
SCRAPE_METRICS = {"up", "scrape_duration_seconds", "scrape_samples_scraped"}


ROW = re.compile(r"^\| `([a-z0-9_]+)` \| (counter|gauge|histogram) \| ([^|]+) \|", re.M)


def catalogue():
    """name → labels from the tables of docs/metrics.md, with the three series of every histogram."""
    known = {}
    for name, kind, labels in ROW.findall((ROOT / "docs/metrics.md").read_text()):
        names = [name + suffix for suffix in ("_bucket", "_sum", "_count")] if kind == "histogram" else [name]
        for each in names:
            known[each] = {label for label in re.split(r"[ ,`]+", labels) if label and label != "–"}
    return known


def rule_expressions():
    for path in sorted((CHART / "files/rules").glob("*.yaml")):
        for group in yaml.safe_load(path.read_text())["groups"]:
            for rule in group["rules"]:
                yield f"{path.name}: {rule.get('alert') or rule['record']}", rule["expr"]


def dashboard_expressions():
    for path in sorted((CHART / "files/dashboards").glob("*.json")):
        for panel in json.loads(path.read_text())["panels"]:
            for target in panel.get("targets", []):
                yield f"{path.name}: {panel['title']}", target["expr"]


def adapter_expressions():
    for path in sorted((CHART / "files/autoscaling").glob("*.yaml")):
        for rule in yaml.safe_load(path.read_text())["rules"]["custom"]:
            query = re.sub(r"<<[^>]*>>", "", rule["metricsQuery"]).replace("{,", "{")
            yield f"{path.name}: {rule['name']['as']}", query
            yield f"{path.name}: {rule['name']['as']}", rule["seriesQuery"]


def main():
    known = catalogue()
    expressions = [*rule_expressions(), *dashboard_expressions(), *adapter_expressions()]
    recorded = {where.split(": ")[1] for where, _ in rule_expressions() if where.split(": ")[1].startswith("equinox:")}
    problems, used = [], set()
    for where, expression in expressions:
        allowed = set(TARGET_LABELS)
        expression = re.sub(r"\$\{?(\w+)(?::\w+)?\}?", "1", expression)
        for name, labels in selectors(expression):
            used.add(name)
            if name in recorded or name in SCRAPE_METRICS:
                allowed |= {"http_route", "reactor"}
                continue
            if name not in known:
                problems.append(f"{where}: {name} is not in docs/metrics.md")
                continue
            allowed |= known[name]
            for label in labels - known[name] - TARGET_LABELS:
                problems.append(f"{where}: {name} has no label {label}")
        for label in grouping_labels(expression) - allowed:
            problems.append(f"{where}: grouped by {label}, which none of its metrics has")
    print("\n".join(problems))
    print(f"{len(expressions)} expressions, {len(used)} metrics, {len(problems)} problems")
    return 1 if problems or not expressions or len(known) < 50 else 0


if __name__ == "__main__":
    sys.exit(main())
