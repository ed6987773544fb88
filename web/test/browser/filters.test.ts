/** Filters of the inbox and of the executions: chips with names, in the address. */

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import type { Browser, Page } from "playwright-core";
import { accessible, fits, launch, PHONE, signIn, Visitor } from "../support/browser.ts";
import { OWN_NUMBER, Server, until } from "../support/server.ts";

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
  await server.connectNumber();
  await server.says("hello clinic", "5511988887777", OWN_NUMBER);
  visitor = await Visitor.enter(browser);
  page = await visitor.open();
  await signIn(page, server);
  home = page.url().replace(/\/inbox.*/, "");
});

after(async () => {
  await browser?.close();
  await server?.stop();
});

const rows = () => page.getByRole("region", { name: "Conversations" }).getByRole("listitem");

test("the conversations of a contact are shown with a chip, which has the name and is removed", async () => {
  await page.goto(`${home}/inbox`);
  await until("both conversations", async () => (await rows().count()) === 2);
  await rows().filter({ hasText: "1042" }).getByRole("link").click();
  await page.getByRole("link", { name: "All conversations of this contact" }).click();
  await page.waitForURL(/\?view=all&contact=[0-9a-f-]{36}$/);
  await until("the one conversation", async () => (await rows().count()) === 1);
  const name =
    (await page
      .getByRole("region", { name: "Conversation", exact: true })
      .getByRole("heading", { level: 2 })
      .textContent()) ?? "";
  const chip = page.getByRole("button", { name: /^Contact: / });
  assert.ok((await chip.textContent())?.startsWith(`Contact: ${name}`), name);
  await accessible(page);
  await page.getByRole("link", { name: /^Mine/ }).click();
  await page.getByText("No conversation of this view matches").waitFor();
  await page.reload();
  await until("the name without a row", async () => (await chip.textContent())?.includes(name));
  await page.getByRole("link", { name: /^All/ }).first().click();
  await chip.click();
  await page.waitForURL(/\?view=all$/);
  await until("both conversations", async () => (await rows().count()) === 2);
  await page.goBack();
  await chip.waitFor();
});

test("the conversations of a number are shown with a chip", async () => {
  await page.goto(`${home}/inbox`);
  await rows().filter({ hasText: "hello clinic" }).getByRole("link").click();
  await page.getByRole("complementary", { name: "Details" }).getByRole("link", { name: "Clinic line" }).click();
  await page.waitForURL(/\?view=all&config=[0-9a-f-]{36}$/);
  await until("the one conversation", async () => (await rows().count()) === 1);
  await page.getByRole("button", { name: /^Number: Clinic line/ }).waitFor();
  await accessible(page);
  const phone = await Visitor.enter(browser, { ...PHONE, storageState: await visitor.context.storageState() });
  const small = await phone.open();
  await small.goto(page.url().replace(/\/inbox\/[^?]+/, "/inbox"));
  await small.getByRole("button", { name: /^Number: Clinic line/ }).waitFor();
  await accessible(small);
  await fits(small);
  await phone.leave();
});

test("executions are filtered by each status, and show the number of model calls", async () => {
  type Execution = { id: string; agent_id: string; llm_calls: number };
  type Events = { data: { name: string }[] };
  const [execution] = (await server.api<{ data: Execution[] }>("executions")).data;
  assert.ok(execution);
  const events = await server.api<Events>(
    `agents/${execution.agent_id}/executions/${execution.id}/events?per_page=100`,
  );
  const calls = events.data.filter(({ name }) => name === "llm.requested").length;
  assert.ok(calls >= 2, "one to call the tool, one to answer");
  assert.equal(execution.llm_calls, calls);
  await page.goto(`${home}/executions`);
  await page.getByRole("rowheader").first().waitFor();
  const heads = await page.getByRole("columnheader").allTextContents();
  const cells = page.getByRole("rowheader").first().locator("xpath=following-sibling::td");
  assert.equal(await cells.nth(heads.indexOf("Model calls") - 1).textContent(), String(calls));
  await server.says("can I talk to a human?");
  await page.getByRole("cell", { name: "Handoff" }).waitFor();
  for (const status of ["started", "running", "paused", "ended", "failed", "stopped"]) {
    await page.getByLabel("Status").selectOption(status);
    await page.getByText("No execution matches these filters.").waitFor();
    assert.match(page.url(), new RegExp(`status=${status}`));
  }
  await page.getByLabel("Status").selectOption("handoff");
  await page.getByRole("cell", { name: "Handoff" }).waitFor();
  await accessible(page);
});

test("the pages had no errors", () => visitor.leave());
