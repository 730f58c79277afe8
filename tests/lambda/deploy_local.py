"""Deploys the real template with the real `sam deploy` into ministack, IAM enforced, and drives it over its API."""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from botocore.exceptions import ClientError

import alerting
import privilege
from common import BIN_DIR, Failure, bare_environment, check, free_port, passed, ready, running, stage, tail, wait_for
from emulator import Emulator, emulator
from fixtures import event, forgotten_hold, is_charged, rollups
from stack import NAME, Api, function_logs, outputs, physical, sam, stage_functions

MODEL = "demo/ok"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--bin-dir", type=Path, default=BIN_DIR, help="holds chat, usage, admin, alerts and tollgate")
    bin_dir = parser.parse_args().bin_dir.resolve()
    started = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="tollgate-deploy-") as directory:
        work = Path(directory)
        try:
            run(work, bin_dir)
        except (Failure, ClientError, OSError) as failure:
            print(f"FAILED  {failure}", file=sys.stderr)
            for log in work.glob("*.log"):
                print(f"-- {log.name}\n{tail(log)}", file=sys.stderr)
            return 1
    stage(f"deploy-local passed in {time.monotonic() - started:.0f} s")
    return 0


def run(work: Path, bin_dir: Path) -> None:
    stage("start the demo provider and the emulator")
    port, log = free_port(), work / "demo.log"
    demo = [str(bin_dir / "tollgate"), "demo", "--port", str(port)]
    with running(demo, log, bare_environment(), work) as provider, emulator(work) as aws, alerting.sinks() as sinks:
        ready(provider, port, log)
        passed(f"ministack {aws.url}, demo provider on {port}")
        stage("sam deploy")
        parameters = stage_functions(work, bin_dir, f"http://127.0.0.1:{port}/v1", alerting.channels(aws, sinks))
        sam(aws, work, "deploy", "--no-confirm-changeset", "--parameter-overrides", *parameters, "DataRetention=Delete")
        api = Api(aws.port, outputs(aws)["ApiUrl"].split("//")[1].split(".")[0])
        passed(f"stack complete, API {api.identifier}")
        try:
            drive(aws, api, sinks)
        except (Failure, ClientError, OSError) as failure:
            raise Failure(f"{failure}\n{function_logs(aws)}") from failure
        stage("delete")
        remove(aws)
        check(not aws.client("dynamodb").list_tables()["TableNames"], "deleting the stack left tables behind")
        passed("nothing is left")


def remove(aws: Emulator) -> None:
    """By CloudFormation itself: `sam delete` takes a nested template for one on S3 only by a host of AWS's."""
    formation = aws.client("cloudformation")
    formation.delete_stack(StackName=NAME)

    def gone() -> bool:
        try:
            (stack,) = formation.describe_stacks(StackName=NAME)["Stacks"]
        except ClientError:
            return True
        return bool(stack["StackStatus"] == "DELETE_COMPLETE")

    wait_for("the stack to be deleted", gone, 60)


def drive(aws: Emulator, api: Api, sinks: alerting.Sinks) -> None:
    stage("keys")
    secret = aws.client("secretsmanager").get_secret_value(SecretId=outputs(aws)["AdminKeySecretName"])
    admin_key = str(secret["SecretString"])
    created = api.call("POST", "/admin/keys", admin_key, {"name": "deploy-local", "budgetUsd": "1.50", "period": "month"})
    expect("POST /admin/keys", created, 201)
    key = str(created.json()["key"])
    expect("POST /admin/keys with a wrong admin key", api.call("POST", "/admin/keys", "wrong", {"name": "x"}), 401)
    listing = api.call("GET", "/admin/keys", admin_key)
    expect("GET /admin/keys", listing, 200)
    check(created.json()["id"] in listing.body.decode(), "the new key is not listed")

    stage("chat")
    answers(api, key)
    refusals(api)

    stage("semantic cache")
    serves_near_questions(aws, api, key)

    stage("usage")
    used = api.call("GET", "/v1/usage", key)
    expect("GET /v1/usage", used, 200)
    total = used.json()["total"]
    check(total["requests"] >= 2 and total["outputTokens"] > 0, f"two answers are not accounted for: {total}")
    passed(f"total {json.dumps(total)}")

    asked = api.call("POST", "/v1/chat/completions", key, question("Account for this."))
    receipt = api.call("GET", f"/v1/requests/{asked.headers['x-request-id']}", key)
    expect("GET /v1/requests/{id}", receipt, 200)
    passed(f"route {json.dumps(receipt.json()['route'])}")

    stage("the ledger's stream")
    folds_the_stream(aws, api, key, str(created.json()["id"]), admin_key)

    stage("settle queue")
    settles_from_the_queue(aws, str(created.json()["id"]))

    stage("sweep")
    sweeps(aws)

    stage("alerts")
    alerting.drive(aws, api, admin_key, sinks)

    stage("permissions")
    without_budget_writes(aws, api, key)
    passed(f"{privilege.probe(aws)} attempts under the deployed policies come out as permissions.json says")
    expect("DELETE /admin/keys/{id}", api.call("DELETE", f"/admin/keys/{created.json()['id']}", admin_key), 200, 204)


def answers(api: Api, key: str) -> None:
    expect("GET /health", api.call("GET", "/health"), 200)
    expect("GET /v1/models", api.call("GET", "/v1/models", key), 200)
    streamed = api.call("POST", "/v1/chat/completions", key, question("Stream this.", stream=True))
    expect("POST /v1/chat/completions, streamed", streamed, 200)
    check("text/event-stream" in streamed.headers["content-type"], "a streamed answer is not an event stream")
    check(b"data: [DONE]" in streamed.body, f"no end of stream: {streamed.body[-300:]!r}")
    plain = api.call("POST", "/v1/chat/completions", key, question("Answer this."))
    expect("POST /v1/chat/completions, plain", plain, 200)
    check(plain.headers.get("x-tollgate-cache") == "miss", f"a first question is not a miss: {plain.headers}")
    check(plain.json()["choices"][0]["finish_reason"] == "stop", f"not a whole answer: {plain.body!r}")
    again = api.call("POST", "/v1/chat/completions", key, question("Answer this."))
    expect("the same again", again, 200)
    check(again.headers.get("x-tollgate-cache") == "exact", f"the same question is no exact hit: {again.headers}")
    passed("x-tollgate-cache: exact")
    prompt = api.call("POST", "/v1/chat", key, {"prompt": "Say it.", "model": MODEL, "stream": False})
    expect("POST /v1/chat", prompt, 200)


def serves_near_questions(aws: Emulator, api: Api, key: str) -> None:
    """A near question gets the answer, by way of the deployed queue, indexer, vector index and cache function."""
    asked, near = "How do I reset my password?", "How can I reset my password?"
    expect("a first question", api.call("POST", "/v1/chat/completions", key, question(asked)), 200)
    looked = {"model": MODEL, "messages": [{"role": "user", "content": near}]}

    def found() -> bool:
        return bool(api.call("POST", "/v1/cache/lookup", key, looked).json().get("tier") == "semantic")

    wait_for("the answer to be indexed", found, 60)
    answer = api.call("POST", "/v1/chat/completions", key, question(near))
    expect("a near one", answer, 200)
    check(answer.headers.get("x-tollgate-cache") == "semantic", f"a near question is no semantic hit: {answer.headers}")
    passed("x-tollgate-cache: semantic")
    other = {"model": MODEL, "messages": [{"role": "system", "content": "Be brief."}, *looked["messages"]]}
    elsewhere = api.call("POST", "/v1/cache/lookup", key, other).json()
    check(elsewhere["verdict"] == "no_neighbour", f"another system prompt found it: {elsewhere}")
    expect("POST /v1/cache/invalidate", api.call("POST", "/v1/cache/invalidate", key, {"all": True}), 200)
    wait_for("the answer to be stale", lambda: api.call("POST", "/v1/cache/lookup", key, looked).json()["tier"] == "none")
    stats = api.call("GET", "/v1/cache/stats", key)
    expect("GET /v1/cache/stats", stats, 200)
    check(stats.json()["hits"]["semantic"] >= 1, f"the hit is not counted: {stats.body!r}")
    left = aws.client("sqs").get_queue_attributes(QueueUrl=physical(aws, "IndexDeadLetters"), AttributeNames=["All"])
    check(left["Attributes"]["ApproximateNumberOfMessages"] == "0", "an answer was not indexed")


def refusals(api: Api) -> None:
    refused = api.call("POST", "/v1/chat/completions", "tg_none_none", question("Answer this."))
    expect("a key that was never issued", refused, 401)
    check("error" in refused.json(), "a refusal without an error")
    expect("GET /v1/usage without a key", api.call("GET", "/v1/usage"), 401)
    unknown = api.call("GET", "/v1/nowhere", "tg_none_none")
    expect("an unknown route, refused by the API itself", unknown, 404)
    check(unknown.json()["error"]["code"] == "route_not_found", f"not our error shape: {unknown.body!r}")


def folds_the_stream(aws: Emulator, api: Api, key: str, key_id: str, admin_key: str) -> None:
    """What was asked shows in the rollups, by way of the deployed stream, mapping and function."""
    table, database = physical(aws, "UsageTable"), aws.client("dynamodb")

    def requests() -> int:
        return sum(int(item["requests"]["N"]) for item in rollups(database, table, key_id))

    told = int(api.call("GET", "/v1/usage", key).json()["total"]["requests"])
    wait_for("the rollups of what was asked", lambda: requests() == told)
    passed(f"{told} requests are folded")
    rebuilt = api.call("POST", "/admin/usage/rebuild", admin_key, {})
    expect("POST /admin/usage/rebuild", rebuilt, 200)
    check(requests() == told, "a rebuild changed the count")
    csv = api.call("GET", "/v1/usage?format=csv&group=day,model", admin_key)
    expect("GET /v1/usage as CSV, all keys", csv, 200)
    check(csv.body.startswith(b"day,model,requests"), f"no CSV: {csv.body[:200]!r}")


def settles_from_the_queue(aws: Emulator, key_id: str) -> None:
    """A settlement put on the queue becomes a line of the ledger, by way of the deployed mapping and function."""
    body = event("settle", KEY_ID=key_id)["Records"][0]["body"]
    table, database = physical(aws, "LedgerTable"), aws.client("dynamodb")

    def lines() -> int:
        found = database.query(
            TableName=table, IndexName="by-key",
            KeyConditionExpression="keyId = :k", ExpressionAttributeValues={":k": {"S": key_id}},
        )
        return int(found["Count"])

    before = lines()
    aws.client("sqs").send_message(QueueUrl=physical(aws, "SettleQueue"), MessageBody=body)
    wait_for("the queued settlement in the ledger", lambda: lines() > before)
    passed("a queued settlement is a line of the ledger")


def sweeps(aws: Emulator) -> None:
    """The deployed function, under its own role, ends a hold that nobody settled."""
    table, database = physical(aws, "BudgetsTable"), aws.client("dynamodb")
    forgotten_hold(database, table, "forgotten")
    name, payload = physical(aws, "AlertsFunction"), json.dumps(event("alerts")).encode()
    done = aws.client("lambda").invoke(FunctionName=name, Payload=payload)
    answer = done["Payload"].read()
    check("FunctionError" not in done, f"the sweep failed: {answer!r}")
    check(json.loads(answer)["swept"]["failed"] == 0, f"not everything was swept: {answer!r}")
    # The schedule may have been faster.
    wait_for("the forgotten hold to be swept", lambda: is_charged(database, table, "forgotten"))
    passed(f"swept {answer.decode()}")


def without_budget_writes(aws: Emulator, api: Api, key: str) -> None:
    """A question that reaches the provider needs UpdateItem on the budgets; without the right it must fail closed."""
    iam, role = aws.client("iam"), physical(aws, "ChatRole")
    whole = iam.get_role_policy(RoleName=role, PolicyName="chat")["PolicyDocument"]
    put_policy(iam, role, narrowed(whole))
    failing = api.call("POST", "/v1/chat/completions", key, question("No right to spend."))
    expect("chat without dynamodb:UpdateItem on the budgets", failing, 503)
    put_policy(iam, role, whole)
    expect("chat with the right given back", api.call("POST", "/v1/chat/completions", key, question("Right again.")), 200)


def narrowed(policy: Any) -> Any:
    statements = [s | ({"Action": "dynamodb:GetItem"} if s["Sid"] == "Budgets" else {}) for s in policy["Statement"]]
    return policy | {"Statement": statements}


def put_policy(iam: Any, role: str, document: Any) -> None:
    iam.put_role_policy(RoleName=role, PolicyName="chat", PolicyDocument=json.dumps(document))


def question(text: str, stream: bool = False) -> dict[str, Any]:
    return {"model": MODEL, "messages": [{"role": "user", "content": text}], "stream": stream}


def expect(what: str, answer: Any, *statuses: int) -> None:
    check(answer.status in statuses, f"{what}: {answer.status}, not {statuses}: {answer.body[:500]!r}")
    passed(f"{answer.status}  {what}")


if __name__ == "__main__":
    sys.exit(main())
