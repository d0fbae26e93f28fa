#!/usr/bin/python3
"""Runs every query of every dashboard panel against a live Prometheus: success, no warning, data.

panels.py ADDRESS [--adapter]. No panel may be empty: what only misbehaviour fills, mixed_traffic.py provokes.
"""
import json
import re
import sys
import time
import urllib.parse
import urllib.request
from pathlib import Path

import yaml

CHART = Path(__file__).resolve().parents[3] / "deploy/helm/equinox"
VARIABLES = {"job": "equinox", "namespace": ".*", "pod": ".*", "__rate_interval": "20s", "__interval": "5s"}


def call(address, path, **parameters):
    url = f"{address}/api/v1/{path}?{urllib.parse.urlencode(parameters)}"
    try:
        with urllib.request.urlopen(url, timeout=20) as answer:
            return json.load(answer)
    except urllib.error.HTTPError as problem:
        return json.load(problem)


def substituted(expression):
    return re.sub(r"\$\{?(\w+)(?::\w+)?\}?", lambda match: VARIABLES[match.group(1)], expression)


def has_number(series):
    return any(value not in ("NaN", "+Inf", "-Inf") for _, value in series.get("values", [series.get("value", [0, "NaN"])]))


def run(address, target):
    """As Grafana would: a table's queries at one point in time, all others over a range."""
    expression = substituted(target["expr"])
    if target.get("instant"):
        return call(address, "query", query=expression)
    now = time.time()
    return call(address, "query_range", query=expression, start=now - 60, end=now, step=5)


def problem_of(answer):
    if answer.get("status") != "success":
        return answer.get("error", "failed")
    if answer.get("warnings"):
        return f"warnings: {answer['warnings']}"
    if not answer["data"]["result"]:
        return "no series"
    return None if any(map(has_number, answer["data"]["result"])) else "only NaN"


def check_panels(address):
    problems, count = [], 0
    for path in sorted((CHART / "files/dashboards").glob("*.json")):
        for panel in json.loads(path.read_text())["panels"]:
            for target in panel.get("targets", []):
                count += 1
                problem = problem_of(run(address, target))
                if problem:
                    problems.append(f"{path.stem}: {panel['title']}: {problem}: {target['expr']}")
    print(f"{count} queries")
    return problems if count else ["no query was found"]


def check_adapter(address):
    problems = []
    rules = yaml.safe_load((CHART / "files/autoscaling/prometheus-adapter.yaml").read_text())["rules"]["custom"]
    for rule in rules:
        query = rule["metricsQuery"].replace("<<.GroupBy>>", "namespace, pod").replace("<<.LabelMatchers>>", 'job="equinox"')
        result = call(address, "query", query=query)["data"]["result"]
        instances = call(address, "query", query='count by (namespace, pod) (up{job="equinox"})')["data"]["result"]
        if len(result) != len(instances) or not all(map(has_number, result)):
            problems.append(f"{rule['name']['as']}: {len(result)} values for {len(instances)} instances")
        if not call(address, "series", **{"match[]": rule["seriesQuery"]})["data"]:
            problems.append(f"{rule['name']['as']}: its series query finds nothing")
    return problems


def main(address, *options):
    problems = check_adapter(address) if "--adapter" in options else check_panels(address)
    print("\n".join(problems))
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
