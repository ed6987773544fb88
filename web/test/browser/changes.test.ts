/** A customer edits and deletes messages on the phone; the team reads the changes in the inbox. */

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import type { Browser, Page } from "playwright-core";
import { accessible, launch, signIn, Visitor } from "../support/browser.ts";
import { Server, until } from "../support/server.ts";

/** A text that no page shows after its deletion. */
const CANARY = "my pin is canary 4711";

let server: Server;
let browser: Browser;
let visitor: Visitor;
let page: Page;

before(async () => {
  [server, browser] = await Promise.all([Server.start(), launch()]);
  visitor = await Visitor.enter(browser);
  page = await visitor.open();
  await signIn(page, server);
  await page.waitForURL(/\/sandbox$/);
  await page.getByRole("button", { name: /^Send the code/ }).click();
  await until("an answer to the code", async () => (await server.answers()).length > 0);
});

after(async () => {
  await browser?.close();
  await server?.stop();
});

const chat = () => page.getByRole("log", { name: "Chat on the phone" });
const bubble = (text: string) => chat().getByRole("article").filter({ hasText: text });
const thread = () => page.getByRole("log", { name: "Messages" });

async function writes(text: string): Promise<void> {
  await page.getByRole("textbox", { name: "Message of the customer" }).fill(text);
  await page.keyboard.press("Enter");
  await bubble(text).getByRole("button", { name: "Edit" }).waitFor();
}

test("the phone edits and deletes its own messages", async () => {
  await writes("I want one sofa");
  await bubble("I want one sofa").getByRole("button", { name: "Edit" }).click();
  const text = chat().getByRole("textbox", { name: "New text" });
  assert.equal(await text.inputValue(), "I want one sofa");
  await accessible(page);
  await text.fill("I want two sofas");
  await chat().getByRole("button", { name: "Save" }).click();
  await bubble("I want two sofas").getByText("Edited", { exact: true }).waitFor();
  await writes(CANARY);
  await bubble(CANARY).getByRole("button", { name: "Delete" }).click();
  await chat().getByText("Deleted", { exact: true }).waitFor();
  assert.equal(await chat().getByText(CANARY).count(), 0);
  await accessible(page);
});

test("the thread shows earlier texts on demand, and of a deleted message nothing", async () => {
  await page.getByRole("link", { name: "Inbox" }).click();
  await page.getByRole("region", { name: "Conversations" }).getByRole("listitem").getByRole("link").first().click();
  const edited = thread().getByRole("article").filter({ hasText: "I want two sofas" });
  await edited.getByText("edited", { exact: true }).waitFor();
  assert.equal(await edited.getByText("I want one sofa").isVisible(), false);
  await edited.getByText("edited", { exact: true }).click();
  await edited.getByRole("list", { name: "Earlier texts" }).getByText("I want one sofa").waitFor();
  await thread().getByText("The contact deleted this message").waitFor();
  await accessible(page);
  assert.ok(!(await page.content()).includes(CANARY), "the page holds the deleted text");
});

test("an open thread follows a deletion after the answer", async () => {
  const before = (await server.answers()).length;
  await server.says("please forget 5522");
  await until("an answer", async () => (await server.answers()).length > before, 20_000);
  await thread().getByText("please forget 5522").waitFor();
  const own = (await server.chat()).findLast(({ direction }) => direction === "in");
  const phone = server.phoneNumber.replace(/\D/g, "");
  await server.control(`users/${phone}/delete`, { message_id: own?.id });
  await thread().getByText("please forget 5522").waitFor({ state: "detached" });
  assert.ok(!(await page.content()).includes("5522"), "the page holds the deleted text");
});

test("the trace names a deleted message and shows nothing of it", async () => {
  const { data } = await server.api<{ data: { id: string }[] }>("executions");
  const project = /\/p\/[^/]+/.exec(page.url())?.[0];
  const other = await visitor.open();
  await other.goto(`${server.url}/app${project}/executions/${data[0]?.id}`);
  await other.getByText("The contact deleted this message").first().waitFor();
  const shown = await other.content();
  assert.ok(!shown.includes(CANARY) && !shown.includes("5522"), "the page holds a deleted text");
  await accessible(other);
  await other.close();
});
