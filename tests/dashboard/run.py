#!/usr/bin/env python3
"""Drives the dashboard in headless Chromium, over a gateway of its own with 90 days of usage in its stores.

    run.py [--keep]     --keep leaves the gateway's data in tests/output/dashboard/data

Needs `cargo build --workspace` and the groups `dashboard` and `charts` of set-up. The screenshots are left in
tests/output/dashboard/.
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests" / "tools"))

import servers  # noqa: E402
import setup  # noqa: E402

OUTPUT = ROOT / "tests" / "output" / "dashboard"
BINARIES = Path(os.environ.get("CARGO_TARGET_DIR", ROOT / "target")) / "debug"
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--keep", action="store_true")
    keep = parser.parse_args().keep
    if CHROMIUM is None:
        sys.exit("chromium is missing: run tests/tools/setup.py dashboard")
    data = OUTPUT / "data"
    shutil.rmtree(OUTPUT, ignore_errors=True)
    OUTPUT.mkdir(parents=True)
    subprocess.run([BINARIES / "seed_usage", data], check=True)
    # Without providers' keys the scripted one answers for all; nothing outside is called.
    quiet = {name: value for name, value in os.environ.items() if not name.endswith("_API_KEY")}
    command = [BINARIES / "tollgate", "dev", "--port", "0", "--data", data, "--charts", setup.CHARTS]
    with servers.start("gateway", command, OUTPUT, env=quiet, cwd=OUTPUT) as gateway:
        environment = os.environ | {
            "TOLLGATE_URL": gateway.url,
            "TOLLGATE_ADMIN_KEY": (data / "admin-key").read_text().strip(),
            "TOLLGATE_KEY": (data / "laptop-key").read_text().strip(),
            "CHROMIUM": CHROMIUM,
            "OUTPUT": str(OUTPUT),
        }
        tests = ["page.test.mjs"]
        done = subprocess.run(["node", "--test", "--test-concurrency=1", *tests], cwd=ROOT / "tests" / "dashboard", env=environment)
    if not keep:
        shutil.rmtree(data, ignore_errors=True)
    return done.returncode


if __name__ == "__main__":
    sys.exit(main())
