#!/usr/bin/python3
"""The values schema: valid itself, closed, complete; accepts every example, refuses every mistake that is its to find."""
import copy
import json
import subprocess
import sys
from pathlib import Path

import jsonschema
import yaml

ROOT = Path(__file__).resolve().parents[3]
CHART = ROOT / "deploy/helm/equinox"


def leaves(schema, path=()):
    yield path, schema
    for name, child in schema.get("properties", {}).items():
        yield from leaves(child, (*path, name))


def merged(base, over):
    """As Helm merges values: maps recursively, null removes, everything else replaces."""
    result = copy.deepcopy(base)
    for key, value in (over or {}).items():
        if value is None:
            result.pop(key, None)
        elif isinstance(value, dict) and isinstance(result.get(key), dict):
            result[key] = merged(result[key], value)
        else:
            result[key] = value
    return result


def undescribed(schema, values, path=""):
    """Keys of values.yaml without a description, and keys of the schema that values.yaml lacks."""
    problems = []
    for key, value in values.items():
        child = schema.get("properties", {}).get(key)
        if child is None:
            if schema.get("additionalProperties") is False:
                problems.append(f"{path}{key}: not in the schema")
            continue
        if not child.get("description"):
            problems.append(f"{path}{key}: no description")
        if isinstance(value, dict):
            problems += undescribed(child, value, f"{path}{key}.")
    return problems


def missing_defaults(schema, values, path=""):
    problems = []
    for key, child in schema.get("properties", {}).items():
        if path == "" and key in ("global", "enabled"):
            continue
        if key not in values:
            if path not in ("tls.certManager.issuerRef.", "service.nodePorts."):
                problems.append(f"{path}{key}: no default in values.yaml")
        elif isinstance(values[key], dict):
            problems += missing_defaults(child, values[key], f"{path}{key}.")
    return problems


def check_files(validator, defaults):
    problems = []
    for path in sorted((CHART / "ci").glob("*-values.yaml")):
        for error in validator.iter_errors(merged(defaults, yaml.safe_load(path.read_text()))):
            problems.append(f"{path.name}: refused: {error.json_path}: {error.message}")
    for path in sorted((ROOT / "tests/deploy/bad-values").glob("*.yaml")):
        text = path.read_text()
        errors = list(validator.iter_errors(merged(defaults, yaml.safe_load(text))))
        if text.startswith("# by: schema") != bool(errors):
            problems.append(f"{path.name}: {'refused by the schema' if errors else 'accepted by the schema'}")
    return problems


def main():
    schema = json.loads((CHART / "values.schema.json").read_text())
    defaults = yaml.safe_load((CHART / "values.yaml").read_text())
    jsonschema.Draft7Validator.check_schema(schema)
    problems = [] if schema.get("$schema") == "http://json-schema.org/draft-07/schema#" else ["schema is not draft-07"]
    problems += [f"{'.'.join(path)}: open to unknown keys" for path, node in leaves(schema)
                 if "properties" in node and node.get("additionalProperties") is not False]
    problems += undescribed(schema, defaults) + missing_defaults(schema, defaults)
    problems += check_files(jsonschema.Draft7Validator(schema), defaults)
    table = subprocess.run([sys.executable, ROOT / "deploy/helm/values_table.py", "--check"], capture_output=True, text=True)
    problems += [table.stdout.strip()] if table.returncode else []
    print("\n".join(problems))
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
