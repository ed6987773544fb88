/** A person signs in, sees a row arrive, reads the thread, takes over, replies and gives back. */

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import type { Browser, Page } from "playwright-core";
import { accessible, launch, signIn, Visitor } from "../support/browser.ts";
import { Server, until } from "../support/server.ts";

let server: Server;
let browser: Browser;
let visitor: Visitor;
let page: Page;
let streams = 0;

before(async () => {
  [server, browser] = await Promise.all([Server.start(), launch()]);
  visitor = await Visitor.enter(browser);
  visitor.context.on("request", (request) => {
    if (request.url().includes("/api/v1/events")) streams++;
  });
  page = await visitor.open();
});

after(async () => {
  await browser?.close();
  await server?.stop();
});

const row = (on: Page) => on.getByRole("region", { name: "Conversations" }).getByRole("listitem");
const thread = (on: Page) => on.getByRole("log", { name: "Messages" });

test("the link of dev signs in once, and the inbox is empty", async () => {
  await signIn(page, server);
  await page.getByRole("link", { name: "Inbox" }).click();
  await page.getByText("No conversations yet.").waitFor();
  assert.match(page.url(), /\/app\/p\/[0-9a-f-]+\/inbox$/);
  await page.getByText("Live", { exact: true }).waitFor();
  await accessible(page);
});

test("a message appears within a second in two tabs over one stream", async () => {
  const second = await visitor.open();
  await second.goto(page.url());
  await second.getByText("Live", { exact: true }).waitFor();
  assert.equal(streams, 1);
  await server.says(server.code);
  const began = Date.now();
  await Promise.all([row(page).first().waitFor(), row(second).first().waitFor()]);
  assert.ok(Date.now() - began < 1_000, `${Date.now() - began} ms`);
  assert.equal(streams, 1);
  await second.close();
});

test("the thread shows messages of both sides with authors and delivery", async () => {
  await row(page).first().getByRole("link").click();
  await server.says("where is my order?");
  await thread(page).getByText("where is my order?").waitFor();
  await thread(page).getByText("order number").waitFor();
  await thread(page).getByText("Delivered").last().waitFor();
  await thread(page).getByRole("link", { name: "Steps" }).last().waitFor();
  await accessible(page);
});

test("a colleague takes over by keyboard, replies once, and the phone gets it once", async () => {
  await page.getByRole("heading", { level: 2 }).first().click();
  await page.keyboard.press("h");
  await page.getByRole("button", { name: "Give back to agent" }).waitFor();
  await page.keyboard.press("r");
  await page.keyboard.type("Here is Maria. ");
  const reply = page.getByRole("textbox", { name: "Reply" });
  assert.equal(await reply.inputValue(), "Here is Maria. ");
  await page.keyboard.press("Enter");
  await page.keyboard.press("Enter");
  await thread(page).getByText("Here is Maria.").waitFor();
  await until("the phone has the reply", async () => (await server.answers()).includes("Here is Maria."));
  await thread(page).getByText("You", { exact: true }).waitFor();
  await server.says("1042");
  await thread(page).getByText("1042").waitFor();
  const answers = await server.answers();
  assert.equal(answers.filter((text) => text === "Here is Maria.").length, 1);
  assert.equal(answers.at(-1), "Here is Maria.", "the agent is silent");
});

test("a reply is sent once although its answers are lost and the page is reloaded", async () => {
  const before = await server.answers();
  visitor.expected = /Failed to load resource|net::ERR/;
  let lost = 0;
  // The server gets the request, and its answer never arrives.
  await page.route("**/whatsapp_messages", async (route) => {
    if (route.request().method() !== "POST") return route.continue();
    lost++;
    await route.fetch();
    // The page may be gone by then.
    await route.abort().catch(() => {});
  });
  await page.getByRole("textbox", { name: "Reply" }).fill("Sent once");
  await page.keyboard.press("Enter");
  await until("a lost answer", async () => lost > 0);
  await page.reload();
  await until("another lost answer", async () => lost > 1);
  await page.unroute("**/whatsapp_messages");
  await until("the phone has the reply", async () => (await server.answers()).includes("Sent once"));
  // The live feed may show it before the answer to the request does; then it is listed twice.
  const shown = () => thread(page).getByText("Sent once").count();
  await until("one row of the reply", async () => (await page.getByText("Sending").count()) + (await shown()) === 1);
  assert.equal((await server.answers()).length, before.length + 1);
  visitor.expected = undefined;
});

test("typed text survives a reload, and a note is shown only here", async () => {
  const before = (await server.answers()).length;
  const reply = page.getByRole("textbox", { name: "Reply" });
  await reply.fill("half a sent");
  await page.reload();
  await reply.waitFor();
  assert.equal(await reply.inputValue(), "half a sent");
  await reply.fill("");
  await page.getByRole("heading", { level: 2 }).first().click();
  await page.keyboard.press("n");
  await page.keyboard.type("Call back on Friday");
  await page.keyboard.press("Enter");
  await thread(page).getByText("Call back on Friday").waitFor();
  await thread(page).getByText("Note, only your team sees it").waitFor();
  assert.equal((await server.answers()).length, before);
});

test("given back, the agent answers again", async () => {
  const before = (await server.answers()).length;
  await page.getByRole("button", { name: "Give back to agent" }).click();
  await page.getByRole("button", { name: /^Take over( H)?$/ }).waitFor();
  await server.says("where is order 1043?");
  await until("the agent answers", async () => (await server.answers()).length > before);
});

test("what was typed before taking over is sent as the reply, not as a note", async () => {
  await page.getByRole("textbox", { name: "Note" }).fill("It is at the door.");
  await page.getByRole("button", { name: "Take over to reply" }).click();
  const reply = page.getByRole("textbox", { name: "Reply" });
  await until("the text as a reply", async () => (await reply.inputValue()) === "It is at the door.");
  await accessible(page);
  await row(page).first().getByText("You", { exact: true }).waitFor();
  await reply.press("Enter");
  await until("the phone has the reply", async () => (await server.answers()).includes("It is at the door."));
  assert.equal(await page.getByRole("textbox", { name: "Reply" }).inputValue(), "");
  await page.getByRole("button", { name: "Give back to agent" }).click();
  await page.getByRole("button", { name: "Take over to reply" }).waitFor();
});

test("closed and reopened, the conversation says so", async () => {
  await page.getByRole("button", { name: "Close E" }).click();
  await page.getByText("This conversation is closed.").waitFor();
  await page.getByRole("button", { name: "Reopen" }).click();
  await page.getByText("This conversation is closed.").waitFor({ state: "detached" });
});

test("names and messages of customers never become markup or script", async () => {
  const text = '<img src=x onerror="alert(1)"> \u202egnp.exe <b>bold</b>';
  await server.says(text);
  await thread(page).getByText(text).first().waitFor();
  assert.equal(await page.locator("log img, [role=log] b").count(), 0);
  const refused = await page.evaluate(() => {
    try {
      document.body.innerHTML = "<b>x</b>";
      return "taken";
    } catch (error) {
      return (error as Error).name;
    }
  });
  assert.equal(refused, "TypeError", "the policy refuses markup from text");
  visitor.problems.splice(0);
});

test("search and views are in the address, and an unknown conversation is not found", async () => {
  await page.getByRole("searchbox", { name: "Search names and phone numbers" }).fill("no such name");
  await page.getByText("No name or phone number of a contact matches.").waitFor();
  assert.match(page.url(), /search=no\+such\+name/);
  await page.getByRole("searchbox", { name: "Search names and phone numbers" }).fill("");
  await row(page).first().waitFor();
  await page.getByRole("link", { name: /^Mine/ }).click();
  await page.getByText("You have no open conversations.").waitFor();
  assert.match(page.url(), /view=mine/);
  visitor.expected = /404/;
  await page.goto(page.url().replace(/\/inbox.*/, "/inbox/0197a1b2-c3d4-7000-8000-000000000000"));
  await page.getByRole("alert").getByText("not_found").waitFor();
  await accessible(page);
});

test("the pages had no errors", () => visitor.leave());
