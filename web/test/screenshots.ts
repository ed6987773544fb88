/** Writes pictures of each page from the real program: light, dark, and 390 px wide. */

import { mkdirSync } from "node:fs";
import { join } from "node:path";
import type { BrowserContextOptions } from "playwright-core";
import { launch, PHONE, signIn, Visitor } from "./support/browser.ts";
import { Server, until } from "./support/server.ts";

const folder = process.argv[2] ?? "docs/screenshots";
mkdirSync(folder, { recursive: true });

/** Refused by every provider: the pictures need no model. */
const KEY = "sk-ant-example-4f2a";

const wide = { viewport: { width: 1280, height: 800 } };
const LOOKS: Record<string, BrowserContextOptions> = {
  light: wide,
  dark: { ...wide, colorScheme: "dark" },
  phone: PHONE,
};

const [server, browser] = await Promise.all([Server.start(), launch()]);
try {
  // A customer who asks, gets an answer, and then wants a person.
  await server.connect();
  const asks = async (text: string) => {
    const before = (await server.answers()).length;
    await server.says(text);
    await until(text, async () => (await server.answers()).length > before, 20_000);
  };
  await asks("where is my order?");
  await asks("1042");
  await server.says("can I talk to a human?");
  type Entries = { data: { id: string; mode: string; execution: { id: string } }[] };
  const entry = await until("a handoff", async () => {
    const found = (await server.api<Entries>("inbox")).data[0];
    return found?.mode === "handoff" ? found : undefined;
  });

  await server.api("model_providers", {
    model_provider: { name: "Our Claude", kind: "Anthropic", api_key: KEY, model: "claude-haiku-4-5" },
  });

  const first = await Visitor.enter(browser, wide);
  const start = await first.open();
  await signIn(start, server);
  const home = start.url().replace(/\/inbox.*/, "");
  const state = await first.context.storageState();
  const pages: Record<string, string> = {
    inbox: `${home}/inbox/${entry.id}`,
    executions: `${home}/executions`,
    trace: `${home}/executions/${entry.execution.id}`,
    sandbox: `${home}/sandbox`,
    settings: `${home}/settings/general`,
    models: `${home}/settings/models`,
  };
  for (const [look, options] of Object.entries(LOOKS)) {
    const visitor = await Visitor.enter(browser, { ...options, storageState: state });
    const page = await visitor.open();
    for (const [name, url] of Object.entries(pages)) {
      await page.goto(url);
      await page.getByText("Live", { exact: true }).waitFor();
      await page.getByRole("main").waitFor();
      if (name === "trace") {
        const steps = page.getByRole("region", { name: "Steps" });
        await steps.getByText("Tool", { exact: true }).first().waitFor();
        if (look !== "phone") {
          await steps
            .getByRole("button", { name: /^Tool ?orders_request/ })
            .first()
            .click();
          await page.getByText("Request and result").click();
          await page.getByRole("heading", { name: "Given to the model" }).waitFor();
        }
      }
      if (name === "sandbox") await page.getByRole("log").getByText(/1042/).first().waitFor();
      await page.waitForTimeout(600);
      await page.screenshot({ path: join(folder, `${name}-${look}.png`), animations: "disabled" });
    }
    await visitor.context.close();
    const stranger = await Visitor.enter(browser, options);
    const login = await stranger.open();
    await login.goto(`${server.url}/app/login`);
    await login.getByRole("button", { name: "Sign in" }).waitFor();
    await login.screenshot({ path: join(folder, `login-${look}.png`), animations: "disabled" });
    await stranger.context.close();
  }
} finally {
  await browser.close();
  await server.stop();
}
