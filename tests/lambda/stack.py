"""The stack as an operator gets it: staged directories, the real `sam deploy`, calls from outside."""

from __future__ import annotations

import http.client
import json
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from common import FUNCTIONS, MONITORING, NETWORK, ROLES, ROOT, STORES, TEMPLATE, Failure, sam_tool
from emulator import Emulator
from fixtures import write_config
from template import source

NAME = "tollgate"
NESTED = {name: nested for nested, path in (("Stores", STORES), ("Roles", ROLES)) for name in source(path)["Resources"]}


@dataclass(frozen=True)
class Answer:
    status: int
    headers: dict[str, str]
    body: bytes

    def json(self) -> Any:
        try:
            return json.loads(self.body)
        except ValueError as error:
            raise Failure(f"status {self.status}, not JSON: {self.body[:300]!r}") from error


def stage_functions(work: Path, bin_dir: Path, demo_url: str, alerts: dict[str, Any]) -> list[str]:
    """Lays out a copy of what is deployed, so that a build for the cloud is never overwritten; gives its parameters."""
    (work / "infra").mkdir()
    for template in (TEMPLATE, STORES, ROLES, MONITORING, NETWORK):
        shutil.copy(template, work / "infra")
    name_dimensions(work / "infra" / STORES.name)
    shutil.copy(ROOT / "samconfig.toml", work)
    functions, config = work / "target" / "lambda", work / "config"
    for function in FUNCTIONS:
        (functions / function).mkdir(parents=True)
        copy_stripped(bin_dir / function, functions / function / "bootstrap")
    write_config(config, demo_url, alerts)
    command = [sys.executable, str(ROOT / "infra" / "package.py"), "--config", str(config), "--functions", str(functions)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise Failure(done.stderr)
    return done.stdout.split()


def name_dimensions(stores: Path) -> None:
    """Writes the default of the vector index into a copy: CloudFormation makes a number of a parameter, the emulator a text."""
    default = source(stores)["Parameters"]["VectorDimensions"]["Default"]
    stores.write_text(stores.read_text().replace("Dimensions: !Ref VectorDimensions", f"Dimensions: {default}"))


def copy_stripped(binary: Path, to: Path) -> None:
    """Copies a binary without its symbols, which would be most of the upload."""
    if not binary.exists():
        raise Failure(f"{binary} does not exist: build the functions or name another --bin-dir")
    shutil.copy(binary, to)
    to.chmod(0o755)
    if strip := shutil.which("strip"):
        # What is not an ELF file stays as it was copied.
        subprocess.run([strip, str(to)], check=False, capture_output=True)


def sam(aws: Emulator, work: Path, *arguments: str) -> None:
    """Runs the SAM CLI with the repository's samconfig.toml."""
    command = [sam_tool("sam"), *arguments, "--region", "us-east-1"]
    done = subprocess.run(command, cwd=work, env=aws.environment(), capture_output=True, text=True, timeout=300, check=False)
    if done.returncode != 0:
        raise Failure(f"sam {arguments[0]} ended with {done.returncode}:\n{done.stdout[-3000:]}\n{done.stderr[-3000:]}")


def outputs(aws: Emulator) -> dict[str, str]:
    (stack,) = aws.client("cloudformation").describe_stacks(StackName=NAME)["Stacks"]
    return {output["OutputKey"]: output["OutputValue"] for output in stack["Outputs"]}


def physical(aws: Emulator, logical: str) -> str:
    """The resource of the stack, or of those within it."""
    formation = aws.client("cloudformation")

    def found(stack: str, name: str) -> str:
        detail = formation.describe_stack_resource(StackName=stack, LogicalResourceId=name)
        return str(detail["StackResourceDetail"]["PhysicalResourceId"])

    return found(found(NAME, NESTED[logical]), logical) if logical in NESTED else found(NAME, logical)


def function_logs(aws: Emulator) -> str:
    """The last lines of each function's log group."""
    logs, text = aws.client("logs"), ""
    for function in FUNCTIONS:
        events = logs.filter_log_events(logGroupName=f"/tollgate/{NAME}/{function}")["events"]
        text += f"-- log of {function}\n" + "\n".join(event["message"].rstrip() for event in events[-20:]) + "\n"
    return text


@dataclass(frozen=True)
class Api:
    """The deployed REST API. Its host name does not resolve here, so it is sent as the Host header."""

    port: int
    identifier: str

    def call(self, method: str, path: str, key: str | None = None, body: Any = None) -> Answer:
        headers = {"host": f"{self.identifier}.execute-api.localhost:{self.port}"}
        if key is not None:
            headers["authorization"] = f"Bearer {key}"
        if body is not None:
            headers["content-type"] = "application/json"
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        try:
            connection.request(method, f"/prod{path}", None if body is None else json.dumps(body), headers)
            response = connection.getresponse()
            names = {name.lower(): value for name, value in response.getheaders()}
            return Answer(response.status, names, response.read())
        finally:
            connection.close()
