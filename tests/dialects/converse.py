#!/usr/bin/env python3
"""Checks bodies for Bedrock against the service model that botocore ships.

    converse.py FILE    JSON lines of {"pair", "seed", "kind", "body"}

Prints a line for each fault and, as the last one, the number of bodies of each pair as JSON. It runs apart from the SDKs,
whose environment has no botocore.
"""

from __future__ import annotations

import json
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import botocore.session
from botocore.model import ListShape, MapShape, Shape, StringShape, StructureShape
from botocore.validate import ParamValidator

OPERATION = "ConverseStream"


def converse() -> Shape:
    session = botocore.session.Session()
    model = session.get_service_model("bedrock-runtime")
    return model.operation_model(OPERATION).input_shape


def words(value: Any, shape: Shape, path: str) -> Iterator[str]:
    """Words that an enumeration does not list, which botocore itself lets pass."""
    if isinstance(shape, StringShape) and shape.enum and value not in shape.enum:
        yield f"{path} is {value!r}, not one of {', '.join(shape.enum)}"
    elif isinstance(shape, StructureShape) and isinstance(value, dict) and not shape.metadata.get("document"):
        for name, member in value.items():
            if name in shape.members:
                yield from words(member, shape.members[name], f"{path}.{name}")
    elif isinstance(shape, ListShape) and isinstance(value, list):
        for index, item in enumerate(value):
            yield from words(item, shape.member, f"{path}[{index}]")
    elif isinstance(shape, MapShape) and isinstance(value, dict):
        for name, member in value.items():
            yield from words(member, shape.value, f"{path}.{name}")


def faults(body: dict[str, Any], shape: Shape) -> Iterator[str]:
    # The model's name is in the path.
    body = body | {"modelId": "m"}
    report = ParamValidator().validate(body, shape)
    yield from (line for line in report.generate_report().splitlines() if line)
    yield from words(body, shape, "$")


def main(path: Path) -> int:
    shape = converse()
    bodies: Counter[str] = Counter()
    broken = 0
    with path.open() as lines:
        for line in lines:
            case = json.loads(line)
            if case["kind"] != "sent" or not case["pair"].endswith(":bedrock"):
                continue
            bodies[case["pair"]] += 1
            found = list(faults(case["body"], shape))
            broken += bool(found)
            for fault in found:
                print(f"{case['pair']} seed {case['seed']} sent: {fault}")
    print(json.dumps(bodies))
    return 1 if broken or not bodies else 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
