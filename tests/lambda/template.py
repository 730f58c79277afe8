"""The template as CloudFormation will see it: after the SAM transform, still with its references."""

from __future__ import annotations

import logging
import os
import re
from pathlib import Path
from typing import Any

from common import REGION, ROLES, STORES, TEMPLATE

os.environ.setdefault("AWS_DEFAULT_REGION", REGION)

from samtranslator.parser.parser import Parser  # noqa: E402
from samtranslator.translator.translator import Translator  # noqa: E402
from samtranslator.yaml_helper import yaml_parse  # noqa: E402

Json = dict[str, Any]
SAM = "AWS::Serverless-2016-10-31"

logging.getLogger("samtranslator").setLevel(logging.CRITICAL)


def source(path: Path = TEMPLATE) -> Json:
    return dict(yaml_parse(path.read_text()))


def translated(path: Path = TEMPLATE) -> Json:
    template = source(path)
    # The other transform only concerns DeletionPolicy; the translator knows its own and nothing else.
    template["Transform"] = SAM
    for resource in template["Resources"].values():
        if resource["Type"] == "AWS::Serverless::Function":
            # Packaging, which uploads the directory, comes before the transform.
            resource["Properties"]["CodeUri"] = {"Bucket": "code", "Key": "zip"}
    parameters = {name: parameter.get("Default", "") for name, parameter in template["Parameters"].items()}
    return dict(Translator({}, Parser()).translate(template, parameters))


def stores() -> Json:
    """The tables, queues and secrets, which need no transform but that of DeletionPolicy."""
    return source(STORES)


def roles() -> Json:
    """The roles and the log groups."""
    return source(ROLES)


def of_type(template: Json, kind: str) -> dict[str, Json]:
    return {name: r["Properties"] for name, r in template["Resources"].items() if r["Type"] == kind}


def methods(template: Json) -> dict[str, Json]:
    """`POST /v1/chat` and the like, each with its API Gateway integration."""
    (api,) = of_type(template, "AWS::ApiGateway::RestApi").values()
    return {
        f"{method.upper()} {path}": operation["x-amazon-apigateway-integration"]
        for path, operations in api["Body"]["paths"].items()
        for method, operation in operations.items()
    }


def kept(output: str) -> str:
    """An output or a parameter as the name of what it stands for, a stream as `LedgerTable/stream`."""
    name = re.sub("(?<=Role)Name$", "", output.removeprefix("Outputs.")).removesuffix("Arn")
    return f"{name.removesuffix('Stream')}/stream" if name.endswith("Stream") else name


def text(reference: Any) -> str:
    """A reference as one short string: `LedgerTable`, `LedgerTable/index/by-key`, `secret:${OpenAiSecretName}`."""
    match reference:
        case {"Ref": name}:
            return kept(str(name))
        case {"Fn::GetAtt": ["Stores" | "Roles", str(output)]}:
            return kept(output)
        case {"Fn::Join": [",", joined]}:
            return text(joined)
        case {"Fn::GetAtt": [name, *_]}:
            return str(name)
        case {"Fn::If": [_, chosen, _]}:
            return text(chosen)
        case {"Fn::Sub": str(pattern)}:
            short = pattern.replace("arn:${AWS::Partition}:secretsmanager:${AWS::Region}:${AWS::AccountId}:", "")
            short = re.sub(r"\$\{(?:Stores\.Outputs\.)?(\w+Arn)\}", lambda match: kept(match[1]), short)
            return short.removesuffix("-??????")
        case _:
            return str(reference)
