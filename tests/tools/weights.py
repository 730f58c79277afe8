"""Rearranges an ONNX model whose tables are stored as bytes, so that a process has it ready sooner.

A table of embeddings is stored as `int8` with a scale for each row, and the model as published makes floats of all
of it before it picks rows: a runtime does that once, at the start, whatever is asked later. Rows are picked first here
and made floats then, by the same operations on the same numbers, so that every vector stays the same to the bit.

This reads and writes the few fields of ONNX's Protocol Buffers that it needs and copies all others as they are.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

# Fields of ModelProto, GraphProto and NodeProto; see onnx.proto3.
MODEL_GRAPH = 7
GRAPH_NODE = 1
NODE_INPUT, NODE_OUTPUT, NODE_OPERATOR, NODE_ATTRIBUTE = 1, 2, 4, 5

VARINT, FIXED64, BYTES, FIXED32 = 0, 1, 2, 5
WIDTHS = {FIXED64: 8, FIXED32: 4}


@dataclass(frozen=True)
class Node:
    operator: str
    inputs: tuple[str, ...]
    output: str
    attributes: tuple[bytes, ...] = ()

    def encoded(self) -> bytes:
        parts = [field(NODE_INPUT, name.encode()) for name in self.inputs]
        parts += [field(NODE_OUTPUT, self.output.encode()), field(NODE_OPERATOR, self.operator.encode())]
        return b"".join([*parts, *(field(NODE_ATTRIBUTE, attribute) for attribute in self.attributes)])


def rows_first(model: bytes) -> bytes:
    """The same model, in which `Gather(Mul(Cast(table), scale), rows)` is `Mul(Cast(Gather(table, rows)), Gather(scale, rows))`.

    Nothing but the `Gather` may ask for the floats, as in a model whose layers do not share their tables.
    """
    rebuilt = []
    for number, whole, value in fields(model):
        rebuilt.append(field(MODEL_GRAPH, rearranged(value)) if number == MODEL_GRAPH else whole)
    return b"".join(rebuilt)


def rearranged(graph: bytes) -> bytes:
    parts = list(fields(graph))
    nodes = [(whole, read(value)) for number, whole, value in parts if number == GRAPH_NODE]
    made_by = {node.output: node for _, node in nodes}
    replaced: dict[bytes, list[Node]] = {}
    for whole, node in nodes:
        scaled = made_by.get(node.inputs[0]) if node.operator == "Gather" else None
        cast = made_by.get(scaled.inputs[0]) if scaled and scaled.operator == "Mul" else None
        if scaled and cast and cast.operator == "Cast":
            replaced[whole] = picked_first(node, scaled, cast)
            replaced |= {of: [] for of, made in nodes if made in (scaled, cast)}
    rebuilt = []
    for number, whole, _ in parts:
        instead = replaced.get(whole) if number == GRAPH_NODE else None
        rebuilt += [whole] if instead is None else [field(GRAPH_NODE, node.encoded()) for node in instead]
    return b"".join(rebuilt)


def picked_first(gather: Node, scaled: Node, cast: Node) -> list[Node]:
    (table,), (_, scale), (_, rows) = cast.inputs, scaled.inputs, gather.inputs
    stored, scales, floats = (f"{gather.output}_{name}" for name in ("stored", "scales", "floats"))
    return [
        Node("Gather", (table, rows), stored, gather.attributes),
        Node("Gather", (scale, rows), scales, gather.attributes),
        Node("Cast", (stored,), floats, cast.attributes),
        Node("Mul", (floats, scales), gather.output),
    ]


def read(node: bytes) -> Node:
    values: dict[int, list[bytes]] = {}
    for number, _, value in fields(node):
        values.setdefault(number, []).append(value)
    inputs, outputs = (tuple(name.decode() for name in values.get(kind, [])) for kind in (NODE_INPUT, NODE_OUTPUT))
    return Node(values[NODE_OPERATOR][0].decode(), inputs, outputs[0], tuple(values.get(NODE_ATTRIBUTE, [])))


def fields(message: bytes) -> Iterator[tuple[int, bytes, bytes]]:
    """Of each field its number, all of its bytes, and its value where that is bytes."""
    at = 0
    while at < len(message):
        begin = at
        tag, at = varint(message, at)
        value = b""
        match tag & 7:
            case wire if wire in WIDTHS:
                at += WIDTHS[wire]
            case wire if wire == BYTES:
                length, at = varint(message, at)
                value = message[at : at + length]
                at += length
            case wire if wire == VARINT:
                _, at = varint(message, at)
            case wire:
                raise ValueError(f"byte {begin} begins a field of the unknown kind {wire}")
        yield tag >> 3, message[begin:at], value


def varint(message: bytes, at: int) -> tuple[int, int]:
    number = shift = 0
    while True:
        byte = message[at]
        number |= (byte & 0x7F) << shift
        at, shift = at + 1, shift + 7
        if byte < 0x80:
            return number, at


def field(number: int, value: bytes) -> bytes:
    return written(number << 3 | BYTES) + written(len(value)) + value


def written(number: int) -> bytes:
    parts: list[int] = []
    while number > 0x7F:
        parts.append(number & 0x7F | 0x80)
        number >>= 7
    return bytes([*parts, number])
