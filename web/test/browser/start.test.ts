/** Setup, sign-in, invitation, reset, roles, person menu. */

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import type { Browser } from "playwright-core";
import { accessible, fits, launch, PHONE, signIn, Visitor } from "../support/browser.ts";
import { Server } from "../support/server.ts";

const OWNER = { email: "olga@example.test", password: "a long enough password" };
const MARIA = { email: "maria@example.test", password: "another long password" };
let server: Server;
let browser: Browser;

before(async () => {
  [server, browser] = await Promise.all([Server.start(), launch()]);
});

after(async () => {
  await browser?.close();
  await server?.stop();
});

test("a wrong setup token is refused, the right one works once, then the page is gone", async () => {
  const visitor = await Visitor.enter(browser);
  const page = await visitor.open();
  await page.goto(`${server.url}/`);
  await page.getByRole("heading", { name: "Set up Chasqui" }).waitFor();
  await accessible(page);
  await page.getByRole("button", { name: "Create account" }).click();
  await page.getByText("This is needed.").first().waitFor();
  assert.equal(await page.getByLabel("Setup token").evaluate((input) => input === document.activeElement), true);
  const token = /setup token[^\n]*?([\w-]{16,})/i.exec(
    await server.command("doctor").catch((error) => String(error.stdout)),
  )?.[1];
  assert.ok(token, "doctor shows the setup token");
  await page.getByLabel("Name", { exact: true }).fill("Olga");
  await page.getByLabel("E-mail").fill(OWNER.email);
  await page.getByLabel("New password").fill(OWNER.password);
  await page.getByLabel("Setup token").fill("wrong");
  visitor.expected = /401/;
  await page.getByRole("button", { name: "Create account" }).click();
  await page.getByText("The setup token is wrong.").waitFor();
  await page.getByLabel("Setup token").fill(token);
  await page.getByRole("button", { name: "Create account" }).click();
  await page.getByText("It finds keywords and is not an AI.").waitFor();
  await accessible(page);
  await page.getByRole("button", { name: "Open the dashboard" }).click();
  await page.getByRole("heading", { name: "Sandbox" }).waitFor();
  await page.goto(`${server.url}/app/setup`);
  await page.getByRole("heading", { name: "Page not found" }).waitFor();
  await visitor.leave();
});

test("a person signs in with a password and returns to the page asked for", async () => {
  const visitor = await Visitor.enter(browser);
  visitor.expected = /401/;
  const page = await visitor.open();
  await page.goto(`${server.url}/app/p/unknown/executions?status=failed`);
  await page.getByLabel("E-mail").fill(OWNER.email);
  await page.getByLabel("Password").fill("wrong password");
  await page.getByRole("button", { name: "Sign in" }).click();
  await page.getByText("The e-mail address or the password is wrong.").waitFor();
  await accessible(page);
  await page.getByLabel("Password").fill(OWNER.password);
  await page.getByRole("button", { name: "Sign in" }).click();
  await page.getByRole("heading", { name: "Page not found" }).waitFor();
  assert.match(page.url(), /\/app\/p\/unknown\/executions\?status=failed$/);
  await visitor.leave();
});

test("an invited person joins with a role and sees only its pages", async () => {
  const visitor = await Visitor.enter(browser, PHONE);
  const page = await visitor.open();
  const shown = await server.command("users", "invite", MARIA.email, "--project", "Demo", "--role", "inbox");
  const link = /https?:\/\/\S+/.exec(shown)?.[0] ?? "";
  assert.doesNotMatch(shown, /not built/);
  await page.goto(link);
  await page.getByText("as inbox").waitFor();
  await page.getByLabel("Name", { exact: true }).fill("Maria");
  await page.getByLabel("New password").fill("short");
  await page.getByRole("button", { name: "Join" }).click();
  await page.getByText("At least 10 characters are needed.").waitFor();
  await accessible(page);
  await page.getByLabel("New password").fill(MARIA.password);
  await page.getByRole("button", { name: "Join" }).click();
  const navigation = page.getByRole("navigation", { name: "Main" });
  await navigation.getByRole("link", { name: "Inbox" }).waitFor();
  assert.equal(await navigation.getByRole("link").count(), 1);
  await fits(page);
  visitor.expected = /404/;
  await page.goto(link);
  await page.getByText("This link is unknown, used or expired.").waitFor();
  await visitor.leave();
});

test("a reset link sets a new password", async () => {
  const visitor = await Visitor.enter(browser);
  visitor.expected = /401/;
  const page = await visitor.open();
  const link = /https?:\/\/\S+/.exec(await server.command("users", "reset", MARIA.email))?.[0] ?? "";
  await page.goto(link);
  await page.getByRole("heading", { name: "Choose a new password" }).waitFor();
  await page.getByLabel("New password").fill("a third long password");
  await page.getByRole("button", { name: "Set password" }).click();
  await page.getByRole("navigation", { name: "Main" }).waitFor();
  MARIA.password = "a third long password";
  await visitor.leave();
});

test("language and theme follow the person, and signing out ends the session", async () => {
  const visitor = await Visitor.enter(browser);
  const page = await visitor.open();
  await signIn(page, server, MARIA);
  await page.getByRole("button", { name: "Account of Maria" }).click();
  await accessible(page);
  await page.getByLabel("Language").selectOption("pt-BR");
  await page.getByRole("link", { name: "Entrada" }).waitFor();
  assert.equal(await page.evaluate(() => document.documentElement.lang), "pt-BR");
  await page.getByRole("button", { name: "Conta de Maria" }).click();
  await page.getByLabel("Tema").selectOption("dark");
  await page.waitForFunction(() => document.documentElement.dataset.theme === "dark");
  await page.getByLabel("Idioma").selectOption("es");
  await page.getByRole("link", { name: "Bandeja" }).waitFor();
  await accessible(page);
  await page.getByRole("button", { name: "Cuenta de Maria" }).click();
  await page.getByRole("button", { name: "Salir" }).click();
  await page.getByRole("heading", { name: "Entrar" }).waitFor();
  visitor.expected = /401/;
  await page.goto(`${server.url}/app`);
  await page.getByRole("heading", { name: "Entrar" }).waitFor();
  await visitor.leave();
});
