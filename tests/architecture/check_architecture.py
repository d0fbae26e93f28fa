"""Fails on an include that the house does not allow, a foreign top-level folder, an overlong file or a machine's path.

    /usr/bin/python3 tests/architecture/check_architecture.py              checks the tree
    /usr/bin/python3 tests/architecture/check_architecture.py --self-test  shows that each kind of mistake is found
"""

import re
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]

# Arrows point at what may be included; every layer may include itself.
ALLOWED = {
    "base": set(),
    "net": {"base"},
    "http": {"base"},
    "telemetry": {"base"},
    "handlers": {"http", "telemetry", "base"},
    "server": {"net", "http", "telemetry", "base"},
    "metrics": {"telemetry", "http", "base"},
    "admin-ui": {"telemetry", "http", "base"},
    "appliance": {"server", "handlers", "metrics", "admin-ui", "net", "http", "telemetry", "base"},
}

# Which layer a public header (core/include/equinox/NAME.hpp, and one each of metrics and admin-ui) belongs to.
PUBLIC = {
    "base": {"ids", "endpoint", "log_level"},
    "telemetry": {"vocabulary", "view", "snapshot", "record"},
    "http": {"method", "status", "request", "response", "body", "handler", "routes"},
    "server": {"server", "config", "hooks"},
    "metrics": {"metrics"},
    "admin-ui": {"admin"},
}
PUBLIC_LAYER = {name: layer for layer, names in PUBLIC.items() for name in names}

CORE_LAYERS = {"base", "net", "http", "telemetry", "handlers", "server"}
TOP_LEVEL_FOLDERS = {"core", "admin-ui", "metrics", "deploy", "tests", "e2e", "docs"}
HAND_WRITTEN = {".cpp", ".hpp", ".h", ".ts", ".tsx", ".py", ".sh"}
MAX_LINES = 600
INCLUDE = re.compile(r'^\s*#\s*include\s+([<"])([^">]+)[">]')
# Written in pieces so that this file passes its own check.
MACHINE_PATHS = re.compile(r"(?<![\w$}.\-])/(?:" + "wor" + r"k|ho" + r"me/[a-z]\w*|tm" + r"p/(?:bu" + r"ild|br" + r"ief))/")


def listed_files(root):
    listing = subprocess.run(
        ["git", "ls-files", "-co", "--exclude-standard"], cwd=root, capture_output=True, text=True, check=False
    )
    if listing.returncode == 0:
        names = listing.stdout.splitlines()
    else:
        names = [str(p.relative_to(root)) for p in root.rglob("*") if p.is_file()]
    return [Path(n) for n in names if (root / n).is_file()]


def layer_of(path):
    """The layer a source file belongs to, or None when the rule does not bind it (tests, e2e, docs)."""
    parts = path.parts
    if parts[:3] == ("core", "include", "equinox"):
        return PUBLIC_LAYER.get(path.stem, "unknown") if len(parts) == 4 else layer_of_sub_folder(parts[3])
    if parts[0] == "core" and len(parts) > 2:
        return parts[1] if parts[1] in CORE_LAYERS else "unknown"
    if parts[0] in ("metrics", "admin-ui"):
        return parts[0]
    if parts[:2] == ("deploy", "appliance"):
        return "appliance"
    return None


def layer_of_sub_folder(name):
    return name if name in CORE_LAYERS else "unknown"


def included_layer(kind, name):
    """The layer of an include, None for a header that is not the project's."""
    parts = Path(name).parts
    if parts[0] == "equinox":
        return PUBLIC_LAYER.get(Path(name).stem, "unknown") if len(parts) == 2 else layer_of_sub_folder(parts[1])
    if kind == "<":
        return None
    if parts[0] in CORE_LAYERS and len(parts) > 1:
        return parts[0]
    if parts[0] in ("metrics", "admin-ui"):
        return parts[0]
    if parts[:2] == ("deploy", "appliance"):
        return "appliance"
    return None  # a file beside the including one: the same layer


def include_problems(root, path):
    layer = layer_of(path)
    if layer is None:
        return
    if layer == "unknown":
        yield f"{path}:1: belongs to no layer; add the public header to the table in check_architecture.py"
        return
    for number, line in enumerate((root / path).read_text(errors="replace").splitlines(), 1):
        found = INCLUDE.match(line)
        if not found:
            continue
        target = included_layer(*found.groups())
        if target is None or target == layer:
            continue
        if target == "unknown":
            yield f"{path}:{number}: <{found.group(2)}> belongs to no layer"
        elif target not in ALLOWED[layer]:
            yield f"{path}:{number}: {layer} must not include {target} ({found.group(2)})"


def folder_problems(files):
    for name in sorted({p.parts[0] for p in files if len(p.parts) > 1}):
        if not name.startswith(".") and name not in TOP_LEVEL_FOLDERS:
            yield f"{name}/: not one of the top-level folders ({' '.join(sorted(TOP_LEVEL_FOLDERS))})"


def text_problems(root, path):
    if path.name in ("package-lock.json",) or path.suffix in (".png", ".svg", ".ico", ".woff2", ".gz", ".br", ".zst"):
        return
    if "corpus" in path.parts:
        return
    try:
        lines = (root / path).read_text().splitlines()
    except UnicodeDecodeError:
        return
    generated = path.name.endswith(".d.ts") or any("generated" in line.lower() for line in lines[:5])
    if path.suffix in HAND_WRITTEN and not generated and len(lines) > MAX_LINES:
        yield f"{path}:{MAX_LINES}: {len(lines)} lines; more than {MAX_LINES} belong in more than one file"
    for number, line in enumerate(lines, 1):
        found = MACHINE_PATHS.search(line)
        if found:
            yield f"{path}:{number}: a path of one machine ({found.group(0)})"


def table_problems(files):
    """A name that no header has would let a misplaced one pass some day."""
    there = {p.stem for p in files if p.parent.name == "equinox" and p.parent.parent.name == "include"}
    for name in sorted(set(PUBLIC_LAYER) - there):
        yield f"tests/architecture/check_architecture.py:1: the table has {name}.hpp, which is no public header"


def problems_of(root):
    files = listed_files(root)
    yield from folder_problems(files)
    yield from table_problems(files)
    for path in files:
        if path.suffix in (".cpp", ".hpp", ".h"):
            yield from include_problems(root, path)
        yield from text_problems(root, path)


WRONG = {
    "core/net/listener.cpp": '#include "http/codec.hpp"\n',
    "core/http/codec.hpp": '#include "telemetry/counters.hpp"\n',
    "core/base/log.cpp": "#include <equinox/request.hpp>\n",
    "core/include/equinox/view.hpp": "#include <equinox/response.hpp>\n",
    "core/server/server.cpp": '#include "metrics/server_collector.hpp"\n',
    "metrics/server_collector.cpp": "#include <equinox/server.hpp>\n",
    "admin-ui/api/routes.cpp": '#include "server/server.hpp"\n',
    "core/include/equinox/nowhere.hpp": "\n",
    "core/include/equinox/ids.hpp": "#include <equinox/missing.hpp>\n",
    "source/a.cpp": "\n",
    "core/base/long.cpp": "int x;\n" * (MAX_LINES + 1),
    "docs/a.md": "see " + "/wor" + "k/main/x\n",
}
RIGHT = {
    "core/server/reactor.cpp": '#include "net/poller.hpp"\n#include "http/codec.hpp"\n#include <equinox/view.hpp>\n#include <vector>\n',
    "core/handlers/status.cpp": "#include <equinox/view.hpp>\n#include <equinox/response.hpp>\n",
    "core/net/poller.cpp": '#include "poller.hpp"\n#include "base/unique_fd.hpp"\n#include <sys/epoll.h>\n',
    "deploy/appliance/serve.cpp": '#include "metrics/server_collector.hpp"\n#include <equinox/server.hpp>\n',
    "tests/http/codec_test.cpp": '#include "http/codec.hpp"\n#include "server/server.hpp"\n',
}


def self_test():
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        for name, text in {**WRONG, **RIGHT}.items():
            (root / name).parent.mkdir(parents=True, exist_ok=True)
            (root / name).write_text(text)
        found = list(problems_of(root))
    for name in WRONG:
        assert any(p.startswith((name, name.split("/")[0] + "/:")) for p in found), f"missed: {name}"
    assert any("the table has server.hpp" in p for p in found), "missed: a name without a header"
    for name in RIGHT:
        assert not any(p.startswith(name) for p in found), f"wrongly refused: {name}"
    print(f"self-test: {len(WRONG)} mistakes found, {len(RIGHT)} right files passed")


def main():
    if "--self-test" in sys.argv[1:]:
        self_test()
        return 0
    found = list(problems_of(ROOT))
    for problem in found:
        print(problem)
    print(f"architecture: {len(found)} problems")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
