import assert from "node:assert/strict";
import { test } from "node:test";
import type { Entry, InboxMessage } from "../../src/lib/api.ts";
import { chipOf, deliveryOf, nameOf, previewOf, windowLeft, windowTone } from "../../src/pages/inbox/words.ts";

const HOUR = 3_600_000;

function entry(changes: Partial<Entry>): Entry {
  return {
    id: "c1",
    contact: { id: "00000000-0000-7000-8000-00000000abcd", name: "Ana Rojas", phone_number: "+51987654321" },
    agent: { id: "a1", name: "Shop assistant" },
    execution: null,
    mode: "waiting",
    assignment: null,
    last_message: null,
    unread: false,
    number: { config_id: null, name: null, is_sandbox: true },
    window_expires_at: new Date(Date.now() + 20 * HOUR).toISOString(),
    status: "active",
    last_active_at: new Date().toISOString(),
    ...changes,
  };
}

test("a contact is shown by name, else number, else the end of its id", () => {
  assert.equal(nameOf(entry({})), "Ana Rojas");
  assert.equal(nameOf(entry({ contact: { id: "x", name: null, phone_number: "+51987654321" } })), "+51987654321");
  assert.equal(nameOf(entry({ contact: { id: "xabcd", name: null, phone_number: null } })), "Number hidden abcd");
});

test("the window is plain above 4 h, then maize, then cochineal", () => {
  assert.deepEqual(
    [5, 3, 0.4].map((hours) => windowTone(hours * HOUR)),
    ["plain", "wait", "bad"],
  );
  assert.equal(windowLeft(entry({ window_expires_at: null })), 0);
  assert.equal(windowLeft(entry({ window_expires_at: "2020-01-01T00:00:00Z" })), 0);
});

test("the chip of a row names the most urgent state", () => {
  assert.equal(chipOf(entry({ status: "ended" }))?.text, "Closed");
  assert.equal(chipOf(entry({ mode: "failed" }))?.text, "Failed");
  assert.equal(chipOf(entry({ mode: "handoff" }))?.text, "Needs a person");
  const soon = new Date(Date.now() + 20 * 60_000).toISOString();
  assert.equal(chipOf(entry({ window_expires_at: soon }))?.text, "20 min left");
  assert.equal(chipOf(entry({ assignment: { id: "s1", user_id: "u1", name: "Leo" } }))?.text, "Leo");
  assert.equal(chipOf(entry({ assignment: { id: "s1", user_id: "u1", name: "Leo" } }), "u1")?.text, "You");
  assert.equal(chipOf(entry({}))?.text, "Agent");
});

test("a preview of ours says whose it is", () => {
  const last = { id: "m1", type: "text", text: "Hi", is_deleted: false, status: "sent", at: "" } as const;
  assert.equal(previewOf(entry({ last_message: { ...last, direction: "inbound", by: "contact" } })), "Hi");
  assert.equal(previewOf(entry({ last_message: { ...last, direction: "outbound", by: "agent" } })), "Agent: Hi");
  assert.equal(previewOf(entry({ last_message: { ...last, direction: "outbound", by: "person" } })), "Team: Hi");
});

test("delivery is shown in words, and a code never alone", () => {
  const message = (status: string, error?: object) =>
    ({ direction: "outbound", status, metadata: error ? { error } : {} }) as unknown as InboxMessage;
  assert.equal(deliveryOf(message("read"))?.text, "Read");
  assert.equal(deliveryOf(message("pending"))?.text, "Sending");
  const unconfirmed = { code: "unconfirmed", message: "delivery could not be confirmed" };
  assert.equal(deliveryOf(message("pending", unconfirmed))?.text, "Delivery could not be confirmed");
  const failed = { code: 131026, title: "Message undeliverable", details: "Message undeliverable." };
  assert.equal(
    deliveryOf(message("failed", failed))?.text,
    "Not delivered: the number is not on WhatsApp, or cannot receive this (131026)",
  );
  const other = { code: 131000, title: "Something went wrong" };
  assert.equal(deliveryOf(message("failed", other))?.text, "Not delivered: Something went wrong (131000)");
});

test("a preview never shows a deleted message", () => {
  const last = { id: "m1", type: "text", text: "left over", is_deleted: true, status: "received", at: "" } as const;
  assert.equal(
    previewOf(entry({ last_message: { ...last, direction: "inbound", by: "contact" } })),
    "The contact deleted this message",
  );
});
