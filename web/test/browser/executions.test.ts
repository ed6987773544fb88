/** Executions, traces, sandbox, palette, and each page on a phone and in the dark. */

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import type { Browser, Page } from "playwright-core";
import { accessible, fits, launch, PHONE, signIn, Visitor } from "../support/browser.ts";
import { Server, until } from "../support/server.ts";

type Execution = { id: string; agent_id: string };
type Events = { data: { name: string; data: { ms?: number } }[]; meta: { total_count: number } };

let server: Server;
let browser: Browser;
let visitor: Visitor;
let page: Page;
let home = "";

before(async () => {
  [server, browser] = await Promise.all([Server.start(), launch()]);
  await server.connect();
  await server.says("where is order 1042?");
  await until("an answer of the agent", async () => (await server.answers()).some((text) => text.includes("1042")));
  visitor = await Visitor.enter(browser);
  page = await visitor.open();
  await signIn(page, server);
  home = page.url().replace(/\/inbox.*/, "");
});

after(async () => {
  await browser?.close();
  await server?.stop();
});

test("the list shows executions of all agents and filters them by the address", async () => {
  await page.getByRole("link", { name: "Executions" }).click();
  await page.getByRole("columnheader", { name: "First message" }).waitFor();
  const row = page.getByRole("row").filter({ has: page.getByRole("rowheader") });
  await row.getByRole("cell", { name: "where is order 1042?" }).waitFor();
  await accessible(page);
  await page.getByLabel("Status").selectOption("failed");
  await page.getByText("No execution matches these filters.").waitFor();
  assert.match(page.url(), /status=failed/);
  await page.goBack();
  await page.getByRole("rowheader").first().waitFor();
});

test("the trace shows the API's events as steps, and a step opens by address and by keyboard", async () => {
  await page.getByRole("rowheader").getByRole("link").first().click();
  const steps = page.getByRole("region", { name: "Steps" });
  await steps.getByText(/^Tool/).first().waitFor();
  const [execution] = (await server.api<{ data: Execution[] }>("executions")).data;
  assert.ok(execution);
  const events = await server.api<Events>(
    `agents/${execution.agent_id}/executions/${execution.id}/events?per_page=100`,
  );
  const tools = events.data.filter(({ name }) => name === "tool.called").length;
  const calls = events.data.filter(({ name }) => name === "llm.requested").length;
  assert.equal(await steps.getByText("Tool", { exact: true }).count(), tools);
  assert.equal(await steps.getByText("Model", { exact: true }).count(), calls);
  await accessible(page);
  await page.keyboard.press("j");
  await page.waitForURL(/step=\d+/);
  await page.keyboard.press("j");
  await steps.getByRole("button", { name: /^Tool/ }).first().click();
  const pane = page.getByRole("complementary", { name: "Step" });
  await pane.getByText("The tool answered").waitFor();
  await pane.getByRole("button", { name: "Raw step" }).click();
  await pane.getByText(/tool\.called/).waitFor();
  await accessible(page);
  await page.reload();
  await pane.getByText("The tool answered").waitFor();
  await page.getByRole("link", { name: "Open conversation" }).click();
  await page.getByRole("log", { name: "Messages" }).waitFor();
});

test("bodies are read when they are opened, and the request is shown as it was sent", async () => {
  const [execution] = (await server.api<{ data: Execution[] }>("executions")).data;
  const read: string[] = [];
  page.on("request", (request) => {
    if (request.url().includes("/steps/")) read.push(request.url());
  });
  await page.goto(`${home}/executions/${execution?.id}`);
  const steps = page.getByRole("region", { name: "Steps" });
  await steps
    .getByRole("button", { name: /^Model/ })
    .first()
    .click();
  const pane = page.getByRole("complementary", { name: "Step" });
  await pane.getByText("Request to the model").waitFor();
  await page.waitForTimeout(300);
  assert.deepEqual(read, [], "nothing is read before it is opened");
  await pane.getByText("Request to the model").click();
  await pane.getByRole("heading", { name: "Exactly as sent" }).waitFor();
  assert.equal(read.length, 1);
  type Step = { data: { model_request: { body: string } } };
  const step = await server.api<Step>(new URL(read[0] ?? "").pathname.replace("/api/v1/", ""));
  assert.equal(await pane.locator("details pre").last().textContent(), step.data.model_request.body);
  await accessible(page);
  await steps
    .getByRole("button", { name: /^Tool ?orders_request/ })
    .first()
    .click();
  await pane.getByText("Request and result").click();
  await pane.getByText(/^GET http/).waitFor();
  await pane.getByRole("heading", { name: "Given to the model" }).waitFor();
  await pane.getByRole("button", { name: "Copy as curl" }).waitFor();
  await accessible(page);
  await page.keyboard.press("o");
  await page.getByRole("log", { name: "Messages" }).waitFor();
});

test("executions are filtered by contact and snapshot, with turns and tokens", async () => {
  await page.getByRole("link", { name: "All executions of this contact" }).click();
  await page.waitForURL(/executions\?contact=/);
  await page.getByRole("rowheader").first().waitFor();
  await page.getByRole("button", { name: /^Contact: / }).waitFor();
  await page.getByRole("columnheader", { name: "Tokens" }).waitFor();
  await accessible(page);
  await page.getByRole("button", { name: /^Contact: / }).click();
  await page.waitForURL(/executions$/);
  await page.getByRole("rowheader").getByRole("link").first().click();
  await page.getByRole("link", { name: /^Snapshot / }).click();
  await page.waitForURL(/executions\?snapshot=/);
  await page.getByRole("rowheader").first().waitFor();
  await page.goto(`${home}/inbox`);
  await page.getByRole("region", { name: "Conversations" }).getByRole("listitem").getByRole("link").first().click();
});

test("steps of an answer open from the thread", async () => {
  await page.getByRole("link", { name: "Steps" }).last().click();
  await page.getByRole("complementary", { name: "Step" }).getByRole("heading", { name: "Out" }).waitFor();
});

test("a sandbox session is created, and a wrong number is refused at its field", async () => {
  await page.getByRole("link", { name: "Sandbox" }).click();
  await page.getByText("It finds keywords and is not an AI.").waitFor();
  await page.getByText("Active").waitFor();
  await page.getByRole("button", { name: "New session" }).click();
  visitor.expected = /422/;
  await page.getByLabel("Phone number").fill("12");
  await page.getByRole("button", { name: "Create" }).click();
  await page.locator("[aria-invalid=true]").waitFor();
  await accessible(page);
  await page.getByLabel("Phone number").fill("+4915112345678");
  await page.getByRole("button", { name: "Create" }).click();
  await page.getByText("Waits for the code").waitFor();
  await accessible(page);
});

test("the palette jumps to a conversation by keyboard, and the help lists the keys", async () => {
  await page.keyboard.press("Control+k");
  await page.getByRole("combobox", { name: "Search or jump to…" }).fill("Exec");
  await page.getByRole("option", { name: /Executions/ }).waitFor();
  await accessible(page);
  await page.keyboard.press("Enter");
  await page.waitForURL(/executions$/);
  await page.keyboard.press("g");
  await page.keyboard.press("i");
  await page.waitForURL(/inbox$/);
  await page.keyboard.press("?");
  await page.getByRole("dialog", { name: "Keyboard shortcuts" }).waitFor();
  await accessible(page);
  await page.keyboard.press("Escape");
});

test("every page fits a phone of 390 px and is accessible there and in the dark", async () => {
  const state = await visitor.context.storageState();
  for (const options of [PHONE, { colorScheme: "dark" as const }]) {
    const other = await Visitor.enter(browser, { ...options, storageState: state });
    const shown = await other.open();
    for (const path of ["/inbox", "/executions", "/sandbox"]) {
      await shown.goto(home + path);
      await shown.getByRole("main").waitFor();
      await shown.getByText("Live", { exact: true }).waitFor();
      await accessible(shown);
      await fits(shown);
    }
    await shown.goto(`${home}/inbox`);
    await shown.getByRole("region", { name: "Conversations" }).getByRole("listitem").getByRole("link").first().click();
    await shown.getByRole("log", { name: "Messages" }).getByText("1042").first().waitFor();
    await accessible(shown);
    await fits(shown);
    await shown.goto(`${home}/executions`);
    await shown.getByRole("rowheader").getByRole("link").first().click();
    await shown.getByRole("region", { name: "Steps" }).getByRole("button", { name: /^Tool/ }).first().click();
    await shown.getByRole("complementary", { name: "Step" }).waitFor();
    await accessible(shown);
    await fits(shown);
    await other.leave();
  }
});

test("the pages had no errors", () => visitor.leave());
