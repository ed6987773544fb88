import assert from "node:assert/strict";
import { test } from "node:test";
import { parseEvents, waitOf } from "../../src/lib/feed.ts";

test("server-sent events are split off a text that arrives in pieces", () => {
  const first = parseEvents('event: hello\ndata: {"a":1}\nid: 7\n\ndata: tw');
  assert.deepEqual(first.events, [{ name: "hello", data: '{"a":1}', id: "7" }]);
  const second = parseEvents(`${first.rest}o\ndata: lines\n\n: comment\n\n`);
  assert.deepEqual(second.events, [{ name: "message", data: "two\nlines", id: "" }]);
  assert.equal(second.rest, "");
});

test("waits before a new stream grow from 1 s to 30 s", () => {
  assert.equal(waitOf(0, 1), 1_000);
  assert.equal(waitOf(3, 0), 1_000);
  assert.equal(waitOf(3, 1), 8_000);
  assert.equal(waitOf(20, 1), 30_000);
});
