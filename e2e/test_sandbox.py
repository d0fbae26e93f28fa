"""The sandbox of the running server: every thread is in it, and everything a server does still works."""

import os
import shutil
import signal
from pathlib import Path

import pytest
from support.raw import exchange
from support.server import run_equinox
from support.tls import make_certificate
from support.wait import wait_for

GET = b"GET /hello HTTP/1.1\r\nHost: a\r\n\r\n"


def tasks(server):
    """One dictionary of /proc/PID/task/TID/status for each thread."""
    found = []
    for task in Path(f"/proc/{server.process.pid}/task").iterdir():
        lines = (line.partition(":") for line in (task / "status").read_text().splitlines())
        found.append({key: value.strip() for key, _, value in lines})
    return found


def parts(server):
    return {name: server.metric("equinox_sandbox_in_force", part=name)
            for name in ("no_new_privs", "capabilities", "landlock", "seccomp")}


def get(server, path):
    with server.connect() as connection:
        return exchange(connection, b"GET " + path.encode() + b" HTTP/1.1\r\nHost: a\r\n\r\n")


def reloaded(server, successful):
    wait_for(lambda: server.metric("equinox_config_last_reload_successful") == successful, 5, f"reload: {successful}")


def has_landlock():
    return "landlock (version" in run_equinox("check").stdout


@pytest.mark.parametrize("mode", ["auto", "strict"])
def test_every_thread_is_in_it_and_has_no_privilege(start, mode):
    if mode == "strict" and not has_landlock():
        pytest.skip("this kernel has no Landlock")
    server = start(arguments=["--sandbox", mode])
    assert exchange_ok(server)
    threads = tasks(server)
    assert len(threads) >= 3
    for thread in threads:
        assert thread["NoNewPrivs"] == "1", thread["Name"]
        assert thread["Seccomp"] == "2", thread["Name"]
        assert {thread[f"Cap{of}"] for of in ("Inh", "Prm", "Eff", "Amb")} == {"0" * 16}, thread["Name"]
    in_force = parts(server)
    assert in_force["no_new_privs"] == in_force["capabilities"] == in_force["seccomp"] == 1
    assert in_force["landlock"] == (1 if has_landlock() else 0)
    wait_for(lambda: server.lines(message="sandboxed"), 5, "its line")


def exchange_ok(server):
    with server.connect() as connection:
        return exchange(connection, GET).status == 200


def test_off_takes_nothing(start):
    server = start(arguments=["--sandbox", "off"])
    assert set(parts(server).values()) == {0}
    own = Path("/proc/self/status").read_text()
    if "Seccomp:\t0" in own:
        assert {thread["Seccomp"] for thread in tasks(server)} == {"0"}


@pytest.fixture
def strict(start, make_config, tmp_path):
    """A server with files of its own, as tight as this kernel can."""
    site = tmp_path / "www"
    site.mkdir()
    (site / "page.txt").write_text("one " * 1000)
    secret = tmp_path / "secret"
    secret.mkdir()
    for path, name in zip(make_certificate(tmp_path, "first"), ("tls.crt", "tls.key")):
        shutil.copy(path, secret / name)
    config = make_config(sandbox="strict" if has_landlock() else "auto", log={"access": str(tmp_path / "log" / "access.log")})
    (tmp_path / "log").mkdir()
    config["listeners"][1]["tls"]["certificates"] = [
        {"name": "main", "certificate": str(secret / "tls.crt"), "key": str(secret / "tls.key")}]
    config["routes"][-1]["static"]["root"] = str(site)
    server = start(config)
    server.site, server.secret, server.config = site, secret, config
    return server


def test_files_new_files_and_the_admin_surface_are_served(strict):
    assert get(strict, "/page.txt").body == b"one " * 1000
    (strict.site / "new.txt").write_text("new")
    assert get(strict, "/new.txt").body == b"new"
    assert strict.admin("/certificates")
    assert strict.admin("/config")
    assert strict.metric("process_open_fds") > 5
    assert strict.metric("process_resident_memory_bytes") > 1e6
    assert strict.process.poll() is None


def test_reload_and_a_certificate_swap_and_log_rotation_still_work(strict, tmp_path):
    config = strict.config
    config["routes"][0]["respond"]["body"] = "two"
    strict.write_config(config)
    log = tmp_path / "log" / "access.log"
    log.rename(tmp_path / "log" / "access.log.1")
    strict.signal(signal.SIGHUP)
    wait_for(lambda: get(strict, "/hello").body == b"two", 5, "the new answer")
    wait_for(lambda: log.exists() and "/hello" in log.read_text(), 5, "a line in the new file")
    loaded = strict.metric("equinox_tls_certificate_not_after_timestamp_seconds")
    for path, name in zip(make_certificate(tmp_path, "second", days=9), ("tls.crt", "tls.key")):
        shutil.copy(path, strict.secret / f".{name}")
        os.replace(strict.secret / f".{name}", strict.secret / name)
    wait_for(lambda: strict.metric("equinox_tls_certificate_not_after_timestamp_seconds") != loaded, 10, "the new certificate")


def test_a_folder_that_was_not_known_at_start_is_refused_with_a_reason(strict, tmp_path):
    if not has_landlock():
        pytest.skip("this kernel has no Landlock")
    other = tmp_path / "other"
    other.mkdir()
    (other / "page.txt").write_text("other")
    config = strict.config
    before = config["routes"][-1]["static"]["root"]
    config["routes"][-1]["static"]["root"] = str(other)
    strict.write_config(config)
    strict.signal(signal.SIGHUP)
    wait_for(lambda: [e for e in strict.log if "sandbox keeps the folders" in str(e) and str(other) in str(e)], 5, "the refusal")
    reloaded(strict, 0)
    assert get(strict, "/page.txt").body == b"one " * 1000
    config["routes"][-1]["static"]["root"] = before
    strict.write_config(config)
    strict.signal(signal.SIGHUP)
    reloaded(strict, 1)


def test_it_ends_with_status_0(strict):
    strict.signal(signal.SIGTERM)
    assert strict.wait() == 0


def test_check_reports_it(tmp_path):
    said = run_equinox("check", "--root", tmp_path).stdout
    line = next(line for line in said.splitlines() if line.startswith("# sandbox: "))
    assert "no_new_privs" in line and "seccomp" in line
    assert str(tmp_path) in next(line for line in said.splitlines() if line.startswith("# sandbox reads: "))
    assert "# sandbox: off" in run_equinox("check", "--sandbox", "off").stdout
    assert run_equinox("check", "--sandbox", "tight").returncode == 2
