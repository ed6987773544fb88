/** The phone in the page: the first answer, what a customer can do, and who may use it. */

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import type { Browser, Page } from "playwright-core";
import qrcode from "qrcode-generator";
import { accessible, fits, launch, PHONE, signIn, Visitor } from "../support/browser.ts";
import { Server, until } from "../support/server.ts";

let server: Server;
let browser: Browser;
let visitor: Visitor;
let page: Page;

before(async () => {
  [server, browser] = await Promise.all([Server.start(), launch()]);
  visitor = await Visitor.enter(browser);
  page = await visitor.open();
});

after(async () => {
  await browser?.close();
  await server?.stop();
});

const phone = () => page.getByRole("region", { name: "Phone" });
const chat = () => page.getByRole("log", { name: "Chat on the phone" });

test("from the link of dev the first answer of the agent takes two taps", async () => {
  await signIn(page, server);
  await page.waitForURL(/\/sandbox$/);
  await accessible(page);
  await page.getByRole("button", { name: /^Send the code/ }).click();
  await page.getByRole("button", { name: "Where is order 1042?" }).click();
  await chat().getByText(/1042/).nth(1).waitFor();
  await page.getByText("Active", { exact: true }).waitFor();
  const steps = page.getByRole("region", { name: "Steps of the agent" });
  await steps.getByText("Model", { exact: true }).first().waitFor();
  await steps.getByText("Out", { exact: true }).first().waitFor();
  await accessible(page);
});

test("the QR code holds the link of a session, module by module", async () => {
  await page.getByRole("button", { name: "New session" }).click();
  await page.getByLabel("Phone number").fill("+4915112345678");
  await page.getByRole("button", { name: "Create" }).click();
  const code = page.getByRole("img", { name: "QR code with the activation link" });
  await code.waitFor();
  const link = await page.getByRole("link", { name: /wa\.me/ }).getAttribute("href");
  assert.match(link ?? "", /^https:\/\/wa\.me\/\d+\?text=/);
  const path = (await code.locator("path").getAttribute("d")) ?? "";
  const shown = [...path.matchAll(/M(\d+) (\d+)h1v1h-1z/g)].map(([, x, y]) => `${x} ${y}`).sort();
  const expected = qrcode(0, "M");
  expected.addData(link ?? "");
  expected.make();
  const dark: string[] = [];
  for (let row = 0; row < expected.getModuleCount(); row++)
    for (let column = 0; column < expected.getModuleCount(); column++)
      if (expected.isDark(row, column)) dark.push(`${column + 4} ${row + 4}`);
  assert.deepEqual(shown, dark.sort());
  assert.equal(
    await code.getAttribute("viewBox"),
    `0 0 ${expected.getModuleCount() + 8} ${expected.getModuleCount() + 8}`,
  );
  await accessible(page);
});

test("another phone's code is refused with its reason", async () => {
  await page.getByRole("button", { name: server.phoneNumber }).click();
  await chat().getByText(/1042/).first().waitFor();
  const code = (await page.getByText(/^Send \w+ from this phone/).textContent())?.split(" ")[1] ?? "";
  await phone().getByRole("textbox").fill(code);
  const before = (await server.answers()).length;
  await phone().getByRole("button", { name: "Send", exact: true }).click();
  await until("an answer", async () => (await server.answers()).length > before);
  const reason = (await server.answers()).at(-1) ?? "";
  await chat().getByText(reason.slice(0, 30)).first().waitFor();
  await page.getByText("Waits for the code").waitFor();
});

test("pasted lines are sent as a burst, which gets one answer", async () => {
  const before = (await server.answers()).length;
  const box = phone().getByRole("textbox");
  await box.fill("Hello\nwhere is my order?\n1042\nplease\nthank you");
  await page.getByLabel("Send 5 messages, one for each line").check();
  await phone().getByRole("button", { name: "Send", exact: true }).click();
  await until("an answer", async () => (await server.answers()).length > before, 20_000);
  await page.waitForTimeout(1_500);
  assert.equal((await server.answers()).length, before + 1);
  const own = (await server.chat()).filter(({ direction }) => direction === "in").slice(-5);
  assert.deepEqual(
    own.map(({ content }) => content?.body),
    ["Hello", "where is my order?", "1042", "please", "thank you"],
  );
});

test("a reply quotes, a reaction is set and taken back, and a file arrives", async () => {
  const last = chat()
    .getByRole("article")
    .filter({ has: page.getByRole("button", { name: "Reply" }) })
    .last();
  await last.getByRole("button", { name: "React with a thumbs up" }).click();
  await until("a reaction", async () => (await server.chat()).some(({ reactions }) => reactions[0]?.emoji === "👍"));
  await chat().getByText("👍", { exact: true }).first().waitFor();
  await last.getByRole("button", { name: "Reply" }).click();
  await phone().getByRole("textbox").fill("About this one");
  await page.keyboard.press("Enter");
  await until("a reply", async () => (await server.chat()).some(({ reply_to }) => reply_to !== null));
  await phone()
    .locator("input[type=file]")
    .setInputFiles({ name: "receipt.png", mimeType: "image/png", buffer: Buffer.from("iVBORw0KGgo=", "base64") });
  await until("an image", async () => (await server.chat()).some(({ type }) => type === "image"));
  await chat().getByText("Image").first().waitFor();
  await accessible(page);
});

test("buttons of a person's message are tapped, and the thread shows quote and choice", async () => {
  type Found = { data: { id: string; agent_id: string; whatsapp_conversation_id: string }[] };
  const { data } = await server.api<Found>("executions");
  const conversation = data[0]?.whatsapp_conversation_id;
  const execution = `agents/${data[0]?.agent_id}/executions/${data[0]?.id}`;
  await server.api(execution, { agent_execution: { status: "ended" } }, "PUT");
  const message = {
    message_type: "interactive",
    body_text: "Which one?",
    buttons: [
      { id: "red", title: "Red" },
      { id: "blue", title: "Blue" },
    ],
  };
  await server.api(`whatsapp_conversations/${conversation}/whatsapp_messages`, { message });
  await chat().getByText("Which one?").waitFor();
  await chat().getByRole("button", { name: "Blue" }).click();
  await until("a choice", async () =>
    (await server.chat()).some(({ content }) => content?.button_reply?.title === "Blue"),
  );
  await page.getByRole("link", { name: "Inbox" }).click();
  await page.getByRole("region", { name: "Conversations" }).getByRole("listitem").getByRole("link").first().click();
  const thread = page.getByRole("log", { name: "Messages" });
  await thread.getByText("Blue").last().waitFor();
  await thread.getByText("In reply to").first().waitFor({ state: "attached" });
  await accessible(page);
});

test("the page fits a phone, and in the dark", async () => {
  const state = await visitor.context.storageState();
  const home = page.url().replace(/\/inbox.*/, "");
  for (const options of [PHONE, { colorScheme: "dark" as const }]) {
    const other = await Visitor.enter(browser, { ...options, storageState: state });
    const shown = await other.open();
    await shown.goto(`${home}/sandbox?phone=${server.phoneNumber.replace(/\D/g, "")}`);
    await shown.getByRole("region", { name: "Phone" }).getByText(/1042/).first().waitFor();
    await accessible(shown);
    await fits(shown);
    await other.leave();
  }
});

test("only operators who are signed in reach the phone", async () => {
  const path = `${server.url}/app/api/phone/state`;
  assert.equal((await fetch(path)).status, 401);
  const ways = await page.evaluate(async () => {
    const ask = (site: RequestInit) => fetch("/app/api/phone/faults", site).then((answer) => answer.status);
    return [await ask({ method: "DELETE", headers: { "Content-Type": "text/plain" } }), await ask({})];
  });
  assert.deepEqual(ways, [403, 200], "a write needs a script of this page");
  const shown = await server.command("users", "invite", "maria@example.test", "--project", "Demo", "--role", "owner");
  const maria = await Visitor.enter(browser);
  const own = await maria.open();
  maria.expected = /403/;
  await own.goto(/https?:\/\/\S+/.exec(shown)?.[0] ?? "");
  await own.getByLabel("Name", { exact: true }).fill("Maria");
  await own.getByLabel("New password").fill("another long password");
  await own.getByRole("button", { name: "Join" }).click();
  await own.getByRole("link", { name: "Sandbox" }).click();
  await own.getByText("Active", { exact: true }).first().waitFor();
  assert.equal(await own.getByRole("region", { name: "Phone" }).count(), 0);
  const status = await own.evaluate(() => fetch("/app/api/phone/state").then((answer) => answer.status));
  assert.equal(status, 403);
  await maria.leave();
});

test("the clocks stay moved after a restart", async () => {
  const HOUR = 3_600_000;
  const ahead = async () => ((await server.control("clock")) as { now: number }).now - Date.now();
  const before = await ahead();
  await page.evaluate((ms) => {
    const headers = { "Content-Type": "application/json" };
    return fetch("/app/api/phone/clock", { method: "POST", headers, body: JSON.stringify({ advance_ms: ms }) });
  }, 2 * HOUR);
  const moved = await ahead();
  assert.ok(Math.abs(moved - before - 2 * HOUR) < 60_000, `${moved - before}`);
  await page.goto("about:blank");
  type Entries = { data: { last_active_at: string }[] };
  const latest = async () => (await server.api<Entries>("inbox")).data[0];
  const earlier = await latest();
  await server.kill();
  await server.run(new URL(server.url).host);
  assert.ok(Math.abs((await ahead()) - moved) < 60_000, "the phone");
  await server.says("after the restart");
  const entry = await until("the message", async () => {
    const found = await latest();
    return found?.last_active_at === earlier?.last_active_at ? undefined : found;
  });
  const at = Date.parse(entry.last_active_at) - Date.now();
  assert.ok(Math.abs(at - moved) < 60_000, `the server is ${at} ms ahead, the phone was ${moved}`);
});

test("the pages had no errors", () => {
  visitor.problems.splice(0, visitor.problems.length, ...visitor.problems.filter((one) => !/403/.test(one)));
  return visitor.leave();
});
