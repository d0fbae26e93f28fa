#!/usr/bin/python3
"""Every alert has a unit test with four cases, a runbook page and complete annotations; thresholds fit the values."""
import sys
from pathlib import Path

import yaml

ROOT = Path(__file__).resolve().parents[3]
CHART = ROOT / "deploy/helm/equinox"
CASES = ("fires", "just below", "recovers", ("reset", "missing series"))
HEADINGS = ("## Meaning", "## Impact", "## Diagnosis", "## Mitigation")


def alerts():
    for group in yaml.safe_load((CHART / "files/rules/equinox.rules.yaml").read_text())["groups"]:
        for rule in group["rules"]:
            if "alert" in rule:
                yield rule


def check_test(name):
    path = ROOT / f"tests/deploy/rules/{name}.yaml"
    if not path.exists():
        return [f"{name}: no unit test"]
    tests = yaml.safe_load(path.read_text())["tests"]
    titles = [test["name"] for test in tests]
    wanted = [case if isinstance(case, tuple) else (case,) for case in CASES]
    return [f"{name}: no case '{' or '.join(case)}'" for case in wanted
            if not any(part in title for part in case for title in titles)] + check_outcomes(name, tests)


def check_outcomes(name, tests):
    """A case says what its name promises: one that fires expects the alert, one just below never does."""
    problems = []
    for test in tests:
        fired = [bool(each["exp_alerts"]) for each in test.get("alert_rule_test", [])]
        if any(each["alertname"] != name for each in test.get("alert_rule_test", [])):
            problems.append(f"{name}: case '{test['name']}' is about another alert")
        if test["name"].startswith("fires") and not any(fired):
            problems.append(f"{name}: case '{test['name']}' expects no alert")
        if test["name"].startswith("just below") and (not fired or any(fired)):
            problems.append(f"{name}: case '{test['name']}' expects an alert, or nothing")
        if test["name"].startswith("recovers") and (len(fired) < 2 or not fired[0] or fired[-1]):
            problems.append(f"{name}: case '{test['name']}' does not fire and then recover")
    return problems


def check_page(name):
    path = ROOT / f"docs/deploy/runbooks/{name}.md"
    if not path.exists():
        return [f"{name}: no runbook page"]
    text = path.read_text()
    problems = [f"{name}: runbook lacks '{heading}'" for heading in HEADINGS if heading not in text]
    return problems + ([] if text.startswith(f"# {name}\n") else [f"{name}: runbook has another title"])


def check_annotations(rule):
    annotations = rule.get("annotations", {})
    problems = [f"{rule['alert']}: no {key}" for key in ("summary", "description", "runbook_url") if key not in annotations]
    if not annotations.get("runbook_url", "").endswith(f"/{rule['alert']}.md"):
        problems.append(f"{rule['alert']}: runbook_url names another page")
    if rule.get("labels", {}).get("severity") not in ("critical", "warning", "info"):
        problems.append(f"{rule['alert']}: no severity")
    if "$value" not in annotations.get("description", ""):
        problems.append(f"{rule['alert']}: description without its value")
    return problems


def check_thresholds(rules):
    values = yaml.safe_load((CHART / "values.yaml").read_text())["metrics"]["rules"]["thresholds"]
    entries = yaml.safe_load((CHART / "files/rules-thresholds.yaml").read_text())["thresholds"]
    problems = []
    for entry in entries:
        text = entry["text"].replace("%v", entry["default"])
        if text not in rules.get(entry["alert"], {}).get("expr", ""):
            problems.append(f"{entry['alert']}: '{text}' is not in its expression")
        if float(values[entry["value"]]) != float(entry["default"]):
            problems.append(f"{entry['alert']}: values.yaml has another {entry['value']}")
    unused = set(values) - {entry["value"] for entry in entries}
    return problems + [f"threshold {name} changes nothing" for name in sorted(unused)]


def main():
    rules = {rule["alert"]: rule for rule in alerts()}
    problems = check_thresholds(rules)
    for name, rule in rules.items():
        problems += check_test(name) + check_page(name) + check_annotations(rule)
    for folder, suffix in (("tests/deploy/rules", ".yaml"), ("docs/deploy/runbooks", ".md")):
        for path in (ROOT / folder).glob(f"Equinox*{suffix}"):
            if path.stem not in rules:
                problems.append(f"{path.name}: there is no such alert")
    print("\n".join(problems))
    print(f"{len(rules)} alerts, {len(problems)} problems")
    return 1 if problems or not rules else 0


if __name__ == "__main__":
    sys.exit(main())
