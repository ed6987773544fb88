/**
 * The live feed of a project: one stream per browser. A Web Lock elects the tab that holds it, and a
 * `BroadcastChannel` passes events and state to the others. Events are hints: they say what to read
 * again.
 */

import { serverPath } from "./place.ts";
import { noteServerTime } from "./time.ts";

export type FeedState = "connecting" | "live" | "reconnecting" | "paused";
export type Hint = { topic: string; object_id: string; conversation_id?: string };

/** Time without a stream after which the page says that it is paused. */
const PAUSED_AFTER = 60_000;
/** The server sends a heartbeat every 15 s. */
const SILENCE = 40_000;
const SHORTEST_WAIT = 1_000;
const LONGEST_WAIT = 30_000;

type Passed =
  | { kind: "state"; state: FeedState }
  | { kind: "hints"; hints: Hint[] }
  | { kind: "reset" }
  | { kind: "who" };

export type Listener = { state: (state: FeedState) => void; hints: (hints: Hint[]) => void; reset: () => void };

/** Splits server-sent events off a text; what is left belongs to the next piece. */
export function parseEvents(text: string): { events: { name: string; data: string; id: string }[]; rest: string } {
  const events = [];
  const blocks = text.split(/\r?\n\r?\n/);
  const rest = blocks.pop() ?? "";
  for (const block of blocks) {
    const event = { name: "message", data: "", id: "" };
    for (const line of block.split(/\r?\n/)) {
      const [, field, value] = /^([a-z]+): ?(.*)$/.exec(line) ?? [];
      if (field === "data") event.data += (event.data ? "\n" : "") + value;
      else if (field === "event") event.name = value ?? "";
      else if (field === "id") event.id = value ?? "";
    }
    if (event.data) events.push(event);
  }
  return { events, rest };
}

/** Wait before the next try: 1 s to 30 s, and random, so that browsers do not return at once. */
export function waitOf(failures: number, random: number): number {
  const longest = Math.min(LONGEST_WAIT, SHORTEST_WAIT * 2 ** failures);
  return SHORTEST_WAIT + random * (longest - SHORTEST_WAIT);
}

/** Follows a project until the returned function is called. */
export function follow(project: string, listener: Listener): () => void {
  const end = new AbortController();
  const channel = new BroadcastChannel(`chasqui-feed-${project}`);
  let state: FeedState = "connecting";
  let isLeader = false;
  let since = Date.now();

  const show = (to: FeedState) => {
    state = to;
    if (to === "live") since = Date.now();
    listener.state(to);
  };
  const pass = (message: Passed) => {
    if (!end.signal.aborted) channel.postMessage(message);
  };
  channel.onmessage = ({ data }: MessageEvent<Passed>) => {
    if (data.kind === "state") show(data.state);
    else if (data.kind === "hints") listener.hints(data.hints);
    else if (data.kind === "reset") listener.reset();
    else if (isLeader) pass({ kind: "state", state });
  };
  pass({ kind: "who" });

  // A tab that holds no stream reports the age of the last sign of life as well.
  const timer = setInterval(() => {
    if (state !== "live" && state !== "paused" && Date.now() - since > PAUSED_AFTER) show("paused");
  }, 1_000);

  const lead = async () => {
    isLeader = true;
    let cursor = "";
    let failures = 0;
    while (!end.signal.aborted) {
      try {
        await stream(project, cursor, end.signal, (event) => {
          failures = 0;
          if (event.id) cursor = event.id;
          if (event.name === "hello") {
            noteServerTime((JSON.parse(event.data) as { server_time: string }).server_time);
            show("live");
            pass({ kind: "state", state: "live" });
          } else if (event.name === "reset") {
            listener.reset();
            pass({ kind: "reset" });
          } else if (event.name === "message") {
            const hints = [JSON.parse(event.data) as Hint];
            listener.hints(hints);
            pass({ kind: "hints", hints });
          }
        });
      } catch {
        // The next try follows; the state says that there is no stream.
      }
      if (end.signal.aborted) break;
      if (state === "live") since = Date.now();
      if (state !== "paused") {
        show("reconnecting");
        pass({ kind: "state", state: "reconnecting" });
      }
      await pause(waitOf(failures++, Math.random()), end.signal);
    }
  };
  // Locks exist on https and on this machine only; elsewhere each tab has its own stream.
  if ("locks" in navigator) {
    navigator.locks.request(`chasqui-feed-${project}`, { signal: end.signal }, lead).catch(() => {});
  } else {
    void lead();
  }

  return () => {
    end.abort();
    clearInterval(timer);
    channel.close();
  };
}

type Sent = { name: string; data: string; id: string };

async function stream(
  project: string,
  cursor: string,
  signal: AbortSignal,
  take: (event: Sent) => void,
): Promise<void> {
  const silence = new AbortController();
  const headers: Record<string, string> = { Accept: "text/event-stream", "X-Project-Id": project };
  if (cursor) headers["Last-Event-ID"] = cursor;
  let watch = setTimeout(() => silence.abort(), SILENCE);
  try {
    const response = await fetch(`${serverPath}/api/v1/events`, {
      headers,
      cache: "no-store",
      signal: AbortSignal.any([signal, silence.signal]),
    });
    if (!response.ok || !response.body) throw new Error(String(response.status));
    const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
    let text = "";
    for (;;) {
      const { value, done } = await reader.read();
      if (done) return;
      clearTimeout(watch);
      watch = setTimeout(() => silence.abort(), SILENCE);
      const { events, rest } = parseEvents(text + value);
      text = rest;
      for (const event of events) take(event);
    }
  } finally {
    clearTimeout(watch);
  }
}

function pause(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((done) => {
    const timer = setTimeout(done, ms);
    signal.addEventListener("abort", () => {
      clearTimeout(timer);
      done();
    });
  });
}
