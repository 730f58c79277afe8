// Vercel's AI SDK over its OpenAI provider: Responses, which is its default, chat completions, and embeddings.
//
// scenarios: {responses,chat}-{text,text-stream,tools,tools-stream,schema,image} embeddings

import assert from "node:assert/strict";
import { openai } from "@ai-sdk/openai";
import { embedMany } from "ai";
import * as common from "./ai_common.mjs";
import * as checks from "./checks.mjs";

const OPTIONS = { openai: { parallelToolCalls: false } };

const scenarios = (prefix, make) => ({
  [`${prefix}-text`]: (model) => common.text(make, model),
  [`${prefix}-text-stream`]: (model) => common.textStream(make, model),
  [`${prefix}-tools`]: (model) => common.tools(make, model, OPTIONS),
  [`${prefix}-tools-stream`]: (model) => common.toolsStream(make, model, OPTIONS),
  [`${prefix}-schema`]: (model) => common.schema(make, model),
  [`${prefix}-image`]: (model) => common.image(make, model),
});

const embeddings = (model) => ({
  embedMany: async () => {
    const values = [checks.prompt("A text"), "Something else"];
    const { embeddings: found, usage } = await embedMany({ model: openai.embedding(model), values, maxRetries: 0 });
    checks.used(usage.tokens, 0, 0);
    assert.equal(found.length, 2);
    assert.ok(found.every((vector) => vector.length > 0 && vector.every((part) => typeof part === "number")));
    assert.notDeepEqual(found[0], found[1]);
  },
});

await checks.run({ ...scenarios("responses", openai), ...scenarios("chat", openai.chat), embeddings });
