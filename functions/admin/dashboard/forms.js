// What an admin changes: keys are made and revoked, budgets are set.

import * as api from "./api.js";
import { byId, fill, h, say } from "./dom.js";

const PERIODS = ["minute", "hour", "day", "month", "total"];

/** A dialog with a form; `send` is given the fields and closes it by returning nothing, or more to show. */
function ask({ title, fields, action, bad, send }) {
  const dialog = byId("dialog");
  const fault = h("p", { class: "fault", role: "alert", hidden: true });
  const submit = h("button", { type: "submit", class: bad ? "bad" : "main" }, action);
  const cancel = h("button", { type: "button", on: { click: () => dialog.close() } }, "Cancel");
  const form = h("form", {}, fields, fault, h("div", { class: "buttons" }, cancel, submit));
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    submit.disabled = true;
    fault.hidden = true;
    try {
      const more = await send(Object.fromEntries(new FormData(form)));
      if (more) fill(dialog, more);
      else dialog.close();
    } catch (refused) {
      fault.textContent = refused.message;
      fault.hidden = false;
    } finally {
      submit.disabled = false;
    }
  });
  fill(dialog, h("h2", { id: "dialog-title" }, title), form);
  dialog.showModal();
}

function field(id, label, attributes) {
  return [h("label", { for: id }, label), h("input", { id, name: id, autocomplete: "off", spellcheck: "false", ...attributes })];
}

function choice(id, label, values, chosen) {
  const options = values.map((value) => h("option", { value, selected: value === chosen }, value));
  return [h("label", { for: id }, label), h("select", { id, name: id }, options)];
}

const AMOUNT = { inputmode: "decimal", pattern: "[0-9]+([.][0-9]+)?", title: "dollars, such as 12.50" };

export function newKey(done) {
  ask({
    title: "New key",
    action: "Create",
    fields: [
      field("name", "Name", { required: true, maxlength: "128" }),
      field("tenant", "Tenant", { value: "default", required: true, maxlength: "128" }),
      field("team", "Team (may be empty)", { maxlength: "128" }),
      field("budgetUsd", "Budget in dollars (empty for none)", AMOUNT),
      choice("period", "Budget period", PERIODS, "month"),
      field("models", "Models, separated by commas (empty for all)", {}),
    ],
    send: async (given) => {
      const fields = { name: given.name, tenant: given.tenant };
      if (given.team) fields.team = given.team;
      if (given.budgetUsd) Object.assign(fields, { budgetUsd: given.budgetUsd, period: given.period });
      if (given.models.trim()) fields.models = given.models.split(",").map((model) => model.trim());
      const made = await api.createKey(fields);
      done();
      return shown(made);
    },
  });
}

/** The one time that a key is seen. */
function shown(made) {
  const dialog = byId("dialog");
  const copied = h("p", { class: "hint", role: "status" });
  const copy = async () => {
    try {
      await navigator.clipboard.writeText(made.key);
      copied.textContent = "Copied.";
    } catch {
      copied.textContent = "The browser does not let the page copy; select the key and copy it.";
    }
  };
  return [
    h("h2", { id: "dialog-title" }, `The key ${made.name}`),
    h("p", {}, "This is the only time that it is shown; the gateway keeps no copy that could be read."),
    h("code", { class: "secret", id: "made-key" }, made.key),
    copied,
    h(
      "div",
      { class: "buttons" },
      h("button", { type: "button", class: "main", on: { click: copy } }, "Copy"),
      h("button", { type: "button", on: { click: () => dialog.close() } }, "Done"),
    ),
  ];
}

export function revoke(key, done) {
  ask({
    title: `Revoke the key ${key.name}?`,
    action: "Revoke",
    bad: true,
    fields: h("p", {}, "Requests with it are refused within a minute, and it cannot be brought back."),
    send: async () => {
      await api.revokeKey(key.id);
      say(`The key ${key.name} is revoked.`);
      done();
    },
  });
}

/** What is not changed is sent as it was: setting a budget replaces the whole of it. */
function kept(policy) {
  const fields = { state: policy.state, budgets: policy.budgets.map(({ period, capUsd }) => ({ period, capUsd })) };
  for (const name of ["rpm", "tpm", "concurrency"]) {
    if (policy[name] !== null) fields[name] = policy[name];
  }
  if (policy.shards > 1) fields.shards = policy.shards;
  return fields;
}

export async function changeBudget(row, done) {
  const of = { scope: row.scope, id: row.id, tenant: row.tenant };
  const standing = await api.budget(of);
  ask({
    title: `Budget of ${row.name ?? row.id}`,
    action: "Save",
    fields: [
      standing.budgets.map(({ period, capUsd }) => field(`cap-${period}`, `Dollars a ${period}`, { ...AMOUNT, value: capUsd, required: true })),
      standing.budgets.length > 0 ? [] : [field("budgetUsd", "Budget in dollars (empty for none)", AMOUNT), choice("period", "Budget period", PERIODS, "month")],
      choice("state", "State", ["active", "throttled", "stopped"], standing.state),
    ],
    send: async (given) => {
      const fields = kept(standing);
      fields.state = given.state;
      for (const budget of fields.budgets) budget.capUsd = given[`cap-${budget.period}`];
      if (given.budgetUsd) fields.budgets = [{ period: given.period, capUsd: given.budgetUsd }];
      for (const nested of ["eachUser", "eachSession"]) {
        if (standing[nested]) fields[nested] = kept(standing[nested]);
      }
      if (of.tenant) fields.tenant = of.tenant;
      await api.setBudget(of, fields);
      say(`The budget of ${row.name ?? row.id} is changed.`);
      done();
    },
  });
}
