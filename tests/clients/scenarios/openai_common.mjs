// How the OpenAI Node SDK must report what is refused, whichever of its routes is asked.

import assert from "node:assert/strict";
import OpenAI from "openai";
import * as checks from "./checks.mjs";

// The error of a request that must fail as `kind` at the first attempt; `ask` sends it with the SDK it is given.
async function refused(kind, ask, request, options) {
  const counter = checks.counting(OpenAI, options);
  const error = await checks.expectError(kind, () => ask(counter.sdk, request));
  assert.equal(counter.sent, 1);
  return error;
}

export const errors = (ask, model, limit) => ({
  "bad key is AuthenticationError": async () => {
    await refused(OpenAI.AuthenticationError, ask, { model }, { apiKey: checks.UNKNOWN_KEY });
  },
  "unknown model is NotFoundError": async () => {
    const error = await refused(OpenAI.NotFoundError, ask, { model: checks.UNKNOWN_MODEL });
    assert.ok(error.message.includes(checks.UNKNOWN_MODEL), error.message);
  },
  "bad field is BadRequestError": async () => {
    const error = await refused(OpenAI.BadRequestError, ask, { model, [limit]: -1 });
    assert.equal(error.param, limit);
  },
});

export function quota(ask, model, limit) {
  const tooDear = async (stream) => {
    const error = await refused(OpenAI.APIError, ask, { model, stream, [limit]: 64 });
    assert.equal(error.status, 402);
    assert.equal(error.code, "quota_exceeded");
  };
  return { "402, once": () => tooDear(false), "streamed 402, once": () => tooDear(true) };
}
