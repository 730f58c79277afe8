// The parts of the page, each drawn from the figures it shows.

import * as charts from "./charts.js";
import { byId, fill, h, say, table } from "./dom.js";
import { at, compact, count, day, duration, percent, usd } from "./format.js";

const exact = (text, shown) => h("span", { title: text === null || text === undefined ? null : `$${text}` }, shown);
const money = (text) => exact(text, usd(text));

function tile(name, figure, more) {
  return h("div", { class: "tile", data: { tile: name } }, h("dt", {}, name), h("dd", { class: "figure" }, figure), h("dd", { class: "more" }, more));
}

export function glance(view) {
  const { today, total, latency } = view;
  const tokens = (totals) => totals.inputTokens + totals.outputTokens;
  const range = view.days === 1 ? "today" : `in ${view.days} days`;
  const hits = total.cache.exact + total.cache.semantic;
  fill(
    byId("tiles"),
    tile("Spend today", money(today.costUsd), [money(total.costUsd), ` ${range}`]),
    tile("Requests today", count(today.requests), `${compact(total.requests)} ${range}`),
    tile("Tokens today", compact(tokens(today)), `${compact(tokens(total))} ${range}`),
    tile("Cache hits", charts.ratio(total.cache), `${compact(hits)} hits, ${compact(total.cache.semantic)} of near questions`),
    tile("Fallbacks", percent(total.fallbacks, total.requests), `${compact(total.fallbacks)} requests`),
    tile("Gateway time, p95", duration(latency.gateway.p95), `p50 ${duration(latency.gateway.p50)}`),
  );
}

/** Each is drawn by itself, so that none makes the page wait for the others. */
export const drawings = [
  (view) => charts.spend(byId("spend-chart"), view.series, new Map(view.models.map((row) => [row.model, row.costUsd]))),
  (view) => charts.requests(byId("requests-chart"), view.series),
  (view) => charts.tokens(byId("tokens-chart"), view.series),
];

export function latencies(view) {
  const rows = [
    ["Gateway itself", view.latency.gateway],
    ["First token", view.latency.firstToken],
    ["Whole answer", view.latency.total],
  ];
  const columns = [
    { title: "Time", cell: ([name]) => name },
    ...["p50", "p95", "p99"].map((of) => ({ title: of, kind: "number", cell: ([, times]) => duration(times[of]) })),
  ];
  fill(byId("latency"), table("Latency", columns, rows, ""));
}

const CIRCUITS = { closed: ["good", "closed"], probing: ["warn", "probing"], open: ["bad", "open"] };

export function breakers(view) {
  const columns = [
    { title: "Circuit", cell: (row) => row.model },
    {
      title: "State",
      cell: (row) => {
        const [level, name] = CIRCUITS[row.state];
        return h("span", { class: "state", data: { level } }, name, row.until ? ` until ${at(row.until)}` : "");
      },
    },
    { title: "Failures", kind: "number", cell: (row) => count(row.failures) },
  ];
  fill(byId("breakers"), table("Circuit breakers", columns, view.breakers, "No model was asked yet."));
}

const STATES = { active: "good", throttled: "warn", stopped: "bad" };

export const state = (name) => h("span", { class: "state", data: { level: STATES[name] ?? "warn" } }, name);

function gauge(budget) {
  const cap = Number(budget.capUsd);
  const share = (amount) => (cap > 0 ? Math.min(1, Math.max(0, Number(amount ?? 0) / cap)) : 1);
  const spent = share(budget.spentUsd);
  const level = spent >= 1 ? "full" : spent >= 0.8 ? "high" : "low";
  const held = Math.min(1 - spent, share(budget.heldUsd));
  return h("div", { class: "gauge", data: { level } }, h("span", { width: `${100 * spent}%` }), h("span", { class: "held", width: `${100 * held}%` }));
}

export function budgets(view, change) {
  const rows = view.budgets.flatMap((row) => row.budgets.map((budget) => ({ row, budget })));
  const columns = [
    {
      title: "Scope",
      cell: ({ row }) => [row.name ?? row.id, h("div", { class: "sub" }, [row.scope, row.tenant].filter(Boolean).join(" of "), row.state === "active" ? "" : ", ", row.state === "active" ? "" : state(row.state))],
    },
    {
      title: "Spent of cap",
      cell: ({ budget }) => [
        money(budget.spentUsd ?? "0"), " of ", money(budget.capUsd), ` a ${budget.period}`,
        gauge(budget),
        h("div", { class: "sub" }, [
          percent(Number(budget.spentUsd ?? 0), Number(budget.capUsd)), " spent",
          Number(budget.heldUsd ?? 0) > 0 ? `, ${usd(budget.heldUsd)} held` : "",
        ].join("")),
      ],
    },
    {
      title: "",
      kind: "act",
      cell: ({ row }) =>
        h("button", { type: "button", data: { focus: `budget-${row.scope}-${row.tenant ?? ""}-${row.id}` }, "aria-label": `Change the budget of ${row.name ?? row.id}`, on: { click: () => change(row) } }, "Change"),
    },
  ];
  const more = view.moreBudgets > 0 ? h("p", { class: "sub" }, `${count(view.moreBudgets)} more keys have budgets; those that spend most are shown.`) : [];
  fill(byId("budgets"), table("Budgets", columns, rows, "No budget is set. Give a key one, or set one for a tenant, a team or a user."), more);
}

function rest(more, what) {
  return more.count > 0 ? h("p", { class: "sub" }, `${count(more.count)} more ${what} cost `, money(more.costUsd)) : [];
}

const USED = [
  { title: "Spend", kind: "number", cell: (row) => money(row.costUsd) },
  { title: "Requests", kind: "number", cell: (row) => compact(row.requests) },
  { title: "Tokens in", kind: "number", cell: (row) => compact(row.inputTokens) },
  { title: "Tokens out", kind: "number", cell: (row) => compact(row.outputTokens) },
];

export function models(view) {
  const name = (row) => (row.model === "*" ? "others" : row.model);
  fill(byId("models"), table("Usage by model", [{ title: "Model", cell: name }, ...USED], view.models, "Nothing was used in this range."), rest(view.moreModels, "models"));
}

export function spenders(view) {
  const name = (row) => [row.name ?? (row.id === "*" ? "others" : row.id), h("div", { class: "sub" }, [row.tenant, row.name ? row.id : null].filter(Boolean).join(" · "))];
  fill(byId("spenders"), table("Usage by key", [{ title: "Key", cell: name }, ...USED], view.keys, "Nothing was used in this range."), rest(view.moreKeys, "keys"));
}

const KEYS_SHOWN = 50;

export function keys(all, filter, { change, revoke }) {
  const wanted = filter.trim().toLowerCase();
  const fits = (key) => [key.name, key.id, key.tenant, key.team ?? ""].some((text) => text.toLowerCase().includes(wanted));
  // The newest first: what was just made is at hand.
  const found = all.filter(fits).reverse();
  const columns = [
    { title: "Key", cell: (key) => [key.name, h("div", { class: "sub" }, key.id)] },
    { title: "Tenant", cell: (key) => [key.tenant, key.team ? h("div", { class: "sub" }, key.team) : ""] },
    { title: "Budget", kind: "number", cell: (key) => (key.budgetUsd === null ? "none" : [money(key.budgetUsd), ` a ${key.period}`]) },
    { title: "State", cell: (key) => (key.revokedAt ? h("span", { class: "state", data: { level: "bad" } }, "revoked") : state(key.state)) },
    { title: "Created", cell: (key) => day(key.createdAt) },
    {
      title: "",
      kind: "act",
      cell: (key) =>
        key.revokedAt
          ? ""
          : [
              h("button", { type: "button", data: { focus: `cap-${key.id}` }, "aria-label": `Change the budget of the key ${key.name}`, on: { click: () => change(key) } }, "Budget"),
              " ",
              h("button", { type: "button", class: "bad", data: { focus: `revoke-${key.id}` }, "aria-label": `Revoke the key ${key.name}`, on: { click: () => revoke(key) } }, "Revoke"),
            ],
    },
  ];
  const more = found.length > KEYS_SHOWN ? h("p", { class: "sub" }, `${count(found.length - KEYS_SHOWN)} more; filter to find them.`) : [];
  const empty = all.length === 0 ? "There is no key yet." : "No key fits the filter.";
  fill(byId("keys"), table("Keys", columns, found.slice(0, KEYS_SHOWN), empty), more);
}

let told = null;

export function alerts(view, acknowledge) {
  const element = byId("alerts");
  if (view.alerts.length === 0) fill(element, h("p", { class: "empty" }, "No alert in the last 30 days."));
  else {
    fill(element, view.alerts.map((alert) => {
      const ends = [
        at(alert.at), alert.severity,
        ...alert.facts.map(({ name, value }) => `${name.toLowerCase()} ${value}`),
        alert.deliveredTo.length > 0 ? `told ${alert.deliveredTo.join(", ")}` : null,
        alert.acknowledgedAt ? `seen to since ${at(alert.acknowledgedAt)}` : null,
        alert.clearedAt ? `over since ${at(alert.clearedAt)}` : null,
      ];
      const act = alert.acknowledgedAt || alert.clearedAt
        ? []
        : h("button", { type: "button", data: { focus: `acknowledge-${alert.id}` }, "aria-label": `Acknowledge: ${alert.title}`, on: { click: () => acknowledge(alert) } }, "Acknowledge");
      const words = h("div", {}, alert.title, h("div", { class: "sub" }, ends.filter(Boolean).join(" · ")));
      return h("div", { class: "alert", data: { level: alert.severity, alert: alert.id } }, words, act);
    }));
  }
  const fresh = told === null ? [] : view.alerts.filter((alert) => !told.has(alert.id));
  if (fresh.length > 0) say(`${count(fresh.length)} new ${fresh.length === 1 ? "alert" : "alerts"}`);
  told = new Set(view.alerts.map((alert) => alert.id));
}
