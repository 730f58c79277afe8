"""What a function needs around it when it runs outside a stack: configuration, stores and its environment."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

from common import EVENTS, ROOT, TOOLS
from emulator import ROOT_KEYS, Emulator
from template import of_type, stores

Json = dict[str, Any]
ADMIN_KEY = "admin-key-of-the-lambda-tests"


def gateway_config(demo_url: str, alerts: Json) -> Json:
    return {
        "routing": {"primary": "demo/ok", "fallbacks": []},
        # Every match is served, and a slow machine has its time.
        "cache": {"verify_share": 0, "lookup_budget_ms": 20000},
        "providers": {"demo": {"dialect": "openai", "base_url": demo_url, "local": True}},
        "alerts": alerts,
    }


def write_config(directory: Path, demo_url: str, alerts: Json | None = None) -> None:
    """The directory `config/` as the zip carries it: the routes of the test, the prices of the repository."""
    directory.mkdir(parents=True, exist_ok=True)
    (directory / "ai-gateway.json").write_text(json.dumps(gateway_config(demo_url, alerts or {}), indent=2))
    prices = ROOT / "config" / "prices.json"
    if prices.exists():
        shutil.copy(prices, directory / "prices.json")


def create_stores(aws: Emulator) -> dict[str, str]:
    """The template's tables and queue under their logical names, and the variables that point at them."""
    tables = aws.client("dynamodb")
    template = stores()
    for name, properties in of_type(template, "AWS::DynamoDB::Table").items():
        for index in properties.get("VectorIndexes", []):
            index["Dimensions"] = template["Parameters"][index["Dimensions"]["Ref"]]["Default"]
        wanted = ("AttributeDefinitions", "KeySchema", "BillingMode", "GlobalSecondaryIndexes", "VectorIndexes")
        tables.create_table(TableName=name, **{key: properties[key] for key in wanted if key in properties})
    letters = ("SettleDeadLetters", "UsageDeadLetters", "IndexDeadLetters")
    queues = {name: aws.client("sqs").create_queue(QueueName=name)["QueueUrl"] for name in ("SettleQueue", "IndexQueue", *letters)}
    names = {f"{name}_TABLE": f"{name.capitalize()}Table" for name in ("CONTROL", "BUDGETS", "LEDGER", "CACHE", "USAGE")}
    waiting = {f"{name.removesuffix('DeadLetters').upper()}_DEAD_LETTERS_URL": queues[name] for name in letters}
    return names | waiting | {"SETTLE_QUEUE_URL": queues["SettleQueue"], "INDEX_QUEUE_URL": queues["IndexQueue"], "CACHE_FUNCTION": "cache"}


def function_environment(aws: Emulator, stores: dict[str, str], config: Path) -> dict[str, str]:
    return aws.environment() | ROOT_KEYS | stores | {
        "TOLLGATE_CONFIG": str(config / "ai-gateway.json"),
        "TOLLGATE_PRICES": str(config / "prices.json"),
        "TOLLGATE_EMBEDDER": str(TOOLS / "models" / "all-minilm-l6-v2"),
        "KEY_PEPPER": "env:PEPPER_OF_THE_TEST",
        "PEPPER_OF_THE_TEST": "pepper-of-the-lambda-tests",
        "ADMIN_KEY": "env:ADMIN_KEY_OF_THE_TEST",
        "ADMIN_KEY_OF_THE_TEST": ADMIN_KEY,
        "AWS_LAMBDA_HTTP_IGNORE_STAGE_IN_PATH": "true",
        "AWS_LAMBDA_FUNCTION_TIMEOUT": "30",
        "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": "512",
        "AWS_LAMBDA_FUNCTION_VERSION": "1",
    }


def rollups(database: Any, table: str, key_id: str) -> list[Json]:
    """The hours of a key. They are digits; its newest minute and its history lie before them."""
    values = {":k": {"S": key_id}, ":first": {"S": "0"}, ":last": {"S": "9~"}}
    condition = "pk = :k AND sk BETWEEN :first AND :last"
    found = database.query(TableName=table, KeyConditionExpression=condition, ExpressionAttributeValues=values)
    return list(found["Items"])


def forgotten_hold(database: Any, table: str, counter: str) -> None:
    """A counter whose one hold had to be settled in 1970, as its item is in the table of budgets."""
    hold = {
        "amount": {"N": "300"}, "tokens": {"N": "10"}, "window": {"N": "0"}, "expires": {"N": "0"},
        "items": {"L": [{"S": f"key#{counter}"}, {"S": "total"}, {"N": "300"}]},
        "request": {"S": "01M83T4CM01ZPWQAC7CN1J23ZD"}, "tenant": {"S": "acme"}, "key": {"S": counter},
        "model": {"S": "demo/ok"}, "price": {"S": "demo/*@2024-01-01"},
    }
    numbers = {"cap": 1000, "remaining": 700, "version": 0, "window": 0, "requests": 1, "tokens": 10}
    item = {name: {"N": str(number)} for name, number in numbers.items()} | {
        "pk": {"S": f"key#{counter}"}, "sk": {"S": "total"}, "state": {"S": "active"},
        "live": {"M": {"01M83T4CM0Z6R4QK2W9V5B8N1D": {"M": hold}}},
    }
    database.put_item(TableName=table, Item=item)


def is_charged(database: Any, table: str, counter: str) -> bool:
    """Whether that hold was ended, and charged in full."""
    item = database.get_item(TableName=table, Key={"pk": {"S": f"key#{counter}"}, "sk": {"S": "total"}})["Item"]
    return item["live"] == {"M": {}} and item["remaining"] == {"N": "700"}


def event(name: str, **values: str) -> Json:
    """A sample event with its `${PLACEHOLDERS}` filled in; those without a value stay as they are."""
    raw = (EVENTS / f"{name}.json").read_text()
    for placeholder, value in values.items():
        raw = raw.replace(f"${{{placeholder}}}", value)
    return dict(json.loads(raw))
