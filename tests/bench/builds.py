"""Release builds of what is measured, and what the commit under measurement is called."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
TARGET = Path(os.environ.get("CARGO_TARGET_DIR", ROOT / "target")).resolve()


def build(*packages: str) -> Path:
    """Builds packages in one go, so that their features unify as they do when deployed together."""
    selected = [word for package in packages for word in ("--package", package)]
    command = ["nice", "cargo", "build", "--release", "--locked", "--quiet", *selected]
    print("+", *command, flush=True)
    subprocess.run(command, cwd=ROOT, check=True)
    return TARGET / "release"


def commit() -> str:
    """The commit, marked when the tree differs from it."""
    name = git("rev-parse", "--short=12", "HEAD")
    changed = git("status", "--porcelain", "--untracked-files=no")
    return f"{name} with changes" if changed else name


def git(*arguments: str) -> str:
    done = subprocess.run(["git", *arguments], cwd=ROOT, capture_output=True, text=True, check=False)
    return done.stdout.strip() if done.returncode == 0 else ""


def table(header: list[str], rows: list[list[str]]) -> str:
    """Columns as wide as they need to be; the first to the left, the others to the right."""
    widths = [max(len(row[column]) for row in [header, *rows]) for column in range(len(header))]
    lines = []
    for row in [header, *rows]:
        cells = [cell.rjust(width) for cell, width in zip(row[1:], widths[1:], strict=True)]
        lines.append("  ".join([row[0].ljust(widths[0]), *cells]).rstrip())
    return "\n".join(lines)


def verdict(met: bool) -> str:
    return "met" if met else "NOT met"
