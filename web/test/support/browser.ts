/** Chromium, and pages that note everything that must not happen. */

import assert from "node:assert/strict";
import { existsSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { basename, join } from "node:path";
import { type Browser, type BrowserContext, type BrowserContextOptions, chromium, type Page } from "playwright-core";
import type { Server } from "./server.ts";

const axe = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");

export function launch(): Promise<Browser> {
  const options = { executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium", args: ["--no-sandbox"] };
  // Chromium itself may crash while it starts; seen once in hundreds of starts.
  return chromium.launch(options).catch(() => chromium.launch(options));
}

export const PHONE: BrowserContextOptions = { viewport: { width: 390, height: 844 }, hasTouch: true, isMobile: true };

/** Folder of a bundle that is tested in place of the program's, which need not be built for it. */
const BUNDLE = process.env.CHASQUI_BUNDLE;

async function serveBundle(context: BrowserContext, folder: string): Promise<void> {
  const types: Record<string, string> = { js: "text/javascript", css: "text/css", svg: "image/svg+xml" };
  await context.route(/\/app\/assets\//, (route) => {
    const path = join(folder, "assets", basename(new URL(route.request().url()).pathname));
    if (!existsSync(path)) return route.fallback();
    return route.fulfill({ path, contentType: types[path.split(".").pop() ?? ""] ?? "font/woff2" });
  });
  await context.route(/\/app(\/(?!api\/|assets\/).*)?$/, async (route) => {
    if (!route.request().isNavigationRequest()) return route.fallback();
    const response = await route.fetch();
    const base = /<base [^>]*>/.exec(await response.text())?.[0] ?? "";
    const index = readFileSync(join(folder, "index.html"), "utf8").replace(/<base [^>]*>/, base);
    return route.fulfill({ response, body: index });
  });
}

/** A context whose pages report errors of the console, exceptions and refusals by the policy. */
export class Visitor {
  readonly context: BrowserContext;
  readonly problems: string[] = [];
  /** Console errors that a test causes on purpose, such as a refused sign-in. */
  expected: RegExp | undefined;

  private constructor(context: BrowserContext) {
    this.context = context;
    context.setDefaultTimeout(10_000);
    context.on("page", (page) => {
      page.on("pageerror", (error) => this.problems.push(`exception: ${error.message}`));
      page.on("console", (message) => {
        if (message.type() !== "error" || this.expected?.test(message.text())) return;
        this.problems.push(`console: ${message.text()}`);
      });
    });
  }

  static async enter(browser: Browser, options: BrowserContextOptions = {}): Promise<Visitor> {
    const context = await browser.newContext(options);
    if (BUNDLE) await serveBundle(context, BUNDLE);
    return new Visitor(context);
  }

  open(): Promise<Page> {
    return this.context.newPage();
  }

  async leave(): Promise<void> {
    await this.context.close();
    assert.deepEqual(this.problems, [], "errors of the page");
  }
}

/** Waits until what moves or fades in has its final place and colours. */
async function still(page: Page): Promise<void> {
  await page.evaluate(async () => {
    const ends = (animation: Animation) => animation.effect?.getComputedTiming().endTime !== Number.POSITIVE_INFINITY;
    // `finished` rejects when the element leaves the page, which ends the animation too.
    await Promise.allSettled(
      document
        .getAnimations()
        .filter(ends)
        .map((animation) => animation.finished),
    );
  });
}

/** Fails for each serious or critical problem of accessibility. */
export async function accessible(page: Page): Promise<void> {
  await still(page);
  // The policy refuses a script element, but not the debugger.
  await page.evaluate(`${axe};0`);
  const found = await page.evaluate(async () => {
    type Violation = { id: string; impact: string; nodes: { html: string }[] };
    const { axe } = window as unknown as { axe: { run: () => Promise<{ violations: Violation[] }> } };
    const { violations } = await axe.run();
    const bad = violations.filter(({ impact }) => impact === "serious" || impact === "critical");
    return bad.map(({ id, nodes }) => `${id}: ${nodes.map((node) => node.html.slice(0, 200)).join(" | ")}`);
  });
  assert.deepEqual(found, [], `accessibility of ${page.url()}`);
}

/** Fails if the page is wider than the window. */
export async function fits(page: Page): Promise<void> {
  const width = await page.evaluate(() => document.documentElement.scrollWidth - window.innerWidth);
  assert.ok(width <= 0, `${page.url()} is ${width} px too wide`);
}

/** Signs in with the one-time link, or with a person's password. */
export async function signIn(page: Page, server: Server, person?: { email: string; password: string }): Promise<void> {
  if (!person) {
    await page.goto(server.link);
  } else {
    await page.goto(`${server.url}/app/login`);
    await page.getByLabel("E-mail").fill(person.email);
    await page.getByLabel("Password").fill(person.password);
    await page.getByRole("button", { name: "Sign in" }).click();
  }
  await page.getByRole("navigation", { name: "Main" }).waitFor();
}
