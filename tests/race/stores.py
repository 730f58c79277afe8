"""A look into DynamoDB Local past the gateway, over its HTTP API. It checks no signatures."""

from __future__ import annotations

import json
import os
import urllib.request
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

# Set by tests/tools/dynamodb_local.sh.
URL = os.environ.get("TOLLGATE_DYNAMODB_LOCAL", "")
CREDENTIAL = "local/20260101/us-east-1/dynamodb/aws4_request"
AUTHORIZATION = f"AWS4-HMAC-SHA256 Credential={CREDENTIAL}, SignedHeaders=host, Signature=0"


class DynamoDb:
    """The tables that the gateways share."""

    def __init__(self, url: str = URL) -> None:
        self.url = url

    def call(self, operation: str, **request: Any) -> dict[str, Any]:
        headers = {
            "x-amz-target": f"DynamoDB_20120810.{operation}",
            "content-type": "application/x-amz-json-1.0",
            "authorization": AUTHORIZATION,
        }
        sent = urllib.request.Request(self.url, json.dumps(request).encode(), headers)
        with urllib.request.urlopen(sent, timeout=30) as answer:
            return dict(json.load(answer))

    def lines(self, key_id: str) -> list[dict[str, Any]]:
        """The ledger of a key."""
        return list(self._query("ledger", "keyId = :k", {":k": {"S": key_id}}, IndexName="by-key"))

    def counters(self, key_id: str, shards: int) -> list[dict[str, Any]]:
        """Every counter item of a key."""
        partitions = [f"key#{key_id}"] if shards == 1 else [f"key.{shard}#{key_id}" for shard in range(shards)]
        queries = (self._query("budgets", "pk = :k", {":k": {"S": pk}}, ConsistentRead=True) for pk in partitions)
        return [counter for query in queries for counter in query]

    def _query(self, table: str, condition: str, values: dict[str, Any], **more: Any) -> Iterator[dict[str, Any]]:
        request = {"TableName": table, "KeyConditionExpression": condition, "ExpressionAttributeValues": values} | more
        while True:
            page = self.call("Query", **request)
            yield from ({name: plain(value) for name, value in item.items()} for item in page["Items"])
            if not (last := page.get("LastEvaluatedKey")):
                return
            request["ExclusiveStartKey"] = last


def plain(value: dict[str, Any]) -> Any:
    """A value without DynamoDB's type around it; numbers are whole here, or Decimal."""
    kind, inner = next(iter(value.items()))
    match kind:
        case "N":
            number = Decimal(inner)
            return int(number) if number == int(number) else number
        case "M":
            return {name: plain(part) for name, part in inner.items()}
        case "L":
            return [plain(part) for part in inner]
        case "NULL":
            return None
        case _:
            return inner
