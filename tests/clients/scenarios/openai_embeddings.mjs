// The stock OpenAI Node SDK: embeddings.
//
// scenarios: vectors dimensions errors

import assert from "node:assert/strict";
import OpenAI from "openai";
import * as checks from "./checks.mjs";
import { CLIENT } from "./checks.mjs";
import * as common from "./openai_common.mjs";

async function embed(model, input, more = {}) {
  const answer = await new OpenAI().embeddings.create({ model, input, ...more });
  assert.equal(answer.object, "list");
  assert.ok(answer.model, "model is missing");
  assert.deepEqual(answer.data.map(({ index }) => index), [...answer.data.keys()]);
  assert.equal(answer.usage.total_tokens, answer.usage.prompt_tokens, "usage does not add up");
  checks.used(answer.usage.prompt_tokens, 0, 0);
  for (const { embedding } of answer.data) {
    assert.ok(embedding.length > 0 && embedding.every((part) => typeof part === "number"), "not a vector");
  }
  return answer.data.map(({ embedding }) => embedding);
}

// The cosine of the angle between two vectors: 1 for the same direction.
function likeness(left, right) {
  assert.equal(left.length, right.length);
  const dot = (a, b) => a.reduce((sum, part, index) => sum + part * b[index], 0);
  return dot(left, right) / Math.sqrt(dot(left, left) * dot(right, right));
}

const vectors = (model) => {
  const text = checks.prompt("A text");
  return {
    "a string": async () => assert.equal((await embed(model, text)).length, 1),
    "a list": async () => {
      const [one, other, same] = await embed(model, [text, "The ships left the harbour before the storm began.", text]);
      // llama.cpp computes the texts of a batch together, which moves the numbers of 4-bit weights.
      assert.ok(likeness(one, same) > 0.93, `the same text is only ${likeness(one, same)} alike`);
      assert.ok(likeness(one, other) < 0.9, `another text is ${likeness(one, other)} alike`);
    },
    // Unasked, the SDK sends base64 and decodes it.
    "base64 and float agree": async () => {
      const [byDefault] = await embed(model, text);
      const [plain] = await embed(model, text, { encoding_format: "float" });
      assert.ok(likeness(byDefault, plain) > 0.9999, "base64 and float differ");
    },
    tokens: async () => {
      assert.equal((await embed(model, [1, 520, 9531])).length, 1);
      assert.equal((await embed(model, [[1, 520], [9531]])).length, 2);
    },
  };
};

const dimensions = (model) => ({
  "as many as asked for": async () => {
    const found = await embed(model, [checks.prompt("A text"), "Something else"], { dimensions: 8 });
    assert.deepEqual(found.map(({ length }) => length), [8, 8]);
  },
});

const ask = (sdk, request) => sdk.embeddings.create({ input: `An error for ${CLIENT}`, ...request });

const errors = (model) => common.errors(ask, model, "dimensions");

await checks.run({ vectors, dimensions, errors });
