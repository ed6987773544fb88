/**
 * Prints load times of pages from the real program at a slow processor and line, with their budgets:
 * largest contentful paint without and with a cache, and layout shift. Medians of several loads, and the
 * best, which counts: other work of the machine only adds to it.
 */

import { loadavg } from "node:os";
import type { Browser, BrowserContext, BrowserContextOptions } from "playwright-core";
import { launch, signIn, Visitor } from "./support/browser.ts";
import { Server, until } from "./support/server.ts";

/** Times slower than this machine; the first argument, 1 if other work slows it down already. */
const CPU = Number(process.argv[2] ?? 4);
const LINE = { offline: false, latency: 40, downloadThroughput: 10e6 / 8, uploadThroughput: 10e6 / 8 };
const LOADS = 3;
const BUDGETS = { cold: 2_000, warm: 1_000, shift: 0.05 };
/** Without anything new, the largest paint is final. */
const QUIET = 1_500;

type Load = { paint: number; shift: number };

async function load(context: BrowserContext, url: string, text: string): Promise<Load> {
  const page = await context.newPage();
  const devtools = await context.newCDPSession(page);
  await devtools.send("Network.enable");
  await devtools.send("Network.emulateNetworkConditions", LINE);
  await devtools.send("Emulation.setCPUThrottlingRate", { rate: CPU });
  await page.goto(url, { timeout: 60_000 });
  await page.getByText(text).first().waitFor({ timeout: 60_000 });
  await page.waitForTimeout(QUIET);
  const measured = await page.evaluate(async () => {
    const entries = (type: string) =>
      new Promise<PerformanceEntry[]>((done) => {
        new PerformanceObserver((list) => done(list.getEntries())).observe({ type, buffered: true });
        setTimeout(() => done([]), 1_000);
      });
    const paints = await entries("largest-contentful-paint");
    const shifts = (await entries("layout-shift")) as (PerformanceEntry & { value: number; hadRecentInput: boolean })[];
    const shift = shifts.filter(({ hadRecentInput }) => !hadRecentInput).reduce((sum, { value }) => sum + value, 0);
    return { paint: paints.at(-1)?.startTime ?? Number.NaN, shift };
  });
  await page.close();
  return measured;
}

const median = (values: number[]) => [...values].sort((a, b) => a - b)[values.length >> 1] ?? Number.NaN;

async function measure(browser: Browser, url: string, text: string, options: BrowserContextOptions) {
  const cold: Load[] = [];
  const warm: Load[] = [];
  for (let n = 0; n < LOADS; n++) {
    const { context } = await Visitor.enter(browser, options);
    cold.push(await load(context, url, text));
    warm.push(await load(context, url, text));
    await context.close();
  }
  const paint = (loads: Load[]) => {
    const paints = loads.map((one) => one.paint);
    return { best: Math.round(Math.min(...paints)), median: Math.round(median(paints)) };
  };
  return { cold: paint(cold), warm: paint(warm), shift: Math.max(...cold.map((one) => one.shift)) };
}

const [server, browser] = await Promise.all([Server.start(), launch()]);
try {
  await server.connect();
  await server.says("where is order 1042?");
  await until("an answer", async () => (await server.answers()).some((text) => text.includes("1042")));
  type Rows = { data: { id: string }[] };
  const execution = (await server.api<Rows>("executions")).data[0]?.id;
  const conversation = (await server.api<Rows>("inbox")).data[0]?.id;
  const first = await Visitor.enter(browser);
  const page = await first.open();
  await signIn(page, server);
  const home = page.url().replace(/(\/p\/[^/]+)\/.*/, "$1");
  const signedIn = { storageState: await first.context.storageState() };
  const pages: [string, string, string, BrowserContextOptions][] = [
    ["sign-in", `${server.url}/app/login`, "Password", {}],
    ["start page", `${server.url}/app`, "1042", signedIn],
    ["inbox", `${home}/inbox/${conversation}`, "Delivered", signedIn],
    ["trace", `${home}/executions/${execution}`, "orders_request", signedIn],
  ];
  process.stdout.write(
    `${CPU} times slower processor, 10 Mbit/s, 40 ms; best and median of ${LOADS} loads; load average ${loadavg()[0]?.toFixed(1)}\n`,
  );
  let isOver = false;
  for (const [name, url, text, options] of pages) {
    const { cold, warm, shift } = await measure(browser, url, text, options);
    // A value that was not measured is over the budget too.
    const fits = cold.best <= BUDGETS.cold && warm.best <= BUDGETS.warm && shift <= BUDGETS.shift;
    isOver ||= !fits;
    const values = `cold ${cold.best} ${cold.median} ms, warm ${warm.best} ${warm.median} ms, layout shift ${shift.toFixed(3)}`;
    process.stdout.write(`${name.padEnd(12)}${values}${fits ? "" : "  OVER THE BUDGET"}\n`);
  }
  process.exitCode = isOver ? 1 : 0;
} finally {
  await browser.close();
  await server.stop();
}
