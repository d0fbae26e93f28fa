#!/usr/bin/python3
"""Writes the table of values in README.md from values.yaml and the schema; --check only compares."""
import json
import sys
from pathlib import Path

import yaml

CHART = Path(__file__).resolve().parent / "equinox"
BEGIN, END = "<!-- values: begin -->", "<!-- values: end -->"


def rows(schema, values, path=""):
    for key, child in schema["properties"].items():
        if path == "" and key in ("global", "enabled"):
            continue
        value = values.get(key)
        if "properties" in child:
            yield from rows(child, value or {}, f"{path}{key}.")
        else:
            default = "–" if value is None else f"`{json.dumps(value, ensure_ascii=False)}`"
            yield f"| `{path}{key}` | {default} | {child['description']} |".replace("\\|", "|")


def table():
    schema = json.loads((CHART / "values.schema.json").read_text())
    values = yaml.safe_load((CHART / "values.yaml").read_text())
    return "\n".join([BEGIN, "", "| Key | Default | Meaning |", "|---|---|---|", *rows(schema, values), "", END])


def main():
    readme = CHART / "README.md"
    text = readme.read_text()
    before, rest = text.split(BEGIN, 1)
    wanted = before + table() + rest.split(END, 1)[1]
    if "--check" in sys.argv:
        if wanted != text:
            print("README.md: the table of values is old, run deploy/helm/values_table.py")
            return 1
        return 0
    readme.write_text(wanted)
    return 0


if __name__ == "__main__":
    sys.exit(main())
