/** The cord of a trace: turns with their steps, from the events of an execution. */

import type { ExecutionEvent } from "../lib/api.ts";

export type Kind = "in" | "node" | "model" | "tool" | "out" | "handoff" | "status";
export type Step = {
  /** Number of the first event; the step's name in the address. */
  id: number;
  kind: Kind;
  /** One line: text of a message, name of a tool, node. */
  text: string;
  /** Text to translate instead of `text`. */
  said?: "silent" | "moved" | "called" | "failed" | "discarded" | "unavailable" | "waiting" | "refused";
  isFailed: boolean;
  at: string;
  ms?: number;
  tokens?: number;
  messageId?: string;
  callId?: string;
  events: ExecutionEvent[];
};
export type Turn = {
  no: number;
  at: string;
  ms?: number;
  tokens: number;
  calls: number;
  steps: Step[];
  inputIds: string[];
};

type Data = Record<string, unknown>;

const text = (value: unknown): string => (typeof value === "string" ? value : "");
const number = (value: unknown): number | undefined => (typeof value === "number" ? value : undefined);

function tokensOf(usage: unknown): number {
  const { input_tokens: input, output_tokens: output } = (usage ?? {}) as Data;
  return (number(input) ?? 0) + (number(output) ?? 0);
}

/** Turns of an execution. Events before its first turn are in turn 0. */
export function turnsOf(events: ExecutionEvent[]): Turn[] {
  const turns: Turn[] = [];
  const open = new Map<string, Step>();
  let turn: Turn | undefined;
  const current = (event: ExecutionEvent): Turn => {
    if (!turn) {
      turn = { no: 0, at: event.at, tokens: 0, calls: 0, steps: [], inputIds: [] };
      turns.push(turn);
    }
    return turn;
  };
  const add = (event: ExecutionEvent, kind: Kind, line: string, more: Partial<Step> = {}): Step => {
    const step: Step = { id: event.seq, kind, text: line, isFailed: false, at: event.at, events: [event], ...more };
    current(event).steps.push(step);
    return step;
  };
  for (const event of events) {
    const data = event.data as Data;
    switch (event.name) {
      case "turn.started": {
        turn = {
          no: number(data.turn) ?? turns.length + 1,
          at: event.at,
          tokens: 0,
          calls: 0,
          steps: [],
          inputIds: [],
        };
        turns.push(turn);
        const ids = Array.isArray(data.ids) ? data.ids.map(String) : [];
        turn.inputIds = ids;
        add(event, "in", "", { messageId: ids[0] });
        break;
      }
      case "turn.finished": {
        const now = current(event);
        now.ms = number(data.ms);
        now.tokens = number(data.tokens) ?? now.tokens;
        now.calls = number(data.llm_calls) ?? now.calls;
        break;
      }
      case "node.entered":
        add(event, "node", text(data.node));
        break;
      case "llm.requested":
        open.set("model", add(event, "model", text(data.node), { said: "waiting" }));
        current(event).calls++;
        break;
      case "llm.responded": {
        const step = open.get("model") ?? add(event, "model", "");
        if (!step.events.includes(event)) step.events.push(event);
        const tools = Array.isArray(data.tool_calls) ? (data.tool_calls as Data[]).map((call) => text(call.name)) : [];
        const said = text(data.text).trim();
        step.text = tools.length > 0 ? tools.join(", ") : said;
        step.said = tools.length > 0 ? "called" : said === "" ? "silent" : undefined;
        step.ms = number(data.ms);
        step.tokens = tokensOf(data.usage);
        open.delete("model");
        break;
      }
      case "llm.failed":
      case "llm.retried":
      case "llm.fallback":
      case "llm.discarded":
      case "llm.refused":
      case "llm.empty": {
        const step = open.get("model") ?? lastOf(turn, "model") ?? add(event, "model", "");
        if (!step.events.includes(event)) step.events.push(event);
        if (event.name === "llm.failed") {
          step.isFailed = true;
          step.said = "failed";
          step.text = text(data.message);
        } else if (event.name === "llm.discarded") step.said = "discarded";
        else if (event.name === "llm.refused") step.said = "refused";
        break;
      }
      case "tool.called": {
        const args = JSON.stringify(data.args ?? {});
        const step = add(event, "tool", `${text(data.name)} ${args === "{}" ? "" : args}`.trim(), {
          callId: text(data.call_id),
        });
        open.set(`tool ${step.callId}`, step);
        break;
      }
      case "tool.result": {
        const step = open.get(`tool ${text(data.call_id)}`);
        if (!step) break;
        step.events.push(event);
        step.ms = number(data.ms);
        step.isFailed = data.ok === false;
        break;
      }
      case "message.sent":
        add(event, "out", text(data.text), { messageId: text(data.message_id) });
        break;
      case "message.failed":
        add(event, "out", text(data.message), { isFailed: true, said: "failed" });
        break;
      case "message.unconfirmed":
        add(event, "out", "", { messageId: text(data.message_id), said: "waiting" });
        break;
      case "mcp.unavailable":
        add(event, "tool", `${text(data.server)}: ${text(data.message)}`, { isFailed: true, said: "unavailable" });
        break;
      case "execution.status":
        if (data.to === "handoff") add(event, "handoff", text(data.reason));
        else if (["ended", "failed", "stopped"].includes(text(data.to))) {
          add(event, "status", text(data.reason), { isFailed: data.to === "failed" });
        } else lastStep(turn)?.events.push(event);
        break;
      default:
        lastStep(turn)?.events.push(event);
    }
  }
  return turns.filter((one) => one.steps.length > 0);
}

function lastStep(turn: Turn | undefined): Step | undefined {
  return turn?.steps.at(-1);
}

function lastOf(turn: Turn | undefined, kind: Kind): Step | undefined {
  return turn?.steps.findLast((step) => step.kind === kind);
}

/** Lengths of turns, which all their rows need. */
const lengths = new WeakMap<Turn, number>();

/** Time from the begin of a turn to its last event. */
function lengthOf(turn: Turn): number {
  const known = lengths.get(turn);
  if (known !== undefined) return known;
  const begin = Date.parse(turn.at);
  let last = begin;
  for (const step of turn.steps) for (const event of step.events) last = Math.max(last, Date.parse(event.at));
  const length = Math.max(turn.ms ?? 0, last - begin, 1);
  lengths.set(turn, length);
  return length;
}

/** Place of a step's bar in its turn, in per cent: the end of a step is the time of its last event. */
export function barOf(turn: Turn, step: Step): { start: number; length: number } {
  const begin = Date.parse(turn.at);
  const whole = lengthOf(turn);
  const from = Date.parse(step.at) - begin;
  const start = Math.min(99, Math.max(0, (from / whole) * 100));
  const length = Math.min(100 - start, Math.max(1, ((step.ms ?? 0) / whole) * 100));
  return { start, length };
}

export function allSteps(turns: Turn[]): Step[] {
  return turns.flatMap((turn) => turn.steps);
}
