// What an admin does on the dashboard, from sign-in to sign-out.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { join } from "node:path";

import { ADMIN_KEY, KEY, OUTPUT, URL, askModel, barriers, launch, open, overflow, signIn, spentToday, tile } from "./browser.mjs";
import { longTasks } from "./trace.mjs";

const LONG_MS = 200;
const WIDE = { width: 1280, height: 900 };

/** Waits until every day that was asked for is in the figures. */
const read = (page) => page.locator("#live[data-state=live]").filter({ hasText: /^live$/ }).waitFor({ timeout: 120_000 });

let browser;
let desk;

before(async () => {
  browser = await launch();
  desk = await open(browser, WIDE);
});

after(async () => {
  await browser?.close();
});

test("a wrong key is refused in words, and slowly", async () => {
  const { page } = desk;
  await page.goto(`${URL}/dashboard`);
  await page.getByLabel("Admin key").fill("tga_wrong");
  const began = Date.now();
  await page.getByRole("button", { name: "Sign in" }).click();
  await page.getByText("This is not the admin key.").waitFor();
  assert.ok(Date.now() - began >= 500, "a guess takes half a second");
  assert.deepEqual(await barriers(page), []);
});

test("the admin key is exchanged for a session that no script can read", async () => {
  const { page } = desk;
  await signIn(page);
  const cookies = await page.context().cookies();
  assert.deepEqual(cookies.map(({ httpOnly, sameSite }) => [httpOnly, sameSite]), [[true, "Strict"]]);
  assert.equal(await page.evaluate(() => document.cookie), "");
  const kept = await page.evaluate(() => JSON.stringify([{ ...localStorage }, { ...sessionStorage }]));
  assert.equal(kept, "[{},{}]");
  assert.ok(!(await page.content()).includes(ADMIN_KEY));
});

test("a session changes nothing for another page", async () => {
  const { page } = desk;
  const status = await page.evaluate(async () => (await fetch("admin/keys", { method: "POST", body: '{"name": "x"}' })).status);
  assert.equal(status, 401, "without the proof");
  const read = await page.evaluate(async () => (await fetch("admin/keys?limit=1")).status);
  assert.equal(read, 200);
});

test("today's spend moves after a request", async () => {
  const { page } = desk;
  const before = await spentToday(page);
  const requests = await tile(page, "Requests today").textContent();
  assert.equal(await askModel(KEY, `What does the dashboard show at ${Date.now()}?`), 200);
  await page.waitForFunction(
    (before) => Number(document.querySelector('[data-tile="Spend today"] .figure span').title.slice(1)) > before,
    before,
    { timeout: 20_000 },
  );
  assert.notEqual(await tile(page, "Requests today").textContent(), requests);
});

test("a key is made, used and revoked", async () => {
  const { page } = desk;
  await page.getByRole("button", { name: "New key" }).click();
  const dialog = page.getByRole("dialog");
  await dialog.getByLabel("Name", { exact: true }).fill("made on the page");
  await dialog.getByLabel("Budget in dollars").fill("2.50");
  assert.deepEqual(await barriers(page), []);
  await dialog.getByRole("button", { name: "Create" }).click();
  const key = await dialog.locator("#made-key").textContent();
  await dialog.getByRole("button", { name: "Copy" }).click();
  await dialog.getByText("Copied.").waitFor();
  assert.equal(await page.evaluate(() => navigator.clipboard.readText()), key);
  await dialog.getByRole("button", { name: "Done" }).click();
  assert.ok(!(await page.content()).includes(key), "a key is shown once");
  assert.equal(await askModel(key, "Does the new key work?"), 200);
  await page.getByRole("button", { name: "Revoke the key made on the page" }).click();
  await dialog.getByRole("button", { name: "Revoke" }).click();
  const row = page.locator("#keys tr", { hasText: "made on the page" });
  await row.getByText("revoked").waitFor();
  assert.equal(await askModel(key, "And now?"), 401);
});

test("a budget is changed, and what else was set stays", async () => {
  const { page } = desk;
  await page.getByLabel("Filter").fill("laptop");
  const row = page.locator("#keys tr", { hasText: "laptop" });
  await row.getByRole("button", { name: "Change the budget of the key laptop" }).click();
  const dialog = page.getByRole("dialog");
  await dialog.getByLabel("Dollars a day").fill("7.25");
  assert.deepEqual(await barriers(page), []);
  await dialog.getByRole("button", { name: "Save" }).click();
  await row.getByText("$7.25").waitFor();
  await row.getByText("active").waitFor();
  await row.getByRole("button", { name: "Change the budget" }).click();
  await dialog.getByLabel("Dollars a day").fill("-1");
  await dialog.getByRole("button", { name: "Save" }).click();
  assert.equal(await dialog.getByRole("button", { name: "Save" }).isVisible(), true, "what is no amount is not sent");
  await dialog.getByRole("button", { name: "Cancel" }).click();
  await page.getByLabel("Filter").fill("");
  const nearest = page.locator("#budgets tbody tr").first();
  const name = await nearest.locator("th").evaluate((cell) => cell.firstChild.textContent);
  await nearest.getByRole("button", { name: `Change the budget of ${name}` }).click();
  await dialog.getByLabel("State").selectOption("stopped");
  await dialog.getByRole("button", { name: "Save" }).click();
  await page.locator("#budgets tr", { hasText: name }).getByText("stopped").first().waitFor({ timeout: 15_000 });
});

test("an alert arrives by itself", async () => {
  const { page } = desk;
  const spent = await spentToday(page);
  await page.getByLabel("Filter").fill("laptop");
  await page.getByRole("button", { name: "Change the budget of the key laptop" }).click();
  const dialog = page.getByRole("dialog");
  await dialog.getByLabel("Dollars a day").fill("0.001");
  await dialog.getByRole("button", { name: "Save" }).click();
  await page.locator("#keys tr", { hasText: "laptop" }).getByText("$0.001").waitFor();
  await page.getByLabel("Filter").fill("");
  assert.ok(spent > 0);
  // The schedule looks once a minute.
  const alert = page.locator("#alerts .alert").filter({ hasText: "has come to" }).first();
  await alert.waitFor({ timeout: 100_000 });
  const id = await alert.getAttribute("data-alert");
  await alert.getByRole("button", { name: "Acknowledge" }).click();
  await page.locator(`#alerts [data-alert="${id}"]`).getByText("seen to since").waitFor({ timeout: 15_000 });
});

test("what is typed as a name stays text", async () => {
  const { page, faults } = desk;
  await page.getByRole("button", { name: "New key" }).click();
  const dialog = page.getByRole("dialog");
  await dialog.getByLabel("Name", { exact: true }).fill('<img src=x onerror="document.title=1">');
  await dialog.getByRole("button", { name: "Create" }).click();
  await dialog.getByRole("button", { name: "Done" }).click();
  await page.locator("#keys").getByText("<img src=x").waitFor();
  assert.equal(await page.title(), "Tollgate");
  assert.deepEqual(faults, []);
});

test("axe finds no serious fault, in the light and in the dark", async () => {
  for (const colorScheme of ["light", "dark"]) {
    const { page, close } = await open(browser, { ...WIDE, colorScheme });
    await signIn(page);
    await page.getByText("As a table").first().click();
    assert.deepEqual(await barriers(page), [], colorScheme);
    await close();
  }
});

test("nothing reaches beyond a window of 360 pixels", async () => {
  const { page, faults, close } = await open(browser, { width: 360, height: 740 });
  await page.goto(`${URL}/dashboard`);
  await page.getByLabel("Admin key").waitFor();
  assert.equal(await overflow(page), 0, "at sign-in");
  await signIn(page);
  assert.equal(await overflow(page), 0, "with figures");
  for (const summary of await page.getByText("As a table").all()) await summary.click();
  assert.equal(await overflow(page), 0, "with the tables of the charts");
  await page.evaluate(() => document.querySelectorAll("details").forEach((details) => (details.open = false)));
  await page.screenshot({ path: join(OUTPUT, "narrow.png"), fullPage: true });
  await page.getByRole("button", { name: "New key" }).click();
  assert.equal(await overflow(page), 0, "with a dialog");
  assert.deepEqual(await barriers(page), []);
  assert.deepEqual(faults, []);
  await close();
});

test("90 days of 500 keys and 50 models make no long task, and an answer of at most 100 KB", async () => {
  const { page, faults, close } = await open(browser, WIDE);
  const sizes = [];
  page.on("response", async (response) => {
    if (response.url().includes("overview")) sizes.push((await response.body().catch(() => "")).length);
  });
  const long = await longTasks(browser, page, async () => {
    await signIn(page);
    await page.getByLabel("Range").selectOption("90");
    await page.getByText("in 90 days").first().waitFor();
    await read(page);
    await page.getByText("As a table").first().click();
    await page.getByLabel("Filter").pressSequentially("nightly-1", { delay: 30 });
    await page.setViewportSize({ width: 900, height: 900 });
    await page.waitForTimeout(6_000);
  });
  assert.ok(long.count > 100 && long.longest > 1, "the trace has the tasks of the page");
  assert.ok(long.longest < LONG_MS, `the longest task took ${long.longest.toFixed(0)} ms`);
  assert.ok(Math.max(...sizes) <= 100_000, `an answer had ${Math.max(...sizes)} bytes`);
  assert.equal(await page.locator("#models tbody tr").count(), 50);
  const took = `${long.longest.toFixed(0)} ms of the processor, by the clock at most ${long.elapsed.toFixed(0)} ms`;
  console.log(`the longest of ${long.count} tasks took ${took}; the largest answer had ${Math.max(...sizes)} bytes`);
  assert.deepEqual(faults, []);
  await close();
});

test("the page is shown as it is in the README", async () => {
  const { page, close } = await open(browser, { width: 1280, height: 860, colorScheme: "light" });
  await signIn(page);
  await page.getByLabel("Range").selectOption("30");
  await page.getByText("in 30 days").first().waitFor();
  await read(page);
  await page.screenshot({ path: join(OUTPUT, "wide.png") });
  await close();
});

test("a sign-out ends it", async () => {
  const { page, faults } = desk;
  await page.getByRole("button", { name: "Sign out" }).click();
  await page.getByLabel("Admin key").waitFor();
  assert.deepEqual(await page.context().cookies(), []);
  await page.reload();
  await page.getByLabel("Admin key").waitFor();
  assert.deepEqual(faults, []);
});
