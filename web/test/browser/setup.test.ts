/** Setup links: a customer connects a number, by credentials and by Meta's sign-up. */

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import type { Browser, Page } from "playwright-core";
import { accessible, fits, launch, PHONE, Visitor } from "../support/browser.ts";
import { ACCOUNT, OWN_NUMBER, SANDBOX_NUMBER, Server, TOKEN } from "../support/server.ts";

type Link = { data: { id: string; url: string; status: string } };

let server: Server;
let browser: Browser;
let visitor: Visitor;
let page: Page;
let customer = "";

before(async () => {
  [server, browser] = await Promise.all([Server.start(), launch()]);
  visitor = await Visitor.enter(browser);
  // Refused forms are answered with an error status.
  visitor.expected = /Failed to load resource/;
  page = await visitor.open();
});

after(async () => {
  await browser?.close();
  await server?.stop();
});

/** A new link of a new customer. */
async function link(settings: object = {}): Promise<Link["data"]> {
  const made = await server.api<{ data: { id: string } }>("customers", {
    customer: { name: "Clínica São José", external_customer_id: crypto.randomUUID() },
  });
  customer = made.data.id;
  return (await server.api<Link>(`customers/${customer}/setup_links`, { setup_link: settings })).data;
}

async function status(of: Link["data"]): Promise<string | undefined> {
  const { data } = await server.api<{ data: Link["data"][] }>(`customers/${customer}/setup_links`);
  return data.find(({ id }) => id === of.id)?.status;
}

async function enter(number: string, token = TOKEN): Promise<void> {
  await page.getByLabel("Name").fill("Front desk");
  await page.getByLabel(/Phone number ID/i).fill(number);
  await page.getByLabel(/Business account ID/i).fill(ACCOUNT);
  await page.getByLabel(/Access token/i).fill(token);
  await page.getByRole("button", { name: "Connect number" }).click();
}

test("the page speaks three languages, loads nothing from elsewhere, and fits a phone", async () => {
  const { url } = await link({ theme_config: { primary_color: "#224466" } });
  const visits: string[] = [];
  const phone = await Visitor.enter(browser, { ...PHONE, locale: "pt-BR" });
  phone.context.on("request", (request) => visits.push(new URL(request.url()).origin));
  const shown = await phone.open();
  await shown.goto(url);
  assert.equal(await shown.evaluate(() => document.documentElement.lang), "pt");
  await accessible(shown);
  await fits(shown);
  for (const language of ["English", "Español"]) {
    await shown.getByRole("link", { name: language }).click();
    await accessible(shown);
    await fits(shown);
  }
  assert.equal(await shown.evaluate(() => document.documentElement.lang), "es");
  assert.deepEqual([...new Set(visits)], [new URL(server.url).origin]);
  assert.equal(await shown.locator("script").count(), 0);
  await phone.leave();
});

test("wrong credentials and the number of another project are explained, and the link stays", async () => {
  const made = await link();
  await page.goto(made.url);
  await enter(OWN_NUMBER, "EAAWRONG");
  await page.getByRole("alert").getByText("Meta does not accept this access token").waitFor();
  await accessible(page);
  await enter("12", TOKEN);
  await page
    .getByText(/Meta shows no number|Enter the ID/)
    .first()
    .waitFor();
  await accessible(page);
  await enter(SANDBOX_NUMBER);
  await page
    .getByRole("alert")
    .getByText(/connected already/)
    .waitFor();
  await accessible(page);
  assert.equal(await status(made), "active");
});

test("Meta's sign-up: a wrong code is refused, then a person chooses a number and returns", async () => {
  const made = await link();
  await page.goto(made.url);
  // Meta's dialog sends the browser back with a code; here with one that Meta never gave.
  let state = "";
  await page.route("**/meta*", async (route) => {
    const away = await route.fetch({ maxRedirects: 0 });
    state = new URL(away.headers().location ?? "").searchParams.get("state") ?? "";
    const cookie = away.headers()["set-cookie"] ?? "";
    await route.fulfill({ contentType: "text/html", headers: { "set-cookie": cookie }, body: "<h1>Meta</h1>" });
  });
  await page.getByRole("button", { name: "Continue with Facebook" }).click();
  await page.getByRole("heading", { name: "Meta" }).waitFor();
  await page.unroute("**/meta*");
  await page.goto(`${server.url}/setup/return?code=AQWRONG&state=${state}`);
  await page.getByRole("alert").or(page.getByRole("status")).first().waitFor();
  await accessible(page);
  assert.equal(await status(made), "active");
  await page.goto(made.url);
  await server.control(`phone_numbers/${OWN_NUMBER}`, { status: "PENDING" }, "PATCH");
  await page.getByRole("button", { name: "Continue with Facebook" }).click();
  await page.getByRole("radio").first().waitFor();
  await accessible(page);
  await page.getByRole("radio", { name: /555-000-2222/ }).check();
  await page.getByRole("textbox").fill("12");
  await page.getByRole("button", { name: "Connect number" }).click();
  await page
    .getByText(/six digits/)
    .first()
    .waitFor();
  await accessible(page);
  await page.getByRole("radio", { name: /555-000-2222/ }).check();
  await page.getByRole("textbox").fill("123456");
  await page.getByRole("button", { name: "Connect number" }).click();
  await page.getByRole("heading", { name: "The number is connected" }).waitFor();
  await accessible(page);
  assert.equal(await status(made), "used");
  type Configs = { data: { customer_id: string; phone_number_id: string }[] };
  const { data } = await server.api<Configs>("whatsapp_configs");
  assert.deepEqual(
    data.map((config) => [config.customer_id, config.phone_number_id]),
    [[customer, OWN_NUMBER]],
  );
  await page.goto(made.url);
  await page.getByRole("status").waitFor();
  assert.equal(await page.getByRole("button").count(), 0, "the link connects one number");
  await accessible(page);
});

test("by credentials a customer connects a number, once", async () => {
  // A new server: an address may send few forms a minute, and the number is free again.
  await server.stop();
  server = await Server.start();
  const made = await link();
  await page.goto(made.url);
  await enter(OWN_NUMBER);
  await page.waitForLoadState();
  assert.match((await page.locator("main").textContent()) ?? "", /The number is connected/);
  await accessible(page);
  assert.equal(await status(made), "used");
  await page.goto(made.url);
  await page.getByRole("status").waitFor();
  await accessible(page);
});

test("an expired and an unknown link say so", async () => {
  const made = await link();
  const past = new Date(Date.now() + 1_500).toISOString();
  await server.api(`customers/${customer}/setup_links/${made.id}`, { setup_link: { expires_at: past } }, "PATCH");
  await page.waitForTimeout(1_600);
  await page.goto(made.url);
  await page.getByRole("status").waitFor();
  assert.equal(await page.getByRole("button").count(), 0);
  await accessible(page);
  await page.goto(made.url.replace(/[0-9a-f]{8}$/, "00000000"));
  await page.getByRole("status").waitFor();
  await accessible(page);
});

test("the pages had no errors", () => visitor.leave());
