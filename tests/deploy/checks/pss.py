#!/usr/bin/python3
"""Pod Security Standard, levels baseline and restricted, on rendered manifests.

pss.py FILE…     every pod in the files must meet restricted
pss.py --self    every file in bad-pods must break exactly the control its first line names
"""
import sys
from pathlib import Path

import yaml

BAD_PODS = Path(__file__).resolve().parents[1] / "bad-pods"
WORKLOADS = {"Deployment", "StatefulSet", "DaemonSet", "ReplicaSet", "Job"}
VOLUME_TYPES = {"configMap", "csi", "downwardAPI", "emptyDir", "ephemeral", "persistentVolumeClaim", "projected", "secret"}
SAFE_SYSCTLS = {"kernel.shm_rmid_forced", "net.ipv4.ip_local_port_range", "net.ipv4.ip_unprivileged_port_start",
                "net.ipv4.tcp_syncookies", "net.ipv4.ping_group_range", "net.ipv4.ip_local_reserved_ports",
                "net.ipv4.tcp_keepalive_time", "net.ipv4.tcp_fin_timeout", "net.ipv4.tcp_keepalive_intvl",
                "net.ipv4.tcp_keepalive_probes"}
SELINUX_TYPES = {"", "container_t", "container_init_t", "container_kvm_t", "container_engine_t"}


def containers(spec):
    return [c for key in ("initContainers", "containers", "ephemeralContainers") for c in spec.get(key) or []]


def contexts(spec):
    """The pod's security context and each container's."""
    return [spec.get("securityContext") or {}] + [c.get("securityContext") or {} for c in containers(spec)]


def effective(spec, container, key):
    own = container.get("securityContext") or {}
    return own[key] if key in own else (spec.get("securityContext") or {}).get(key)


def host_process(spec, _):
    return any((c.get("windowsOptions") or {}).get("hostProcess") for c in contexts(spec))


def host_namespaces(spec, _):
    return any(spec.get(key) for key in ("hostNetwork", "hostPID", "hostIPC"))


def privileged(spec, _):
    return any(c.get("privileged") for c in contexts(spec))


def capabilities_added(spec, _):
    added = {a for c in contexts(spec) for a in (c.get("capabilities") or {}).get("add") or []}
    return bool(added - {"NET_BIND_SERVICE"})


def host_path(spec, _):
    return any("hostPath" in volume for volume in spec.get("volumes") or [])


def host_ports(spec, _):
    return any(port.get("hostPort") for c in containers(spec) for port in c.get("ports") or [])


def probe_host(spec, _):
    actions = []
    for container in containers(spec):
        actions += [container.get(key) or {} for key in ("livenessProbe", "readinessProbe", "startupProbe")]
        actions += [(container.get("lifecycle") or {}).get(key) or {} for key in ("preStop", "postStart")]
    return any((action.get(kind) or {}).get("host") for action in actions for kind in ("httpGet", "tcpSocket"))


def apparmor(spec, annotations):
    old = [v for k, v in annotations.items() if k.startswith("container.apparmor.security.beta.kubernetes.io/")]
    if any(not (v in ("", "runtime/default") or v.startswith("localhost/")) for v in old):
        return True
    profiles = [(c.get("appArmorProfile") or {}).get("type", "RuntimeDefault") for c in contexts(spec)]
    return any(profile not in ("RuntimeDefault", "Localhost") for profile in profiles)


def selinux(spec, _):
    options = [c.get("seLinuxOptions") or {} for c in contexts(spec)]
    return any(o.get("user") or o.get("role") or o.get("type", "") not in SELINUX_TYPES for o in options)


def proc_mount(spec, _):
    return any(c.get("procMount", "Default") != "Default" for c in contexts(spec))


def sysctls(spec, _):
    return any(s["name"] not in SAFE_SYSCTLS for s in (spec.get("securityContext") or {}).get("sysctls") or [])


def volume_types(spec, _):
    return any(set(volume) - {"name"} - VOLUME_TYPES - {"hostPath"} for volume in spec.get("volumes") or [])


def privilege_escalation(spec, _):
    return any((c.get("securityContext") or {}).get("allowPrivilegeEscalation") is not False for c in containers(spec))


def run_as_non_root(spec, _):
    return any(effective(spec, c, "runAsNonRoot") is not True for c in containers(spec))


def run_as_user(spec, _):
    return any(c.get("runAsUser") == 0 for c in contexts(spec))


def seccomp(spec, _):
    if any((c.get("seccompProfile") or {}).get("type") == "Unconfined" for c in contexts(spec)):
        return True
    profiles = [(effective(spec, c, "seccompProfile") or {}).get("type") for c in containers(spec)]
    return any(profile not in ("RuntimeDefault", "Localhost") for profile in profiles)


def capabilities_drop(spec, _):
    return any("ALL" not in ((c.get("securityContext") or {}).get("capabilities") or {}).get("drop", [])
               for c in containers(spec))


CONTROLS = [host_process, host_namespaces, privileged, capabilities_added, host_path, host_ports, probe_host, apparmor,
            selinux, proc_mount, sysctls, volume_types, privilege_escalation, run_as_non_root, run_as_user, seccomp,
            capabilities_drop]


def broken(spec, annotations):
    return [control.__name__ for control in CONTROLS if control(spec, annotations)]


def pods(text):
    for document in yaml.safe_load_all(text):
        if not isinstance(document, dict):
            continue
        kind = document.get("kind")
        pod = document["spec"]["template"] if kind in WORKLOADS else document if kind == "Pod" else None
        if pod:
            name = f"{kind} {document['metadata']['name']}"
            yield name, pod["spec"], (pod.get("metadata") or {}).get("annotations") or {}


def check_files(paths):
    problems, count = [], 0
    for path in paths:
        for name, spec, annotations in pods(Path(path).read_text()):
            count += 1
            problems += [f"{path}: {name}: {control}" for control in broken(spec, annotations)]
    return problems + ([] if count else ["no pod was found"])


def check_self():
    """Each control has a pod that breaks it and nothing else, and the good pod breaks none."""
    problems, seen = [], set()
    for path in sorted(BAD_PODS.glob("*.yaml")):
        text = path.read_text()
        expected = text.splitlines()[0].removeprefix("# breaks: ").strip()
        for _, spec, annotations in pods(text):
            found = broken(spec, annotations)
            seen.update(found)
            if found != ([] if expected == "nothing" else [expected]):
                problems.append(f"{path.name}: expected {expected}, found {found}")
    problems += [f"{control.__name__}: no pod breaks it" for control in CONTROLS if control.__name__ not in seen]
    return problems


def main(argv):
    problems = check_self() if argv == ["--self"] else check_files(argv)
    print("\n".join(problems))
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
