"""The commands beside `serve`: their exit statuses, probes, completion for three shells, a drain that is waited for."""

import fcntl
import hashlib
import json
import os
import pty
import re
import select
import signal
import socket
import struct
import subprocess
import termios

import pytest
from support.raw import exchange, receive_answers
from support.server import BINARY, Server, run_equinox
from support.wait import wait_for

GET = b"GET /hello HTTP/1.1\r\nHost: a\r\n\r\n"
SLOW = b"POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nab"
ADMIN_COMMANDS = {"conns": [], "why": [], "close": ["protocol:h2"], "top": [], "drain": [], "undrain": []}


def unused_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@pytest.mark.parametrize("command", ADMIN_COMMANDS)
def test_nobody_there_is_status_1(command):
    done = run_equinox(command, *ADMIN_COMMANDS[command], "--admin", f"127.0.0.1:{unused_port()}")
    assert done.returncode == 1 and "127.0.0.1" in done.stderr, done.stderr


@pytest.mark.parametrize("command", ["conns", "why", "close", "top"])
@pytest.mark.parametrize("query", ["nosuchfield:x", "idle>soon", "-nosuchfield:x"])
def test_a_bad_query_is_status_2_with_its_place(server, command, query):
    done = run_equinox(command, query, "--admin", server.addresses["admin"])
    assert done.returncode == 2, (done.returncode, done.stdout, done.stderr)
    assert "^" in done.stderr, done.stderr


def test_a_negated_term_is_a_query_and_not_an_option(server):
    with server.connect() as connection:
        assert exchange(connection, GET).status == 200
        for words in (["-state:handling"], ["protocol:http/1.1", "-state:handling"], ["protocol:http/1.1 -state:handling"]):
            done = run_equinox("conns", *words, "--json", "--admin", server.addresses["admin"])
            assert done.returncode == 0, done.stderr
            assert json.loads(done.stdout)["total"] == 1, words
        done = run_equinox("conns", "-state:idle", "--json", "--admin", server.addresses["admin"])
        assert json.loads(done.stdout)["total"] == 0


def test_top_gives_one_picture_as_json(server):
    with server.connect() as connection:
        assert exchange(connection, GET).status == 200
        picture = json.loads(run_equinox("top", "--json", "--admin", server.addresses["admin"]).stdout)
    assert picture["status"]["ready"] is True
    assert picture["connections"]["total"] == len(picture["connections"]["rows"]) == 1


def test_a_table_is_no_wider_than_its_terminal(server):
    with server.connect() as connection:
        assert exchange(connection, GET.replace(b"/hello", b"/hello?" + b"x" * 60)).status == 200
        own, theirs = pty.openpty()
        fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 80, 0, 0))
        command = [str(BINARY), "conns", "--admin", server.addresses["admin"]]
        done = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=theirs, timeout=20, check=False)
        os.close(theirs)
        lines = os.read(own, 65536).decode().splitlines()
        os.close(own)
        piped = run_equinox("conns", "--admin", server.addresses["admin"]).stdout.splitlines()
    assert done.returncode == 0
    assert max(map(len, lines)) == 80, lines
    assert max(map(len, piped)) > 80, "a pipe takes it whole"


def read_until(terminal, wanted):
    seen = b""
    while wanted not in seen:
        readable, _, _ = select.select([terminal], [], [], 20)
        assert readable, seen
        seen += os.read(terminal, 65536)
    return seen


@pytest.mark.parametrize("ending", ["q", "\x03", signal.SIGTERM, signal.SIGHUP])
def test_top_leaves_the_terminal_as_it_was(server, ending):
    own, theirs = pty.openpty()
    try:
        before = termios.tcgetattr(theirs)
        command = [str(BINARY), "top", "--admin", server.addresses["admin"]]
        with subprocess.Popen(command, stdin=theirs, stdout=theirs, start_new_session=True) as process:
            try:
                read_until(own, b"\x1b[?1049h")
                wait_for(lambda: termios.tcgetattr(theirs)[3] != before[3], 5, "keys without Enter")
                if isinstance(ending, str):
                    os.write(own, ending.encode())
                else:
                    process.send_signal(ending)
                read_until(own, b"\x1b[?25h\x1b[?1049l")
                process.wait(10)
            finally:
                process.kill()
        assert process.returncode == (0 if isinstance(ending, str) else -ending)
        assert termios.tcgetattr(theirs) == before
    finally:
        os.close(theirs)
        os.close(own)


def watch(server, **streams):
    def as_from_a_terminal():  # where tests run in the background SIGINT is ignored, and who is started so inherits it
        signal.signal(signal.SIGINT, signal.SIG_DFL)

    command = [str(BINARY), "conns", "--watch", "--admin", server.addresses["admin"]]
    return subprocess.Popen(command, stdin=subprocess.DEVNULL, preexec_fn=as_from_a_terminal, **streams)


def test_a_watch_clears_a_terminal_but_writes_no_codes_into_a_pipe(server):
    own, theirs = pty.openpty()
    try:
        with watch(server, stdout=theirs) as process:
            try:
                read_until(own, b"\x1b[2J")
            finally:
                process.kill()
    finally:
        os.close(theirs)
        os.close(own)
    with watch(server, stdout=subprocess.PIPE) as process:
        try:
            said = b""
            while said.count(b"of 0 connections") < 2:
                said += process.stdout.readline()
            process.send_signal(signal.SIGINT)
            assert process.wait(10) == 0, "whoever watches ends it so"
        finally:
            process.kill()
    assert b"\x1b" not in said, said


@pytest.mark.parametrize("command", ADMIN_COMMANDS)
def test_refused_credentials_are_status_3(start, make_config, tmp_path, command):
    tokens, secret = tmp_path / "tokens.json", tmp_path / "secret"
    tokens.write_text(json.dumps({"tokens": [{"name": "me", "role": "viewer", "sha256": hashlib.sha256(b"good").hexdigest()}]}))
    config = make_config()
    config["admin"]["tokens_file"] = str(tokens)
    server = start(config)
    secret.write_text("wrong\n")
    at = ["--admin", server.addresses["admin"]]
    for extra in ([], ["--token-file", secret]):
        done = run_equinox(command, *ADMIN_COMMANDS[command], *at, *extra)
        assert done.returncode == 3, (done.returncode, done.stderr)
    done = run_equinox(command, *ADMIN_COMMANDS[command], *at, env={**os.environ, "EQUINOX_TOKEN": "good"})
    assert done.returncode == (3 if command in ("close", "drain", "undrain") else 0), "a viewer may look, not act"
    assert "good" not in done.stdout + done.stderr


def test_close_prints_the_exact_count_first_and_a_dry_run_closes_nobody(server):
    with server.connect() as one, server.connect() as other:
        assert exchange(one, GET).status == exchange(other, GET).status == 200
        at = ["--admin", server.addresses["admin"]]
        done = run_equinox("close", "protocol:http/1.1", "--dry-run", *at)
        assert done.returncode == 0 and re.match(r"\D*2\b", done.stdout), done.stdout
        assert exchange(one, GET).status == exchange(other, GET).status == 200
        done = run_equinox("close", "protocol:http/1.1", "--rate", "100/s", *at)
        assert done.returncode == 0 and re.match(r"\D*2\b", done.stdout), done.stdout
        assert one.recv(1) == other.recv(1) == b""


def test_drain_wait_shows_who_holds_it_back_and_returns_with_the_last_request(start):
    server = start(drain={"delay": "0s"})
    with server.connect() as busy:
        busy.sendall(SLOW)
        wait_for(lambda: server.metric("equinox_connections", state="reading_body") == 1, 5, "the request")
        row = server.admin("/connections")["rows"][0]["id"]
        waiting = subprocess.Popen([str(BINARY), "drain", "--wait", "--admin", server.addresses["admin"]], stdout=subprocess.PIPE,
                                   stdin=subprocess.DEVNULL, text=True)
        try:
            said = waiting.stdout.readline() + waiting.stdout.readline()
            assert "1 request in flight" in said and row in said, said
            wait_for(lambda: server.get("/readyz")[0] == 503, 5, "the drain")
            assert waiting.poll() is None, "it waits"
            busy.sendall(b"cde")
            assert receive_answers(busy, 1)[0].body == b"abcde"
            assert waiting.wait(10) == 0
        finally:
            waiting.kill()
            waiting.stdout.close()
            waiting.wait()
    assert run_equinox("undrain", "--admin", server.addresses["admin"]).returncode == 0
    assert server.get("/readyz")[0] == 200


def test_drain_wait_may_give_up(start):
    server = start(drain={"delay": "0s"})
    with server.connect() as busy:
        busy.sendall(SLOW)
        wait_for(lambda: server.metric("equinox_connections", state="reading_body") == 1, 5, "the request")
        done = run_equinox("drain", "--wait", "--timeout", "300ms", "--admin", server.addresses["admin"])
        assert done.returncode == 1
        assert "gave up waiting; draining: 1 request in flight" in done.stderr


@pytest.mark.parametrize("arguments, words", [(["--wait", "--timeout", "soon"], "30s"), (["--timeout", "3s"], "only --wait")], ids=["no duration", "no wait"])
def test_drain_refuses_a_timeout_that_means_nothing(server, arguments, words):
    done = run_equinox("drain", *arguments, "--admin", server.addresses["admin"])
    assert done.returncode == 2
    assert "--timeout" in done.stderr and words in done.stderr
    assert server.get("/readyz")[0] == 200


def test_probe_is_0_on_2xx_only(server):
    assert run_equinox("probe", server.url("/livez", "ops")).returncode == 0
    assert run_equinox("probe", server.url("/hello", "https")).returncode == 0
    for url in (server.url("/nothing", "ops"), server.url("/old/x"), f"http://127.0.0.1:{unused_port()}/", "nowhere", "ftp://a/"):
        done = run_equinox("probe", url)
        assert done.returncode == 1 and done.stderr, url


def test_check_prints_what_the_log_lines_take(tmp_path):
    config = tmp_path / "equinox.json"
    config.write_text('{"rings": {"log": 10000}}')
    assert "# ring log: 5.3 MB" in run_equinox("check", "--config", config).stdout
    config.write_text('{"rings": {"log": 10000}, "log": {"access": "-"}}')
    assert "# ring log: 10.6 MB" in run_equinox("check", "--config", config).stdout, "one for each log"


def test_version_names_what_it_is_made_of():
    done = run_equinox("version")
    assert done.returncode == 0
    for word in ("equinox", "llhttp", "nghttp2", "OpenSSL", "zlib", "brotli", "prometheus-cpp", "cpp-httplib", "nlohmann-json", "fmt", "cli11", "spdlog"):
        assert word.lower() in done.stdout.lower(), done.stdout


@pytest.mark.parametrize("arguments", [["token", "--role", "viewer"], ["version"], ["--help"], ["check", "--text-only"], ["completion", "bash"]],
                         ids=lambda a: a[0])
def test_what_cannot_be_written_is_status_1(arguments):
    with open("/dev/full", "w") as full:
        done = subprocess.run([str(BINARY), *arguments], stdin=subprocess.DEVNULL, stdout=full, stderr=subprocess.PIPE, text=True, timeout=20, check=False)
    assert done.returncode == 1 and "No space left on device" in done.stderr, done.stderr
    done = subprocess.run(f'"{BINARY}" {" ".join(arguments)} >&-', shell=True, stdin=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, timeout=20, check=False)
    assert done.returncode == 1 and "Bad file descriptor" in done.stderr, done.stderr


def test_a_token_works_with_the_line_it_comes_with(start, make_config, tmp_path):
    done = run_equinox("token", "--role", "operator", "--name", "night shift")
    assert done.returncode == 0
    line = re.search(r"\{.*\}", done.stdout)[0]
    secret = next(word for word in done.stdout.replace(line, "").split() if len(word) >= 32)
    assert secret not in line
    tokens = tmp_path / "tokens.json"
    tokens.write_text(f'{{"tokens": [{line}]}}')
    config = make_config()
    config["admin"]["tokens_file"] = str(tokens)
    server = start(config)
    environment = {**os.environ, "EQUINOX_TOKEN": secret}
    assert run_equinox("drain", "--admin", server.addresses["admin"], env=environment).returncode == 0
    assert run_equinox("undrain", "--admin", server.addresses["admin"], env=environment).returncode == 0
    wait_for(lambda: server.lines(message="audit", actor="night shift", role="operator"), 10, "the lines of the audit")
    assert secret not in server.log_text()


def completions(shell, line, folder):
    """What the shell offers behind `line`, by its own rules."""
    script = folder / f"equinox.{shell}"
    script.write_text(run_equinox("completion", shell).stdout)
    if shell == "bash":
        code = (f'source {script}; line="{line}"; COMP_WORDS=($line); [[ $line == *" " ]] && COMP_WORDS+=(""); '
                'COMP_CWORD=$((${#COMP_WORDS[@]} - 1)); _equinox; printf "%s\\n" "${COMPREPLY[@]}"')
        command = ["bash", "--norc", "-c", code]
    else:
        command = ["fish", "--no-config", "-c", f"source {script}; complete -C '{line}'"]
    done = subprocess.run(command, capture_output=True, text=True, stdin=subprocess.DEVNULL, timeout=30, check=False)
    assert done.returncode == 0 and not done.stderr, done.stderr
    return {word.split("\t")[0].strip() for word in done.stdout.splitlines() if word.strip()}


@pytest.mark.parametrize("shell", ["bash", "fish"])
def test_the_shell_completes_commands_options_and_words(tool, tmp_path, shell):
    tool(shell)
    assert {"serve", "check", "conns", "why", "close", "top", "drain", "undrain", "token", "probe", "completion",
            "version"} <= completions(shell, "equinox ", tmp_path)
    assert {"--tls-cert", "--tls-key", "--tls-listen", "--tls-self-signed"} <= completions(shell, "equinox serve --tls", tmp_path)
    assert {"--wait", "--admin"} <= completions(shell, "equinox drain --", tmp_path)
    assert completions(shell, "equinox completion ", tmp_path) >= {"bash", "zsh", "fish"}


@pytest.mark.parametrize("shell", ["bash", "fish"])
def test_the_shell_completes_options_without_a_command(tool, tmp_path, shell):
    tool(shell)
    assert completions(shell, "equinox --li", tmp_path) == {"--listen"}
    assert {"--root", "--reactors"} <= completions(shell, "equinox --listen :80 --r", tmp_path)
    assert completions(shell, "equinox --sandbox ", tmp_path) == {"auto", "off", "strict"}


@pytest.mark.parametrize("shell", ["bash", "fish"])
def test_the_shell_completes_the_values_of_an_option(tool, tmp_path, shell):
    tool(shell)
    values = {"serve --sandbox": {"auto", "off", "strict"}, "check --log-format": {"auto", "text", "json"},
              "serve --log-level": {"debug", "info", "warn", "warning", "error", "off"},
              "token --role": {"viewer", "operator", "admin"}, "serve --idle-timeout": set()}
    for option, words in values.items():
        assert completions(shell, f"equinox {option} ", tmp_path) == words, option


def test_zsh_understands_its_script(tool, tmp_path):
    zsh = tool("zsh")
    folder = tmp_path / "functions"
    folder.mkdir()
    (folder / "_equinox").write_text(run_equinox("completion", "zsh").stdout)
    code = f"fpath=({folder} $fpath); autoload -U compinit; compinit -u -d {tmp_path}/dump; autoload +X _equinox; echo ${{_comps[equinox]}}"
    done = subprocess.run([zsh, "-f", "-c", code], capture_output=True, text=True, stdin=subprocess.DEVNULL, timeout=30, check=False)
    assert done.returncode == 0 and not done.stderr, done.stderr
    assert done.stdout.strip() == "_equinox"


def test_an_unknown_shell_or_command_is_status_2():
    for arguments in (["completion", "tcsh"], ["completion"], ["nosuch"], ["token"], ["token", "--role", "king"], ["probe"], ["close"]):
        done = run_equinox(*arguments)
        assert done.returncode == 2, arguments


@pytest.mark.parametrize("command", ADMIN_COMMANDS)
def test_the_admin_address_may_stand_in_front(command):
    port = unused_port()
    done = run_equinox("--admin", f"127.0.0.1:{port}", command, *ADMIN_COMMANDS[command])
    assert done.returncode == 1 and str(port) in done.stderr, done.stderr


@pytest.mark.parametrize("option", [["--listen", "127.0.0.1:0"], ["--config", "f.json"], ["--tls-self-signed"]], ids=lambda o: o[0])
@pytest.mark.parametrize("command", [["conns"], ["version"], ["probe", "http://127.0.0.1:1/"]], ids=lambda c: c[0])
def test_an_option_of_serve_in_front_of_another_command_is_status_2(option, command):
    done = run_equinox(*option, *command)
    assert done.returncode == 2 and not done.stdout, done.stdout
    assert option[0] in done.stderr and "equinox serve" in done.stderr, done.stderr


# serve, by its options alone

def test_serve_by_options_alone(tmp_path, site):
    log = tmp_path / "access.log"
    arguments = ["--listen", "127.0.0.1:0", "--listen", "127.0.0.1:0", "--tls-listen", "127.0.0.1:0", "--tls-self-signed",
                 "--ops", "127.0.0.1:0", "--admin", "127.0.0.1:0", "--root", str(site), "--reactors", "2", "--idle-timeout", "1s",
                 "--max-connections", "500", "--access-log", str(log), "--log-level", "debug"]
    with Server(tmp_path, arguments=arguments, expect=("https", "ops", "admin")) as server:
        plain = [name for name in server.addresses if name.startswith("http") and name != "https"]
        assert len(plain) == 2, server.addresses
        for name in (*plain, "https"):
            assert run_equinox("probe", server.url("/1k.bin", name)).returncode == 0
        status = server.admin("/status")
        assert len(server.admin("/reactors")["rows"]) == 2
        assert status["limits"]["connections"] == 500, status["limits"]
        wait_for(lambda: log.exists() and log.read_text().count("/1k.bin") == 3, 5, "three lines")
        with server.connect(plain[0]) as idle:
            assert exchange(idle, b"GET /1k.bin HTTP/1.1\r\nHost: a\r\n\r\n").status == 200
            idle.settimeout(4)
            assert idle.recv(1) == b"", "closed by --idle-timeout"
        wait_for(lambda: server.lines(message="connection closed", reason="keep_alive_timeout"), 5, "its line")


def test_the_welcome_page_links_to_the_dashboard_on_whatever_port(tmp_path):
    arguments = ["--listen", "127.0.0.1:0", "--ops", "127.0.0.1:0", "--admin", "127.0.0.1:0"]
    with Server(tmp_path, arguments=arguments) as server:
        link = server.url("/admin/", "admin")
        assert link in server.get("/", "http")[1]
        server.signal(signal.SIGHUP)
        wait_for(lambda: server.lines(message="configuration reloaded"), 10, "the reload")
        assert link in server.get("/", "http")[1]


def test_without_a_command_it_serves(tmp_path):
    port, ops, admin = unused_port(), unused_port(), unused_port()
    process = subprocess.Popen([str(BINARY), "--listen", f"127.0.0.1:{port}", "--ops", f"127.0.0.1:{ops}", "--admin", f"127.0.0.1:{admin}"],
                               stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, cwd=tmp_path)
    try:
        wait_for(lambda: run_equinox("probe", f"http://127.0.0.1:{port}/api/status").returncode == 0, 10, "an answer")
        assert run_equinox("probe", f"http://127.0.0.1:{port}/").returncode == 0, "the welcome page"
        process.send_signal(signal.SIGINT)
        assert process.wait(10) == 0
    finally:
        process.kill()
        process.wait()


def test_closed_standard_streams_are_no_sockets(tmp_path):
    def close_streams():
        for stream in (0, 1, 2):
            os.close(stream)

    port = unused_port()
    command = [str(BINARY), "--listen", f"127.0.0.1:{port}", "--ops", "127.0.0.1:0", "--admin", "127.0.0.1:0", "--access-log", "-"]
    process = subprocess.Popen(command, preexec_fn=close_streams, cwd=tmp_path)
    try:
        wait_for(lambda: run_equinox("probe", f"http://127.0.0.1:{port}/api/status").returncode == 0, 10, "an answer")
        assert {os.readlink(f"/proc/{process.pid}/fd/{stream}") for stream in (0, 1, 2)} == {"/dev/null"}
    finally:
        process.kill()
        process.wait()


@pytest.mark.skipif(not os.path.exists("/proc/net/if_inet6"), reason="no IPv6 on this machine")
def test_addresses_in_their_three_forms(tmp_path):
    both, six = unused_port(), unused_port()
    arguments = ["--listen", f":{both}", "--listen", f"[::1]:{six}", "--ops", "127.0.0.1:0", "--admin", "127.0.0.1:0"]
    with Server(tmp_path, arguments=arguments, expect=("ops", "admin")):
        for url in (f"http://127.0.0.1:{both}/", f"http://[::1]:{both}/", f"http://[::1]:{six}/"):
            assert run_equinox("probe", url).returncode == 0, url
        assert run_equinox("probe", f"http://127.0.0.1:{six}/").returncode == 1
