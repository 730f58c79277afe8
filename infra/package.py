#!/usr/bin/env python3
"""Puts the configuration beside each built function, and prints the template's parameters that follow from it.

    sam deploy --parameter-overrides $(infra/package.py)

One file then decides both what the functions do and what the stack is; what does not fit ends with an error.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import shutil
import sys
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
FUNCTIONS = ("chat", "usage", "admin", "cache", "indexer", "alerts")
# Those that embed texts, and what they are packed with for it.
EMBEDDING = ("cache", "indexer")
WEIGHTS = ("weights.onnx", "vocab.txt")
FILES = ("ai-gateway.json", "prices.json")
# What the dashboard in `admin` draws its charts with, and its licence.
LIBRARY = ("uPlot.iife.min.js", "uPlot.min.css", "uPlot.LICENSE.txt")
CHARTS = Path(os.environ.get("TOLLGATE_TOOLS", ROOT / ".tools")) / "charts"
EMBEDDER = Path(os.environ.get("TOLLGATE_TOOLS", ROOT / ".tools")) / "models" / "all-minilm-l6-v2"
# Characters of one CloudFormation parameter.
PARAMETER_MAX = 4096
# The parameter that lets chat read a provider's secret; one further provider may use the last.
SECRET_PARAMETERS = {"openai": "OpenAiSecretName", "anthropic": "AnthropicSecretName"}
OTHER_SECRET = "OtherProviderSecretName"
STORE_SECRET = "VectorStoreSecretName"
# Stores of vectors that the stack makes, in a network of their own but for the first; the others are reached elsewhere.
PROVISIONED = ("dynamodb", "redis", "pgvector")
# What is granted where the configuration names no secret of the kind.
NO_SECRETS = dict.fromkeys([*SECRET_PARAMETERS.values(), OTHER_SECRET, STORE_SECRET], "")
# Known to the gateway without configuration, but not their keys.
NEED_A_SECRET = {"openai", "anthropic", "google", "mistral"}
# Known to the gateway without configuration, and reached by the function's own role.
ON_BEDROCK = {"bedrock", "meta"}
# Bedrock's inference profiles are named by a geography and the model.
PROFILE = re.compile(r"(?P<geography>us|us-gov|eu|apac|jp|au|global)\.(?P<model>.+)")
# The gateway's own names for Llama on Bedrock; shared/src/config/providers.rs has the same.
KNOWN_IDS = {
    "llama-3.1-405b": "meta.llama3-1-405b-instruct-v1:0",
    "llama-3.1-70b": "meta.llama3-1-70b-instruct-v1:0",
    "llama-3.1-8b": "meta.llama3-1-8b-instruct-v1:0",
    "llama-3.3-70b": "meta.llama3-3-70b-instruct-v1:0",
}
ARN = re.compile(r"arn:[^:]+:secretsmanager:[^:]+:[0-9]+:secret:(?P<name>.+)-[A-Za-z0-9]{6}")


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--config", type=Path, default=ROOT / "config", help="directory of ai-gateway.json and prices.json")
    parser.add_argument("--functions", type=Path, default=ROOT / "target" / "lambda", help="directory of the built functions")
    parser.add_argument("--embedder", type=Path, default=EMBEDDER, help="directory of the embedder's weights")
    parser.add_argument("--charts", type=Path, default=CHARTS, help="directory of the dashboard's chart library")
    parser.add_argument("--arch", choices=("x86_64", "arm64"), default="x86_64", help="what the functions were built for")
    arguments = parser.parse_args()
    try:
        config, prices = (json.loads((arguments.config / name).read_text()) for name in FILES)
        parameters = derived(config, prices, arguments.arch)
        put_beside(arguments.config, arguments.functions)
        put_weights(arguments.embedder, arguments.functions)
        put_authorities(config, arguments.config, arguments.functions)
        put_charts(arguments.charts, arguments.functions)
    except (OSError, ValueError) as error:
        sys.exit(f"package.py: {error}")
    print(" ".join(overrides(parameters)))


def overrides(parameters: dict[str, str]) -> list[str]:
    """As `sam deploy` takes them. What is left out would keep the value of the deployment before, and its rights with it."""
    empty = '""'
    return [f"{name}={value or empty}" for name, value in parameters.items()]


def put_beside(config: Path, functions: Path) -> None:
    for function in FUNCTIONS:
        if not (functions / function / "bootstrap").is_file():
            raise ValueError(f"{functions / function / 'bootstrap'} does not exist: build the functions first")
        (functions / function / "config").mkdir(exist_ok=True)
        for name in FILES:
            shutil.copyfile(config / name, functions / function / "config" / name)


def put_weights(embedder: Path, functions: Path) -> None:
    if missing := [name for name in WEIGHTS if not (embedder / name).is_file()]:
        raise ValueError(f"{embedder / missing[0]} does not exist: `make build` fetches the embedder's weights")
    for function in EMBEDDING:
        (functions / function / "embedder").mkdir(exist_ok=True)
        for name in WEIGHTS:
            shutil.copyfile(embedder / name, functions / function / "embedder" / name)


def put_authorities(config: dict[str, Any], directory: Path, functions: Path) -> None:
    """The certificates that a store of vectors is trusted by, under the name by which the functions open them."""
    if (name := config.get("cache", {}).get("store", {}).get("ca_file")) is None:
        return
    if Path(name).is_absolute() or ".." in Path(name).parts:
        raise ValueError(f"cache.store.ca_file is {name}, but functions in AWS read what is packed with them: a name below the root")
    for function in EMBEDDING:
        (functions / function / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(directory.parent / name, functions / function / name)


def put_charts(charts: Path, functions: Path) -> None:
    if missing := [name for name in LIBRARY if not (charts / name).is_file()]:
        raise ValueError(f"{charts / missing[0]} does not exist: `make build` fetches the dashboard's chart library")
    (functions / "admin" / "dashboard").mkdir(exist_ok=True)
    for name in LIBRARY:
        shutil.copyfile(charts / name, functions / "admin" / "dashboard" / name)


def derived(config: dict[str, Any], prices: dict[str, Any], arch: str) -> dict[str, str]:
    edge, providers = config.get("gateway", {}).get("edge", False), config.get("providers", {})
    store = vector_store(config.get("cache", {}))
    for provider in sorted(routed(config) & NEED_A_SECRET - secretive(providers)):
        print(f"package.py: warning: a route uses {provider}, but providers.{provider}.secret is not set", file=sys.stderr)
    models = ",".join(sorted(bedrock_arns(config, prices)))
    if len(models) > PARAMETER_MAX:
        raise ValueError(f"the ARNs of the priced Bedrock models have {len(models)} characters, and a parameter holds {PARAMETER_MAX}")
    alerts, embedder = config.get("alerts", {}), config.get("cache", {}).get("embedder", {})
    return NO_SECRETS | secrets(providers) | store | {
        "Edge": "EDGE" if edge else "REGIONAL",
        "Architecture": arch,
        "BedrockModels": models,
        # Without a provider that embeds, those of the embedder that is packed.
        "VectorDimensions": str(embedder.get("dimensions", 384)),
        "AlertTopics": ",".join(sorted(topics(alerts))),
        "AlertSecrets": ",".join(sorted(alert_secrets(alerts))),
    }


def topics(alerts: dict[str, Any]) -> set[str]:
    return {channel["topic_arn"] for channel in alerts.get("sns", [])}


def alert_secrets(alerts: dict[str, Any]) -> set[str]:
    """What alerts may read: the secrets of its channels. Slack's addresses and PagerDuty's keys may also stand in the file."""
    arns: set[str] = set()
    for kind, key in (("slack", "url"), ("pagerduty", "routing_key"), ("webhooks", "secret")):
        for index, channel in enumerate(alerts.get(kind, [])):
            store, _, name = str(channel.get(key, "")).partition(":")
            if store == "env":
                raise ValueError(f"alerts.{kind}[{index}].{key} is env:..., but functions in AWS can only read secretsmanager:NAME")
            if store == "secretsmanager":
                # Secrets Manager appends a hyphen and six characters to the name; other accounts share nothing unasked.
                arns.add(name if name.startswith("arn:") else f"arn:aws:secretsmanager:*:*:secret:{name}-??????")
    return arns


def vector_store(cache: dict[str, Any]) -> dict[str, str]:
    """Which store of vectors the stack makes, and the secret of one that it does not make."""
    provider, store = cache.get("provider", "dynamodb"), cache.get("store", {})
    if provider == "memory":
        raise ValueError("cache.provider is memory, but functions in AWS share none; use dynamodb")
    if "url" not in store:
        if provider not in PROVISIONED:
            raise ValueError(f"cache.store.url is not set, and the stack makes no {provider}")
        if "secret" in store:
            raise ValueError("cache.store.secret is set, but the stack makes the store and its secret")
        if provider == "pgvector" and "ca_file" not in store:
            raise ValueError("cache.store.ca_file is not set: Amazon RDS signs its servers by authorities of its own; infra/README.md says where they are")
        return {"VectorStore": provider}
    if provider == "dynamodb":
        raise ValueError("cache.store.url is set, but dynamodb is the cache table's own index")
    secret = {STORE_SECRET: secret_name(store["secret"], "cache.store.secret")} if "secret" in store else {}
    return {"VectorStore": "elsewhere"} | secret


def bedrock_arns(config: dict[str, Any], prices: dict[str, Any]) -> set[str]:
    """What chat may invoke: every priced model of the Bedrock providers that are routed to, embed or are configured."""
    providers = config.get("providers", {})
    arns: set[str] = set()
    for provider in routed(config) | set(providers):
        settings = providers.get(provider, {})
        known = "bedrock" if provider in ON_BEDROCK and not (provider == "meta" and "base_url" in settings) else "openai"
        if settings.get("dialect", known) != "bedrock" or "secret" in settings:
            continue
        names = [row["model"].removeprefix(f"{provider}/") for row in prices["prices"] if row["model"].startswith(f"{provider}/")]
        ids = KNOWN_IDS | settings.get("models", {})
        arns |= {arn for name in names if name != "*" for arn in model_arns(ids.get(name, name))}
    return arns


def model_arns(identifier: str) -> list[str]:
    """A model may be invoked in any region: an inference profile picks one, and a provider may name another."""
    if identifier.startswith("arn:"):
        return [identifier]
    if match := PROFILE.fullmatch(identifier):
        profile = f"arn:aws:bedrock:*:*:inference-profile/{identifier}"
        return [profile, f"arn:aws:bedrock:*::foundation-model/{match['model']}"]
    return [f"arn:aws:bedrock:*::foundation-model/{identifier}"]


def routed(config: dict[str, Any]) -> set[str]:
    routing = config.get("routing", {})
    embedder = config.get("cache", {}).get("embedder", {}).get("provider", "")
    models = [routing.get("primary", ""), *routing.get("fallbacks", []), embedder]
    # A bare model name is OpenAI's.
    return {model.partition("/")[0] if "/" in model else "openai" for model in models if model}


def secretive(providers: dict[str, Any]) -> set[str]:
    return {name for name, settings in providers.items() if "secret" in settings}


def secrets(providers: dict[str, Any]) -> dict[str, str]:
    parameters: dict[str, str] = {}
    for provider, settings in providers.items():
        reference = settings.get("secret")
        if reference is None:
            continue
        path = f"providers.{provider}.secret"
        name = secret_name(reference, path)
        parameter = SECRET_PARAMETERS.get(provider, OTHER_SECRET)
        if parameters.setdefault(parameter, name) != name:
            raise ValueError(f"{path} needs a second {parameter}; the template grants one, add a parameter to it")
    return parameters


def secret_name(reference: str, path: str) -> str:
    store, _, name = reference.partition(":")
    if store != "secretsmanager":
        raise ValueError(f"{path} is {store}:..., but functions in AWS can only read secretsmanager:NAME")
    return name_in(name, path) if name.startswith("arn:") else name


def name_in(arn: str, path: str) -> str:
    if not (match := ARN.fullmatch(arn)):
        raise ValueError(f"{path} is no ARN of a secret: {arn}")
    return match["name"]


if __name__ == "__main__":
    main()
