"""A certificate for loopback, and TLS in front of servers whose packages were built without it."""

from __future__ import annotations

import asyncio
import ssl
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

# What a PostgreSQL client sends before TLS, and what it is answered.
SSL_REQUEST_BYTES = 8
SSL_GRANTED = b"S"
CHUNK = 65536


@dataclass(frozen=True)
class Certificate:
    """Signed by itself, for 127.0.0.1: who trusts it as an authority trusts the server."""

    chain: Path
    key: Path


def certificate(directory: Path) -> Certificate:
    made = Certificate(directory / "certificate.pem", directory / "key.pem")
    command = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2"]
    command += ["-subj", "/CN=tollgate tests", "-addext", "subjectAltName=IP:127.0.0.1"]
    command += ["-addext", "basicConstraints=critical,CA:FALSE", "-keyout", str(made.key), "-out", str(made.chain)]
    subprocess.run(command, check=True, capture_output=True)
    return made


@contextmanager
def in_front_of(port: int, shown: Certificate, *, of_postgres: bool = False) -> Iterator[int]:
    """The port where what `port` answers in the clear is answered by TLS, until the block ends."""
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(shown.chain, shown.key)
    context.set_alpn_protocols(["h2"])

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            if of_postgres:
                await reader.readexactly(SSL_REQUEST_BYTES)
                writer.write(SSL_GRANTED)
                await writer.drain()
            await writer.start_tls(context)
            behind_reader, behind_writer = await asyncio.open_connection("127.0.0.1", port)
            await asyncio.gather(pass_on(reader, behind_writer), pass_on(behind_reader, writer))
        except (OSError, ssl.SSLError, asyncio.IncompleteReadError):
            pass  # The client does not trust the certificate, or left.
        finally:
            writer.close()

    loop = asyncio.new_event_loop()
    server = loop.run_until_complete(asyncio.start_server(serve, "127.0.0.1", 0))
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        loop.call_soon_threadsafe(loop.stop)
        thread.join()


async def pass_on(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    try:
        while data := await reader.read(CHUNK):
            writer.write(data)
            await writer.drain()
    finally:
        writer.close()
