"""Starts ministack 1.5.33 after mending, in this process only, what the stack needs and the emulator lacks."""

from __future__ import annotations

import contextvars
import json
import re
import socketserver
from typing import Any

from ministack.core import iam_actions, lambda_runtime
from ministack.services import apigateway_v1, dynamodb, lambda_svc
from ministack.services.cloudformation import provisioners

Json = dict[str, Any]
STREAMING_URI = "/response-streaming-invocations"
PRELUDE_END = b"\0" * 8

# Set while a method is answered: whether its integration streams.
streams: contextvars.ContextVar[bool] = contextvars.ContextVar("streams", default=False)


def main() -> None:
    mend_streaming_methods()
    mend_gateway_responses()
    mend_table_properties()
    mend_leading_keys()
    mend_latency()
    # Imported last: it takes over names that were mended just now.
    from ministack.app import main as serve

    serve()


def mend_streaming_methods() -> None:
    """The emulator answers 500 to the streaming URI. Answers arrive whole, so nothing here shows timing."""
    lambda_of, invoke = apigateway_v1._extract_lambda_ref_from_integration_uri, apigateway_v1._invoke_lambda_proxy_v1
    shape = lambda_svc.lambda_execute_result_to_api_proxy_response

    def lambda_of_any(uri: str) -> str:
        return str(lambda_of(uri.replace(STREAMING_URI, "/invocations")))

    async def invoke_noting_mode(integration: Json, *args: Any, **named: Any) -> Any:
        streams.set(STREAMING_URI in integration.get("uri", ""))
        return await invoke(integration, *args, **named)

    def shape_by_mode(result: Json) -> Any:
        body = result.get("body")
        text = body if isinstance(body, str) else ""
        has_prelude = PRELUDE_END in text.encode()
        if result.get("error"):
            return shape(result)
        if has_prelude != streams.get():
            # AWS refuses both mismatches; a lenient emulator would hide a function wired in the wrong mode.
            return {"statusCode": 502, "headers": {}, "body": "response does not fit the transfer mode"}, None
        return (streamed(text), None) if has_prelude else shape(result)

    apigateway_v1._extract_lambda_ref_from_integration_uri = lambda_of_any
    apigateway_v1._invoke_lambda_proxy_v1 = invoke_noting_mode
    lambda_svc.lambda_execute_result_to_api_proxy_response = shape_by_mode


def streamed(body: str) -> Json:
    prelude, rest = body.encode().split(PRELUDE_END, 1)
    answer: Json = json.loads(prelude)
    answer["statusCode"] = int(answer.get("statusCode", 200))
    answer["body"] = rest.decode("utf-8", "replace")
    if cookies := answer.pop("cookies", None):
        answer.setdefault("multiValueHeaders", {})["set-cookie"] = cookies
    return answer


def mend_gateway_responses() -> None:
    """SAM writes them into the OpenAPI body, which the emulator imports without them."""
    importing = apigateway_v1._import_rest_api
    fields = ("statusCode", "responseParameters", "responseTemplates")

    def importing_all(spec: Json, base: Json | None = None) -> str:
        api = str(importing(spec, base))
        for kind, response in spec.get("x-amazon-apigateway-gateway-responses", {}).items():
            apigateway_v1._put_gateway_response(api, kind, {field: response.get(field) for field in fields})
        return api

    apigateway_v1._import_rest_api = importing_all


def mend_table_properties() -> None:
    """CloudFormation tables lose encryption, expiry and recovery; the emulator's own API calls keep them."""

    def create(logical_id: str, properties: Json, stack: str) -> tuple[str, Json]:
        table = dict(properties)
        name = table.setdefault("TableName", provisioners._physical_name(stack, logical_id, max_len=255))
        expiry = table.pop("TimeToLiveSpecification", None)
        recovery = table.pop("PointInTimeRecoverySpecification", None)
        if encryption := table.get("SSESpecification"):
            table["SSESpecification"] = {"Enabled": encryption.get("SSEEnabled", False)}
        if stream := table.get("StreamSpecification"):
            table["StreamSpecification"] = {"StreamEnabled": True} | stream
        accepted(dynamodb._create_table(table))
        if expiry:
            accepted(dynamodb._update_ttl({"TableName": name, "TimeToLiveSpecification": expiry}))
        if recovery:
            accepted(dynamodb._update_continuous_backups({"TableName": name, "PointInTimeRecoverySpecification": recovery}))
        return name, provisioners._ddb_attrs(dynamodb._tables[name])

    provisioners._RESOURCE_HANDLERS["AWS::DynamoDB::Table"]["create"] = create


def accepted(response: tuple[int, Json, bytes]) -> None:
    if response[0] >= 400:
        raise ValueError(response[2])


def mend_leading_keys() -> None:
    """The emulator evaluates conditions, but never tells them a request's partition keys."""
    context_of = iam_actions.dynamodb_service_context

    def context_with_keys(body: bytes) -> Json:
        context = dict(context_of(body))
        try:
            request = json.loads(body or b"{}")
        except ValueError:
            return context
        if keys := leading_keys(request):
            context["dynamodb:LeadingKeys"] = keys
        return context

    iam_actions.dynamodb_service_context = context_with_keys


def leading_keys(request: Any) -> list[str]:
    """The values of every `pk` at a place that names an item: Key, Item, the members of a transaction, and a query."""
    if not isinstance(request, dict):
        return []
    items = [request, *(member for entry in request.get("TransactItems", []) for member in entry.values())]
    named = [item.get("Key") or item.get("Item") for item in items]
    asked = re.match(r"pk = (:\w+)", request.get("KeyConditionExpression", ""))
    queried = [request["ExpressionAttributeValues"][asked[1]]] if asked else []
    keys = [key.get("pk", {}) for key in named if isinstance(key, dict)] + queried
    return [value for key in keys for value in key.values()]


def mend_latency() -> None:
    """Nagle's algorithm and a wait for log lines would add 40 to 130 ms to each invocation."""
    socketserver.StreamRequestHandler.disable_nagle_algorithm = True
    drain = lambda_runtime.Worker._drain_stderr_bounded
    drain.__defaults__ = (0.004, *(drain.__defaults__ or ())[1:])


if __name__ == "__main__":
    main()
