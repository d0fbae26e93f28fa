#!/usr/bin/python3
"""The SBOM is SPDX 2.3, names the binary, and has the Debian package of every library the binary loads."""
import json
import re
import subprocess
import sys


def libraries(binary):
    listing = subprocess.run(["ldd", binary], capture_output=True, text=True).stdout
    return sorted(set(re.findall(r"=> (/\S+)", listing)))


def owner(path):
    """Package of a library; dpkg knows it under /lib or under /usr/lib."""
    for candidate in (path, path.removeprefix("/usr"), "/usr" + path):
        found = subprocess.run(["dpkg-query", "-S", candidate], capture_output=True, text=True)
        if found.returncode == 0:
            return found.stdout.split(":")[0]
    return None


def main(sbom, binary):
    document = json.load(open(sbom))
    packages = {package["name"]: package for package in document["packages"]}
    problems = [] if document["spdxVersion"] == "SPDX-2.3" else ["not SPDX 2.3"]
    if "equinox" not in packages or not packages["equinox"].get("checksums"):
        problems.append("the binary is not described")
    ids = [package["SPDXID"] for package in document["packages"]]
    problems += [f"{identity}: twice or malformed" for identity in ids
                 if ids.count(identity) > 1 or not re.fullmatch(r"SPDXRef-[A-Za-z0-9.-]+", identity)]
    for path in libraries(binary):
        package = owner(path)
        if package and package not in packages:
            problems.append(f"{path}: its package {package} is missing")
    for wanted in ("llhttp", "nlohmann-json"):
        if packages.get(wanted, {}).get("versionInfo", "NOASSERTION") == "NOASSERTION":
            problems.append(f"{wanted}: no version")
    print("\n".join(problems))
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
