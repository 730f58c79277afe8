// The stock Anthropic Node SDK.
//
// scenarios: text tools schema image thinking count models errors quota

import assert from "node:assert/strict";
import Anthropic from "@anthropic-ai/sdk";
import { zodOutputFormat } from "@anthropic-ai/sdk/helpers/zod";
import * as checks from "./checks.mjs";
import { CLIENT, collected, counting, expectError, small, user } from "./checks.mjs";

const FUNCTION = { name: checks.TOOL, description: checks.TOOL_TEXT, input_schema: checks.TOOL_PARAMETERS };
const SAMPLING = { max_tokens: 64, temperature: 0 };

const textOf = (message) => message.content.map((block) => (block.type === "text" ? block.text : "")).join("");

// Checks what holds of every message and notes its usage.
function finished(message, reasons = ["end_turn", "max_tokens"]) {
  assert.equal(message.type, "message");
  assert.equal(message.role, "assistant");
  assert.ok(message.id && message.model, "id or model is missing");
  assert.ok(reasons.includes(message.stop_reason), `stop_reason is ${message.stop_reason}`);
  // Unlike OpenAI's, these input tokens leave the cached ones out.
  const { input_tokens: input, output_tokens: output, ...cache } = message.usage;
  const [read, written] = [cache.cache_read_input_tokens ?? 0, cache.cache_creation_input_tokens ?? 0];
  checks.used(input + read + written, read, output);
  return message;
}

const created = async (request, reasons) => finished(await new Anthropic().messages.create(request), reasons);
const whole = async (request, reasons) =>
  finished(await new Anthropic().messages.stream(request).finalMessage(), reasons);

const text = (model) => {
  const request = { model, max_tokens: 24, temperature: 0, system: checks.SYSTEM };
  return {
    plain: async () => {
      const answer = await created({ ...request, messages: user(checks.hello(false)) });
      checks.requireHello(model, textOf(answer));
    },
    "streamed events": async () => {
      const messages = user(checks.hello(true));
      const events = await collected(new Anthropic().messages.create({ ...request, messages, stream: true }));
      const kinds = events.map(({ type }) => type);
      assert.equal(kinds[0], "message_start");
      assert.deepEqual(kinds.slice(-2), ["message_delta", "message_stop"]);
      const deltas = events.filter(({ type }) => type === "content_block_delta").map(({ delta }) => delta.text);
      assert.ok(deltas.length > 1, `not a stream of text: ${deltas}`);
      checks.requireHello(model, deltas.join(""));
      const [{ message }, end] = [events[0], events.at(-2)];
      // Upstreams of other dialects tell the input only at the end, and the end is what counts.
      const told = Object.entries(end.usage).filter(([, tokens]) => tokens);
      Object.assign(message.usage, Object.fromEntries(told));
      message.stop_reason = end.delta.stop_reason;
      finished(message);
    },
    "stream helper": async () => {
      const content = [checks.hello(true), " Again."].map((part) => ({ type: "text", text: part }));
      let seen = "";
      const stream = new Anthropic().messages.stream({ ...request, messages: user(content) });
      stream.on("text", (delta) => (seen += delta));
      const answer = finished(await stream.finalMessage());
      checks.requireHello(model, textOf(answer));
      assert.equal(seen, textOf(answer));
    },
  };
};

async function twoSteps(model, ask) {
  const request = { model, tools: [FUNCTION], ...SAMPLING };
  const messages = user(checks.weather(ask === whole));
  const choice = small(model) ? { tool_choice: { type: "any", disable_parallel_tool_use: true } } : {};
  const first = await ask({ ...request, messages, ...choice }, ["tool_use"]);
  const calls = first.content.filter(({ type }) => type === "tool_use");
  assert.equal(calls.length, 1, JSON.stringify(first.content));
  const [{ id, name, input }] = calls;
  checks.requireCall(model, id, name, input);
  const result = { type: "tool_result", tool_use_id: id, content: checks.TOOL_RESULT };
  messages.push({ role: "assistant", content: first.content }, ...user([result]));
  // A model of this size may call again; what it is sent and says arrives all the same.
  const second = await ask({ ...request, messages }, ["end_turn", "max_tokens", ...(small(model) ? ["tool_use"] : [])]);
  if (small(model) && second.stop_reason === "tool_use") return;
  assert.ok(second.content.every(({ type }) => type !== "tool_use"), JSON.stringify(second.content));
  checks.requireAnswer(model, textOf(second));
}

const tools = (model) => ({ plain: () => twoSteps(model, created), streamed: () => twoSteps(model, whole) });

const schema = (model) => ({
  parsed: async () => {
    const format = zodOutputFormat(checks.Weather);
    const request = { model, messages: user(checks.asJson()), output_config: { format }, ...SAMPLING };
    const answer = finished(await new Anthropic().messages.parse(request));
    checks.requireWeather(model, answer.parsed_output);
  },
});

const image = (model) => ({
  input: async () => {
    const source = { type: "base64", media_type: "image/png", data: checks.PIXEL };
    const content = [{ type: "image", source }, { type: "text", text: checks.picture() }];
    const answer = await created({ model, messages: user(content), max_tokens: 16 });
    assert.equal(textOf(answer), "A single pixel.");
  },
});

// What the model thought aloud is understood, and accepted when it comes back.
async function carried(model, ask) {
  const messages = user(checks.riddle(ask === whole));
  const request = { model, max_tokens: 2048, thinking: { type: "enabled", budget_tokens: 1024 } };
  const first = await ask({ ...request, messages });
  assert.ok(first.content.every(({ type }) => ["thinking", "text"].includes(type)), JSON.stringify(first.content));
  assert.equal(textOf(first), "It is seven.");
  messages.push({ role: "assistant", content: first.content }, ...user(checks.hello(ask === whole)));
  checks.requireHello(model, textOf(await created({ ...request, messages })));
}

const thinking = (model) => ({ plain: () => carried(model, created), streamed: () => carried(model, whole) });

const count = (model) => ({
  "more text, more tokens": async () => {
    const counted = async (content, more = {}) =>
      (await new Anthropic().messages.countTokens({ model, messages: user(content), ...more })).input_tokens;
    const short = await counted(checks.hello(false));
    const long = await counted(`${checks.hello(false)} Take your time, there is no hurry.`);
    assert.ok(short > 0 && short < long, `${short} tokens of a short text, ${long} of a longer one`);
    const system = checks.SYSTEM.repeat(8);
    assert.ok((await counted(checks.hello(false), { system, tools: [FUNCTION] })) > short, "tools count nothing");
  },
});

const models = (model) => ({
  list: async () => {
    const found = await collected(new Anthropic().models.list());
    assert.ok(found.length > 0 && found.every(({ type, id }) => type === "model" && id), JSON.stringify(found));
    assert.ok(found.every((entry) => entry.display_name && entry.created_at), JSON.stringify(found));
    assert.ok(found.some(({ id }) => id === model), `${model} is not among ${found.map(({ id }) => id)}`);
  },
});

const ask = (counter, request) =>
  counter.sdk.messages.create({ messages: user(`An error for ${CLIENT}`), max_tokens: 64, ...request });

const errors = (model) => ({
  "bad key is AuthenticationError": async () => {
    const counter = counting(Anthropic, { apiKey: checks.UNKNOWN_KEY });
    const error = await expectError(Anthropic.AuthenticationError, () => ask(counter, { model }));
    assert.equal(error.error.error.type, "authentication_error");
    assert.equal(counter.sent, 1);
  },
  "unknown model is NotFoundError": async () => {
    const counter = counting(Anthropic);
    const error = await expectError(Anthropic.NotFoundError, () => ask(counter, { model: checks.UNKNOWN_MODEL }));
    assert.ok(error.message.includes(checks.UNKNOWN_MODEL), error.message);
    assert.equal(counter.sent, 1);
  },
  "bad field is BadRequestError": async () => {
    const counter = counting(Anthropic);
    const error = await expectError(Anthropic.BadRequestError, () => ask(counter, { model, max_tokens: -1 }));
    assert.match(error.error.error.message, /max_tokens/);
    assert.equal(counter.sent, 1);
  },
  "cut stream is APIError": async () => {
    const counter = counting(Anthropic);
    let seen = "";
    await expectError(Anthropic.APIError, async () => {
      for await (const event of await ask(counter, { model: "demo/cut-3", stream: true })) {
        if (["message_delta", "message_stop"].includes(event.type)) return `a made up ${event.type}`;
        if (event.type === "content_block_delta") seen += event.delta.text;
      }
      return "a stream that ended well";
    });
    assert.ok(seen, "no text before the cut");
    assert.equal(counter.sent, 1);
  },
});

async function refused(model, stream) {
  const counter = counting(Anthropic);
  const error = await expectError(Anthropic.PaymentRequiredError, () => ask(counter, { model, stream }));
  assert.equal(error.status, 402);
  assert.equal(counter.sent, 1);
}

const quota = (model) => ({
  "402, once": () => refused(model, false),
  "streamed 402, once": () => refused(model, true),
});

await checks.run({ text, tools, schema, image, thinking, count, models, errors, quota });
