/** The server is killed and restarted: the page says so, and nothing is missing afterwards. */

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import type { Browser } from "playwright-core";
import { launch, signIn, Visitor } from "../support/browser.ts";
import { Server } from "../support/server.ts";

let server: Server;
let browser: Browser;

before(async () => {
  [server, browser] = await Promise.all([Server.start(), launch()]);
});

after(async () => {
  await browser?.close();
  await server?.stop();
});

test("after a crash of the server the page reconnects and shows what happened meanwhile", async () => {
  const visitor = await Visitor.enter(browser);
  visitor.expected = /Failed to load resource|net::ERR/;
  const page = await visitor.open();
  await signIn(page, server);
  await page.getByRole("link", { name: "Inbox" }).click();
  const live = page.getByRole("status").filter({ hasText: /^(Live|Reconnecting|Paused)$/ });
  await live.filter({ hasText: "Live" }).waitFor();
  const address = new URL(server.url).host;
  await server.kill();
  await live.filter({ hasText: "Reconnecting" }).waitFor();
  await server.run(address);
  await server.connect();
  await live.filter({ hasText: "Live" }).waitFor({ timeout: 35_000 });
  await page.getByRole("region", { name: "Conversations" }).getByRole("listitem").first().waitFor();
  await visitor.leave();
});

test("eight tabs share one stream, and the next takes it over when its tab closes", async () => {
  const visitor = await Visitor.enter(browser);
  let streams = 0;
  visitor.context.on("request", (request) => {
    if (request.url().includes("/api/v1/events")) streams++;
  });
  const first = await visitor.open();
  await signIn(first, server);
  const tabs = [first];
  for (let n = 1; n < 8; n++) {
    const tab = await visitor.open();
    await tab.goto(first.url());
    tabs.push(tab);
  }
  await Promise.all(tabs.map((tab) => tab.getByText("Live", { exact: true }).waitFor()));
  assert.equal(streams, 1);
  await first.close();
  const second = tabs[1];
  assert.ok(second);
  await server.says("still there?", "+15557770009");
  await second.getByText("Live", { exact: true }).waitFor();
  await visitor.leave();
});
