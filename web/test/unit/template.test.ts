import assert from "node:assert/strict";
import { test } from "node:test";
import type { WhatsappTemplate } from "../../src/lib/api.ts";
import { curlOf } from "../../src/pages/executions/curl.ts";
import { blanksOf, filled, needsMore, toSend } from "../../src/pages/inbox/template.ts";

function template(components: object[], format = "POSITIONAL"): WhatsappTemplate {
  return {
    name: "ready",
    language_code: "en_US",
    metadata: { parameter_format: format },
    components,
  } as unknown as WhatsappTemplate;
}

test("a template's values are asked once each and sent in the form of its placeholders", () => {
  const numbered = template([{ type: "BODY", text: "Hi {{1}}, {{2}} and {{1}}" }]);
  assert.deepEqual(
    blanksOf(numbered).map(({ name }) => name),
    ["1", "2"],
  );
  const values = { "body.1": "Ana", "body.2": "$& {{1}}" };
  assert.equal(filled(numbered, values), "Hi Ana, $& {{1}} and Ana");
  assert.deepEqual(toSend(numbered, values).params, ["Ana", "$& {{1}}"]);
  const named = template(
    [
      { type: "HEADER", format: "TEXT", text: "Order {{id}}" },
      { type: "BODY", text: "Hi {{name}}" },
    ],
    "NAMED",
  );
  const sent = toSend(named, { "header.id": "7", "body.name": "Leo" });
  assert.deepEqual(sent.params, { header: { id: "7" }, body: { name: "Leo" } });
});

test("a template with a file or a button that needs a value is not offered", () => {
  assert.equal(needsMore(template([{ type: "HEADER", format: "IMAGE" }])), true);
  assert.equal(
    needsMore(template([{ type: "BUTTONS", buttons: [{ type: "URL", url: "https://x.test/{{1}}" }] }])),
    true,
  );
  assert.equal(needsMore(template([{ type: "BODY", text: "Hi" }])), false);
});

test("a request is copied as a command that a shell reads as one", () => {
  const request = {
    method: "POST",
    url: "https://x.test/a?b='c'",
    headers: [["X-Key", "{{secrets.k}}"]],
    body: { a: "it's" },
  };
  assert.equal(
    curlOf(request),
    `curl -X POST 'https://x.test/a?b='\\''c'\\''' -H 'X-Key: {{secrets.k}}' -H 'Content-Type: application/json' -d '{"a":"it'\\''s"}'`,
  );
});
