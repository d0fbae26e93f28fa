#!/usr/bin/env python3
"""Pages that list names list all of them: keys in the manual page, fields of queries, commands, label values."""

import json
import pathlib
import re
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]


def text_of(path):
    return (ROOT / path).read_text(encoding="utf-8")


def keys_below(schema):
    """Those of an object, or of the objects of a list."""
    inner = schema.get("items", schema) if schema.get("type") == "array" else schema
    return list(inner.get("properties", {}))


def missing_keys():
    """Every key of the first two levels has its word in its entry of the manual page."""
    page = text_of("deploy/debian/man/equinox.json.5")
    entries = dict(re.findall(r"^\.TP\n\.B (\w+)\n(.*?)(?=^\.TP|^\.SH)", page, re.MULTILINE | re.DOTALL))
    for key, schema in json.loads(text_of("docs/config.schema.json"))["properties"].items():
        if key == "$schema":
            continue
        if key not in entries:
            yield f"equinox.json.5: no entry for {key}"
            continue
        words = set(re.findall(r"\w+", entries[key]))
        yield from (f"equinox.json.5: {key}.{inner} is missing" for inner in keys_below(schema) if inner not in words)


def missing_fields():
    """Every field of the query language is a row of its table, and every row a field."""
    table = re.search(r"kQueryFields\{(.*?)\}", text_of("admin-ui/api/query.hpp"), re.DOTALL)
    fields = re.findall(r'"(\w+)"', table[1])
    rows = re.findall(r"^\| `(\w+)` \| (?:text|word|number|size|duration) \|", text_of("docs/admin-api.md"), re.MULTILINE)
    if len(fields) < 10:
        yield "query.hpp: the list of fields is not where it was"
    yield from (f"admin-api.md: no row for {name}" for name in fields if name not in rows)
    yield from (f"admin-api.md: {name} is no field" for name in rows if name not in fields)


def missing_commands():
    """Every command has a row, and every option of the admin commands is named."""
    page, code = text_of("docs/commands.md"), text_of("deploy/appliance/options.cpp")
    commands = re.findall(r'add_subcommand\("(\w+)"', code)
    rows = re.findall(r"^\| `(\w+)[^`]*` \|", page, re.MULTILINE)
    if len(commands) < 10:
        yield "options.cpp: the commands are not where they were"
    yield from (f"commands.md: no row for {name}" for name in commands if name not in rows)
    yield from (f"commands.md: {name} is no command" for name in rows if name not in commands)
    options = re.findall(r'add_(?:option|flag)\("(--[\w-]+)', code)
    pages = page + text_of("docs/configuration.md")  # those of serve
    yield from (f"commands.md: {name} is not named" for name in dict.fromkeys(options) if f"`{name}" not in pages)


def missing_labels():
    """Label values that no vocabulary has, as the code writes them, are in the list behind the table of metrics."""
    page = text_of("docs/metrics.md").partition("### Further label values")[2]
    for path, pattern in (("metrics/collect_runtime.cpp", r'  add\("(\w+)", from'),
                          ("metrics/collect_runtime.cpp", r'\{"by", "(\w+)"\}'),
                          ("metrics/collect_requests.cpp", r'\{"scope", "(\w+)"\}'),
                          ("admin-ui/api/audit_actions.hpp", r'k\w+Action(?:\{| = )"([\w ]+)"')):
        names = re.findall(pattern, text_of(path))
        if len(names) < 2:
            yield f"{path}: {pattern} finds nothing any more"
        yield from (f"metrics.md: {name} is not named" for name in names if f"`{name}`" not in page)
    for path, start in (("admin-ui/api/streams.hpp", "kTopics{"), ("core/base/log_record.cpp", "kComponentNames{")):
        names = re.findall(r'"(\w+)"', text_of(path).partition(start)[2].partition("}")[0])
        if len(names) < 2:
            yield f"{path}: {start} finds nothing any more"
        yield from (f"metrics.md: {name} is not named" for name in names if f"`{name}`" not in page)


def main():
    found = [*missing_keys(), *missing_fields(), *missing_commands(), *missing_labels()]
    print("\n".join(found) or "ok")
    sys.exit(1 if found else 0)


if __name__ == "__main__":
    main()
