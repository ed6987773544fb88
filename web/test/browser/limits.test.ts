/** Long texts, 400 % zoom, long threads and traces. */

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, test } from "node:test";
import type { Browser, BrowserContext, Page } from "playwright-core";
import { accessible, fits, launch, PHONE, signIn, Visitor } from "../support/browser.ts";
import { Server, until } from "../support/server.ts";

const MOST_NODES = 1_500;
/** From the last byte until the rows are shown: the answers of these tests are made up by the browser's driver. */
const SLOWEST = 2_000;

let server: Server;
let browser: Browser;
let home = "";
let execution = "";
let conversation = "";
let state: Awaited<ReturnType<BrowserContext["storageState"]>>;

before(async () => {
  [server, browser] = await Promise.all([Server.start(), launch()]);
  await server.connect();
  await server.says("where is order 1042?");
  await until("an answer of the agent", async () => (await server.answers()).some((text) => text.includes("1042")));
  type Executions = { data: { id: string; whatsapp_conversation_id: string }[] };
  const found = (await server.api<Executions>("executions")).data[0];
  execution = found?.id ?? "";
  conversation = found?.whatsapp_conversation_id ?? "";
  const visitor = await Visitor.enter(browser);
  const page = await visitor.open();
  await signIn(page, server);
  home = page.url().replace(/\/(inbox|sandbox).*/, "");
  state = await visitor.context.storageState();
  await visitor.leave();
});

after(async () => {
  await browser?.close();
  await server?.stop();
});

const paths = () => [
  "/inbox",
  `/inbox/${conversation}`,
  "/executions",
  `/executions/${execution}`,
  "/sandbox",
  "/settings/general",
];

async function loaded(page: Page, path: string): Promise<void> {
  await page.goto(home + path);
  await page.locator("main").waitFor();
  await page.waitForFunction(() => document.querySelector(".skeleton") === null);
}

/** Letters with accents, and 40 % longer; values and their braces stay. */
function pseudo(text: string): string {
  const accents: Record<string, string> = { a: "á", e: "é", i: "í", o: "ó", u: "ú", n: "ñ", A: "Å", E: "É", O: "Ö" };
  const parts = text.split(/(\{\w+\})/);
  const changed = parts.map((part) =>
    part.startsWith("{") ? part : part.replace(/[aeiounAEO]/g, (c) => accents[c] ?? c),
  );
  return `${changed.join("")}${" ẋ".repeat(Math.ceil((text.length * 0.4) / 2))}`;
}

test("texts that are 40 % longer fit every page, wide and on a phone", async () => {
  const en = JSON.parse(readFileSync(join(import.meta.dirname, "../../src/i18n/en.json"), "utf8")) as Record<
    string,
    string
  >;
  const catalogue = Object.fromEntries(Object.entries(en).map(([key, text]) => [key, pseudo(text)]));
  for (const options of [{ viewport: { width: 1280, height: 800 } }, PHONE]) {
    const visitor = await Visitor.enter(browser, { ...options, storageState: state });
    await visitor.context.route("**/assets/es-*.js", (route) =>
      route.fulfill({ contentType: "text/javascript", body: `export default ${JSON.stringify(catalogue)}` }),
    );
    await visitor.context.route("**/app/api/me", async (route) => {
      const answer = await route.fetch();
      const body = (await answer.json()) as { data: { language: string } };
      body.data.language = "es";
      await route.fulfill({ response: answer, json: body });
    });
    const page = await visitor.open();
    for (const path of paths()) {
      await loaded(page, path);
      await page.getByText("ẋ").first().waitFor();
      await fits(page);
      const cut = await page.evaluate(() =>
        [...document.querySelectorAll<HTMLElement>(".button, h1, label")]
          .filter((one) => one.clientWidth > 0 && one.scrollWidth > one.clientWidth + 1 && !one.closest(".hidden"))
          .filter((one) => getComputedStyle(one).textOverflow !== "ellipsis" && !one.classList.contains("hidden"))
          .map((one) => one.textContent),
      );
      assert.deepEqual(cut, [], `cut texts of ${path}`);
      await accessible(page);
    }
    await visitor.leave();
  }
});

test("at 400 % zoom, 320 px, no page scrolls sideways", async () => {
  const visitor = await Visitor.enter(browser, { viewport: { width: 320, height: 256 }, storageState: state });
  const page = await visitor.open();
  for (const path of paths()) {
    await loaded(page, path);
    await fits(page);
    await accessible(page);
  }
  await visitor.leave();
});

const at = (n: number) => new Date(Date.UTC(2026, 0, 1) + n * 1_000).toISOString();

test("a trace of 10,000 steps is shown within 2 s and has less than 1,500 elements", async () => {
  const visitor = await Visitor.enter(browser, { storageState: state });
  const page = await visitor.open();
  const events = [{ seq: 1, step: 1, name: "turn.started", at: at(0), data: { turn: 1, ids: [] } }];
  for (let n = 0; n < 10_000; n++) {
    const call = { call_id: `c${n}`, name: "get_order", args: { n } };
    events.push({ seq: events.length + 1, step: n + 1, name: "tool.called", at: at(n), data: call as never });
    const result = { call_id: `c${n}`, ok: n !== 9_000, code: "http_404", ms: 5 };
    events.push({ seq: events.length + 1, step: n + 1, name: "tool.result", at: at(n), data: result as never });
  }
  const body = events
    .map((event) => `id: ${event.seq}\nevent: ${event.name}\ndata: ${JSON.stringify(event)}\n\n`)
    .join("");
  await page.route("**/events", (route) =>
    route.request().headers().accept === "text/event-stream" && route.request().url().includes("/executions/")
      ? route.fulfill({ contentType: "text/event-stream", body })
      : route.continue(),
  );
  await loaded(page, "/executions");
  const answered = page.waitForResponse((response) => response.headers()["content-type"] === "text/event-stream");
  await page.getByRole("rowheader").getByRole("link").first().click();
  await (await answered).finished();
  const began = Date.now();
  const steps = page.getByRole("region", { name: "Steps" });
  await steps.getByText('get_order {"n":3}').waitFor();
  const took = Date.now() - began;
  assert.ok(took < SLOWEST, `${took} ms`);
  await page.getByRole("heading", { name: "Turn 1" }).click();
  await page.keyboard.press("e");
  await steps.getByText('get_order {"n":9000}').waitFor();
  const nodes = await page.evaluate(() => document.querySelectorAll("*").length);
  assert.ok(nodes < MOST_NODES, `${nodes} elements`);
  await accessible(page);
  await visitor.leave();
});

test("a thread of 5,000 messages is shown within 2 s, stays small and keeps its place", async () => {
  const visitor = await Visitor.enter(browser, { storageState: state });
  const page = await visitor.open();
  type Pages = { data: Record<string, unknown>[]; meta: { before: string | null } };
  const real = await server.api<Pages>(`inbox/${conversation}/messages`);
  const message = (n: number) => ({
    ...real.data[0],
    id: `00000000-0000-7000-8000-${String(n).padStart(12, "0")}`,
    whatsapp_message_id: `wamid.${n}`,
    seq: n,
    content: `Message ${n}${n % 7 === 0 ? " with a longer text that may take a second line in a narrow bubble".repeat(2) : ""}`,
    message_type: "text",
    created_at: at(n * 60),
  });
  const page1 = Array.from({ length: 5_000 }, (_, n) => message(n + 101));
  const page2 = Array.from({ length: 50 }, (_, n) => message(n + 51));
  await page.route("**/api/v1/inbox/*/messages*", (route) => {
    const isOld = new URL(route.request().url()).searchParams.has("before");
    const json: Pages = isOld ? { data: page2, meta: { before: null } } : { data: page1, meta: { before: "101" } };
    return route.fulfill({ json });
  });
  await loaded(page, "/inbox");
  const answered = page.waitForResponse(/\/messages/);
  await page.getByRole("region", { name: "Conversations" }).getByRole("listitem").getByRole("link").first().click();
  await (await answered).finished();
  const began = Date.now();
  const thread = page.getByRole("log", { name: "Messages" });
  await thread.getByText(/^Message 5100\b/).waitFor();
  const took = Date.now() - began;
  assert.ok(took < SLOWEST, `${took} ms`);
  const nodes = () => page.evaluate(() => document.querySelectorAll("*").length);
  assert.ok((await nodes()) < MOST_NODES, `${await nodes()} elements`);
  // Earlier messages arrive above: what is read stays where it is.
  await thread.evaluate((box) => box.scrollTo({ top: 0 }));
  const first = thread.getByText(/^Message 103\b/);
  await first.waitFor();
  await page.waitForTimeout(300);
  const before = (await first.boundingBox())?.y ?? 0;
  await thread.getByRole("button", { name: "Show earlier messages" }).click();
  await thread.getByText(/^Message 100\b/).waitFor();
  await page.waitForTimeout(300);
  const moved = Math.abs(((await first.boundingBox())?.y ?? 0) - before);
  assert.ok(moved < 80, `moved by ${moved} px`);
  assert.ok((await nodes()) < MOST_NODES, `${await nodes()} elements`);
  await visitor.leave();
});
