import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { gzipSync } from "node:zlib";

/** The committed bundle, which `cargo xtask web --check` compares with a fresh build. */
const bundle = join(import.meta.dirname, "../../../crates/server/assets/app");
const assets = readdirSync(join(bundle, "assets"));
const size = (name: string) => gzipSync(readFileSync(join(bundle, "assets", name)), { level: 9 }).length;
const kB = (bytes: number) => bytes / 1_000;
const index = readFileSync(join(bundle, "index.html"), "utf8");
const first = [...index.matchAll(/assets\/([\w.-]+)/g)].map(([, name]) => name ?? "");
const sum = (names: string[]) => kB(names.map(size).reduce((all, one) => all + one, 0));

/** Scripts that a page loads besides those of the index. */
function route(page: string): string[] {
  const found = new Set<string>();
  const add = (name: string) => {
    if (found.has(name) || first.includes(name)) return;
    found.add(name);
    const text = readFileSync(join(bundle, "assets", name), "utf8");
    for (const [, other] of text.matchAll(/from"\.\/([\w.-]+\.js)"/g)) if (other) add(other);
  };
  add(assets.find((name) => name.startsWith(`${page}-`) && name.endsWith(".js")) ?? page);
  return [...found];
}

test("the first scripts, the style sheets and a catalogue stay within their sizes", () => {
  const scripts = sum(first.filter((name) => name.endsWith(".js")));
  assert.ok(scripts <= 110, `first scripts: ${scripts} kB`);
  const styles = sum(assets.filter((name) => name.endsWith(".css")));
  assert.ok(styles <= 15, `style sheets: ${styles} kB`);
  for (const language of ["es", "pt-BR"]) {
    const name = assets.find((one) => one.startsWith(`${language}-`) && one.endsWith(".js"));
    assert.ok(name && kB(size(name)) <= 12, `${language}: ${name && kB(size(name))} kB`);
  }
});

test("each page loads no more than its budget", () => {
  for (const [page, most] of [
    ["Inbox", 40],
    ["Trace", 35],
    ["Executions", 20],
    ["Login", 20],
    ["Setup", 20],
  ] as const) {
    const loaded = sum(route(page));
    assert.ok(loaded <= most, `${page}: ${loaded} kB`);
  }
});
