#!/usr/bin/python3
"""kubectl decodes workloads into the typed API and encodes them again: a field that disappears is misspelt."""
import json
import subprocess
import sys
from pathlib import Path

import yaml


def leaves(node, path=()):
    if isinstance(node, dict):
        for key, value in node.items():
            yield from leaves(value, (*path, key))
    elif isinstance(node, list):
        for index, value in enumerate(node):
            yield from leaves(value, (*path, index))
    else:
        yield path


def round_trip(document):
    name = document["spec"]["template"]["spec"]["containers"][0]["name"]
    image = document["spec"]["template"]["spec"]["containers"][0]["image"]
    result = subprocess.run(["kubectl", "set", "image", "--local", "-f", "-", f"{name}={image}-other", "-o", "json"],
                            input=json.dumps(document), capture_output=True, text=True)
    if result.returncode:
        return [result.stderr.strip()]
    return [".".join(map(str, path)) for path in sorted(set(leaves(document)) - set(leaves(json.loads(result.stdout))), key=str)]


def main(paths):
    problems, count = [], 0
    for path in paths:
        for document in yaml.safe_load_all(Path(path).read_text()):
            if document and document["kind"] == "Deployment":
                count += 1
                problems += [f"{path}: lost: {field}" for field in round_trip(document)]
    print("\n".join(problems))
    return 1 if problems or not count else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
