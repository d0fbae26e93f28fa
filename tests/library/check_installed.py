#!/usr/bin/env python3
"""Installs the built library, builds the examples against it by find_package and pkg-config, runs each and talks to it.

The dashboard of the last one is opened in a browser, where there are Node.js, playwright-core (npm ci in admin-ui/web) and Chromium.
"""

import argparse
import contextlib
import json
import os
import pathlib
import shlex
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
EXAMPLES = ROOT / "docs" / "examples" / "library"
TOOLS = ("cmake", "ninja", "pkg-config", "curl")
START_SECONDS = 20
STOP_SECONDS = 20


def run(*command, **options):
    done = subprocess.run([str(word) for word in command], capture_output=True, text=True, check=False, timeout=540, **options)
    if done.returncode != 0:
        sys.exit(f"{shlex.join(str(word) for word in command)}: exit status {done.returncode}\n{done.stdout[-4000:]}{done.stderr[-4000:]}")
    return done.stdout


def expect(what, found, wanted):
    if found != wanted:
        sys.exit(f"{what}: expected {wanted!r}, found {found!r}")
    print(f"ok: {what}")


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def install(build, prefix):
    run("cmake", "--install", build, "--component", "libequinox-dev", "--prefix", prefix)
    for wanted in ("include/equinox/server.hpp", "include/equinox/metrics.hpp", "include/equinox/admin.hpp"):
        expect(f"{wanted} is installed", (prefix / wanted).is_file(), True)


def build_examples(prefix, folder, compiler, flags):
    run("cmake", "-S", EXAMPLES, "-B", folder, "-G", "Ninja", f"-DCMAKE_PREFIX_PATH={prefix}",
        f"-DCMAKE_CXX_COMPILER={compiler}", f"-DCMAKE_CXX_FLAGS={flags}")
    run("ninja", "-C", folder, "-j2")


def build_by_pkg_config(prefix, target, compiler, flags, *packages):
    [description] = prefix.rglob("equinox.pc")
    environment = {**os.environ, "PKG_CONFIG_PATH": str(description.parent)}
    needed = shlex.split(run("pkg-config", "--cflags", "--libs", *packages, env=environment))
    run(compiler, *shlex.split(flags), EXAMPLES / f"{target.name}.cpp", "-o", target, *needed)


def curl(url, *arguments):
    return run("curl", "-sS", "--max-time", "20", *arguments, url)


def code_of(url, *arguments):
    return curl(url, "-o", "/dev/null", "-w", "%{http_code}", *arguments)


def wait_until_open(process, port):
    until = time.monotonic() + START_SECONDS
    while time.monotonic() < until:
        if process.poll() is not None:
            sys.exit(f"{process.args[0]} ended with {process.returncode} before it listened")
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
            return
        time.sleep(0.02)
    sys.exit(f"{process.args[0]} does not listen")


@contextlib.contextmanager
def running(program, ports=1):
    """The program on free ports; gives their URLs. Ended by SIGTERM, and the exit status must be 0."""
    numbers = [free_port() for _ in range(ports)]
    process = subprocess.Popen([program, *(f"127.0.0.1:{port}" for port in numbers)], stdin=subprocess.DEVNULL)
    try:
        for port in numbers:
            wait_until_open(process, port)
        yield [f"http://127.0.0.1:{port}" for port in numbers]
        process.send_signal(signal.SIGTERM)
        expect(f"{program.name} ends with", process.wait(STOP_SECONDS), 0)
    finally:
        if process.poll() is None:
            process.kill()
            process.wait()


def check_hello(program):
    with running(program) as [url]:
        expect("hello answers", json.loads(curl(f"{url}/api/data")), {"status": "ok"})
        expect("hello speaks HTTP/2", curl(f"{url}/api/data", "--http2-prior-knowledge", "-o", "/dev/null", "-w", "%{http_version}"), "2")


def check_json_api(program):
    with running(program) as [url]:
        notes, key = f"{url}/api/notes", ("-H", "X-Api-Key: secret")
        expect("writing needs the key", code_of(notes, "-d", '{"text":"a"}'), "401")
        expect("a note is made", json.loads(curl(notes, *key, "-d", '{"text":"a"}')), {"id": 1})
        expect("a wrong body is refused", code_of(notes, *key, "-d", "[]"), "400")
        expect("a note is read", json.loads(curl(f"{notes}/1")), {"id": 1, "text": "a"})
        expect("middleware adds its field", "cache-control: no-store" in curl(notes, "-D", "-", "-o", "/dev/null").lower(), True)
        expect("a note is removed", code_of(f"{notes}/1", *key, "-X", "DELETE"), "204")
        expect("the 404 is our own", json.loads(curl(f"{url}/nowhere")), {"error": "nothing is here"})
        expect("another method gives", code_of(f"{notes}/1", *key, "-X", "PATCH"), "405")


def fnv1a(data):
    value = 0xCBF29CE484222325
    for byte in data:
        value = (value ^ byte) * 0x100000001B3 & 0xFFFFFFFFFFFFFFFF
    return value


def check_upload(program, folder):
    data = bytes(range(256)) * 4096
    file = folder / "data.bin"
    file.write_bytes(data)
    with running(program) as [url]:
        for version in ("--http1.1", "--http2-prior-knowledge"):
            answer = json.loads(curl(f"{url}/upload/data.bin", version, "-T", file))
            expect(f"an upload arrives whole ({version})", answer, {"bytes": len(data), "fnv1a": fnv1a(data)})
        expect("a worker answers", json.loads(curl(f"{url}/primes/1000")), {"below": 1000, "primes": 168})
        expect("a wrong number gives", code_of(f"{url}/primes/many"), "400")


def first_events(url, wanted):
    listener = subprocess.Popen(["curl", "-sSN", "--max-time", "20", url], stdout=subprocess.PIPE, text=True)
    try:
        found = []
        for line in listener.stdout:
            if line.startswith("data:"):
                found.append(json.loads(line[5:])["tick"])
            if len(found) == wanted:
                break
        return found
    finally:
        listener.kill()
        listener.wait()
        listener.stdout.close()


def check_events(program):
    with running(program) as [url]:
        ticks = first_events(f"{url}/events", 3)
        expect("events come in order", [tick - ticks[0] for tick in ticks], [0, 1, 2])
        lines = curl(f"{url}/squares/20000").split()
        expect("a generator sends every line", (len(lines), lines[-1]), (20000, str(20000**2)))


def check_two_servers(program):
    with running(program, ports=2) as [traffic, ops]:
        expect("traffic answers", curl(f"{traffic}/hello/Ada"), "Hello, Ada!\n")
        expect("traffic has no metrics", code_of(f"{traffic}/metrics"), "404")
        page = curl(f"{ops}/metrics")
        counted = [line for line in page.splitlines()
                   if line.startswith("http_server_request_duration_seconds_count") and 'http_route="/hello/{name}"' in line]
        expect("the request is counted under its route", [line.split()[-1] for line in counted], ["1"])
        expect("it is ready", code_of(f"{ops}/readyz"), "200")


def wait_for_json(url, holds, seconds):
    until = time.monotonic() + seconds
    while True:
        answer = json.loads(curl(url))
        if holds(answer):
            return answer
        if time.monotonic() > until:
            sys.exit(f"{url}: not what was awaited: {answer}")
        time.sleep(0.02)


def check_observed(program):
    """Every reactor of the traffic server asleep in a handler: the other server answers, and names who sleeps."""
    with running(program, ports=2) as [traffic, admin]:
        expect("traffic answers", curl(f"{traffic}/hello/Ada"), "Hello, Ada!\n")
        api = f"{admin}/admin/api/v1"
        asleep = []
        try:
            # The kernel chooses the reactor of a connection: so many that none is left awake.
            for _ in range(16):
                asleep.append(subprocess.Popen(["curl", "-sS", "--max-time", "60", "-o", os.devnull, f"{traffic}/sleep"]))
            stalls = wait_for_json(f"{api}/stalls", lambda a: len({s["reactor"] for s in a["rows"] if s["running"]}) == 2, 10)
            running_now = [s for s in stalls["rows"] if s["running"]]
            expect("the culprit is named", {(s["cause"], s["route"]) for s in running_now}, {("handler", "/sleep")})
            began = time.monotonic()
            for path in ("/readyz", "/metrics", "/admin/api/v1/status", "/admin/api/v1/connections", "/admin/"):
                expect(f"{path} answers meanwhile", code_of(admin + path), "200")
            expect("without waiting for the sleepers", time.monotonic() - began < 5, True)
        finally:
            for each in asleep:
                each.kill()
                each.wait()
        wait_for_json(f"{api}/connections?limit=1", lambda a: a["total"] == 0, 60)  # those in the queue sleep, too
        expect("traffic answers again", curl(f"{traffic}/hello/Ada"), "Hello, Ada!\n")


def check_dashboard(program):
    """The same program, seen by its reader."""
    with running(program, ports=2) as [traffic, admin]:
        environment = {**os.environ, "EQUINOX_URL": traffic, "EQUINOX_ADMIN_URL": admin}
        # In the other format a skipped test looks like one that passed.
        told = run("node", "--test", "--test-reporter=tap", ROOT / "tests/library/observed.test.mjs", env=environment)
    skipped = next((line.partition("# SKIP ")[2] for line in told.splitlines() if "# SKIP " in line), None)
    if skipped is not None:
        print(f"skipped: the dashboard in a browser: {skipped}")
        return
    expect("the dashboard shows the program in a browser", "\n# pass 1\n" in told, True)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--build", type=pathlib.Path, required=True, help="a built tree")
    parser.add_argument("--compiler", default="g++")
    parser.add_argument("--flags", default="", help="of the built tree: sanitizers must agree")
    options = parser.parse_args()
    for tool in TOOLS:
        if shutil.which(tool) is None:
            print(f"skipped: {tool} is not installed")
            sys.exit(77)
    with tempfile.TemporaryDirectory(prefix="equinox-library-") as name:
        folder = pathlib.Path(name)
        prefix, programs = folder / "installed", folder / "programs"
        install(options.build, prefix)
        build_examples(prefix, programs, options.compiler, options.flags)
        build_by_pkg_config(prefix, folder / "hello", options.compiler, options.flags, "equinox")
        build_by_pkg_config(prefix, folder / "observed", options.compiler, options.flags, "equinox-metrics", "equinox-admin")
        check_hello(programs / "hello")
        check_hello(folder / "hello")
        check_json_api(programs / "json_api")
        check_upload(programs / "upload", folder)
        check_events(programs / "events")
        check_two_servers(programs / "two_servers")
        check_observed(programs / "observed")
        check_observed(folder / "observed")
        if shutil.which("node") is None:
            print("skipped: the dashboard in a browser: node is not installed")
        else:
            check_dashboard(programs / "observed")


if __name__ == "__main__":
    main()
