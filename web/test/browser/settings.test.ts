/** Settings of the project: the disclosure, for owners only, in three languages. */

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import type { Browser, Page } from "playwright-core";
import { accessible, fits, launch, PHONE, signIn, Visitor } from "../support/browser.ts";
import { Server, until } from "../support/server.ts";

type Settings = { data: { agent_messages: { disclosure: { enabled: boolean; texts: Record<string, string> } } }[] };

let server: Server;
let browser: Browser;
let visitor: Visitor;
let page: Page;
let home = "";

before(async () => {
  [server, browser] = await Promise.all([Server.start(), launch()]);
  visitor = await Visitor.enter(browser);
  page = await visitor.open();
  await signIn(page, server);
  home = page.url().replace(/(\/p\/[^/]+)\/.*/, "$1");
});

after(async () => {
  await browser?.close();
  await server?.stop();
});

const stored = async () => (await server.api<Settings>("projects")).data[0]?.agent_messages.disclosure;
const save = () => page.getByRole("button", { name: "Save" }).click();

test("an owner writes the disclosure, and the next contact reads it", async () => {
  await page.getByRole("link", { name: "Settings" }).click();
  await page.waitForURL(/\/settings\/general$/);
  // It is off in the demo project.
  await page.getByLabel("Say that an automated assistant writes").check();
  const english = page.getByLabel("English", { exact: true });
  assert.equal(await english.getAttribute("placeholder"), "You are chatting with an automated assistant.");
  await accessible(page);
  for (const language of ["English", "Spanish", "Portuguese"]) {
    await page.getByLabel(language, { exact: true }).fill(`I am Ada, a robot (${language}).`);
  }
  await save();
  await page.getByText("Saved. The next messages follow it.").waitFor();
  assert.equal((await stored())?.texts.en, "I am Ada, a robot (English).");
  await server.connect();
  await server.says("where is order 1042?");
  await until("the sentence before the first answer", async () =>
    (await server.answers()).some((text) => /^I am Ada, a robot \(\w+\)\.\n\n.*1042/s.test(text)),
  );
});

test("a language is added, a text is removed, and the setting is switched off", async () => {
  await page.getByLabel("Add a language…").selectOption("fr");
  await page.getByLabel("French", { exact: true }).fill("Je suis Ada, un robot.");
  await page.getByLabel("English", { exact: true }).fill(" ");
  await save();
  await until("the texts", async () => (await stored())?.texts.fr === "Je suis Ada, un robot.");
  assert.equal((await stored())?.texts.en, undefined, "an empty field has no text");
  await page.getByLabel("Say that an automated assistant writes").uncheck();
  await save();
  await until("off", async () => (await stored())?.enabled === false);
  await page.reload();
  const box = page.getByLabel("Say that an automated assistant writes");
  await box.waitFor();
  assert.equal(await box.isChecked(), false);
  await box.check();
  assert.equal(await page.getByLabel("French", { exact: true }).inputValue(), "Je suis Ada, un robot.");
  await accessible(page);
});

test("a refused change is explained, and what was typed stays", async () => {
  visitor.expected = /409/;
  await page.route("**/api/v1/projects/*", (route) => route.fulfill({ status: 409, json: { message: "Busy." } }));
  await page.getByLabel("English", { exact: true }).fill("I am a robot.");
  await save();
  await page.getByRole("alert").getByText("Busy.").waitFor();
  assert.equal(await page.getByLabel("English", { exact: true }).inputValue(), "I am a robot.");
  await page.unroute("**/api/v1/projects/*");
  await save();
  await until("the text", async () => (await stored())?.texts.en === "I am a robot.");
  visitor.expected = undefined;
});

test("only owners have the general settings", async () => {
  const shown = await server.command("users", "invite", "bo@example.test", "--project", "Demo", "--role", "builder");
  const builder = await Visitor.enter(browser);
  const own = await builder.open();
  await own.goto(/https?:\/\/\S+/.exec(shown)?.[0] ?? "");
  await own.getByLabel("Name", { exact: true }).fill("Bo");
  await own.getByLabel("New password").fill("another long password");
  await own.getByRole("button", { name: "Join" }).click();
  await own.getByRole("link", { name: "Executions" }).waitFor();
  await own.getByRole("link", { name: "Settings" }).click();
  await own.waitForURL(/\/settings\/models$/);
  await own.goto(`${home}/settings/general`);
  await own.getByRole("heading", { name: "Page not found" }).waitFor();
  await builder.leave();
});

test("the page is in three languages, fits a phone, and is accessible in the dark", async () => {
  const state = await visitor.context.storageState();
  for (const options of [PHONE, { colorScheme: "dark" as const }]) {
    const other = await Visitor.enter(browser, { ...options, storageState: state });
    const shown = await other.open();
    await shown.goto(`${home}/settings`);
    await shown.getByLabel("English", { exact: true }).waitFor();
    await accessible(shown);
    await fits(shown);
    await other.leave();
  }
  for (const [language, title, english] of [
    ["es", "Ajustes", "inglés"],
    ["pt-BR", "Configurações", "inglês"],
    ["en", "Settings", "English"],
  ] as const) {
    await page.getByRole("button", { name: /^(Account|Cuenta|Conta) / }).click();
    await page.locator("select:has(option[value='pt-BR'][lang])").selectOption(language);
    await page.getByRole("heading", { level: 1, name: title }).waitFor();
    await page.getByLabel(english, { exact: true }).waitFor();
    await page.keyboard.press("Escape");
  }
});

test("the pages had no errors", () => visitor.leave());
