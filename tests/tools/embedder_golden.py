#!/usr/bin/env python3
"""Writes the vectors that the embedder is compared with, computed by onnxruntime and tokenizers.

    embedder_golden.py > shared/src/embed/golden.json

It needs the packages onnxruntime, tokenizers and numpy, which nothing else here does; the tests read the file.
"""

from __future__ import annotations

import json
import sys

import numpy
import onnxruntime
import tokenizers

import setup

PIECES_MAX = 256
# Components are written as whole numbers of this part.
SCALE = 10_000
TEXTS = (
    "",
    "How do I reset my password?",
    "how do i reset my PASSWORD",
    "What is the capital of France?",
    "Card payment didn't go through; it says \"declined\" (code 05).",
    "Ça coûte combien, un café à Zürich?",
    "İstanbul'da hava nasıl? Ελληνικά, русский и العربية",
    "東京の天気はどうですか。",
    "emoji \U0001f600 and\u200b zero\u00adwidth, \x00control\x07, \ufffd and a\ttab\r\n",
    "antidisestablishmentarianism pneumonoultramicroscopicsilicovolcanoconiosis",
    "x" * 101 + " after a word that is too long",
    "The quick brown fox jumps over the lazy dog. " * 60,
)


def tokenizer() -> tokenizers.Tokenizer:
    pieces = (setup.EMBEDDER / "vocab.txt").read_text(encoding="utf-8").split("\n")[:-1]
    vocabulary = {piece: number for number, piece in enumerate(pieces)}
    made = tokenizers.Tokenizer(tokenizers.models.WordPiece(vocabulary, unk_token="[UNK]"))
    made.normalizer = tokenizers.normalizers.BertNormalizer(lowercase=True)
    made.pre_tokenizer = tokenizers.pre_tokenizers.BertPreTokenizer()
    ends = [(name, vocabulary[name]) for name in ("[CLS]", "[SEP]")]
    made.post_processor = tokenizers.processors.TemplateProcessing(single="[CLS] $A [SEP]", special_tokens=ends)
    made.enable_truncation(PIECES_MAX)
    return made


def main() -> None:
    session = onnxruntime.InferenceSession(setup.EMBEDDER / setup.WEIGHTS, providers=["CPUExecutionProvider"])
    encode = tokenizer().encode
    golden = []
    for text in TEXTS:
        ids = numpy.array([encode(text).ids], dtype=numpy.int64)
        feed = {"input_ids": ids, "attention_mask": numpy.ones_like(ids), "token_type_ids": numpy.zeros_like(ids)}
        vector = session.run(None, feed)[0][0].mean(axis=0)
        vector /= numpy.linalg.norm(vector)
        components = [round(float(component) * SCALE) for component in vector]
        golden.append({"text": text, "ids": ids[0].tolist(), "vector": components})
    rows = ",\n".join(json.dumps(entry, ensure_ascii=False, separators=(",", ":")) for entry in golden)
    sys.stdout.write(f"[\n{rows}\n]\n")


if __name__ == "__main__":
    main()
