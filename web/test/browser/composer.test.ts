/** Templates outside the window, files, and sending again. */

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import type { Browser, Page } from "playwright-core";
import { accessible, fits, launch, PHONE, signIn, Visitor } from "../support/browser.ts";
import { OWN_NUMBER, Server, until } from "../support/server.ts";

const ANA = "+51987654321";
const TEMPLATE = {
  name: "order_ready",
  language_code: "en_US",
  category: "UTILITY",
  components: [
    {
      type: "BODY",
      text: "Hello {{1}}, your order {{2}} is ready.",
      example: { body_text: [["Ana", "1042"]] },
    },
  ],
};

let server: Server;
let browser: Browser;
let visitor: Visitor;
let page: Page;
let home = "";
let conversation = "";

const says = (text: string) => server.says(text, ANA, OWN_NUMBER);
const received = () => server.answers(ANA, OWN_NUMBER);

before(async () => {
  [server, browser] = await Promise.all([Server.start(), launch()]);
  const config = await server.connectNumber();
  type Made = { data: { id: string; status: string } };
  const made = await server.api<Made>("whatsapp_templates", { template: TEMPLATE, whatsapp_config_id: config });
  await server.api(`whatsapp_templates/${made.data.id}/submit`, { whatsapp_config_id: config });
  const approved = async () => {
    const all = (await server.control("templates")) as { templates?: { id: string; name: string }[] };
    const id = all.templates?.find(({ name }) => name === TEMPLATE.name)?.id;
    if (id) await server.control(`templates/${id}/decision`, { status: "APPROVED" }).catch(() => {});
    return (await server.api<Made>(`whatsapp_templates/${made.data.id}`)).data.status === "approved";
  };
  await until("an approved template", approved, 20_000);
  await says("Hello");
  const entry = await until("a conversation", async () => {
    const { data } = await server.api<{ data: { id: string }[] }>("inbox");
    return data[0];
  });
  conversation = entry.id;
  visitor = await Visitor.enter(browser);
  page = await visitor.open();
  await signIn(page, server);
  home = page.url().replace(/\/(inbox|sandbox).*/, "");
  await page.goto(`${home}/inbox/${conversation}`);
  await page.getByRole("button", { name: /^Take over( H)?$/ }).click();
  await page.getByRole("textbox", { name: "Reply" }).waitFor();
});

after(async () => {
  await browser?.close();
  await server?.stop();
});

const thread = () => page.getByRole("log", { name: "Messages" });
const reply = () => page.getByRole("textbox", { name: "Reply" });

test("a file goes out with its caption, once, although the page is reloaded before an answer", async () => {
  visitor.expected = /Failed to load resource|net::ERR/;
  let lost = 0;
  await page.route("**/whatsapp_messages", async (route) => {
    if (route.request().method() !== "POST") return route.continue();
    lost++;
    await route.fetch();
    await route.abort().catch(() => {});
  });
  await page.locator("form input[type=file]").setInputFiles({
    name: "invoice <1>.pdf",
    mimeType: "application/pdf",
    buffer: Buffer.from("%PDF-1.4\n1 0 obj<<>>endobj\ntrailer<<>>\n%%EOF"),
  });
  await page.getByText("invoice <1>.pdf").waitFor();
  await accessible(page);
  await reply().fill("Your invoice");
  await page.keyboard.press("Enter");
  await until("a lost answer", async () => lost > 0);
  await page.reload();
  await until("another lost answer", async () => lost > 1);
  await page.unroute("**/whatsapp_messages");
  const files = async () => (await server.chat(ANA, OWN_NUMBER)).filter(({ type }) => type === "document");
  await until("the file", async () => (await files()).length > 0);
  // Until an answer arrives, the message that waits is listed beside the stored one.
  const shown = () => thread().getByText("invoice <1>.pdf").count();
  await until("one row of the file", async () => (await page.getByText("Sending").count()) + (await shown()) === 1);
  assert.equal((await files()).length, 1);
  assert.equal((await files())[0]?.content?.caption, "Your invoice");
  visitor.expected = undefined;
});

test("a file above the limit of WhatsApp is refused before it is sent", async () => {
  await page.evaluate(() => {
    const input = document.querySelector<HTMLInputElement>("form input[type=file]");
    const files = new DataTransfer();
    files.items.add(new File([new Uint8Array(6 << 20)], "large.png", { type: "image/png" }));
    if (input) input.files = files.files;
    input?.dispatchEvent(new Event("change", { bubbles: true }));
  });
  await page.getByText("large.png is larger than 5 MB, the limit of WhatsApp.").waitFor();
  await page.getByRole("button", { name: "Dismiss" }).click();
});

test("a message that WhatsApp does not deliver says why, and is sent again as a new one", async () => {
  const fault = { when: { surface: "send" }, trigger: { next: 1 }, do: { status_fail: { code: 131026 } } };
  await server.control("faults", fault);
  await reply().fill("Are you there?");
  await page.keyboard.press("Enter");
  await thread()
    .getByText(/^Not delivered: /)
    .waitFor();
  await accessible(page);
  await thread().getByRole("button", { name: "Send again" }).click();
  await until(
    "the second one",
    async () => (await received()).filter((text) => text === "Are you there?").length === 2,
  );
  await thread().getByText("Delivered").last().waitFor();
});

test("sending an unconfirmed message again asks first", async () => {
  const lost = { when: { surface: "send" }, trigger: { next: 1 }, do: "accept_then_drop" };
  const silent = { when: { surface: "webhook", event: "status" }, trigger: { next: 1 }, do: "lose" };
  await server.control("faults", lost);
  await server.control("faults", silent);
  await reply().fill("Only once, please");
  await page.keyboard.press("Enter");
  const unsure = thread().getByText("Delivery could not be confirmed");
  const seen = await unsure.waitFor({ timeout: 8_000 }).then(
    () => true,
    () => false,
  );
  if (seen) {
    await thread().getByRole("button", { name: "Send again" }).last().click();
    await page.getByRole("dialog", { name: "Send this message again?" }).waitFor();
    await accessible(page);
    await page.getByRole("button", { name: "Cancel" }).click();
  }
  assert.equal((await received()).filter((text) => text === "Only once, please").length, 1);
  await server.control("faults", undefined, "DELETE");
});

test("a day later the composer locks, and a template with its values goes out", async () => {
  await page.goto(`${home}/sandbox`);
  await page.getByRole("button", { name: "Clock and faults" }).click();
  await page.getByRole("button", { name: "Clock +24 h" }).click();
  await page.getByText("The clocks of the phone and of this server are 24 h later.").waitFor();
  await page.getByRole("link", { name: "Inbox" }).click();
  await page.getByRole("region", { name: "Conversations" }).getByRole("listitem").getByRole("link").first().click();
  await page.getByText("The service window is closed. Only a template can be sent.").waitFor();
  await accessible(page);
  await page.getByRole("button", { name: /^Choose a template/ }).click();
  const dialog = page.getByRole("dialog", { name: "Send a template" });
  await dialog.getByRole("button", { name: "Send the template" }).click();
  await dialog.getByText("This is needed.").first().waitFor();
  await dialog.getByLabel("Value of 1").fill("Ana");
  await dialog.getByLabel("Value of 2").fill("1042");
  await dialog.getByText("Hello Ana, your order 1042 is ready.").waitFor();
  await accessible(page);
  await dialog.getByRole("button", { name: "Send the template" }).click();
  await until("the template", async () => (await received()).includes("Hello Ana, your order 1042 is ready."));
  await thread().getByText("Hello Ana, your order 1042 is ready.").first().waitFor();
  await thread().getByText("Delivered").last().waitFor();
});

test("a template that WhatsApp does not deliver shows the reason and is sent again", async () => {
  const fault = { when: { surface: "send" }, trigger: { next: 1 }, do: { status_fail: { code: 131049 } } };
  await server.control("faults", fault);
  const text = "Hello Leo, your order 7 is ready.";
  await page.getByRole("heading", { level: 2 }).first().click();
  await page.keyboard.press("t");
  const dialog = page.getByRole("dialog", { name: "Send a template" });
  await dialog.getByLabel("Value of 1").fill("Leo");
  await dialog.getByLabel("Value of 2").fill("7");
  await page.keyboard.press("Enter");
  const failed = thread().getByText(/^Not delivered: .*\(131049\)/);
  await failed.waitFor();
  await thread().getByRole("button", { name: "Send again" }).last().click();
  await until("the second one", async () => (await received()).filter((one) => one === text).length === 2);
});

test("unread conversations have a mark, which opening takes away and a key sets again", async () => {
  await page.goto(`${home}/executions`);
  await says("One more thing");
  await page.goto(`${home}/inbox`);
  const row = page.getByRole("region", { name: "Conversations" }).getByRole("listitem").getByRole("link").first();
  await row.getByText("Unread:").waitFor({ state: "attached" });
  await accessible(page);
  await row.click();
  await row.getByText("Unread:").waitFor({ state: "detached" });
  await page.getByRole("heading", { level: 2 }).first().click();
  await page.keyboard.press("u");
  await page.waitForURL(/\/inbox$/);
  await row.getByText("Unread:").waitFor({ state: "attached" });
});

test("a note names its author", async () => {
  await page.getByRole("region", { name: "Conversations" }).getByRole("listitem").getByRole("link").first().click();
  await page.getByRole("button", { name: "Note" }).click();
  await page.getByRole("textbox", { name: "Note" }).fill("Prefers mornings");
  await page.getByRole("button", { name: "Add note" }).click();
  await thread().getByText("Prefers mornings").waitFor();
  type Notes = { data: { name: string | null }[] };
  type Entries = { data: { contact: { id: string } }[] };
  const contact = (await server.api<Entries>("inbox")).data[0]?.contact.id;
  const name = (await server.api<Notes>(`whatsapp_contacts/${contact}/notes`)).data[0]?.name;
  assert.ok(name, "the note has a name");
  await thread().getByText(name).first().waitFor();
});

test("the composer fits a phone", async () => {
  const state = await visitor.context.storageState();
  const other = await Visitor.enter(browser, { ...PHONE, storageState: state });
  const shown = await other.open();
  await shown.goto(`${home}/inbox/${conversation}`);
  await shown.getByRole("button", { name: "Attach a file" }).waitFor();
  await accessible(shown);
  await fits(shown);
  await other.leave();
});

test("the pages had no errors", () => visitor.leave());
