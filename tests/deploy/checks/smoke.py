#!/usr/bin/python3
"""Runs the commands of the chart's own test (`helm test`) in the image, against a pod that plays on this host.

smoke.py RENDERED NAME=HOSTPORT… -- COMMAND…: COMMAND starts the image; the containers' arguments are appended, with the
Services' names replaced by the loopback and each Service port by the host's.
"""
import re
import subprocess
import sys
from pathlib import Path

import yaml


def service_ports(documents):
    """(name of the Service, port) → name of the container's port"""
    return {(document["metadata"]["name"], port["port"]): port["targetPort"]
            for document in documents if document["kind"] == "Service" for port in document["spec"]["ports"]}


def on_this_host(argument, known, ports):
    url = re.fullmatch(r"(https?)://([a-z0-9-]+)\.[a-z0-9-]+:(\d+)(/.*)", argument)
    if not url:
        return argument
    target = known[(url[2], int(url[3]))]
    return f"{url[1]}://127.0.0.1:{ports[target]}{url[4]}"


def main(rendered, *rest):
    split = rest.index("--")
    ports = {name: int(port) for name, port in (each.split("=") for each in rest[:split])}
    documents = [document for document in yaml.safe_load_all(Path(rendered).read_text()) if document]
    tests = [document for document in documents if document["kind"] == "Pod"]
    problems = [] if len(tests) == 1 else [f"{len(tests)} test pods"]
    for container in (container for pod in tests for container in pod["spec"]["containers"]):
        command = [*rest[split + 1:], *(on_this_host(each, service_ports(documents), ports) for each in container["args"])]
        result = subprocess.run(command, capture_output=True, text=True, timeout=90)
        print(f"{container['name']}: {' '.join(command[split + 1:])}: {result.returncode}")
        if result.returncode:
            problems.append(f"{container['name']}: {result.stderr.strip()}")
    print("\n".join(problems))
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
