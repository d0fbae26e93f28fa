#!/usr/bin/python3
"""Reads an exposition and compares it with the catalogue: no unknown name, no unknown label, what the rules need is there."""
import re
import sys

import metric_names
from promql import selectors


def main():
    known, problems, seen = metric_names.catalogue(), [], set()
    for line in sys.stdin:
        match = re.match(r"([a-zA-Z_:][a-zA-Z0-9_:]*)(?:\{(.*)\})? ", line)
        if line.startswith("#") or not match:
            continue
        name, labels = match.groups()
        seen.add(name)
        if name not in known:
            problems.append(f"{name} is not in docs/metrics.md")
            continue
        for label in set(re.findall(r"([a-zA-Z_][a-zA-Z0-9_]*)=\"", re.sub(r'"(?:[^"\\]|\\.)*"', '"', labels or ""))):
            if label not in known[name] and label != "le":
                problems.append(f"{name} has another label: {label}")
    used = {name for _, expression in metric_names.rule_expressions() for name, _ in selectors(expression)}
    for name in sorted(used & set(known) - seen):
        if not name.startswith(("equinox_tls_certificate", "http_server_request", "equinox_metric_series_dropped")):
            problems.append(f"{name} is used by a rule and not exported")
    print("\n".join(sorted(set(problems))))
    print(f"{len(seen)} names")
    return 1 if problems or not seen else 0


if __name__ == "__main__":
    sys.exit(main())
