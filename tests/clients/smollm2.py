#!/usr/bin/env python3
"""Serves the SmolLM2 model file over llama.cpp's own OpenAI-compatible HTTP server, on loopback.

    smollm2.py --model FILE [--port P] [--context TOKENS] [--template FILE] [--embeddings]

Port 0 picks a free one. A template replaces the model's own, which knows no tools.

Prints `ready http://127.0.0.1:P` once /health is ok, and ends on SIGTERM or when its parent is gone.
"""

from __future__ import annotations

import argparse
import json
import os
import signal
import threading
import time
import urllib.error
import urllib.request
from pathlib import Path

import xllamacpp

PARALLEL = 2


def serve(args: argparse.Namespace) -> xllamacpp.Server:
    params = xllamacpp.CommonParams()
    params.model.path = args.model
    params.model_alias = {"smollm2"}
    if args.template:
        params.chat_template = args.template.read_text()
    if args.embeddings:
        params.embedding = True
        params.pooling_type = xllamacpp.llama_pooling_type.LLAMA_POOLING_TYPE_MEAN
    # llama.cpp divides this among the requests it serves at once.
    params.n_ctx = args.context * PARALLEL
    params.n_parallel = PARALLEL
    # Its threads spin at barriers: one per core would crawl as soon as anything else runs.
    params.cpuparams.n_threads = params.cpuparams_batch.n_threads = max(1, (os.cpu_count() or 2) // 2)
    params.warmup = False
    params.ui = False
    params.hostnames = ["127.0.0.1"]
    params.port = args.port
    return xllamacpp.Server(params)


def wait_until_healthy(url: str, seconds: float = 60.0) -> None:
    # The server listens, and answers 503, while it still loads the model.
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        try:
            with urllib.request.urlopen(f"{url}/health", timeout=5) as reply:
                if json.load(reply).get("status") == "ok":
                    return
        except (urllib.error.URLError, OSError):
            pass
        time.sleep(0.1)
    raise SystemExit(f"{url}/health was not ok within {seconds:.0f} s")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--model", required=True)
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--context", type=int, default=1024, help="tokens of one request and its answer")
    parser.add_argument("--template", type=Path, help="a Jinja chat template")
    parser.add_argument("--embeddings", action="store_true", help="serve /v1/embeddings as well, by mean pooling")
    args = parser.parse_args()

    ended = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: ended.set())
    # An interactive Ctrl-C reaches the whole group; requests in flight at the gateway still need the model.
    signal.signal(signal.SIGINT, signal.SIG_IGN)

    server = serve(args)
    url = server.listening_address
    wait_until_healthy(url)
    print(f"ready {url}", flush=True)

    parent = os.getppid()
    while not ended.wait(0.5) and os.getppid() == parent:
        pass


if __name__ == "__main__":
    main()
