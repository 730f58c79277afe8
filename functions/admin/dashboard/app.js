// The dashboard: signs in, asks for the figures every few seconds while somebody looks, and draws what
// has changed.

import * as api from "./api.js";
import { resize } from "./charts.js";
import { byId, complain, say } from "./dom.js";
import * as forms from "./forms.js";
import * as sections from "./sections.js";

const EVERY = 5_000;

let view = null;
let allKeys = [];
let timer = null;
let asking = false;
let again = false;

const days = () => Number(byId("days").value);

/** Lets the browser breathe between two parts of the page. */
const breath = () => new Promise((resolve) => setTimeout(resolve));

async function draw() {
  for (const part of [
    sections.glance,
    ...sections.drawings,
    sections.latencies,
    sections.breakers,
    (now) => sections.budgets(now, change),
    (now) => sections.alerts(now, acknowledge),
    sections.models,
    sections.spenders,
  ]) {
    part(view);
    await breath();
  }
}

const drawKeys = () =>
  sections.keys(allKeys, byId("key-filter").value, {
    change: (key) => change({ scope: "key", id: key.id, name: key.name }),
    revoke: (key) => forms.revoke(key, refreshAll),
  });

function change(row) {
  forms.changeBudget(row, refreshAll).catch(fail);
}

function acknowledge(alert) {
  api.acknowledge(alert.id).then(refresh).catch(fail);
}

function live(state, text) {
  const element = byId("live");
  element.dataset.state = state;
  element.textContent = text;
}

function fail(refused) {
  if (refused.status === 401) return leave("The session is over. Sign in again.");
  complain(refused.message);
  live("late", "not up to date");
}

async function refresh() {
  if (asking) {
    again = true;
    return;
  }
  asking = true;
  clearTimeout(timer);
  try {
    const found = await api.overview(days());
    if (found) {
      view = found;
      await draw();
    }
    complain(null);
    const missing = view.days - view.daysRead;
    live("live", missing > 0 ? `reading ${missing} older days` : "live");
  } catch (refused) {
    fail(refused);
  } finally {
    asking = false;
  }
  if (again) {
    again = false;
    return refresh();
  }
  if (!document.hidden && !byId("board").hidden) timer = setTimeout(refresh, view && view.daysRead < view.days ? 200 : EVERY);
}

async function refreshKeys() {
  try {
    allKeys = await api.keys();
    await breath();
    drawKeys();
  } catch (refused) {
    fail(refused);
  }
}

const refreshAll = () => Promise.all([refresh(), refreshKeys()]);

function enter() {
  byId("sign-in").hidden = true;
  for (const id of ["board", "tools"]) byId(id).hidden = false;
  complain(null);
  return refreshAll();
}

function leave(why) {
  clearTimeout(timer);
  view = null;
  byId("dialog").close();
  for (const id of ["board", "tools"]) byId(id).hidden = true;
  byId("sign-in").hidden = false;
  complain(why);
  byId("admin-key").focus();
}

async function signIn(event) {
  event.preventDefault();
  const fault = byId("sign-in-fault");
  const button = event.submitter ?? byId("sign-in-form").querySelector("button");
  fault.hidden = true;
  button.disabled = true;
  try {
    await api.signIn(byId("admin-key").value);
    byId("sign-in-form").reset();
    await enter();
    byId("main").focus({ preventScroll: true });
    say("Signed in.");
  } catch (refused) {
    fault.textContent = refused.status === 401 ? "This is not the admin key." : refused.message;
    fault.hidden = false;
  } finally {
    button.disabled = false;
  }
}

byId("sign-in-form").addEventListener("submit", signIn);
byId("sign-out").addEventListener("click", async () => {
  await api.signOut();
  leave(null);
});
byId("days").addEventListener("change", refresh);
byId("new-key").addEventListener("click", () => forms.newKey(refreshAll));
byId("key-filter").addEventListener("input", drawKeys);
document.addEventListener("visibilitychange", () => {
  clearTimeout(timer);
  if (!document.hidden && !byId("board").hidden) refresh();
});
// What it showed, a new key among it, is gone with it.
byId("dialog").addEventListener("close", () => byId("dialog").replaceChildren());
addEventListener("resize", resize);
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => view && sections.drawings.forEach((drawing) => drawing(view)));

try {
  if (await api.resume()) await enter();
  else leave(null);
} catch (refused) {
  leave(refused.message);
}
