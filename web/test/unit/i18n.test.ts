import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";

const root = join(import.meta.dirname, "../..");
const catalogue = (name: string): Record<string, string> =>
  JSON.parse(readFileSync(join(root, `src/i18n/${name}.json`), "utf8"));
const en = catalogue("en");
const plural = /^(.*)\.(zero|one|two|few|many|other)$/;
const base = (key: string) => plural.exec(key)?.[1] ?? key;
const values = (text: string) => (text.match(/\{\w+\}/g) ?? []).sort().join();

for (const language of ["es", "pt-BR"]) {
  test(`every text of en.json is in ${language}.json, with the same values`, () => {
    const other = catalogue(language);
    assert.deepEqual([...new Set(Object.keys(other).map(base))].sort(), [...new Set(Object.keys(en).map(base))].sort());
    for (const [key, text] of Object.entries(other)) {
      const original = en[key] ?? en[`${base(key)}.other`] ?? "";
      assert.equal(values(text), values(original), `${language} ${key}`);
      assert.notEqual(text.trim(), "", `${language} ${key}`);
    }
  });

  test(`${language}.json has a text for each plural form of its language`, () => {
    const other = catalogue(language);
    for (const name of Object.keys(en)
      .filter((key) => key.endsWith(".other"))
      .map(base)) {
      for (const form of new Intl.PluralRules(language).resolvedOptions().pluralCategories) {
        assert.ok(other[`${name}.${form}`], `${language} ${name}.${form}`);
      }
    }
  });
}

function sources(folder: string): string {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && /\.tsx?$/.test(entry.name) && !entry.parentPath.includes("generated"))
    .map((entry) => readFileSync(join(entry.parentPath, entry.name), "utf8"))
    .join("\n");
}

test("every text is used", () => {
  const text = sources(join(root, "src"));
  // Keys that are put together: t(`status.${status}`).
  const prefixes = [...text.matchAll(/`([\w.]+\.)\$\{/g)].map((found) => found[1] ?? "");
  const unused = Object.keys(en).filter(
    (key) => !text.includes(`"${base(key)}"`) && !prefixes.some((prefix) => key.startsWith(prefix)),
  );
  assert.deepEqual(unused, []);
});
