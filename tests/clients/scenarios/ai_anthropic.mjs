// Vercel's AI SDK over its Anthropic provider.
//
// scenarios: text text-stream tools tools-stream schema image

import { anthropic } from "@ai-sdk/anthropic";
import * as common from "./ai_common.mjs";
import * as checks from "./checks.mjs";

const OPTIONS = { anthropic: { disableParallelToolUse: true } };

await checks.run({
  text: (model) => common.text(anthropic, model),
  "text-stream": (model) => common.textStream(anthropic, model),
  tools: (model) => common.tools(anthropic, model, OPTIONS),
  "tools-stream": (model) => common.toolsStream(anthropic, model, OPTIONS),
  schema: (model) => common.schema(anthropic, model),
  image: (model) => common.image(anthropic, model),
});
