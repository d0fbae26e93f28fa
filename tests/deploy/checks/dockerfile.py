#!/usr/bin/python3
"""The stages of the image's Dockerfile and what each hands to the next; then the same on files with one mistake each."""
import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]
IMAGE = ROOT / "deploy/image"
DIST = "/src/admin-ui/web/dist"


def instructions(text):
    """(KEYWORD, rest) of each instruction, continued lines joined, comments left out."""
    lines = "\n".join(line for line in text.splitlines() if not line.lstrip().startswith("#"))
    for line in lines.replace("\\\n", " ").splitlines():
        if line.strip():
            keyword, _, rest = line.strip().partition(" ")
            yield keyword.upper(), " ".join(rest.split())


def parse(text):
    """Default values of the arguments before the first stage, and the stages in order with their instructions."""
    defaults, stages = {}, {}
    for keyword, rest in instructions(text):
        if keyword == "FROM":
            base, name = re.fullmatch(r"(\S+) AS (\S+)", rest, re.I).groups()
            stages[name] = [("FROM", base)]
        elif not stages:
            name, _, value = rest.partition("=")
            defaults[name] = value
        else:
            stages[name_of_last(stages)].append((keyword, rest))
    return defaults, stages


def name_of_last(stages):
    return next(reversed(stages))


def problems_of(text, build_script, ignored):
    defaults, stages = parse(text)
    if list(stages) != ["ui", "build", "runtime"]:
        return [f"the stages are {', '.join(stages)}"]
    found = []

    def want(what, holds):
        if not holds:
            found.append(what)

    bases = {name: stage[0][1] for name, stage in stages.items()}
    want("each stage has a base that can be given", bases == {"ui": "${UI_BASE}", "build": "${BUILD_BASE}", "runtime": "${RUNTIME_BASE}"})
    for name in ("UI_BASE", "BUILD_BASE", "RUNTIME_BASE"):
        base = defaults.get(name, "")
        want(f"{name} has a default without host or digest", base and "@" not in base and "/" not in base)
    want("UI_BASE is Node.js", defaults.get("UI_BASE", "").startswith("node:"))
    ui, build, runtime = stages["ui"], stages["build"], stages["runtime"]
    for step in ("packages", "files"):
        want(f"ui makes its {step}, and knows of PREBUILT", ("RUN", f'/src/deploy/image/ui.sh {step} "${{PREBUILT}}"') in ui)
    for stage in ("ui", "build"):
        want(f"{stage} takes PREBUILT", ("ARG", 'PREBUILT=""') in stages[stage])
    packages = ("COPY", "admin-ui/web/package.json admin-ui/web/package-lock.json ./")
    want("ui installs packages before it copies sources", packages in ui and ui.index(packages) < ui.index(("COPY", "admin-ui/web ./")))
    handed = ("COPY", f"--from=ui {DIST} {DIST}")
    want("build takes the dashboard from ui", handed in build)
    want("the dashboard replaces what the context brought", handed in build and build.index(("COPY", ". /src")) < build.index(handed))
    want("runtime takes the root from build and nothing else", [rest for keyword, rest in runtime if keyword in ("COPY", "ADD")] == ["--from=build /out/root/ /"])
    want("runtime runs nothing", all(keyword != "RUN" for keyword, _ in runtime))
    want("the user is a number", ("USER", "65532:65532") in runtime)
    want("the compiler needs no Node.js", not re.search(r"\b(nodejs|npm)\b", build_script))
    want("a dashboard of the machine stays outside", "admin-ui/web/dist" in ignored)
    return found


def embeds(web, out, path=""):
    """The compiler's step on the dashboard, on a machine without npm."""
    command = [sys.executable, str(ROOT / "admin-ui/embed_assets.py"), str(web), str(out)]
    return subprocess.run(command, env={"PATH": path}, capture_output=True, text=True, check=False)


def embedding_problems():
    with tempfile.TemporaryDirectory() as folder:
        web = Path(folder) / "web"
        (web / "dist").mkdir(parents=True)
        source, made = web / "index.html", web / "dist/index.html"
        source.write_text("source")
        made.write_text("dashboard")
        os.utime(source, (1000, 1000))
        os.utime(made, (2000, 2000))
        if (done := embeds(web, Path(folder) / "out.cpp")).returncode != 0:
            return [f"what ui made is not embedded without npm: {done.stderr}"]
        os.utime(source, (3000, 3000))
        if embeds(web, Path(folder) / "out.cpp").returncode == 0:
            return ["a dashboard older than its sources is embedded"]
    return []


MISTAKES = {
    "no ui stage": (r"(?s)FROM \$\{UI_BASE\}.*?(?=FROM \$\{BUILD_BASE\})", ""),
    "the dashboard is not handed over": (r"COPY --from=ui.*\n", ""),
    "handed over before the context": (r"(COPY \. /src\n)(COPY --from=ui.*\n)", r"\2\1"),
    "PREBUILT is not known to ui": (r'files "\$\{PREBUILT\}"', "files"),
    "a host is fixed": ("UI_BASE=node", "UI_BASE=registry.example.com/node"),
    "a digest is fixed": ("BUILD_BASE=debian:12-slim", "BUILD_BASE=debian@sha256:0"),
    "runtime keeps the sources": (r"COPY --from=build .*\n", r"\g<0>COPY . /src\n"),
    "a named user": ("USER 65532:65532", "USER nonroot"),
}


def main():
    text, script = (IMAGE / "Dockerfile").read_text(), (IMAGE / "build.sh").read_text()
    code = "\n".join(line for line in script.splitlines() if not line.startswith("#"))
    ignored = (ROOT / ".dockerignore").read_text().splitlines()
    problems = problems_of(text, code, ignored) + embedding_problems()
    for name, (pattern, replacement) in MISTAKES.items():
        broken, count = re.subn(pattern, replacement, text, count=1)
        if count == 0:
            problems.append(f"the mistake '{name}' changes nothing")
        elif not problems_of(broken, code, ignored):
            problems.append(f"not noticed: {name}")
    if not problems_of(text, code + "\napt-get install npm", ignored):
        problems.append("not noticed: npm in the compiling stage")
    if not problems_of(text, code, []):
        problems.append("not noticed: a dashboard in the context")
    print("\n".join(problems))
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
