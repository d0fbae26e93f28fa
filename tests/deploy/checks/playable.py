#!/usr/bin/python3
"""Turns rendered manifests into what `podman play kube` can run: one replica, the local image, host ports.

playable.py IMAGE NAME=HOSTPORT… < rendered > playable
Nothing of the security context, mounts, arguments or configuration is touched; init containers with a foreign image are left out.
"""
import base64
import sys

import yaml

KINDS = {"Deployment", "ConfigMap", "Secret", "PersistentVolumeClaim"}
UNSUPPORTED = ("topologySpreadConstraints", "enableServiceLinks", "affinity", "tolerations", "nodeSelector")


def adapt(deployment, image, ports):
    deployment["spec"]["replicas"] = 1
    spec = deployment["spec"]["template"]["spec"]
    for key in UNSUPPORTED:
        spec.pop(key, None)
    # podman starts init containers again too, and what has drained: the harness wants to see each of them end.
    spec["restartPolicy"] = "Never"
    for volume in spec["volumes"]:
        if "secret" in volume:
            volume["configMap"] = {"name": volume.pop("secret")["secretName"], "optional": False}
    # An init container of the user's own has an image that is not here.
    own = spec["containers"][0]["image"]
    spec["initContainers"] = [each for each in spec.get("initContainers", []) if each["image"] == own]
    for container in spec["containers"] + spec["initContainers"]:
        container["image"] = image
        # The harness calls the probes itself, as the kubelet would: podman turns them into shell commands.
        for probe in ("startupProbe", "livenessProbe", "readinessProbe"):
            container.pop(probe, None)
        for port in container.get("ports", []):
            if port["name"] in ports:
                port["hostPort"], port["hostIP"] = ports[port["name"]], "127.0.0.1"


def opened(secret):
    """podman 4.3 mounts a Secret's values still encoded: here they become a ConfigMap with the same name and mount."""
    data = {name: base64.b64decode(value).decode() for name, value in secret["data"].items()}
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": secret["metadata"]["name"]}, "data": data}


def claimed(documents):
    """Names of the claims that the Deployment mounts."""
    return {volume["persistentVolumeClaim"]["claimName"] for document in documents if document["kind"] == "Deployment"
            for volume in document["spec"]["template"]["spec"]["volumes"] if "persistentVolumeClaim" in volume}


def main(image, *assignments):
    ports = {name: int(port) for name, port in (each.split("=") for each in assignments)}
    kept = []
    documents = [document for document in yaml.safe_load_all(sys.stdin) if document]
    claims = claimed(documents)
    for document in documents:
        if document["kind"] not in KINDS:
            continue
        # podman would keep a volume for each claim, mounted or not.
        if document["kind"] == "PersistentVolumeClaim" and document["metadata"]["name"] not in claims:
            continue
        if document["kind"] == "Deployment":
            adapt(document, image, ports)
        document["metadata"].pop("namespace", None)
        if document["kind"] == "Secret":
            document = opened(document)
        kept.append(document)
    yaml.safe_dump_all(sorted(kept, key=lambda each: each["kind"] == "Deployment"), sys.stdout, sort_keys=False)


if __name__ == "__main__":
    main(*sys.argv[1:])
