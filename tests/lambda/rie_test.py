"""Each function's bootstrap under the official Runtime Interface Emulator, with every sample event of its routes."""

from __future__ import annotations

import base64
import contextlib
import json
import tempfile
import unittest
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from common import EVENTS, FUNCTIONS
from emulator import emulator
from fixtures import (
    ADMIN_KEY, Json, create_stores, event, forgotten_hold, function_environment, is_charged, rollups, write_config,
)
from rie import invoke, under_rie
from template import methods, translated
from upstream import upstream

PRELUDE_END = b"\0" * 8


@dataclass(frozen=True)
class Answer:
    status: int
    headers: dict[str, str]
    body: bytes

    def json(self) -> Json:
        return dict(json.loads(self.body))


class RieTest(unittest.TestCase):
    ports: dict[str, int]
    database: Any
    queues: Any
    cleanup: contextlib.ExitStack

    @classmethod
    def setUpClass(cls) -> None:
        cls.cleanup = contextlib.ExitStack()
        cls.addClassCleanup(cls.cleanup.close)
        work = Path(cls.cleanup.enter_context(tempfile.TemporaryDirectory()))
        aws = cls.cleanup.enter_context(emulator(work))
        write_config(work / "config", cls.cleanup.enter_context(upstream()).base_url)
        env = function_environment(aws, create_stores(aws), work / "config")
        cls.database, cls.queues = aws.client("dynamodb"), aws.client("sqs")
        cls.ports = {name: cls.cleanup.enter_context(under_rie(name, env, work)) for name in FUNCTIONS}

    def chat(self, name: str, **values: str) -> Answer:
        blob = invoke(self.ports["chat"], event(name, **values))
        self.assertIn(PRELUDE_END, blob, blob[:400])
        prelude, body = blob.split(PRELUDE_END, 1)
        head = json.loads(prelude)
        return Answer(head["statusCode"], {k.lower(): v for k, v in head["headers"].items()}, body)

    def buffered(self, function: str, name: str, **values: str) -> Answer:
        blob = invoke(self.ports[function], event(name, **values))
        self.assertNotIn(PRELUDE_END, blob)
        answer = json.loads(blob)
        self.assertIn("statusCode", answer, blob[:400])
        several = {name: values[-1] for name, values in (answer.get("multiValueHeaders") or {}).items()}
        headers = {k.lower(): v for k, v in (several | (answer.get("headers") or {})).items()}
        return Answer(answer["statusCode"], headers, (answer.get("body") or "").encode())

    def admin(self, name: str, **values: str) -> Answer:
        return self.buffered("admin", name, TOLLGATE_ADMIN_KEY=ADMIN_KEY, **values)

    def new_key(self) -> Json:
        answer = self.admin("admin-create-key")
        self.assertEqual(answer.status, 201, answer.body)
        return answer.json()

    def test_every_route_has_a_sample_event_and_every_event_a_route(self) -> None:
        samples = [json.loads(path.read_text()) for path in EVENTS.glob("*.json")]
        routes = [f"{sample['httpMethod']} {sample['resource']}" for sample in samples if "httpMethod" in sample]
        # One preflight stands for those of all routes, which differ in nothing but the path.
        wanted = [m for m in methods(translated()) if not m.startswith("OPTIONS ")] + ["OPTIONS /v1/chat/completions"]
        self.assertEqual(sorted(routes), sorted(wanted))
        self.assertEqual(sum("detail-type" in sample for sample in samples), 1, "one event for the schedule")
        sources = sorted(sample["Records"][0]["eventSource"] for sample in samples if "Records" in sample)
        self.assertEqual(sources, ["aws:dynamodb", "aws:sqs", "aws:sqs"], "one event for each source that is polled")

    def test_chat_answers_its_events_with_prelude_separator_and_body(self) -> None:
        key = str(self.new_key()["key"])
        for name in ("chat", "chat-completions", "responses", "messages"):
            with self.subTest(name):
                answer = self.chat(name, TOLLGATE_KEY=key)
                self.assertEqual(answer.status, 200, answer.body)
                self.assertIn("text/event-stream", answer.headers["content-type"])
                self.assertIn(b"script.", answer.body)
        for name in ("embeddings", "count-tokens", "models"):
            with self.subTest(name):
                answer = self.chat(name, TOLLGATE_KEY=key)
                self.assertEqual(answer.status, 200, answer.body)
        self.assertEqual(self.chat("tokens", TOLLGATE_KEY=key).status, 201)
        self.assertEqual(self.chat("preflight").status, 405, "no origin is listed")
        self.assertEqual(self.chat("health").status, 200)

    def test_chat_refuses_a_key_that_was_never_issued(self) -> None:
        for name in ("chat", "chat-completions", "responses", "messages", "count-tokens", "embeddings", "tokens", "models"):
            with self.subTest(name):
                answer = self.chat(name)
                self.assertEqual(answer.status, 401, answer.body)
                self.assertIn("error", answer.json())

    def test_admin_creates_lists_and_revokes(self) -> None:
        key = self.new_key()
        listed = self.admin("admin-list-keys")
        self.assertEqual(listed.status, 200)
        self.assertIn(str(key["id"]).encode(), listed.body)
        self.assertNotIn(str(key["key"]).encode(), listed.body, "a key is shown once")
        released = self.admin("admin-release-key", KEY_ID=str(key["id"]))
        self.assertEqual((released.status, released.json()["throttle"]["state"]), (200, "active"), released.body)
        self.assertIn(self.admin("admin-revoke-key", KEY_ID=str(key["id"])).status, (200, 204))

    def test_admin_changes_a_key_and_the_log_says_who_did(self) -> None:
        key_id = str(self.new_key()["id"])
        updated = self.admin("admin-update-key", KEY_ID=key_id)
        self.assertEqual(updated.status, 200, updated.body)
        self.assertEqual(self.admin("admin-show-key", KEY_ID=key_id).json(), updated.json())
        entries = self.admin("admin-audit", KEY_ID=key_id).json()["entries"]
        self.assertEqual([entry["action"] for entry in entries], ["key.update", "key.create"])
        self.assertEqual({entry["who"]["address"] for entry in entries}, {"192.0.2.1"}, "the address that API Gateway saw")
        self.assertEqual((entries[0]["outcome"], entries[0]["after"]), ("done", updated.json()))

    def test_admin_sets_and_shows_budgets(self) -> None:
        put = self.admin("admin-set-budget")
        self.assertEqual(put.status, 200, put.body)
        shown = self.admin("admin-show-budget").json()
        self.assertEqual([(cap["period"], cap["capUsd"]) for cap in shown["budgets"]], [("month", "100"), ("day", "5")])
        self.assertEqual(shown["eachUser"]["budgets"], [{"period": "day", "capUsd": "0.5"}])
        listed = self.admin("admin-list-budgets").json()["budgets"]
        self.assertEqual([(budget["scope"], budget["id"]) for budget in listed], [("tenant", "acme")])

    def test_admin_lists_tenants_and_teams_and_shows_one(self) -> None:
        self.assertEqual(self.admin("admin-set-budget").status, 200)
        tenants = self.admin("admin-list-tenants").json()["tenants"]
        self.assertIn("acme", [tenant["id"] for tenant in tenants])
        self.assertEqual(self.admin("admin-show-tenant").json()["budget"]["concurrency"], 50)
        self.assertEqual(self.admin("admin-update-key", KEY_ID=str(self.new_key()["id"])).status, 200)
        teams = self.admin("admin-list-teams").json()
        self.assertEqual(([team["id"] for team in teams["teams"]], teams["next"]), (["search"], None))

    def test_admin_refuses_a_wrong_admin_key(self) -> None:
        names = sorted(path.stem for path in EVENTS.glob("admin-*.json"))
        of_others = ("admin-cache-setup", "admin-cache-entries", "admin-rebuild-usage")
        for name in (name for name in names if name not in of_others):
            with self.subTest(name):
                self.assertEqual(self.buffered("admin", name).status, 401)

    def test_the_dashboard_is_served_and_its_figures_need_a_session_or_the_key(self) -> None:
        page = self.buffered("admin", "dashboard")
        self.assertEqual((page.status, page.headers["content-type"]), (200, "text/html; charset=utf-8"))
        self.assertIn("script-src 'self'", page.headers["content-security-policy"])
        script = self.buffered("admin", "dashboard-file")
        self.assertEqual((script.status, script.headers["content-type"]), (200, "text/javascript; charset=utf-8"))
        begun = self.admin("admin-sign-in")
        self.assertEqual(begun.status, 201, begun.body)
        cookie = begun.headers["set-cookie"]
        self.assertRegex(cookie, "^__Host-tollgate=.+; Path=/; Max-Age=43200; HttpOnly; SameSite=Strict; Secure$")
        overview = event("admin-overview")
        del overview["headers"]["authorization"], overview["multiValueHeaders"]["authorization"]
        overview["multiValueHeaders"]["cookie"] = [cookie.partition(";")[0]]
        answer = json.loads(invoke(self.ports["admin"], overview))
        self.assertEqual(answer["statusCode"], 200, answer)
        self.assertEqual(json.loads(answer["body"])["days"], 7)
        self.assertEqual(self.admin("admin-show-session").status, 200)
        self.assertIn("Max-Age=0", self.admin("admin-sign-out").headers["set-cookie"])

    def test_what_chat_leaves_to_the_indexer_holds_no_word_of_the_question(self) -> None:
        canary, url = "heliotropecanary", self.queues.get_queue_url(QueueName="IndexQueue")["QueueUrl"]
        asked = event("chat-completions", TOLLGATE_KEY=str(self.new_key()["key"]))
        body = {"model": "demo/ok", "messages": [{"role": "user", "content": f"What is a {canary}?"}]}
        blob = invoke(self.ports["chat"], asked | {"body": json.dumps(body)})
        self.assertEqual(json.loads(blob.split(PRELUDE_END, 1)[0])["statusCode"], 200)
        jobs = self.queues.receive_message(QueueUrl=url, MaxNumberOfMessages=10, WaitTimeSeconds=5)["Messages"]
        for job in jobs:
            self.assertNotIn(canary, job["Body"])
            self.assertNotIn(base64.b64encode(canary.encode()).decode()[:-4], job["Body"])

    def test_usage_answers_the_totals_of_the_key(self) -> None:
        key = str(self.new_key()["key"])
        self.assertEqual(self.chat("chat-completions", TOLLGATE_KEY=key).status, 200)
        answer = self.buffered("usage", "usage", TOLLGATE_KEY=key)
        self.assertEqual(answer.status, 200, answer.body)
        self.assertEqual(answer.json()["total"]["requests"], 1)
        self.assertEqual(self.buffered("usage", "usage").status, 401)

    def test_usage_takes_a_settlement_from_the_queue_any_number_of_times(self) -> None:
        settlement = event("settle", KEY_ID=str(self.new_key()["id"]))
        for _ in range(2):
            self.assertEqual(self.failed_records(settlement), [])

    def test_usage_gives_a_receipt_to_its_owner_alone(self) -> None:
        key = str(self.new_key()["key"])
        request = self.chat("chat-completions", TOLLGATE_KEY=key).headers["x-request-id"]
        receipt = self.buffered("usage", "receipt", TOLLGATE_KEY=key, REQUEST_ID=request)
        self.assertEqual(receipt.status, 200, receipt.body)
        self.assertEqual(receipt.json()["route"], [{"model": "demo/ok", "decision": "chosen"}])
        self.assertEqual(self.buffered("usage", "receipt", TOLLGATE_KEY=ADMIN_KEY, REQUEST_ID=request).status, 200)
        other = str(self.new_key()["key"])
        self.assertEqual(self.buffered("usage", "receipt", TOLLGATE_KEY=other, REQUEST_ID=request).status, 404)

    def test_usage_folds_the_hours_that_the_stream_names_any_number_of_times(self) -> None:
        key = self.new_key()
        self.assertEqual(self.chat("chat-completions", TOLLGATE_KEY=str(key["key"])).status, 200)
        lines = event("ledger-lines", **self.keys_of_line(str(key["id"])))
        for _ in range(2):
            self.assertEqual(self.failed_records(lines), [])
            (rollup,) = self.rollups(str(key["id"]))
            self.assertEqual((rollup["requests"], rollup["version"]), ({"N": "1"}, {"N": "2"}))
        answer = self.buffered("usage", "usage", TOLLGATE_KEY=str(key["key"]))
        self.assertEqual(answer.json()["total"]["requests"], 1, "folded or not, a request is counted once")

    def test_usage_hands_back_a_change_that_is_no_line(self) -> None:
        batch = event("ledger-lines", PARTITION="nonsense", LINE="nonsense")
        self.assertEqual(self.failed_records(batch), [batch["Records"][0]["dynamodb"]["SequenceNumber"]])

    def test_usage_is_rebuilt_by_the_admin_alone(self) -> None:
        key = self.new_key()
        self.assertEqual(self.chat("chat-completions", TOLLGATE_KEY=str(key["key"])).status, 200)
        self.assertEqual(self.rollups(str(key["id"])), [])
        self.assertEqual(self.buffered("usage", "admin-rebuild-usage").status, 401)
        rebuild = event("admin-rebuild-usage", TOLLGATE_ADMIN_KEY=ADMIN_KEY) | {"body": None}
        answer = json.loads(invoke(self.ports["usage"], rebuild))
        self.assertEqual(answer["statusCode"], 200, answer)
        self.assertIsNone(json.loads(answer["body"])["next"])
        self.assertEqual(len(self.rollups(str(key["id"]))), 1)

    def keys_of_line(self, key_id: str) -> dict[str, str]:
        (line,) = self.database.query(
            TableName="LedgerTable", IndexName="by-key",
            KeyConditionExpression="keyId = :k", ExpressionAttributeValues={":k": {"S": key_id}},
        )["Items"]
        return {"PARTITION": line["pk"]["S"], "LINE": line["sk"]["S"]}

    def rollups(self, key_id: str) -> list[Json]:
        return rollups(self.database, "UsageTable", key_id)

    def test_usage_hands_back_only_the_settlement_it_cannot_read(self) -> None:
        batch = event("settle", KEY_ID=str(self.new_key()["id"]))
        batch["Records"].append(batch["Records"][0] | {"messageId": "unreadable", "body": "{}"})
        self.assertEqual(self.failed_records(batch), ["unreadable"])

    def test_alerts_sweeps_a_forgotten_hold_once_and_an_admin_sees_to_it(self) -> None:
        forgotten_hold(self.database, "BudgetsTable", "forgotten")
        swept = [json.loads(invoke(self.ports["alerts"], event("alerts")))["swept"] for _ in range(2)]
        self.assertEqual([tally["estimated"] for tally in swept], [1, 0])
        self.assertTrue(all(tally["finished"] and not tally["failed"] for tally in swept), swept)
        self.assertTrue(is_charged(self.database, "BudgetsTable", "forgotten"))
        (newest,) = self.admin("admin-list-alerts").json()["alerts"]
        self.assertEqual((newest["kind"], newest["acknowledgedAt"]), ("sweeps", None), newest)
        done = self.admin("admin-acknowledge-alert", ALERT_ID=str(newest["id"]))
        self.assertEqual(done.status, 200, done.body)
        self.assertIsNotNone(done.json()["acknowledgedAt"])
        self.assertEqual(self.admin("admin-show-alert", ALERT_ID=str(newest["id"])).json(), done.json())

    def test_the_cache_finds_what_was_seeded_for_the_key_and_forgets_what_it_invalidates(self) -> None:
        key = self.new_key()
        seeded = self.buffered("cache", "admin-cache-entries", TOLLGATE_ADMIN_KEY=ADMIN_KEY, KEY_ID=str(key["id"]))
        self.assertEqual((seeded.status, seeded.json()), (200, {"stored": 1, "refused": []}), seeded.body)
        found = self.buffered("cache", "cache-lookup", TOLLGATE_KEY=str(key["key"])).json()
        self.assertEqual((found["tier"], found["verdict"]), ("exact", "exact"), found)
        near = json.loads(invoke(self.ports["cache"], event("cache-question", PARTITION=str(found["partition"]))))
        self.assertEqual((near["verdict"], near["key"]), ("served", found["key"]), near)
        self.assertEqual(self.failed_records(event("index-jobs", CACHE_KEY=str(found["key"])), "indexer"), [])
        other = self.buffered("cache", "cache-lookup", TOLLGATE_KEY=str(self.new_key()["key"])).json()
        self.assertEqual(other["tier"], "none", other)
        stale = event("cache-invalidate", TOLLGATE_KEY=str(key["key"])) | {"body": '{"all": true}'}
        self.assertEqual(json.loads(invoke(self.ports["cache"], stale))["statusCode"], 200)
        self.assertEqual(self.buffered("cache", "cache-lookup", TOLLGATE_KEY=str(key["key"])).json()["tier"], "none")

    def test_the_cache_answers_its_other_routes_to_whom_it_may(self) -> None:
        key = str(self.new_key()["key"])
        self.assertEqual(self.buffered("cache", "cache-stats", TOLLGATE_KEY=key).status, 200)
        self.assertEqual(self.buffered("cache", "cache-invalidate", TOLLGATE_KEY=key).status, 200)
        setup = self.buffered("cache", "admin-cache-setup", TOLLGATE_ADMIN_KEY=ADMIN_KEY)
        self.assertEqual((setup.status, setup.json()["created"]), (200, False), setup.body)
        for name in ("cache-lookup", "cache-invalidate", "cache-stats", "admin-cache-setup", "admin-cache-entries"):
            with self.subTest(name):
                self.assertEqual(self.buffered("cache", name).status, 401)
        wrong = event("admin-cache-entries", TOLLGATE_ADMIN_KEY=ADMIN_KEY) | {"body": '{"key": "k", "entries": [{}]}'}
        self.assertEqual(json.loads(invoke(self.ports["cache"], wrong))["statusCode"], 404, "no such key")

    def test_the_indexer_hands_back_only_the_job_it_cannot_read(self) -> None:
        batch = event("index-jobs", CACHE_KEY="gone")
        batch["Records"].append(batch["Records"][0] | {"messageId": "unreadable", "body": "{}"})
        self.assertEqual(self.failed_records(batch, "indexer"), ["unreadable"])

    def failed_records(self, batch: Json, function: str = "usage") -> list[str]:
        answer = json.loads(invoke(self.ports[function], batch))
        return [failure["itemIdentifier"] for failure in answer["batchItemFailures"]]


if __name__ == "__main__":
    unittest.main()
