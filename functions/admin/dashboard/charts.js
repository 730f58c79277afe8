// Charts over time. Without the library, which is shipped beside the page, there are tables alone.

import { fill, h, table } from "./dom.js";
import { compact, percent, slot, usd } from "./format.js";

const HEIGHT = 200;
const drawn = new Map();

const color = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();
const swatch = (index, last) => `--s${last ? 6 : (index % 6) + 1}`;

/**
 * One chart, its legend, a line that says what stands under the cursor, and the figures as a table.
 * Lines: `{label, values, color, show}`; stacked ones are drawn upon each other.
 */
function draw(element, { name, series, lines, stacked, show }) {
  const old = drawn.get(element.id);
  old?.plot?.destroy();
  const target = h("div", { class: "chart" });
  const reading = h("p", { class: "reading" });
  const legend = h(
    "ul",
    { class: "legend" },
    lines.map((line) => h("li", {}, h("span", { class: "swatch", color: `var(${line.color})` }), line.label, line.total ? ` ${line.total}` : "")),
  );
  const rows = h("div", { class: "scroll", tabindex: "0", role: "region", "aria-label": `${name} as a table` });
  const details = h("details", { open: !globalThis.uPlot }, h("summary", {}, "As a table"), rows);
  const list = () => {
    if (details.open) fill(rows, asTable(name, series, lines, show));
  };
  details.addEventListener("toggle", list);
  if (old?.details.open) details.open = true;
  fill(element, globalThis.uPlot ? [target, reading, legend] : [], details);
  list();
  if (!globalThis.uPlot) return;
  const plot = new uPlot(options(element, { name, series, lines, stacked, show, reading }), data(series, lines, stacked), target);
  plot.root.setAttribute("role", "img");
  plot.root.setAttribute("aria-label", `${name}; the figures are in the table below`);
  drawn.set(element.id, { plot, details });
}

function asTable(name, series, lines, show) {
  const rows = series.at.map((_, index) => series.at.length - 1 - index);
  const columns = [
    { title: "Time", cell: (index) => slot(series.at[index], series.unit) },
    ...lines.map((line) => ({ title: line.label, kind: "number", cell: (index) => (line.show ?? show)(line.values[index]) })),
  ];
  return table(name, columns, rows, "Nothing was used in this range.");
}

/** Of stacked lines the sum is drawn first and the first line last, over the foot of it. */
function data(series, lines, stacked) {
  const columns = lines.map((line) => line.values.map(Number));
  if (!stacked) return [series.at, ...columns];
  for (let line = 1; line < columns.length; line++) {
    columns[line] = columns[line].map((value, index) => value + columns[line - 1][index]);
  }
  return [series.at, ...columns.reverse()];
}

function options(element, { series, lines, stacked, show, reading }) {
  const axis = { stroke: color("--soft"), grid: { stroke: color("--line"), width: 1 }, ticks: { show: false } };
  const bars = uPlot.paths.bars({ size: [0.8, 48], align: 1 });
  const ordered = stacked ? [...lines].reverse() : lines;
  return {
    width: Math.max(element.clientWidth, 200),
    height: HEIGHT,
    padding: [8, 16, 0, 0],
    legend: { show: false },
    cursor: { y: false, drag: { x: false, y: false }, points: { show: false } },
    scales: { x: { time: true, range: (_, from, to) => [from, to + step(series)] }, y: { range: (_, __, most) => [0, most > 0 ? most * 1.08 : 1] } },
    tzDate: (seconds) => uPlot.tzDate(new Date(seconds * 1000), "Etc/UTC"),
    axes: [{ ...axis, size: 38 }, { ...axis, size: 64, values: (_, ticks) => ticks.map(show) }],
    series: [
      {},
      ...ordered.map((line) => ({
        label: line.label,
        stroke: color(line.color),
        fill: stacked ? color(line.color) : undefined,
        width: stacked ? 0 : 2,
        paths: stacked ? bars : undefined,
        points: { show: !stacked && series.at.length < 3 },
      })),
    ],
    hooks: { setCursor: [(plot) => (reading.textContent = read(plot.cursor.idx, series, lines, show))] },
  };
}

const step = (series) => (series.unit === "hour" ? 3600 : 86_400);

function read(index, series, lines, show) {
  if (index === null || index === undefined) return "";
  const parts = lines.filter((line) => Number(line.values[index]) !== 0);
  const figures = parts.map((line) => `${line.label} ${(line.show ?? show)(line.values[index])}`);
  return [slot(series.at[index], series.unit), ...figures].join(" · ");
}

export function spend(element, series, costs) {
  const used = series.models.filter((line) => line.model !== "*" || line.costUsd.some((cost) => Number(cost) !== 0));
  const lines = used.map((line, index) => ({
    label: line.model === "*" ? "others" : line.model,
    values: line.costUsd,
    color: swatch(index, line.model === "*"),
    total: usd(costs.get(line.model) ?? null),
  }));
  lines.filter((line) => line.total === "–").forEach((line) => (line.total = ""));
  draw(element, { name: "Spend by model", series, lines, stacked: true, show: usd });
}

export function requests(element, series) {
  const hits = series.cacheHits;
  const lines = [
    { label: "from the cache", values: hits, color: "--s2" },
    { label: "from a provider", values: series.requests.map((all, index) => Math.max(0, all - hits[index] - series.fallbacks[index])), color: "--s1" },
    { label: "after a fallback", values: series.fallbacks, color: "--s3" },
  ];
  for (const line of lines) {
    line.total = compact(line.values.reduce((sum, value) => sum + value, 0));
  }
  draw(element, { name: "Requests", series, lines, stacked: true, show: compact });
}

export function tokens(element, series) {
  const lines = [
    { label: "input", values: series.inputTokens, color: "--s1" },
    { label: "output", values: series.outputTokens, color: "--s4" },
  ];
  for (const line of lines) {
    line.total = compact(line.values.reduce((sum, value) => sum + value, 0));
  }
  draw(element, { name: "Tokens", series, lines, stacked: true, show: compact });
}

export const ratio = (tiers) => percent(tiers.exact + tiers.semantic, tiers.exact + tiers.semantic + tiers.miss);

/** Fits the charts to their columns. */
export function resize() {
  for (const [id, { plot }] of drawn) {
    const width = document.getElementById(id).clientWidth;
    if (plot && width > 0 && Math.abs(width - plot.width) > 1) plot.setSize({ width, height: HEIGHT });
  }
}
