import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { BUILT_IN, SHOWN, sentence } from "../../src/pages/settings/sentences.ts";

test("the sentences of the settings are those of the server", () => {
  const source = readFileSync(join(import.meta.dirname, "../../../crates/domain/src/agent_messages.rs"), "utf8");
  const list = source.slice(source.indexOf("const BUILT_IN"), source.indexOf("];"));
  const found = [...list.matchAll(/\("(\w+)", "([^"]+)"\)/g)].map(([, language, text]) => [language, text]);
  assert.deepEqual(Object.entries(BUILT_IN), found);
  for (const language of SHOWN) assert.ok(BUILT_IN[language]);
});

test("an empty field shows what a contact of the language gets", () => {
  assert.equal(sentence("es", {}), BUILT_IN.es);
  assert.equal(sentence("es", { es: "Own", en: "Hi" }), BUILT_IN.es, "not the text of the field itself");
  assert.equal(sentence("pt-BR", { pt: "Oi" }), "Oi");
  assert.equal(sentence("ja", {}), BUILT_IN.en);
  assert.equal(sentence("ja", { en: "I am a robot." }), "I am a robot.");
});
