"""chat under `cargo lambda watch`: the caller reads the first token while the upstream still has the rest.

Proved by order, not by clock: the upstream sends one token, then waits until the caller has it.
"""

from __future__ import annotations

import contextlib
import http.client
import json
import tempfile
import unittest
from pathlib import Path

from common import BIN_DIR, check, free_port, ready, running, sam_tool
from deadline import mended_deadline
from emulator import emulator
from fixtures import ADMIN_KEY, Json, create_stores, event, function_environment, write_config
from rie import invoke, under_rie
from upstream import TOKENS, Upstream, upstream

# Unlike the server's own URL, this address takes the REST API's event as it is.
INVOKE = "/2015-03-31/functions/_/invocations"


class StreamTest(unittest.TestCase):
    port: int
    upstream: Upstream
    key: str
    cleanup: contextlib.ExitStack

    @classmethod
    def setUpClass(cls) -> None:
        cls.cleanup = contextlib.ExitStack()
        cls.addClassCleanup(cls.cleanup.close)
        work = Path(cls.cleanup.enter_context(tempfile.TemporaryDirectory()))
        aws = cls.cleanup.enter_context(emulator(work))
        cls.upstream = cls.cleanup.enter_context(upstream())
        write_config(work / "config", cls.upstream.base_url)
        env = function_environment(aws, create_stores(aws), work / "config")
        cls.key = issue_key(work, env)
        cls.port = cls.watch(work, env)

    @classmethod
    def watch(cls, work: Path, env: dict[str, str]) -> int:
        port, log = free_port(), work / "watch.log"
        command = [sam_tool("cargo-lambda"), "lambda", "watch", "--only-lambda-apis", "-A", "127.0.0.1", "-P", str(port)]
        # It insists on standing in a package; an empty one keeps it away from the workspace.
        (work / "src").mkdir()
        (work / "src" / "main.rs").write_text("fn main() {}\n")
        (work / "Cargo.toml").write_text('[package]\nname = "watched"\nversion = "0.0.0"\nedition = "2024"\n\n[workspace]\n')
        server = cls.cleanup.enter_context(running(command, log, env, work))
        ready(server, port, log)
        runtime_api = cls.cleanup.enter_context(mended_deadline(port))
        runtime = {"AWS_LAMBDA_RUNTIME_API": f"http://127.0.0.1:{runtime_api}/.rt", "AWS_LAMBDA_FUNCTION_NAME": "_"}
        cls.cleanup.enter_context(running([str(BIN_DIR / "chat")], work / "chat.log", env | runtime, work))
        return port

    def test_the_first_token_arrives_while_the_upstream_is_still_sending(self) -> None:
        for name in ("chat", "chat-completions"):
            with self.subTest(name):
                self.upstream.trace.clear()
                self.upstream.gate.clear()
                body = self.read_noting(event(name, TOLLGATE_KEY=self.key))
                self.assertEqual(self.upstream.trace, [
                    "upstream sent its first token", "caller has the first token", "upstream went on", "caller has the end",
                ])
                self.assertIn(TOKENS[-1].encode(), body)

    def read_noting(self, payload: Json) -> bytes:
        """Reads the answer piece by piece; the first piece with the first token in it opens the upstream's gate."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        self.addCleanup(connection.close)
        connection.request("POST", INVOKE, json.dumps(payload), {"content-type": "application/json"})
        response = connection.getresponse()
        self.assertEqual(response.status, 200, response.headers)
        self.assertIn("text/event-stream", response.headers["content-type"])
        body = b""
        while piece := response.read1(65536):
            body += piece
            if TOKENS[0].strip().encode() in body and not self.upstream.gate.is_set():
                self.upstream.note("caller has the first token")
                self.upstream.gate.set()
        self.upstream.note("caller has the end")
        return body


def issue_key(work: Path, env: dict[str, str]) -> str:
    """A key from the admin function, which runs for this one call."""
    with under_rie("admin", env, work) as port:
        answer = json.loads(invoke(port, event("admin-create-key", TOLLGATE_ADMIN_KEY=ADMIN_KEY)))
    check(answer.get("statusCode") == 201, f"no key: {answer}")
    return str(json.loads(answer["body"])["key"])


if __name__ == "__main__":
    unittest.main()
