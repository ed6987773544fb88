import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { join, relative } from "node:path";
import { test } from "node:test";

const root = join(import.meta.dirname, "../..");
const files = readdirSync(join(root, "src"), { recursive: true, withFileTypes: true })
  .filter((entry) => entry.isFile() && /\.(tsx?|css)$/.test(entry.name) && !entry.parentPath.includes("generated"))
  .map((entry) => {
    const path = join(entry.parentPath, entry.name);
    return { path: relative(root, path), text: readFileSync(path, "utf8") };
  });

test("no file is longer than 450 lines", () => {
  const long = files.filter(({ text }) => text.split("\n").length > 450);
  assert.deepEqual(
    long.map(({ path }) => path),
    [],
  );
});

test("colours are only in tokens.css", () => {
  for (const { path, text } of files) {
    if (!path.endsWith(".css") || path.endsWith("tokens.css")) continue;
    assert.doesNotMatch(text, /#[0-9a-f]{3,8}\b|(?:rgb|hsl|oklch)a?\((?!0 0 0)/i, path);
  }
});

test("effects are only in lib", () => {
  for (const { path, text } of files) {
    if (!path.startsWith("src/lib/")) assert.doesNotMatch(text, /use(?:Layout)?Effect\b/, path);
  }
});

test("pages do not import each other", () => {
  for (const { path, text } of files) {
    const page = /^src\/pages\/(\w+)\//.exec(path)?.[1];
    if (!page) continue;
    for (const [, other] of text.matchAll(/from "\.\.\/(\w+)\//g))
      assert.ok(other === page, `${path} imports ${other}`);
  }
});

test("untrusted text never becomes markup", () => {
  for (const { path, text } of files) {
    assert.doesNotMatch(text, /dangerouslySetInnerHTML|innerHTML|outerHTML|insertAdjacentHTML|document\.write/, path);
  }
});
