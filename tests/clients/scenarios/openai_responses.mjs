// The stock OpenAI Node SDK: Responses.
//
// scenarios: text text-stream order tools tools-stream schema image reasoning errors quota

import assert from "node:assert/strict";
import OpenAI from "openai";
import { zodTextFormat } from "openai/helpers/zod";
import * as checks from "./checks.mjs";
import { CLIENT, collected, counting, small, user } from "./checks.mjs";
import * as common from "./openai_common.mjs";

const FUNCTION = {
  type: "function",
  name: checks.TOOL,
  description: checks.TOOL_TEXT,
  parameters: checks.TOOL_PARAMETERS,
  strict: false,
};
const SAMPLING = { max_output_tokens: 64, temperature: 0, store: false };
const BRIEF = { ...SAMPLING, max_output_tokens: 24, instructions: checks.SYSTEM };
const TEXT = { format: zodTextFormat(checks.Weather, "weather") };

// Checks what holds of every response and notes its usage.
function finished(response) {
  assert.equal(response.object, "response");
  assert.ok(response.id && response.model, "id or model is missing");
  const cut = response.status === "incomplete" && response.incomplete_details.reason === "max_output_tokens";
  assert.ok(cut || response.status === "completed", `status is ${response.status}`);
  assert.ok(!response.error, JSON.stringify(response.error));
  const { usage } = response;
  assert.ok(usage, "the response has no usage");
  assert.equal(usage.total_tokens, usage.input_tokens + usage.output_tokens, "usage does not add up");
  checks.used(usage.input_tokens, usage.input_tokens_details?.cached_tokens, usage.output_tokens);
  return response;
}

// The final response of the SDK's stream helper, which puts the deltas together by their indexes.
const whole = async (request) => finished(await new OpenAI().responses.stream(request).finalResponse());

const created = async (request) => finished(await new OpenAI().responses.create(request));

const streamed = (request) => collected(new OpenAI().responses.create({ ...request, stream: true }));

const text = (model) => ({
  plain: async () => {
    const answer = await created({ model, input: checks.hello(false), ...BRIEF });
    checks.requireHello(model, answer.output_text);
  },
});

const textStream = (model) => ({
  events: async () => {
    const events = await streamed({ model, input: checks.hello(true), ...BRIEF });
    const deltas = events.filter(({ type }) => type === "response.output_text.delta").map(({ delta }) => delta);
    assert.equal(events[0].type, "response.created");
    const last = events.at(-1);
    assert.ok(["response.completed", "response.incomplete"].includes(last.type), `ends with ${last.type}`);
    assert.ok(deltas.length > 1, `not a stream of text: ${deltas}`);
    checks.requireHello(model, deltas.join(""));
    const [message] = finished(last.response).output.filter(({ type }) => type === "message");
    assert.equal(message.content[0].text, deltas.join(""));
  },
  helper: async () => {
    const answer = await whole({ model, input: user(`${checks.hello(true)} Again.`), ...BRIEF });
    checks.requireHello(model, answer.output_text);
  },
});

const order = (model) => ({
  "every event is numbered and placed": async () => {
    const events = await streamed({ model, input: `${checks.hello(true)} In order.`, ...BRIEF });
    assert.deepEqual(events.map((event) => event.sequence_number), [...events.keys()]);
    const added = events.filter(({ type }) => type === "response.output_item.added").map(({ item }) => item.id);
    for (const event of events.filter(({ type }) => type === "response.output_text.delta")) {
      assert.ok(added.includes(event.item_id), `a delta of an unknown item: ${JSON.stringify(event)}`);
      assert.ok(Number.isInteger(event.output_index) && event.content_index === 0, JSON.stringify(event));
    }
    finished(events.at(-1).response);
  },
});

async function twoSteps(model, ask) {
  const request = { model, tools: [FUNCTION], ...SAMPLING };
  const input = user(checks.weather(ask === whole));
  const forced = small(model) ? { tool_choice: "required", parallel_tool_calls: false } : {};
  const first = await ask({ ...request, input, ...forced });
  const calls = first.output.filter(({ type }) => type === "function_call");
  assert.equal(calls.length, 1, JSON.stringify(first.output));
  const [call] = calls;
  checks.requireCall(model, call.call_id, call.name, JSON.parse(call.arguments));
  const output = { type: "function_call_output", call_id: call.call_id, output: checks.TOOL_RESULT };
  // What came out goes back in as it is, the way the SDK's own examples do it.
  const second = await ask({ ...request, input: [...input, ...first.output, output] });
  const again = second.output.some(({ type }) => type === "function_call");
  // A model of this size may call again; what it is sent and says arrives all the same.
  if (small(model) && again) return;
  assert.ok(!again, JSON.stringify(second.output));
  checks.requireAnswer(model, second.output_text);
}

const tools = (model) => ({ "two steps": () => twoSteps(model, created) });
const toolsStream = (model) => ({ "two steps": () => twoSteps(model, whole) });

const schema = (model) => ({
  parsed: async () => {
    const request = { model, input: checks.asJson(), text: TEXT, ...SAMPLING };
    checks.requireWeather(model, finished(await new OpenAI().responses.parse(request)).output_parsed);
  },
  "parsed stream": async () => {
    const answer = await whole({ model, input: checks.asJson(true), text: TEXT, ...SAMPLING });
    checks.requireWeather(model, answer.output_parsed);
  },
});

const image = (model) => ({
  input: async () => {
    const content = [
      { type: "input_text", text: checks.picture() },
      { type: "input_image", image_url: checks.PIXEL_URL, detail: "auto" },
    ];
    const answer = await created({ model, input: user(content), ...SAMPLING });
    assert.equal(answer.output_text, "A single pixel.");
  },
});

// A model that thinks aloud is understood, and its reasoning items are accepted when they come back.
async function carried(model, ask) {
  const input = user(checks.riddle(ask === whole));
  const first = await ask({ model, input, ...SAMPLING });
  assert.ok(first.output.every(({ type }) => ["reasoning", "message"].includes(type)), JSON.stringify(first.output));
  assert.equal(first.output_text, "It is seven.");
  const again = user(checks.hello(ask === whole));
  const second = await created({ model, input: [...input, ...first.output, ...again], ...SAMPLING });
  checks.requireHello(model, second.output_text);
}

const reasoning = (model) => ({ plain: () => carried(model, created), streamed: () => carried(model, whole) });

const ask = (sdk, request) => sdk.responses.create({ input: `An error for ${CLIENT}`, ...request });

const errors = (model) => ({
  ...common.errors(ask, model, "max_output_tokens"),
  "cut stream ends in a failure": async () => {
    const counter = counting(OpenAI);
    const kinds = [];
    try {
      for await (const event of await ask(counter.sdk, { model: "demo/cut-3", stream: true })) kinds.push(event.type);
    } catch (error) {
      // The SDK makes an exception of an event with an `error` in it, and hands on every other.
      assert.ok(error instanceof OpenAI.APIError, `${error}`);
      kinds.push("error");
    }
    assert.ok(kinds.includes("response.output_text.delta"), `no text before the cut: ${kinds}`);
    assert.ok(["error", "response.failed"].includes(kinds.at(-1)), `the end is ${kinds.at(-1)}`);
    assert.ok(!kinds.includes("response.completed"), `${kinds}`);
    assert.equal(counter.sent, 1);
  },
});

const quota = (model) => common.quota(ask, model, "max_output_tokens");

await checks.run({
  text,
  "text-stream": textStream,
  order,
  tools,
  "tools-stream": toolsStream,
  schema,
  image,
  reasoning,
  errors,
  quota,
});
