/** Model providers of the project: added once, changed, checked, deleted; keys are never shown. */

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import type { Browser, Locator, Page } from "playwright-core";
import { accessible, fits, launch, PHONE, signIn, Visitor } from "../support/browser.ts";
import { Model } from "../support/model.ts";
import { Server, until } from "../support/server.ts";

type Provider = { name: string; base_url: string; model: string | null; key_set: boolean; key_hint: string | null };

const KEY = "sk-of-the-project-1234";
let server: Server;
let browser: Browser;
let visitor: Visitor;
let model: Model;
let page: Page;
let home = "";

before(async () => {
  model = await Model.start(KEY);
  const settings = { CHASQUI_LLM_PROVIDER: "Rehearsal", CHASQUI_EGRESS_ALLOW: "127.0.0.1/32" };
  [server, browser] = await Promise.all([Server.start(settings), launch()]);
  visitor = await Visitor.enter(browser);
  page = await visitor.open();
  await signIn(page, server);
  home = page.url().replace(/(\/p\/[^/]+)\/.*/, "$1");
});

after(async () => {
  await browser?.close();
  await server?.stop();
  await model?.stop();
});

const stored = async () => (await server.api<{ data: Provider[] }>("model_providers")).data;
const dialog = () => page.getByRole("dialog");
const save = () => dialog().getByRole("button", { name: "Save" }).click();
const row = (name: string) => page.getByRole("listitem").filter({ has: page.getByRole("heading", { name }) });
/** Waits for a text that describes a field, as a screen reader finds it. */
const saidAt = (input: Locator, text: RegExp) =>
  until(`${text} at a field`, async () => {
    // In one step: the hint makes room for the error.
    const said = await input.evaluate((field) => {
      const ids = field.getAttribute("aria-describedby")?.split(" ") ?? [];
      return ids.map((id) => document.getElementById(id)?.textContent).join(" ");
    });
    return text.test(said);
  });

test("an owner adds a provider from the settings, and two Enters add one", async () => {
  await page.getByRole("link", { name: "Settings" }).click();
  await page.getByRole("link", { name: "Models" }).click();
  await page.waitForURL(/\/settings\/models$/);
  await page.getByText("This project has no provider of its own.").waitFor();
  await accessible(page);
  await page.getByRole("button", { name: "Add provider" }).click();
  await accessible(page);
  await dialog().getByLabel("Name", { exact: true }).fill("Ours");
  await dialog().getByLabel("Protocol").selectOption("Server compatible with OpenAI");
  await dialog().getByLabel("Address").fill(model.url);
  await dialog().getByLabel("Model", { exact: true }).fill("shop-small");
  const key = dialog().getByLabel("Key", { exact: true });
  assert.equal(await key.getAttribute("type"), "password");
  assert.equal(await key.getAttribute("autocomplete"), "off");
  await key.fill(KEY);
  const sent: (string | undefined)[] = [];
  await page.route("**/api/v1/model_providers", async (route) => {
    if (route.request().method() === "POST") {
      sent.push(route.request().headers()["idempotency-key"]);
      await new Promise((done) => setTimeout(done, 300));
    }
    await route.continue();
  });
  // Both before the page can be drawn again.
  await key.evaluate((input: HTMLInputElement) => {
    input.form?.requestSubmit();
    input.form?.requestSubmit();
  });
  await page.keyboard.press("Enter");
  await page.getByText("Ours is saved. The next calls use it.").waitFor();
  await page.unroute("**/api/v1/model_providers");
  assert.equal(sent.length, 1, "one request");
  assert.ok(sent[0], "with a key against repeating it");
  const shown = row("Ours");
  await shown.getByText("ends in 1234").waitFor();
  await shown.getByText(model.url).waitFor();
  assert.deepEqual(
    (await stored()).map(({ name, key_hint }) => [name, key_hint]),
    [["Ours", "1234"]],
  );
  const texts = await page.evaluate(() => [
    document.documentElement.outerHTML,
    JSON.stringify({ ...localStorage }),
    JSON.stringify({ ...sessionStorage }),
  ]);
  for (const text of texts) assert.ok(!text.includes(KEY), "the key is not kept");
  await accessible(page);
});

test("a check says in words what works, and what does not", async () => {
  const shown = row("Ours");
  await shown.getByRole("button", { name: "Check Ours" }).click();
  await page.getByText("Ours works.").waitFor();
  const found = shown.getByRole("region", { name: "Check of Ours" });
  await found.getByText("Works", { exact: true }).waitFor();
  await found.getByText("shop-small").waitFor();
  const tools = found.locator("dt", { hasText: "Tool calls" }).locator("+ dd");
  assert.equal(await tools.textContent(), "Yes");
  await found.getByText("Streaming").waitFor();
  await found.getByText("Images").waitFor();
  await accessible(page);
  model.callsTools = false;
  await shown.getByRole("button", { name: "Check Ours" }).click();
  await found.getByText("No. Agents cannot work with this model.").waitFor();
  model.callsTools = true;
});

test("models that agents may name are listed, the server's and the project's", async () => {
  const usable = page.getByRole("region", { name: "Models that agents may name" });
  const ours = usable.getByRole("listitem").filter({ hasText: "of this project" });
  await ours.getByText("2 models").click();
  await ours.getByText("shop-large").waitFor();
  const servers = usable.getByRole("listitem").filter({ hasText: "of the server" });
  await servers.getByText("Rehearsal").waitFor();
  await servers.getByText("default", { exact: true }).waitFor();
  await accessible(page);
});

test("a refused key is explained with the provider's words", async () => {
  await row("Ours").getByRole("button", { name: "Change Ours" }).click();
  const key = dialog().getByLabel("Key", { exact: true });
  assert.equal(await key.inputValue(), "", "the key is not shown");
  await key.fill("sk-wrong-wrong-9876");
  await save();
  await row("Ours").getByText("ends in 9876").waitFor();
  await page.getByText("Ours is saved. The next calls use it.").waitFor();
  const change = row("Ours").getByRole("button", { name: "Change Ours" });
  assert.ok(await change.evaluate((button) => button === document.activeElement), "the focus is back");
  const before = page.getByRole("region", { name: "Check of Ours" });
  assert.equal(await before.count(), 0, "what was found before the change is gone");
  await row("Ours").getByRole("button", { name: "Check Ours" }).click();
  const found = page.getByRole("region", { name: "Check of Ours" });
  await found.getByText("The provider refuses the key.").waitFor();
  await found.getByText(/Incorrect API key provided/).waitFor();
  assert.doesNotMatch((await found.textContent()) ?? "", /sk-wrong/);
  await page.getByText(/Its models could not be listed: .*Incorrect API key/).waitFor();
  await accessible(page);
});

test("refusals stand at their fields, and what was typed stays", async () => {
  visitor.expected = /422|409/;
  await page.getByRole("button", { name: "Add provider" }).click();
  const name = dialog().getByLabel("Name", { exact: true });
  await name.fill("OURS");
  await save();
  await saidAt(name, /has already been taken/);
  assert.ok(await name.evaluate((input) => input === document.activeElement), "the field has the focus");
  await accessible(page);
  await name.fill("Second");
  const address = dialog().getByLabel("Address");
  await address.fill("https://10.1.2.3/v1");
  await dialog().getByLabel("Key", { exact: true }).fill("schlüssel");
  await save();
  await saidAt(dialog().getByLabel("Key", { exact: true }), /visible ASCII/);
  await dialog().getByLabel("Key", { exact: true }).fill(KEY);
  await save();
  await saidAt(address, /10\.1\.2\.3 is not a public address/);
  assert.equal(await address.getAttribute("aria-invalid"), "true");
  assert.equal(await name.inputValue(), "Second");
  await page.route("**/api/v1/model_providers", (route) =>
    route.fulfill({ status: 409, json: { code: "too_many_providers", message: "there are 20 providers already" } }),
  );
  await save();
  await dialog().getByRole("alert").getByText("there are 20 providers already").waitFor();
  await page.unroute("**/api/v1/model_providers");
  await dialog().getByRole("button", { name: "Cancel" }).click();
  assert.equal((await stored()).length, 1);
});

test("a changed address asks for the key again", async () => {
  await row("Ours").getByRole("button", { name: "Change Ours" }).click();
  const key = dialog().getByLabel("Key", { exact: true });
  await saidAt(key, /Empty: the stored key stays/);
  await dialog().getByLabel("Address").fill(`${model.url}/`);
  await saidAt(key, /The stored key is sent to no other address/);
  await save();
  await saidAt(key, /sent to no other address; send api_key too/);
  await accessible(page);
  await key.fill(KEY);
  await save();
  await row("Ours").getByText("ends in 1234").waitFor();
  assert.equal((await stored())[0]?.base_url, `${model.url}/`);
  visitor.expected = undefined;
  await row("Ours").getByRole("button", { name: "Change Ours" }).click();
  await dialog().getByLabel("Delete the stored key").check();
  await save();
  await row("Ours").getByText("none", { exact: true }).waitFor();
  assert.equal((await stored())[0]?.key_set, false);
});

test("a builder has the page, without the general settings; other roles have neither", async () => {
  for (const [role, has] of [
    ["builder", true],
    ["inbox", false],
    ["viewer", false],
  ] as const) {
    const shown = await server.command("users", "invite", `${role}@x.test`, "--project", "Demo", "--role", role);
    const other = await Visitor.enter(browser);
    const own = await other.open();
    await own.goto(/https?:\/\/\S+/.exec(shown)?.[0] ?? "");
    await own.getByLabel("Name", { exact: true }).fill("Bo");
    await own.getByLabel("New password").fill("another long password");
    await own.getByRole("button", { name: "Join" }).click();
    await own.getByRole("link", { name: "Inbox" }).waitFor();
    assert.equal(await own.getByRole("link", { name: "Settings" }).count(), has ? 1 : 0, role);
    if (has) {
      await own.getByRole("link", { name: "Settings" }).click();
      await own.waitForURL(/\/settings\/models$/);
      await own.getByRole("button", { name: "Change Ours" }).waitFor();
      assert.equal(await own.getByRole("link", { name: "General" }).count(), 0);
    } else {
      await own.goto(`${home}/settings/models`);
      await own.getByRole("heading", { name: "Page not found" }).waitFor();
    }
    await other.leave();
  }
});

test("the page is in three languages, fits a phone, and is accessible in the dark", async () => {
  const state = await visitor.context.storageState();
  for (const options of [PHONE, { colorScheme: "dark" as const }]) {
    const other = await Visitor.enter(browser, { ...options, storageState: state });
    const shown = await other.open();
    await shown.goto(`${home}/settings/models`);
    await shown.getByRole("button", { name: "Check Ours" }).click();
    await shown.getByText("The key is missing.").or(shown.getByText("The provider refuses the key.")).waitFor();
    await accessible(shown);
    await fits(shown);
    await shown.getByRole("button", { name: "Add provider" }).click();
    await accessible(shown);
    await fits(shown);
    await other.leave();
  }
  for (const [language, title, button] of [
    ["es", "Proveedores de este proyecto", "Agregar proveedor"],
    ["pt-BR", "Provedores deste projeto", "Adicionar provedor"],
    ["en", "Providers of this project", "Add provider"],
  ] as const) {
    await page.getByRole("button", { name: /^(Account|Cuenta|Conta) / }).click();
    await page.locator("select:has(option[value='pt-BR'][lang])").selectOption(language);
    await page.getByRole("heading", { level: 2, name: title }).waitFor();
    await page.getByRole("button", { name: button }).waitFor();
    await page.keyboard.press("Escape");
  }
});

test("deleting says which effect it has, and deletes after it was confirmed", async () => {
  await row("Ours").getByRole("button", { name: "Delete Ours" }).click();
  await dialog()
    .getByText(/use their fallback; those without one fail with llm_provider_missing/)
    .waitFor();
  await accessible(page);
  await dialog().getByRole("button", { name: "Cancel" }).click();
  assert.equal((await stored()).length, 1);
  await row("Ours").getByRole("button", { name: "Delete Ours" }).click();
  await dialog().getByRole("button", { name: "Delete" }).click();
  await page.getByText("Ours is deleted.").waitFor();
  await page.getByText("This project has no provider of its own.").waitFor();
  assert.deepEqual(await stored(), []);
});

test("the pages had no errors", () => visitor.leave());
