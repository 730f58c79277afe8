"""The operator's side of the alerts: a server that takes what Slack, PagerDuty and a webhook would, and a topic of SNS."""

from __future__ import annotations

import contextlib
import hashlib
import hmac
import json
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from common import check, passed, wait_for
from emulator import Emulator
from fixtures import event
from stack import Answer, Api, physical

Json = dict[str, Any]
WEBHOOK_SECRET, ROUTING_KEY = "secret-of-the-webhook", "routing-key-of-the-test"
THRESHOLDS = [500_000, 800_000, 1_000_000]
# Every sink refuses its first calls, as one does that is being restarted.
REFUSED = 2
# The schedule fires once a minute, and what is refused comes again after seconds.
PATIENCE = 150


@dataclass
class Sinks:
    """What was posted, by path, in order, and what the topic's subscriber was sent."""

    port: int
    taken: dict[str, list[tuple[Json, dict[str, str], bytes]]] = field(default_factory=dict)
    refused: dict[str, int] = field(default_factory=dict)
    published: list[Json] = field(default_factory=list)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def take(self, path: str, headers: dict[str, str], body: bytes) -> bool:
        with self.lock:
            if self.refused.setdefault(path, 0) < REFUSED:
                self.refused[path] += 1
                return False
            self.taken.setdefault(path, []).append((json.loads(body), headers, body))
            return True

    def at(self, path: str) -> list[tuple[Json, dict[str, str], bytes]]:
        with self.lock:
            return list(self.taken.get(path, []))


@contextlib.contextmanager
def sinks() -> Iterator[Sinks]:
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"]))
            headers = {name.lower(): value for name, value in self.headers.items()}
            self.send_response(200 if taken.take(self.path, headers, body) else 503)
            self.send_header("content-length", "0")
            self.end_headers()

        def log_message(self, *_: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    taken = Sinks(server.server_port)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield taken
    finally:
        server.shutdown()
        server.server_close()


def channels(aws: Emulator, sinks: Sinks) -> Json:
    """The section `alerts` of a configuration; its secrets and its topic are made, as an operator makes them."""
    secrets, url = aws.client("secretsmanager"), f"http://127.0.0.1:{sinks.port}"
    secrets.create_secret(Name="tollgate/pagerduty", SecretString=ROUTING_KEY)
    secrets.create_secret(Name="tollgate/webhook", SecretString=WEBHOOK_SECRET)
    topic = aws.client("sns").create_topic(Name="tollgate-alerts")["TopicArn"]
    queue = aws.client("sqs").create_queue(QueueName="subscriber")["QueueUrl"]
    arn = aws.client("sqs").get_queue_attributes(QueueUrl=queue, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    allowed = {"Effect": "Allow", "Principal": {"Service": "sns.amazonaws.com"}, "Action": "sqs:SendMessage", "Resource": arn}
    policy = json.dumps({"Version": "2012-10-17", "Statement": [allowed]})
    aws.client("sqs").set_queue_attributes(QueueUrl=queue, Attributes={"Policy": policy})
    aws.client("sns").subscribe(TopicArn=topic, Protocol="sqs", Endpoint=arn)
    return {
        "slack": [{"url": f"{url}/slack"}],
        "pagerduty": [{"routing_key": "secretsmanager:tollgate/pagerduty", "url": f"{url}/pagerduty"}],
        "webhooks": [{"url": f"{url}/webhook", "secret": "secretsmanager:tollgate/webhook"}],
        "sns": [{"topic_arn": topic}],
    }


def drive(aws: Emulator, api: Api, admin_key: str, sinks: Sinks) -> None:
    """A budget is driven to refusal, and the deployed schedule tells every sink 50, 80 and 100 % of it once each."""
    wanted = {"name": "alerts", "tenant": "acme", "budgetUsd": "0.001", "period": "total"}
    created = api.call("POST", "/admin/keys", admin_key, wanted).json()
    spent = spend(api, str(created["key"]))
    check(spent[-1].status == 402 and len(spent) > 3, f"the budget never refused: {[answer.status for answer in spent]}")

    def is_told() -> bool:
        return all(len(told(sinks, created["id"], path)) >= len(THRESHOLDS) for path in ("/slack", "/pagerduty", "/webhook"))

    wait_for("the schedule to tell every sink", is_told, PATIENCE)
    wait_for("the topic's subscriber", lambda: len(published(aws, sinks)) >= len(THRESHOLDS))
    # Two more passes tell nothing more.
    for _ in range(2):
        payload = json.dumps(event("alerts")).encode()
        answer = aws.client("lambda").invoke(FunctionName=physical(aws, "AlertsFunction"), Payload=payload)
        check("FunctionError" not in answer, f"a pass failed: {answer['Payload'].read()!r}")
    ids = {path: [told_id for told_id, _ in told(sinks, created["id"], path)] for path in ("/slack", "/pagerduty", "/webhook")}
    for path, of in ids.items():
        check(len(of) == len(set(of)) == len(THRESHOLDS), f"{path} was not told each crossing once: {of}")
        check(set(of) == set(ids["/webhook"]), f"{path} was told of others than the webhook: {ids}")
    told_of = sorted(body["thresholdPpm"] for _, body in told(sinks, created["id"], "/webhook"))
    check(told_of == THRESHOLDS, f"the webhook was told of {told_of}")
    are_signed(sinks)
    passed(f"50, 80 and 100 % told once each to Slack, PagerDuty, SNS and a signed webhook, after {len(spent)} requests")


def spend(api: Api, key: str) -> list[Answer]:
    """Asks until the budget refuses."""
    answers: list[Answer] = []
    while len(answers) < 100 and (not answers or answers[-1].status == 200):
        messages = [{"role": "user", "content": f"question {len(answers)}"}]
        question = {"model": "demo/tokens-50", "messages": messages, "max_tokens": 60}
        answers.append(api.call("POST", "/v1/chat/completions", key, question))
    return answers


def told(sinks: Sinks, key_id: str, path: str) -> list[tuple[str, Json]]:
    """Ids and bodies of what was told there of the budget of a key."""
    found: list[tuple[str, Json]] = []
    for body, _, raw in sinks.at(path):
        if key_id not in raw.decode() or body.get("kind", "budget") != "budget" or body.get("event_action", "trigger") != "trigger":
            continue
        match path:
            case "/pagerduty":
                check(body["routing_key"] == ROUTING_KEY, "PagerDuty was told under another key")
                found.append((body["dedup_key"], body))
            case "/slack":
                (note,) = [block["elements"][0]["text"] for block in body["blocks"] if block["type"] == "context"]
                found.append((note.split()[-1], body))
            case _:
                found.append((body["id"], body))
    return found


def are_signed(sinks: Sinks) -> None:
    for _, headers, raw in sinks.at("/webhook"):
        at, signature = (part.partition("=")[2] for part in headers["x-tollgate-signature"].split(","))
        expected = hmac.new(WEBHOOK_SECRET.encode(), f"{at}.".encode() + raw, hashlib.sha256).hexdigest()
        check(hmac.compare_digest(signature, expected), "a webhook's signature does not fit its body")


def published(aws: Emulator, sinks: Sinks) -> list[Json]:
    """What has come so far of budgets."""
    sqs = aws.client("sqs")
    queue = sqs.get_queue_url(QueueName="subscriber")["QueueUrl"]
    for message in sqs.receive_message(QueueUrl=queue, MaxNumberOfMessages=10).get("Messages", []):
        sinks.published.append(json.loads(json.loads(message["Body"])["Message"]))
        sqs.delete_message(QueueUrl=queue, ReceiptHandle=message["ReceiptHandle"])
    return [alert for alert in sinks.published if alert["kind"] == "budget"]
