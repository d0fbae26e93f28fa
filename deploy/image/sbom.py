#!/usr/bin/python3
"""SPDX 2.3 of the image: its Debian packages from status.d, the sources compiled into the binary, the dashboard's parts.

sbom.py ROOT VERSION EPOCH, to standard output. The same input gives the same bytes.
"""
import hashlib
import json
import subprocess
import sys
from datetime import datetime, timezone
from pathlib import Path

HERE = Path(__file__).resolve().parent
SOURCES = HERE.parents[1]


def fields(text):
    pairs = (line.split(": ", 1) for line in text.splitlines() if ": " in line and not line.startswith(" "))
    return dict(pairs)


def entry(kind, name, version, licence, reference=None):
    package = {"SPDXID": f"SPDXRef-{kind}-{name.replace('+', 'p').replace('/', '-').replace('@', '')}", "name": name,
               "versionInfo": version, "downloadLocation": "NOASSERTION", "filesAnalyzed": False,
               "licenseConcluded": licence, "licenseDeclared": licence, "copyrightText": "NOASSERTION"}
    if reference:
        package["externalRefs"] = [{"referenceCategory": "PACKAGE-MANAGER", "referenceType": "purl",
                                    "referenceLocator": reference}]
    return package


def debian_packages(root):
    for path in sorted((root / "var/lib/dpkg/status.d").iterdir()):
        control = fields(path.read_text())
        reference = f"pkg:deb/debian/{control['Package']}@{control['Version']}?arch={control['Architecture']}&distro=debian-12"
        yield entry("deb", control["Package"], control["Version"], "NOASSERTION", reference)


def installed_version(package):
    """Version of a development package here, or NOASSERTION where the binary came from outside."""
    found = subprocess.run(["dpkg-query", "-W", "-f=${Version}", package], capture_output=True, text=True)
    return found.stdout.strip() or "NOASSERTION"


def bundled_sources():
    recorded = SOURCES / "bundled-versions.txt"
    known = dict(line.split() for line in recorded.read_text().splitlines()) if recorded.exists() else {}
    for line in (HERE / "bundled-sources.txt").read_text().splitlines():
        if line and not line.startswith("#"):
            name, package, licence = line.split()
            yield entry("source", name, known.get(package) or installed_version(package), licence)


def dashboard_parts():
    manifest, lock = SOURCES / "admin-ui/web/package.json", SOURCES / "admin-ui/web/package-lock.json"
    if not (manifest.exists() and lock.exists()):
        return
    packages = json.loads(lock.read_text())["packages"]
    for name in sorted(json.loads(manifest.read_text()).get("dependencies", {})):
        found = packages.get(f"node_modules/{name}", {})
        version = found.get("version", "NOASSERTION")
        yield entry("npm", name, version, found.get("license", "NOASSERTION"), f"pkg:npm/{name.replace('@', '%40')}@{version}")


def main(root, version, epoch):
    parts = [*debian_packages(root), *bundled_sources(), *dashboard_parts()]
    binary = entry("binary", "equinox", version, "Apache-2.0")
    digest = hashlib.sha256((root / "usr/bin/equinox").read_bytes()).hexdigest()
    binary["checksums"] = [{"algorithm": "SHA256", "checksumValue": digest}]
    unique = hashlib.sha256(json.dumps([binary, *parts]).encode()).hexdigest()[:32]
    relations = [{"spdxElementId": "SPDXRef-DOCUMENT", "relationshipType": "DESCRIBES", "relatedSpdxElement": binary["SPDXID"]}]
    relations += [{"spdxElementId": binary["SPDXID"], "relatedSpdxElement": part["SPDXID"],
                   "relationshipType": "DEPENDS_ON" if "-deb-" in part["SPDXID"] else "CONTAINS"} for part in parts]
    created = datetime.fromtimestamp(int(epoch), timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")
    json.dump({"spdxVersion": "SPDX-2.3", "dataLicense": "CC0-1.0", "SPDXID": "SPDXRef-DOCUMENT",
               "name": f"equinox-{version}", "documentNamespace": f"urn:equinox:sbom:{version}:{unique}",
               "creationInfo": {"created": created, "creators": ["Tool: equinox-sbom"]},
               "packages": [binary, *parts], "relationships": relations}, sys.stdout, indent=1)
    print()


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2], sys.argv[3])
