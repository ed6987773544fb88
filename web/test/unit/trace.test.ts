import assert from "node:assert/strict";
import { test } from "node:test";
import { barOf, turnsOf } from "../../src/cord/model.ts";
import type { ExecutionEvent } from "../../src/lib/api.ts";

const at = (ms: number) => new Date(1_700_000_000_000 + ms).toISOString();
const event = (seq: number, name: string, ms: number, data: object): ExecutionEvent =>
  ({ seq, name, at: at(ms), data }) as ExecutionEvent;

const EVENTS = [
  event(1, "execution.created", 0, {}),
  event(2, "turn.started", 0, { turn: 1, ids: ["m1"] }),
  event(3, "execution.status", 0, { from: "started", to: "running" }),
  event(4, "node.entered", 0, { node: "triage" }),
  event(5, "llm.requested", 10, { node: "triage" }),
  event(6, "llm.responded", 510, {
    text: "",
    tool_calls: [{ name: "get_order" }],
    usage: { input_tokens: 5, output_tokens: 2 },
    ms: 500,
  }),
  event(7, "tool.called", 510, { name: "get_order", call_id: "t1", args: { id: 1 } }),
  event(8, "tool.result", 760, { call_id: "t1", ok: false, code: "http_404", ms: 250 }),
  event(9, "message.sent", 900, { text: "Not found", message_id: "m2" }),
  event(10, "execution.status", 950, { from: "running", to: "handoff", reason: "refund" }),
  event(11, "turn.finished", 1_000, { turn: 1, ms: 1_000, llm_calls: 1, tokens: 7 }),
];

test("events become one step for each input, node, model call, tool call and message", () => {
  const [turn, ...more] = turnsOf(EVENTS);
  assert.equal(more.length, 0);
  assert.deepEqual(
    turn?.steps.map((step) => step.kind),
    ["in", "node", "model", "tool", "out", "handoff"],
  );
  assert.deepEqual({ ms: turn?.ms, tokens: turn?.tokens, calls: turn?.calls }, { ms: 1_000, tokens: 7, calls: 1 });
  const tool = turn?.steps[3];
  assert.deepEqual(
    { text: tool?.text, isFailed: tool?.isFailed, ms: tool?.ms },
    { text: 'get_order {"id":1}', isFailed: true, ms: 250 },
  );
});

test("every event belongs to a step, except sums of turns", () => {
  const shown = turnsOf(EVENTS).flatMap((turn) => turn.steps.flatMap((step) => step.events.map(({ seq }) => seq)));
  assert.deepEqual(shown, [2, 3, 4, 5, 6, 7, 8, 9, 10]);
});

test("the bar of a step lies in its turn", () => {
  const [turn] = turnsOf(EVENTS);
  for (const step of turn?.steps ?? []) {
    const { start, length } = barOf(turn as NonNullable<typeof turn>, step);
    assert.ok(start >= 0 && length > 0 && start + length <= 100, `${step.kind} ${start} ${length}`);
  }
});

test("a model call without an answer stays open", () => {
  const [turn] = turnsOf([event(1, "turn.started", 0, { turn: 1 }), event(2, "llm.requested", 1, { node: "a" })]);
  assert.equal(turn?.steps[1]?.said, "waiting");
});
