"""What the linters cannot see: the translated template streams where it must, and grants what the matrix says."""

from __future__ import annotations

import json
import unittest
from pathlib import Path
from typing import Any

from common import FUNCTIONS
from network_test import NetworkTest  # noqa: F401  run with the rest
from template import Json, methods, of_type, roles, source, stores, text, translated

MATRIX: dict[str, dict[str, list[str]]] = json.loads(Path(__file__).with_name("permissions.json").read_text())
ASKED = ("chat", "chat/completions", "responses", "messages", "embeddings")
STREAMED = (
    {f"POST /v1/{route}" for route in (*ASKED, "messages/count_tokens", "tokens")}
    | {f"OPTIONS /v1/{route}" for route in (*ASKED, "models")}
    | {"GET /v1/models", "GET /health"}
)
BUDGET = "/admin/budgets/{scope}/{id}"
BUFFERED = {
    *("GET /v1/usage", "GET /v1/requests/{id}", "POST /admin/usage/rebuild"),
    *("POST /admin/keys", "GET /admin/keys", "GET /admin/audit", "POST /admin/keys/{id}/release"),
    *("GET /dashboard", "GET /dashboard/{file}", "GET /admin/overview"),
    *(f"{method} /admin/session" for method in ("POST", "GET", "DELETE")),
    *("GET /admin/alerts", "GET /admin/alerts/{id}", "POST /admin/alerts/{id}/acknowledge"),
    *("GET /admin/tenants", "GET /admin/tenants/{id}", "GET /admin/teams"),
    *(f"{method} /admin/keys/{{id}}" for method in ("GET", "PATCH", "DELETE")),
    *("GET /admin/budgets", f"GET {BUDGET}", f"PUT {BUDGET}"),
    *("POST /v1/cache/lookup", "POST /v1/cache/invalidate", "GET /v1/cache/stats"),
    *("POST /admin/cache/setup", "POST /admin/cache/entries"),
}
TABLES = {"CONTROL_TABLE": "ControlTable", "BUDGETS_TABLE": "BudgetsTable", "LEDGER_TABLE": "LedgerTable"}
OTLP = {"OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_HEADERS"}
VECTOR_STORE = ("VECTOR_STORE_URL", "VECTOR_STORE_SECRET")
ENVIRONMENT = {
    "chat": {*TABLES, "CACHE_TABLE", "SETTLE_QUEUE_URL", "INDEX_QUEUE_URL", "CACHE_FUNCTION", "KEY_PEPPER", *OTLP},
    "usage": {*TABLES, "USAGE_TABLE", "KEY_PEPPER", "ADMIN_KEY"},
    "admin": {"CONTROL_TABLE", "BUDGETS_TABLE", "USAGE_TABLE", "KEY_PEPPER", "ADMIN_KEY"},
    "cache": {*TABLES, "CACHE_TABLE", "USAGE_TABLE", "KEY_PEPPER", "ADMIN_KEY", *VECTOR_STORE},
    "indexer": {"CACHE_TABLE", *VECTOR_STORE},
    "alerts": {*TABLES, "USAGE_TABLE", *(f"{queue}_DEAD_LETTERS_URL" for queue in ("SETTLE", "USAGE", "INDEX"))},
}
TIMEOUTS = {"chat": 900, "usage": 30, "admin": 30, "cache": 29, "indexer": 60, "alerts": 60}


def listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def logical(function: str, suffix: str) -> str:
    return f"{function.capitalize()}{suffix}"


class TemplateTest(unittest.TestCase):
    template: Json

    @classmethod
    def setUpClass(cls) -> None:
        cls.template = translated()

    def function(self, name: str) -> Json:
        return of_type(self.template, "AWS::Lambda::Function")[logical(name, "Function")]

    def statements(self, name: str) -> list[Json]:
        role = of_type(roles(), "AWS::IAM::Role")[logical(name, "Role")]
        self.assertNotIn("ManagedPolicyArns", role, "managed policies grant more than the matrix shows")
        added = of_type(self.template, "AWS::IAM::Policy").values()
        policies = [*role["Policies"], *(p for p in added if logical(name, "Role") in map(text, p["Roles"]))]
        statements = [s for policy in policies for s in policy["PolicyDocument"]["Statement"]]
        # A statement under a condition is looked at as if the condition held.
        return [s["Fn::If"][1] if "Fn::If" in s else s for s in statements]

    def test_each_method_is_listed(self) -> None:
        self.assertEqual(set(methods(self.template)), STREAMED | BUFFERED)

    def test_only_the_methods_of_chat_stream(self) -> None:
        for method, integration in methods(self.template).items():
            with self.subTest(method):
                uri = integration["uri"]["Fn::Sub"]
                if method in STREAMED:
                    self.assertEqual(integration["responseTransferMode"], "STREAM")
                    self.assertTrue(uri.endswith("/${ChatFunction.Arn}/response-streaming-invocations"), uri)
                    self.assertIn(":lambda:path/2021-11-15/", uri)
                    self.assertEqual(integration["timeoutInMillis"], 900_000)
                else:
                    self.assertNotIn("responseTransferMode", integration)
                    self.assertTrue(uri.endswith("/invocations"), uri)
                    self.assertNotIn("ChatFunction", uri, "one function, one invoke mode")

    def test_permissions_equal_the_matrix(self) -> None:
        for name in FUNCTIONS:
            with self.subTest(name):
                self.assertEqual(granted(self.statements(name)), MATRIX[name])

    def test_no_statement_has_a_wildcard_action_or_resource(self) -> None:
        for name in FUNCTIONS:
            for statement in self.statements(name):
                with self.subTest(name, sid=statement["Sid"]):
                    self.assertEqual(statement["Effect"], "Allow")
                    self.assertFalse([a for a in listed(statement["Action"]) if "*" in a])
                    if statement["Action"] != "cloudwatch:GetMetricData":
                        self.assertFalse([r for r in map(text, listed(statement["Resource"])) if "*" in r])

    def test_roles_belong_to_the_functions(self) -> None:
        self.assertEqual(set(of_type(roles(), "AWS::IAM::Role")), {logical(n, "Role") for n in FUNCTIONS})
        self.assertEqual(of_type(self.template, "AWS::IAM::Role"), {})
        for name in FUNCTIONS:
            self.assertEqual(text(self.function(name)["Role"]), logical(name, "Role"))

    def test_environment_names(self) -> None:
        for name in FUNCTIONS:
            with self.subTest(name):
                variables = self.function(name)["Environment"]["Variables"]
                self.assertEqual(set(variables) - {"AWS_LAMBDA_HTTP_IGNORE_STAGE_IN_PATH"}, ENVIRONMENT[name])
                pepper = {"Fn::Sub": "secretsmanager:${Stores.Outputs.PepperSecret}"}
                self.assertEqual(variables.get("KEY_PEPPER", pepper), pepper)
                for variable, table in TABLES.items():
                    self.assertEqual(text(variables.get(variable, {"Ref": table})), table)

    def test_functions_state_runtime_timeout_and_logs(self) -> None:
        for name in FUNCTIONS:
            with self.subTest(name):
                function = self.function(name)
                self.assertEqual((function["Runtime"], function["Handler"]), ("provided.al2023", "bootstrap"))
                self.assertEqual(function["Timeout"], TIMEOUTS[name])
                self.assertIn("MemorySize", function)
                self.assertEqual(function["LoggingConfig"]["LogFormat"], "JSON")
                self.assertEqual(text(function["LoggingConfig"]["LogGroup"]), logical(name, "Logs"))

    def test_no_two_workers_hold_one_message(self) -> None:
        queues = of_type(stores(), "AWS::SQS::Queue")
        for queue, function in (("SettleQueue", "usage"), ("IndexQueue", "indexer")):
            with self.subTest(queue):
                self.assertGreaterEqual(queues[queue]["VisibilityTimeout"], 6 * TIMEOUTS[function])
                self.assertEqual(queues[queue]["RedrivePolicy"]["maxReceiveCount"], 5)
                mapping = self.mapping(queue)
                self.assertEqual(mapping["FunctionResponseTypes"], ["ReportBatchItemFailures"])
                self.assertEqual(text(mapping["FunctionName"]), logical(function, "Function"))

    def test_the_vector_index_fits_what_is_searched(self) -> None:
        (index,) = of_type(stores(), "AWS::DynamoDB::Table")["CacheTable"]["VectorIndexes"]
        self.assertEqual((index["IndexName"], index["DistanceFunction"]), ("vectors", "COSINE"))
        self.assertEqual(index["Dimensions"], {"Ref": "VectorDimensions"})
        for template in (source(), stores()):
            self.assertEqual(template["Parameters"]["VectorDimensions"]["Default"], 384)
        passed = source()["Resources"]["Stores"]["Properties"]["Parameters"]
        self.assertEqual(passed["VectorDimensions"], {"Ref": "VectorDimensions"})
        self.assertEqual(index["SearchSchema"], [{"AttributeName": "partition", "SearchSchemaElementType": "HASH"}])
        self.assertEqual(set(index["Projection"]["NonKeyAttributes"]), {"payload", "expires"})

    def test_who_embeds_has_a_whole_core(self) -> None:
        for name in ("cache", "indexer"):
            memory = source()["Parameters"][text(self.function(name)["MemorySize"])]
            self.assertGreaterEqual(memory["Default"], 1769)

    def test_one_sweep_a_minute_and_no_second_try(self) -> None:
        (rule,) = of_type(self.template, "AWS::Events::Rule").values()
        self.assertEqual(rule["ScheduleExpression"], "rate(1 minute)")
        self.assertEqual([text(target["Arn"]) for target in rule["Targets"]], ["AlertsFunction"])
        (config,) = of_type(self.template, "AWS::Lambda::EventInvokeConfig").values()
        self.assertEqual(config["MaximumRetryAttempts"], 0)

    def test_a_line_that_cannot_be_folded_ends_in_the_dead_letters_alone(self) -> None:
        mapping = self.mapping("LedgerTable/stream")
        self.assertEqual(text(mapping["FunctionName"]), "UsageFunction")
        self.assertEqual(mapping["FunctionResponseTypes"], ["ReportBatchItemFailures"])
        self.assertTrue(mapping["BisectBatchOnFunctionError"])
        self.assertLessEqual(mapping["MaximumRetryAttempts"], 20, "a shard must not wait a day for one record")
        self.assertEqual(mapping["StartingPosition"], "TRIM_HORIZON")
        self.assertEqual(text(mapping["DestinationConfig"]["OnFailure"]["Destination"]), "UsageDeadLetters")
        ledger = of_type(stores(), "AWS::DynamoDB::Table")["LedgerTable"]
        self.assertEqual(ledger["StreamSpecification"], {"StreamViewType": "KEYS_ONLY"})

    def mapping(self, source: str) -> Json:
        mappings = of_type(self.template, "AWS::Lambda::EventSourceMapping").values()
        (mapping,) = [m for m in mappings if text(m["EventSourceArn"]) == source]
        return dict(mapping)

    def test_tables(self) -> None:
        tables = of_type(stores(), "AWS::DynamoDB::Table")
        self.assertEqual(set(tables), {"ControlTable", "BudgetsTable", "LedgerTable", "CacheTable", "UsageTable"})
        for name, table in tables.items():
            with self.subTest(name):
                self.assertEqual([k["AttributeName"] for k in table["KeySchema"]], ["pk", "sk"])
                self.assertEqual(table["BillingMode"], "PAY_PER_REQUEST")
                self.assertTrue(table["SSESpecification"]["SSEEnabled"])
                self.assertEqual("PointInTimeRecoverySpecification" in table, name not in ("CacheTable", "UsageTable"))
                self.assertEqual("TimeToLiveSpecification" in table, name in ("CacheTable", "UsageTable"))
                self.assertEqual("StreamSpecification" in table, name == "LedgerTable")
                self.assertEqual("VectorIndexes" in table, name == "CacheTable")

    def test_money_survives_the_stack_unless_told_otherwise(self) -> None:
        resources = stores()["Resources"]
        for name in ("ControlTable", "BudgetsTable", "LedgerTable", "PepperSecret", "AdminKeySecret"):
            self.assertEqual(resources[name]["DeletionPolicy"], {"Ref": "DataRetention"}, name)
        self.assertEqual(source()["Parameters"]["DataRetention"]["Default"], "Retain")

    def test_the_gateways_own_errors_have_our_shape(self) -> None:
        (api,) = of_type(self.template, "AWS::ApiGateway::RestApi").values()
        responses = api["Body"]["x-amazon-apigateway-gateway-responses"]
        statuses = {kind: response.get("statusCode") for kind, response in responses.items()}
        self.assertEqual(statuses, {
            "DEFAULT_4XX": None, "DEFAULT_5XX": None, "REQUEST_TOO_LARGE": "413", "THROTTLED": "429",
            "MISSING_AUTHENTICATION_TOKEN": "404",
        })
        for kind, response in responses.items():
            with self.subTest(kind):
                rendered = response["responseTemplates"]["application/json"]
                error = json.loads(rendered.replace("$context.error.messageString", '"said"'))["error"]
                self.assertEqual(set(error), {"message", "type", "param", "code"})


def granted(statements: list[Json]) -> dict[str, list[str]]:
    """The statements in the form of the matrix, a condition on the partition key in brackets."""
    result: dict[str, list[str]] = {}
    for statement in statements:
        keys = statement.get("Condition", {}).get("ForAllValues:StringLike", {}).get("dynamodb:LeadingKeys")
        limit = f"[{','.join(keys)}]" if keys else ""
        for resource in listed(statement["Resource"]):
            result.setdefault(text(resource) + limit, []).extend(listed(statement["Action"]))
    return {resource: sorted(actions) for resource, actions in result.items()}


if __name__ == "__main__":
    unittest.main()
