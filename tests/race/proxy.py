"""The microburst proxy before DynamoDB Local, and the faults that it injects into the writes of one key."""

from __future__ import annotations

import json
import os
import sys
import urllib.request
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
TOOLS = Path(os.environ.get("TOLLGATE_TOOLS", ROOT / ".tools")).resolve()
sys.path.insert(0, str(ROOT / "tests" / "tools"))

import servers

Rule = dict[str, Any]

THROTTLED: Rule = {"error": {"code": "ProvisionedThroughputExceededException"}}
# DynamoDB carries the write out, and its reply is cut off before the first byte.
REPLY_LOST: Rule = {"response": {"abort_bytes": 0}}


def delayed(milliseconds: int) -> Rule:
    """The write waits before it reaches DynamoDB; a caller that has given up meanwhile does not stop it."""
    return {"latency": milliseconds}


# The three writes of the protocol, told apart by what only they carry.
def reserve(key_id: str) -> Rule:
    return _update(key_id, '(ExpressionAttributeValues.":taken" || ExpressionAttributeValues.":active")')


def close(key_id: str) -> Rule:
    return _update(key_id, 'ExpressionAttributeValues.":back"')


def line(key_id: str) -> Rule:
    return {"service": "dynamodb", "operation": "PutItem", "resource": "ledger", "body": f"Item.keyId.S == '{key_id}'"}


def _update(key_id: str, has: str) -> Rule:
    body = f"Key.pk.S == 'key#{key_id}' && {has}"
    return {"service": "dynamodb", "operation": "UpdateItem", "resource": "budgets", "body": body}


class Proxy:
    """One that runs. Rules are looked at in order, and the first that fits decides."""

    def __init__(self, upstream: str, directory: Path) -> None:
        binary, port = TOOLS / "microburst" / "bin" / "microburst", str(servers.free_port())
        command: list[str | Path] = [binary, "--host", "127.0.0.1", "--port", port, "--upstream", upstream, "--no-resign"]
        self.server = servers.start("microburst", command, directory)
        self.url = self.server.url

    def set(self, rules: list[Rule]) -> list[int]:
        """Replaces the rules and returns their ids."""
        return [int(rule["id"]) for rule in self._call("rules", rules)]

    def fired(self, rule: int) -> int:
        """How often the rule struck."""
        return len(self._call(f"fired?limit=100000&rule_id={rule}"))

    def close(self) -> None:
        self.server.stop()

    def _call(self, path: str, body: Any = None) -> Any:
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(f"{self.url}/_microburst/{path}", data)
        with urllib.request.urlopen(request, timeout=30) as answer:
            return json.load(answer)
