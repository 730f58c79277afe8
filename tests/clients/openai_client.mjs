// Drives the stock OpenAI Node SDK through one scenario and prints one JSON line per check.
//
//     node openai_client.mjs SCENARIO MODEL     scenarios: text tools schema image demo errors quota
//
// The endpoint and the key come from OPENAI_BASE_URL and OPENAI_API_KEY, as the SDK itself reads them.

import assert from "node:assert/strict";
import OpenAI from "openai";

const ASSISTANT = "Node";
const WEATHER = {
  type: "function",
  function: {
    name: "get_weather",
    description: "The weather in a city",
    parameters: { type: "object", properties: { city: { type: "string" } }, required: ["city"] },
  },
};
const SCHEMA = {
  type: "json_schema",
  json_schema: {
    name: "weather",
    strict: true,
    schema: {
      type: "object",
      properties: { city: { type: "string" }, degrees: { type: "integer" } },
      required: ["city", "degrees"],
      additionalProperties: false,
    },
  },
};
const PIXEL =
  "data:image/png;base64," +
  "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNkYPhfDwAChwGA60e6kgAAAABJRU5ErkJggg==";

const user = (text) => [{ role: "user", content: text }];

// The SDK's documented fetch option, which counts what really left the process.
function countingClient(options = {}) {
  const counter = { sent: 0 };
  counter.sdk = new OpenAI({
    ...options,
    fetch: (...args) => {
      counter.sent += 1;
      return fetch(...args);
    },
  });
  return counter;
}

function counted(usage) {
  assert.ok(usage, "the answer has no usage");
  assert.ok(usage.prompt_tokens > 0 && usage.completion_tokens > 0, `usage is empty: ${JSON.stringify(usage)}`);
  assert.equal(usage.total_tokens, usage.prompt_tokens + usage.completion_tokens, "usage does not add up");
  const cached = usage.prompt_tokens_details?.cached_tokens ?? 0;
  return { input: usage.prompt_tokens, cached, output: usage.completion_tokens };
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

const textScenario = (client, model) => ({
  "plain chat": async () => {
    const answer = await client.chat.completions.create({
      model,
      messages: user(`Say hello to ${ASSISTANT}.`),
      max_tokens: 24,
      temperature: 0,
    });
    const [choice] = answer.choices;
    assert.equal(choice.message.role, "assistant");
    assert.ok(choice.message.content, "no text");
    assert.ok(["stop", "length"].includes(choice.finish_reason), `finish_reason is ${choice.finish_reason}`);
    assert.ok(answer.id && answer.created && answer.model, "id, created or model is missing");
    return { usage: counted(answer.usage), text: choice.message.content };
  },
  "streamed chat": async () => {
    const whole = await collect(
      client.chat.completions.create({
        model,
        messages: user(`Say hello to ${ASSISTANT}, and then to the streams.`),
        max_completion_tokens: 32,
        temperature: 0,
        stream: true,
        stream_options: { include_usage: true },
      }),
    );
    assert.ok(whole.text && whole.deltas > 1, `not a stream of text: ${JSON.stringify(whole)}`);
    assert.ok(["stop", "length"].includes(whole.finish), `finish_reason is ${whole.finish}`);
    return { usage: counted(whole.usage), text: whole.text };
  },
});

async function askWithTools(client, model, messages, stream) {
  const request = { model, messages, tools: [WEATHER], max_tokens: 64 };
  if (stream) {
    return collect(
      client.chat.completions.create({ ...request, stream: true, stream_options: { include_usage: true } }),
    );
  }
  const answer = await client.chat.completions.create(request);
  const [choice] = answer.choices;
  const calls = (choice.message.tool_calls ?? []).map((call) => ({ id: call.id, ...call.function }));
  return { text: choice.message.content, calls, finish: choice.finish_reason, usage: answer.usage };
}

async function twoSteps(client, model, stream) {
  const messages = user(`What is the weather in Oslo, ${ASSISTANT}${stream ? " in a stream" : ""}?`);
  const first = await askWithTools(client, model, messages, stream);
  assert.equal(first.finish, "tool_calls", JSON.stringify(first));
  assert.equal(first.calls.length, 1);
  const { id, name, arguments: given } = first.calls[0];
  assert.ok(id, "the call has no id");
  assert.equal(name, "get_weather");
  assert.equal(typeof JSON.parse(given), "object");
  counted(first.usage);
  messages.push(
    { role: "assistant", content: null, tool_calls: [{ id, type: "function", function: { name, arguments: given } }] },
    { role: "tool", tool_call_id: id, content: "7 degrees, dry" },
  );
  const second = await askWithTools(client, model, messages, stream);
  assert.equal(second.finish, "stop", JSON.stringify(second));
  assert.ok(second.text && second.calls.length === 0, JSON.stringify(second));
}

const toolsScenario = (client, model) => ({
  "plain tool call": () => twoSteps(client, model, false),
  "streamed tool call": () => twoSteps(client, model, true),
});

const schemaScenario = (client, model) => ({
  "structured output": async () => {
    const messages = user(`The weather in Oslo as JSON, ${ASSISTANT}`);
    const answer = await client.chat.completions.parse({ model, messages, response_format: SCHEMA });
    assert.deepEqual(JSON.parse(answer.choices[0].message.content), { city: "Oslo", degrees: 7 });
  },
});

const imageScenario = (client, model) => ({
  "image input": async () => {
    const content = [
      { type: "text", text: `What is in the picture, ${ASSISTANT}?` },
      { type: "image_url", image_url: { url: PIXEL } },
    ];
    const answer = await client.chat.completions.create({ model, messages: [{ role: "user", content }] });
    assert.equal(answer.choices[0].message.content, "A single pixel.");
  },
});

const demoScenario = (client, model) => ({
  "models list": async () => {
    const found = [];
    for await (const entry of client.models.list()) found.push(entry);
    assert.ok(found.length > 0 && found.every((entry) => entry.id && entry.object === "model"));
  },
  "structured output is accepted": async () => {
    const messages = user(`The weather, ${ASSISTANT}`);
    const answer = await client.chat.completions.create({ model, messages, response_format: SCHEMA });
    assert.ok(answer.choices[0].message.content, "no text");
  },
  "two choices": async () => {
    const messages = user(`Twice, ${ASSISTANT}`);
    const answer = await client.chat.completions.create({ model, messages, n: 2, max_tokens: 8 });
    assert.deepEqual(answer.choices.map((choice) => choice.index), [0, 1]);
  },
  "exact cache hit": async () => {
    const request = { model, messages: user(`Again, ${ASSISTANT}`), temperature: 0 };
    const first = await client.chat.completions.create(request).withResponse();
    const again = await client.chat.completions.create(request).withResponse();
    const states = [first, again].map(({ response }) => response.headers.get("x-tollgate-cache"));
    assert.deepEqual(states, ["miss", "exact"]);
    const text = first.data.choices[0].message.content;
    assert.ok(text, "no text");
    assert.equal(again.data.choices[0].message.content, text);
    const replay = await collect(client.chat.completions.create({ ...request, stream: true }));
    assert.equal(replay.text, text);
    assert.equal(replay.finish, "stop");
  },
});

async function expectError(kind, body) {
  let answer;
  try {
    answer = await body();
  } catch (error) {
    assert.ok(error instanceof kind, `expected ${kind.name}, got ${error?.constructor?.name}: ${error?.message}`);
    return error;
  }
  throw new assert.AssertionError({ message: `expected ${kind.name}, got ${JSON.stringify(answer)}` });
}

const errorsScenario = (_client, model) => {
  const ask = (counter, request) =>
    counter.sdk.chat.completions.create({ messages: user(`An error for ${ASSISTANT}`), ...request });
  return {
    "bad key is AuthenticationError": async () => {
      const counter = countingClient({ apiKey: "tg_unknown_0000000000000000" });
      await expectError(OpenAI.AuthenticationError, () => ask(counter, { model }));
      assert.equal(counter.sent, 1);
    },
    "unknown model is NotFoundError": async () => {
      const counter = countingClient();
      const error = await expectError(OpenAI.NotFoundError, () => ask(counter, { model: "demo-nowhere/none" }));
      assert.match(error.message, /demo-nowhere\/none/);
      assert.equal(counter.sent, 1);
    },
    "bad field is BadRequestError": async () => {
      const counter = countingClient();
      const error = await expectError(OpenAI.BadRequestError, () => ask(counter, { model, max_tokens: -1 }));
      assert.equal(error.param, "max_tokens");
      assert.equal(counter.sent, 1);
    },
    "cut stream is APIError": async () => {
      const counter = countingClient();
      let text = "";
      await expectError(OpenAI.APIError, async () => {
        for await (const chunk of await ask(counter, { model: "demo/cut-3", stream: true })) {
          for (const choice of chunk.choices) {
            if (choice.finish_reason) return `a made up finish_reason ${choice.finish_reason}`;
            text += choice.delta.content ?? "";
          }
        }
        return "a stream that ended well";
      });
      assert.ok(text, "no text before the cut");
      assert.equal(counter.sent, 1);
    },
  };
};

const quotaScenario = (_client, model) => {
  const refused = async (stream) => {
    const counter = countingClient();
    const messages = user(`Too dear, ${ASSISTANT}`);
    const error = await expectError(OpenAI.APIError, () =>
      counter.sdk.chat.completions.create({ model, messages, max_tokens: 64, stream }),
    );
    assert.equal(error.status, 402);
    assert.equal(error.code, "quota_exceeded");
    assert.equal(counter.sent, 1);
  };
  return {
    "quota is 402, once": () => refused(false),
    "streamed quota is 402, once": () => refused(true),
  };
};

const SCENARIOS = {
  text: textScenario,
  tools: toolsScenario,
  schema: schemaScenario,
  image: imageScenario,
  demo: demoScenario,
  errors: errorsScenario,
  quota: quotaScenario,
};

const [scenario, model] = process.argv.slice(2);
for (const [check, body] of Object.entries(SCENARIOS[scenario](new OpenAI(), model))) {
  let result = { check, ok: true };
  try {
    result = { ...result, ...(await body()) };
  } catch (error) {
    result = { ...result, ok: false, error: `${error?.name}: ${error?.message}` };
  }
  console.log(JSON.stringify(result));
}
