#!/usr/bin/python3
"""What no schema says about rendered objects: names, frozen selectors, ports, volumes, drain arithmetic, references.

rendered.py FILE…: selectors and references are compared within each file.
"""
import re
import sys
from pathlib import Path

import yaml

DNS = re.compile(r"^[a-z0-9]([-a-z0-9]*[a-z0-9])?$")
SELECTOR_KEYS = {"app.kubernetes.io/name", "app.kubernetes.io/instance"}


def key(document):
    meta = document["metadata"]
    return document["kind"], meta.get("namespace", ""), meta["name"]


def check_names(documents):
    seen, problems = set(), []
    for document in documents:
        identity = key(document)
        if identity in seen:
            problems.append(f"{identity}: rendered twice")
        seen.add(identity)
        if not DNS.match(identity[2]) or len(identity[2]) > 63:
            problems.append(f"{identity}: not a DNS label")
        for name, value in document["metadata"].get("labels", {}).items():
            if len(str(value)) > 63 or not isinstance(value, str):
                problems.append(f"{identity}: label {name} is too long or no string")
    return problems


def deployment_of(documents):
    found = [document for document in documents if document["kind"] == "Deployment"]
    return found[0] if found else None


def check_selectors(documents, deployment):
    """Every selector of the chart is the frozen pair, and the pods carry it."""
    wanted = deployment["spec"]["selector"]["matchLabels"]
    problems = [] if set(wanted) == SELECTOR_KEYS else [f"selector labels changed: {sorted(wanted)}"]
    labels = deployment["spec"]["template"]["metadata"]["labels"]
    if not wanted.items() <= labels.items():
        problems.append("the pods do not carry the selector")
    places = {"Service": ("selector",), "PodDisruptionBudget": ("selector", "matchLabels"),
              "NetworkPolicy": ("podSelector", "matchLabels"), "PodMonitor": ("selector", "matchLabels")}
    for document in documents:
        node = document.get("spec", {})
        for step in places.get(document["kind"], ("\0",)):
            node = node.get(step, {})
        if node and node != wanted:
            problems.append(f"{key(document)}: selects {node}")
    return problems


def container(deployment):
    return deployment["spec"]["template"]["spec"]["containers"][0]


def check_ports(documents, deployment):
    ports = {port["name"]: port["containerPort"] for port in container(deployment)["ports"]}
    problems = [] if len(set(ports.values())) == len(ports) else ["two ports are equal"]
    for document in documents:
        if document["kind"] != "Service":
            continue
        for port in document["spec"]["ports"]:
            if port["targetPort"] not in ports:
                problems.append(f"{key(document)}: no container port {port['targetPort']}")
            if port["targetPort"] == "ops" and document["spec"].get("clusterIP") != "None":
                problems.append(f"{key(document)}: the ops port is in a traffic Service")
            if not port.get("appProtocol"):
                problems.append(f"{key(document)}: port {port['name']} without appProtocol")
    for probe in ("startupProbe", "livenessProbe", "readinessProbe"):
        port = container(deployment).get(probe, {}).get("httpGet", {}).get("port", "ops")
        if port != "ops" or ("httpGet" in container(deployment).get(probe, {}) and "ops" not in ports):
            problems.append(f"{probe}: not on the ops port")
    return problems


def check_volumes(deployment):
    spec = deployment["spec"]["template"]["spec"]
    problems = []
    for volume in spec["volumes"]:
        for kind in ("secret", "configMap"):
            if kind in volume and volume[kind].get("optional") is not False:
                problems.append(f"volume {volume['name']}: no explicit optional: false")
    names = {volume["name"] for volume in spec["volumes"]}
    for each in spec["containers"] + spec.get("initContainers", []):
        for mount in each.get("volumeMounts", []):
            if "subPath" in mount:
                problems.append(f"{each['name']}: subPath is never refreshed by the kubelet")
            if mount["name"] not in names:
                problems.append(f"{each['name']}: no volume {mount['name']}")
            if mount["mountPath"].startswith("/etc/equinox") and not mount.get("readOnly"):
                problems.append(f"{each['name']}: {mount['mountPath']} is writable")
    return problems


def seconds(text):
    return int(text.removesuffix("s"))


def drain_of(documents, deployment):
    """Delay and timeout: from the file where the chart writes it, else from the flags it passes beside a foreign one."""
    for document in documents:
        if document["kind"] == "ConfigMap" and "equinox.json" in document.get("data", {}):
            drain = yaml.safe_load(document["data"]["equinox.json"])["drain"]
            return seconds(drain["delay"]), seconds(drain["timeout"])
    flags = dict(flag.split("=", 1) for flag in container(deployment)["args"] if "=" in flag)
    return seconds(flags["--drain-delay"]), seconds(flags["--drain-timeout"])


def check_drain(documents, deployment):
    delay, timeout = drain_of(documents, deployment)
    hook = container(deployment).get("lifecycle", {}).get("preStop", {})
    needed = delay + timeout + hook.get("sleep", {}).get("seconds", 0) + 5
    if "drain" in hook.get("exec", {}).get("command", []):
        # A whole drain, then that of SIGTERM, which skips the delay.
        needed += timeout
    grace = deployment["spec"]["template"]["spec"]["terminationGracePeriodSeconds"]
    return [] if grace >= needed else [f"grace {grace} s is below {needed} s"]


def check_pod(deployment):
    spec = deployment["spec"]["template"]["spec"]
    problems = [] if spec["automountServiceAccountToken"] is False else ["a token is mounted"]
    for each in spec["containers"] + spec.get("initContainers", []):
        image = each["image"]
        if "@" not in image and (":" not in image.split("/")[-1] or image.endswith(":latest")):
            problems.append(f"{each['name']}: image {image} is not pinned to a version")
        if "memory" not in each.get("resources", {}).get("limits", {}):
            problems.append(f"{each['name']}: no memory limit")
        if "cpu" in each.get("resources", {}).get("limits", {}):
            problems.append(f"{each['name']}: a CPU limit throttles the reactors")
    return problems


def main(paths):
    problems = []
    for path in paths:
        documents = [d for d in yaml.safe_load_all(Path(path).read_text()) if d]
        deployment = deployment_of(documents)
        found = check_names(documents)
        if deployment is None:
            found.append("no Deployment")
        else:
            found += check_selectors(documents, deployment) + check_ports(documents, deployment)
            found += check_volumes(deployment) + check_drain(documents, deployment) + check_pod(deployment)
        problems += [f"{path}: {problem}" for problem in found]
    print("\n".join(problems))
    return 1 if problems or not paths else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
