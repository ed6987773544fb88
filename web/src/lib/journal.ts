/** Events of an execution: all that exist by one stream, then those of a running one as they happen. */

import { useEffect, useRef, useState } from "react";
import { currentProject, type ExecutionEvent, Refusal, refusal } from "./api.ts";
import { parseEvents } from "./feed.ts";
import { t } from "./i18n.ts";
import { serverPath } from "./place.ts";

type Shown = { events: ExecutionEvent[]; isPending: boolean; error: unknown };
const NOTHING: Shown = { events: [], isPending: true, error: undefined };

/** Time in which events are joined before they are shown. */
const JOIN = 100;
/** The same for a long execution, whose rows take longer to arrange. */
const MANY = 2_000;
const JOIN_MANY = 400;
/**
 * Silence after which a stream has shown all that exists. It is closed then: a browser has six
 * connections to a server for all its tabs.
 */
const SILENCE = { running: 400, waiting: 1_500 };
/** Wait before events of a running execution are read again, and after a failure. */
const AGAIN = 700;
const WAIT = 5_000;

/** Reads an execution, and again when its status changes. */
export function useEvents(agent: string | undefined, id: string | undefined, status: string | undefined): Shown {
  const known = useRef<{ id: string; events: ExecutionEvent[] }>({ id: "", events: [] });
  const [shown, setShown] = useState<Shown & { id?: string }>(NOTHING);
  useEffect(() => {
    if (!agent || !id) return;
    const end = new AbortController();
    if (known.current.id !== id) known.current = { id, events: [] };
    const { events } = known.current;
    let timer: ReturnType<typeof setTimeout> | undefined;
    const show = () => {
      timer = undefined;
      setShown({ id, events: [...events], isPending: false, error: undefined });
    };
    const later = () => {
      timer ??= setTimeout(show, events.length > MANY ? JOIN_MANY : JOIN);
    };
    const isRunning = status === "running" || status === "started";
    const isWaiting = status === "paused" || status === "handoff";
    // The stream of one that is over ends by itself.
    const silence = isRunning ? SILENCE.running : isWaiting ? SILENCE.waiting : undefined;
    void (async () => {
      for (let first = true; !end.signal.aborted && (first || isRunning); ) {
        let wait = AGAIN;
        try {
          if (first || document.visibilityState === "visible")
            await read(agent, id, events, end.signal, silence, later);
          if (first) later();
          first = false;
        } catch (error) {
          if (end.signal.aborted) return;
          const found = error instanceof Refusal ? error : new Refusal(0, "unreachable", t("error.unreachable"));
          if (events.length === 0) setShown({ id, events: [], isPending: false, error: found });
          if (found.status >= 400 && found.status < 500 && found.status !== 429) return;
          wait = WAIT;
        }
        await new Promise((done) => setTimeout(done, wait));
      }
    })();
    return () => {
      clearTimeout(timer);
      end.abort();
    };
  }, [agent, id, status]);
  return shown.id === id ? shown : NOTHING;
}

/** Reads what follows the known events, until the stream ends or is silent. */
async function read(
  agent: string,
  id: string,
  events: ExecutionEvent[],
  signal: AbortSignal,
  silence: number | undefined,
  changed: () => void,
): Promise<void> {
  const headers: Record<string, string> = { Accept: "text/event-stream", "X-Project-Id": currentProject() };
  const last = events.at(-1)?.seq;
  if (last !== undefined) headers["Last-Event-ID"] = String(last);
  const url = `${serverPath}/api/v1/agents/${agent}/executions/${id}/events`;
  const silent = new AbortController();
  const answer = await fetch(url, { headers, signal: AbortSignal.any([signal, silent.signal]) });
  if (!answer.ok || !answer.body) throw refusal(answer.status, await answer.json().catch(() => ({})));
  const reader = answer.body.pipeThrough(new TextDecoderStream()).getReader();
  let rest = "";
  for (;;) {
    const timer = silence === undefined ? undefined : setTimeout(() => silent.abort(), silence);
    const { done, value } = await reader.read().catch((error: unknown) => {
      if (silent.signal.aborted) return { done: true as const, value: undefined };
      throw error;
    });
    clearTimeout(timer);
    if (done) return;
    const parsed = parseEvents(rest + value);
    rest = parsed.rest;
    for (const { data } of parsed.events) {
      const event = JSON.parse(data) as ExecutionEvent;
      if (event.seq > (events.at(-1)?.seq ?? 0)) events.push(event);
    }
    if (parsed.events.length > 0) changed();
  }
}
