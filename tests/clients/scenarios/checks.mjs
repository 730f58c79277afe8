// What the Node scenarios share: prompts, checks, the usage they saw, and the loop that prints a JSON line a check.
//
//     node CLIENT.mjs MODEL SCENARIO...
//
// Endpoints and keys come from the environment, as each SDK itself reads them.

import assert from "node:assert/strict";
import { basename } from "node:path";
import { z } from "zod";

// Part of every prompt, so that no client is answered from the exact cache of another.
export const CLIENT = basename(process.argv[1], ".mjs") + " in Node";
export const SYSTEM = "You are brief.";
export const TOOL = "get_weather";
export const TOOL_TEXT = "The weather in a city";
export const TOOL_PARAMETERS = {
  type: "object",
  properties: { city: { type: "string" } },
  required: ["city"],
  additionalProperties: false,
};
export const TOOL_RESULT = "7 degrees, dry";
export const PIXEL =
  "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNkYPhfDwAChwGA60e6kgAAAABJRU5ErkJggg==";
export const PIXEL_URL = `data:image/png;base64,${PIXEL}`;
export const UNKNOWN_KEY = "tg_unknown_0000000000000000";
export const UNKNOWN_MODEL = "demo-nowhere/none";
export const Weather = z.object({ city: z.string(), degrees: z.number().int() });

export const user = (content) => [{ role: "user", content }];
let prompts = 0;
// Numbered, so that no route is answered from the exact cache of another.
export const prompt = (text, stream = false) => `${text}, ${CLIENT} ${++prompts}${stream ? " in a stream" : ""}?`;
export const hello = (stream) => prompt("Say hello", stream);
export const weather = (stream) => prompt("What is the weather in Oslo", stream);
export const asJson = (stream = false) => prompt("The weather in Oslo as JSON", stream);
export const riddle = (stream) => prompt("Think aloud: which is more, six or seven", stream);
export const picture = () => prompt("What is in the picture");

// Whether this is the real model, which calls a tool only when made to.
export const small = (model) => model.endsWith("smollm2");
// Whether the words of aimock.json are what must come back.
const known = (model) => !small(model) && !model.startsWith("demo/");

let usages = [];

// Notes the usage of one request, for the audit to judge: `input` includes what was `cached`.
export function used(input, cached, output) {
  usages.push({ input, cached: cached ?? 0, output });
}

export function requireHello(model, text) {
  assert.ok(text, "no text");
  if (known(model)) assert.match(text, /^Hello from/);
}

export function requireCall(model, id, name, input) {
  assert.ok(id, "the call has no id");
  assert.equal(name, TOOL);
  assert.equal(typeof input.city, "string", JSON.stringify(input));
  if (known(model)) assert.deepEqual(input, { city: "Oslo" });
}

export function requireAnswer(model, text) {
  assert.ok(text, "no final answer");
  if (known(model)) assert.equal(text, "It is 7 degrees in Oslo.");
}

export function requireWeather(model, found) {
  Weather.parse(found);
  if (known(model)) assert.deepEqual(found, { city: "Oslo", degrees: 7 });
}

// A stock SDK with its documented fetch option, which counts what really left the process.
export function counting(Sdk, options = {}) {
  const counter = { sent: 0 };
  counter.sdk = new Sdk({
    ...options,
    fetch: (...args) => {
      counter.sent += 1;
      return fetch(...args);
    },
  });
  return counter;
}

export async function expectError(kind, body) {
  let answer;
  try {
    answer = await body();
  } catch (error) {
    assert.ok(error instanceof kind, `expected ${kind.name}, got ${error?.constructor?.name}: ${error?.message}`);
    return error;
  }
  throw new assert.AssertionError({ message: `expected ${kind.name}, got ${JSON.stringify(answer)}` });
}

export async function collected(stream) {
  const events = [];
  for await (const event of await stream) events.push(event);
  return events;
}

export async function run(scenarios) {
  const [model, ...names] = process.argv.slice(2);
  for (const scenario of names) {
    for (const [name, check] of Object.entries(scenarios[scenario](model))) {
      usages = [];
      const result = { check: `${scenario}: ${name}` };
      try {
        await check();
      } catch (error) {
        result.error = `${error?.name}: ${error?.message}`;
      }
      console.log(JSON.stringify({ ...result, usages }));
    }
  }
}
