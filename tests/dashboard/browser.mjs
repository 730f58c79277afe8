// A headless Chromium, and what every test asks of a page.

import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { chromium } from "playwright-core";

const axe = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");

export const URL = process.env.TOLLGATE_URL;
export const ADMIN_KEY = process.env.TOLLGATE_ADMIN_KEY;
export const KEY = process.env.TOLLGATE_KEY;
export const OUTPUT = process.env.OUTPUT;

export const launch = () =>
  // Containers give Chromium neither a sandbox nor a shared memory of its own.
  chromium.launch({ executablePath: process.env.CHROMIUM, args: ["--no-sandbox", "--disable-dev-shm-usage"] });

/** A page of its own, with every fault that it logs. */
export async function open(browser, { width, height, colorScheme }) {
  const context = await browser.newContext({ viewport: { width, height }, colorScheme, permissions: ["clipboard-read", "clipboard-write"] });
  const page = await context.newPage();
  const faults = [];
  page.on("pageerror", (error) => faults.push(String(error)));
  page.on("console", (message) => {
    // Refusals that a test provokes are logged by the browser itself.
    if (message.type() === "error" && !/status of 40[01]/.test(message.text())) faults.push(message.text());
  });
  return { page, faults, close: () => context.close() };
}

export async function signIn(page) {
  await page.goto(`${URL}/dashboard`);
  await page.getByLabel("Admin key").fill(ADMIN_KEY);
  await page.getByRole("button", { name: "Sign in" }).click();
  await page.locator("#live[data-state=live]").waitFor();
}

/** The figure of a tile. */
export const tile = (page, name) => page.locator(`[data-tile="${name}"] .figure`);

export const spentToday = async (page) => {
  const title = await tile(page, "Spend today").locator("span").getAttribute("title");
  return Number(title.slice(1));
};

/** What axe finds that keeps somebody from using the page. */
export async function barriers(page) {
  // Evaluated by the debugger, so the page's policy need not allow it.
  await page.evaluate(axe);
  const found = await page.evaluate(() => globalThis.axe.run(document, { resultTypes: ["violations"] }));
  const serious = found.violations.filter(({ impact }) => impact === "serious" || impact === "critical");
  return serious.map(({ id, nodes }) => `${id}: ${nodes.map((node) => node.target.join(" ")).slice(0, 3).join(", ")}`);
}

/** How far the page reaches beyond its window, in pixels. */
export const overflow = (page) =>
  page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);

/** One request to a model, as a caller makes it. */
export async function askModel(key, question, model = "demo/tokens-400") {
  const response = await fetch(`${URL}/v1/chat/completions`, {
    method: "POST",
    headers: { authorization: `Bearer ${key}`, "content-type": "application/json" },
    body: JSON.stringify({ model, messages: [{ role: "user", content: question }] }),
  });
  await response.text();
  return response.status;
}
