// What the AI SDK does alike over each of its providers: text, tools in several steps, output of a schema.

import assert from "node:assert/strict";
import { generateObject, generateText, Output, stepCountIs, streamText, tool } from "ai";
import { z } from "zod";
import * as checks from "./checks.mjs";
import { small } from "./checks.mjs";

// What a request of either kind comes to: the steps, each with its usage, and the final text.
async function generated(request) {
  const { text, steps, output } = await generateText({ maxRetries: 0, temperature: 0, ...request });
  return noted({ text, steps, output: request.output && output });
}

async function streamed(request) {
  const failures = [];
  const onError = ({ error }) => failures.push(error);
  const stream = streamText({ maxRetries: 0, temperature: 0, ...request, onError });
  const deltas = await checks.collected(stream.textStream);
  // The SDK tells the caller of a faulty stream by this hook only.
  if (failures.length > 0) throw failures[0];
  const [text, steps] = [await stream.text, await stream.steps];
  return noted({ text, steps, deltas, output: request.output && (await stream.output) });
}

function noted(answer) {
  for (const { usage } of answer.steps) {
    checks.used(usage.inputTokens, usage.inputTokenDetails?.cacheReadTokens, usage.outputTokens);
  }
  return answer;
}

export const text = (make, model) => ({
  generateText: async () => {
    const answer = await generated({ model: make(model), prompt: checks.hello(false), maxOutputTokens: 24 });
    checks.requireHello(model, answer.text);
  },
});

export const textStream = (make, model) => ({
  streamText: async () => {
    const request = { system: checks.SYSTEM, prompt: checks.hello(true), maxOutputTokens: 24 };
    const answer = await streamed({ model: make(model), ...request });
    assert.ok(answer.deltas.length > 1, `not a stream of text: ${answer.deltas}`);
    assert.equal(answer.deltas.join(""), answer.text);
    checks.requireHello(model, answer.text);
  },
});

// The SDK calls the tool and asks again by itself; only the first step is made to call.
async function agent(make, model, ask, providerOptions) {
  const asked = [];
  const get_weather = tool({
    description: checks.TOOL_TEXT,
    inputSchema: z.object({ city: z.string() }),
    execute: async (input, { toolCallId }) => {
      asked.push({ input, toolCallId });
      return checks.TOOL_RESULT;
    },
  });
  const forced = {
    providerOptions,
    toolChoice: "required",
    prepareStep: ({ stepNumber }) => (stepNumber > 0 ? { toolChoice: "auto" } : {}),
  };
  const answer = await ask({
    model: make(model),
    prompt: checks.weather(ask === streamed),
    tools: { get_weather },
    stopWhen: stepCountIs(3),
    maxOutputTokens: 64,
    ...(small(model) ? forced : {}),
  });
  assert.equal(asked.length, 1, JSON.stringify(asked));
  checks.requireCall(model, asked[0].toolCallId, checks.TOOL, asked[0].input);
  assert.deepEqual(answer.steps.map(({ toolCalls }) => toolCalls.length), [1, 0]);
  checks.requireAnswer(model, answer.text);
}

export const tools = (make, model, options) => ({
  generateText: () => agent(make, model, generated, options),
});

export const toolsStream = (make, model, options) => ({
  streamText: () => agent(make, model, streamed, options),
});

export const schema = (make, model) => ({
  generateObject: async () => {
    const request = { model: make(model), schema: checks.Weather, prompt: checks.asJson(), maxOutputTokens: 64 };
    const { object, usage } = await generateObject({ ...request, maxRetries: 0, temperature: 0 });
    noted({ steps: [{ usage }] });
    checks.requireWeather(model, object);
  },
  "output of generateText": () => output(make, model, generated),
  "output of streamText": () => output(make, model, streamed),
});

async function output(make, model, ask) {
  const question = `${checks.asJson(ask === streamed)} As output.`;
  const request = { model: make(model), prompt: question, maxOutputTokens: 64 };
  const answer = await ask({ ...request, output: Output.object({ schema: checks.Weather }) });
  checks.requireWeather(model, answer.output);
}

export const image = (make, model) => ({
  input: async () => {
    const content = [
      { type: "text", text: checks.picture() },
      { type: "image", image: checks.PIXEL, mediaType: "image/png" },
    ];
    const answer = await generated({ model: make(model), messages: checks.user(content), maxOutputTokens: 16 });
    assert.equal(answer.text, "A single pixel.");
  },
});
