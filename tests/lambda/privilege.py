"""Asks the deployed policies, table by table and action by action, for everything the matrix allows and forbids."""

from __future__ import annotations

import itertools
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from botocore.exceptions import ClientError

from common import FUNCTIONS, check
from emulator import Emulator
from stack import physical

MATRIX: dict[str, dict[str, list[str]]] = json.loads(Path(__file__).with_name("permissions.json").read_text())
TABLES = ("ControlTable", "BudgetsTable", "LedgerTable", "CacheTable", "UsageTable")
# Partitions of the control, the cache and the usage table of which functions may use one and not the other.
PARTITIONS = ("breaker#demo/ok", "key", "marks", "#alert#probe")
# Those that stand for others of their kind.
PATTERNS = {"breaker#demo/ok": "breaker#*", "#alert#probe": "#alert*"}
Attempt = Callable[[Any, str, str], Any]


def item(partition: str) -> dict[str, Any]:
    return {"pk": {"S": partition}, "sk": {"S": "probe"}}


ATTEMPTS: dict[str, Attempt] = {
    "GetItem": lambda db, table, pk: db.get_item(TableName=table, Key=item(pk)),
    "PutItem": lambda db, table, pk: db.put_item(TableName=table, Item=item(pk)),
    "UpdateItem": lambda db, table, pk: db.update_item(
        TableName=table, Key=item(pk), UpdateExpression="SET probe = :p", ExpressionAttributeValues={":p": {"S": "x"}}
    ),
    "DeleteItem": lambda db, table, pk: db.delete_item(TableName=table, Key=item(pk)),
    "Query": lambda db, table, pk: db.query(
        TableName=table, KeyConditionExpression="pk = :p", ExpressionAttributeValues={":p": {"S": pk}}
    ),
    "Scan": lambda db, table, _: db.scan(TableName=table),
}


def probe(aws: Emulator) -> int:
    """Returns the number of attempts; every one of them came out as the matrix says."""
    tables = {name: physical(aws, name) for name in TABLES}
    return sum(probe_function(acting_as(aws, function), function, tables) for function in FUNCTIONS)


def probe_function(client: Any, function: str, tables: dict[str, str]) -> int:
    attempts = list(itertools.product(TABLES, ATTEMPTS, PARTITIONS))
    for table, action, partition in attempts:
        expected = granted(function, table, action, partition)
        seen = allowed(ATTEMPTS[action], client, tables[table], partition)
        check(seen == expected, f"{function} {action} {table} [{partition}]: allowed is {seen}, not {expected}")
    expected = "dynamodb:Query" in MATRIX[function].get("LedgerTable/index/by-key", [])
    seen = allowed(query_index, client, tables["LedgerTable"], "key")
    check(seen == expected, f"{function} Query LedgerTable/index/by-key: allowed is {seen}, not {expected}")
    expected = "dynamodb:SearchVectors" in MATRIX[function].get("CacheTable/index/vectors", [])
    seen = allowed(search_index, client, tables["CacheTable"], "partition")
    check(seen == expected, f"{function} SearchVectors CacheTable/index/vectors: allowed is {seen}, not {expected}")
    return len(attempts) + 2


def granted(function: str, table: str, action: str, partition: str) -> bool:
    name, rights = f"dynamodb:{action}", MATRIX[function]
    narrowed = name in rights.get(f"{table}[{PATTERNS.get(partition, partition)}]", [])
    return narrowed or name in rights.get(table, [])


def acting_as(aws: Emulator, function: str) -> Any:
    """A DynamoDB client under a user that carries exactly the policy of the function's deployed role."""
    iam, user = aws.client("iam"), f"probe-{function}"
    policy = iam.get_role_policy(RoleName=physical(aws, f"{function.capitalize()}Role"), PolicyName=function)
    iam.create_user(UserName=user)
    iam.put_user_policy(UserName=user, PolicyName=function, PolicyDocument=json.dumps(policy["PolicyDocument"]))
    key = iam.create_access_key(UserName=user)["AccessKey"]
    return aws.client("dynamodb", key["AccessKeyId"], key["SecretAccessKey"])


def query_index(db: Any, table: str, key: str) -> Any:
    return db.query(
        TableName=table, IndexName="by-key",
        KeyConditionExpression="keyId = :k", ExpressionAttributeValues={":k": {"S": key}},
    )


def search_index(db: Any, table: str, partition: str) -> Any:
    return db.search_vectors(
        TableName=table, IndexName="vectors", TopK=1, SearchVector=[{"N": "1"}] * 384,
        SearchConditionExpression="#p = :p", ExpressionAttributeNames={"#p": "partition"},
        ExpressionAttributeValues={":p": {"S": partition}},
    )


def allowed(attempt: Attempt, client: Any, table: str, partition: str) -> bool:
    try:
        attempt(client, table, partition)
    except ClientError as error:
        if error.response["Error"]["Code"] == "AccessDeniedException":
            return False
        raise
    return True
