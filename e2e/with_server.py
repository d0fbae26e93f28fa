"""Starts a server with traffic on it, runs a command with its addresses in the environment, ends the server.

    with_server.py COMMAND [ARGUMENT…]     sets EQUINOX_URL, EQUINOX_ADMIN_URL, EQUINOX_OPS_URL, and for reloads
                                           EQUINOX_CONFIG (the file) and EQUINOX_PID
"""

import os
import subprocess
import sys
import tempfile
from pathlib import Path

from conftest import make_site, standard_config
from support.clients import Clients, Http1Client, Http2Client
from support.server import Server
from support.tls import make_certificate


def main():
    with tempfile.TemporaryDirectory(prefix="equinox-with-server-") as name:
        folder = Path(name)
        (folder / "site").mkdir()
        config = standard_config(make_certificate(folder), make_site(folder / "site"))
        with Server(folder, config, expect=("http", "https", "ops", "admin")) as server:
            clients = Clients(*(Http1Client(server.address(), pause=0.05) for _ in range(6)),
                              *(Http2Client(server.address(), streams=2, pause=0.05) for _ in range(2)))
            environment = {**os.environ, "EQUINOX_URL": server.url(""), "EQUINOX_ADMIN_URL": server.url("", "admin"),
                           "EQUINOX_OPS_URL": server.url("", "ops"), "EQUINOX_CONFIG": str(server.config_path),
                           "EQUINOX_PID": str(server.process.pid)}
            with clients:
                status = subprocess.run(sys.argv[1:], env=environment, check=False).returncode
    return status


if __name__ == "__main__":
    sys.exit(main())
