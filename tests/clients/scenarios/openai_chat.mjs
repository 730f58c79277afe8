// The stock OpenAI Node SDK: chat completions.
//
// scenarios: text tools schema image demo errors quota

import assert from "node:assert/strict";
import OpenAI from "openai";
import { zodResponseFormat } from "openai/helpers/zod";
import * as checks from "./checks.mjs";
import { CLIENT, counting, expectError, small, user } from "./checks.mjs";
import * as common from "./openai_common.mjs";

const FUNCTION = {
  type: "function",
  function: { name: checks.TOOL, description: checks.TOOL_TEXT, parameters: checks.TOOL_PARAMETERS },
};
const FORMAT = zodResponseFormat(checks.Weather, "weather");
const SAMPLING = { max_tokens: 64, temperature: 0 };

function counted(usage) {
  assert.ok(usage, "the answer has no usage");
  assert.equal(usage.total_tokens, usage.prompt_tokens + usage.completion_tokens, "usage does not add up");
  checks.used(usage.prompt_tokens, usage.prompt_tokens_details?.cached_tokens, usage.completion_tokens);
}

// One streamed choice put together: text, tool calls, finish reason, usage and the number of text deltas.
async function collect(stream) {
  const whole = { text: "", calls: [], finish: null, usage: null, deltas: 0 };
  for await (const chunk of await stream) {
    assert.equal(chunk.object, "chat.completion.chunk");
    whole.usage = chunk.usage ?? whole.usage;
    for (const choice of chunk.choices) {
      whole.finish = choice.finish_reason ?? whole.finish;
      if (choice.delta.content) {
        whole.text += choice.delta.content;
        whole.deltas += 1;
      }
      for (const part of choice.delta.tool_calls ?? []) {
        const call = (whole.calls[part.index] ??= { id: "", name: "", arguments: "" });
        call.id += part.id ?? "";
        call.name += part.function?.name ?? "";
        call.arguments += part.function?.arguments ?? "";
      }
    }
  }
  return whole;
}

const streamed = (request) =>
  collect(
    new OpenAI().chat.completions.create({ ...request, stream: true, stream_options: { include_usage: true } }),
  );

const text = (model) => ({
  plain: async () => {
    const request = { model, messages: user(checks.hello(false)), max_tokens: 24, temperature: 0 };
    const answer = await new OpenAI().chat.completions.create(request);
    const [choice] = answer.choices;
    assert.equal(choice.message.role, "assistant");
    checks.requireHello(model, choice.message.content);
    assert.ok(["stop", "length"].includes(choice.finish_reason), `finish_reason is ${choice.finish_reason}`);
    assert.ok(answer.id && answer.created && answer.model, "id, created or model is missing");
    counted(answer.usage);
  },
  streamed: async () => {
    const messages = [{ role: "system", content: checks.SYSTEM }, ...user(checks.hello(true))];
    const whole = await streamed({ model, messages, max_completion_tokens: 32, temperature: 0 });
    checks.requireHello(model, whole.text);
    assert.ok(whole.deltas > 1, `not a stream of text: ${JSON.stringify(whole)}`);
    assert.ok(["stop", "length"].includes(whole.finish), `finish_reason is ${whole.finish}`);
    counted(whole.usage);
  },
});

async function askWithTools(model, messages, stream, more = {}) {
  const request = { model, messages, tools: [FUNCTION], ...SAMPLING, ...more };
  if (stream) return streamed(request);
  const answer = await new OpenAI().chat.completions.create(request);
  const [choice] = answer.choices;
  const calls = (choice.message.tool_calls ?? []).map((call) => ({ id: call.id, ...call.function }));
  return { text: choice.message.content, calls, finish: choice.finish_reason, usage: answer.usage };
}

async function twoSteps(model, stream) {
  const messages = user(checks.weather(stream));
  const forced = small(model) ? { tool_choice: "required", parallel_tool_calls: false } : {};
  const first = await askWithTools(model, messages, stream, forced);
  assert.equal(first.finish, "tool_calls", JSON.stringify(first));
  assert.equal(first.calls.length, 1);
  const { id, name, arguments: given } = first.calls[0];
  checks.requireCall(model, id, name, JSON.parse(given));
  counted(first.usage);
  messages.push(
    { role: "assistant", content: null, tool_calls: [{ id, type: "function", function: { name, arguments: given } }] },
    { role: "tool", tool_call_id: id, content: checks.TOOL_RESULT },
  );
  const second = await askWithTools(model, messages, stream);
  assert.ok(["stop", "length"].includes(second.finish) && second.calls.length === 0, JSON.stringify(second));
  checks.requireAnswer(model, second.text);
  counted(second.usage);
}

const tools = (model) => ({ plain: () => twoSteps(model, false), streamed: () => twoSteps(model, true) });

const schema = (model) => ({
  parsed: async () => {
    const request = { model, messages: user(checks.asJson()), response_format: FORMAT, ...SAMPLING };
    const answer = await new OpenAI().chat.completions.parse(request);
    checks.requireWeather(model, answer.choices[0].message.parsed);
    counted(answer.usage);
  },
  "parsed stream": async () => {
    const request = { model, messages: user(checks.asJson(true)), response_format: FORMAT, ...SAMPLING };
    const stream = new OpenAI().chat.completions.stream({ ...request, stream_options: { include_usage: true } });
    const answer = await stream.finalChatCompletion();
    checks.requireWeather(model, answer.choices[0].message.parsed);
    counted(answer.usage);
  },
});

const image = (model) => ({
  input: async () => {
    const content = [
      { type: "text", text: checks.picture() },
      { type: "image_url", image_url: { url: checks.PIXEL_URL } },
    ];
    const answer = await new OpenAI().chat.completions.create({ model, messages: user(content), max_tokens: 16 });
    assert.equal(answer.choices[0].message.content, "A single pixel.");
    counted(answer.usage);
  },
});

const demo = (model) => ({
  "models list": async () => {
    const found = await checks.collected(new OpenAI().models.list());
    assert.ok(found.length > 0 && found.every((entry) => entry.id && entry.object === "model"));
  },
  "structured output is accepted": async () => {
    const request = { model, messages: user(checks.asJson()), response_format: FORMAT };
    const answer = await new OpenAI().chat.completions.create(request);
    assert.ok(answer.choices[0].message.content, "no text");
  },
  "two choices": async () => {
    const request = { model, messages: user(checks.prompt("Twice")), n: 2, max_tokens: 8 };
    const answer = await new OpenAI().chat.completions.create(request);
    assert.deepEqual(answer.choices.map((choice) => choice.index), [0, 1]);
  },
  "exact cache hit": async () => {
    const client = new OpenAI();
    const request = { model, messages: user(checks.prompt("Again")), temperature: 0 };
    const first = await client.chat.completions.create(request).withResponse();
    const again = await client.chat.completions.create(request).withResponse();
    const states = [first, again].map(({ response }) => response.headers.get("x-tollgate-cache"));
    assert.deepEqual(states, ["miss", "exact"]);
    const kept = first.data.choices[0].message.content;
    assert.ok(kept, "no text");
    assert.equal(again.data.choices[0].message.content, kept);
    const replay = await collect(client.chat.completions.create({ ...request, stream: true }));
    assert.equal(replay.text, kept);
    assert.equal(replay.finish, "stop");
  },
});

const ask = (sdk, request) =>
  sdk.chat.completions.create({ messages: user(`An error for ${CLIENT}`), ...request });

const errors = (model) => ({
  ...common.errors(ask, model, "max_tokens"),
  "cut stream is APIError": async () => {
    const counter = counting(OpenAI);
    let seen = "";
    await expectError(OpenAI.APIError, async () => {
      for await (const chunk of await ask(counter.sdk, { model: "demo/cut-3", stream: true })) {
        for (const choice of chunk.choices) {
          if (choice.finish_reason) return `a made up finish_reason ${choice.finish_reason}`;
          seen += choice.delta.content ?? "";
        }
      }
      return "a stream that ended well";
    });
    assert.ok(seen, "no text before the cut");
    assert.equal(counter.sent, 1);
  },
});

const quota = (model) => common.quota(ask, model, "max_tokens");

await checks.run({ text, tools, schema, image, demo, errors, quota });
