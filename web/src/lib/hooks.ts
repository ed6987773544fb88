/** Hooks with effects: all other files compute what they show from queries and the address. */

import { useQueryClient } from "@tanstack/react-query";
import { type RefObject, useEffect, useLayoutEffect, useRef, useState, useSyncExternalStore } from "react";
import { currentProject } from "./api.ts";
import { type FeedState, follow, type Hint } from "./feed.ts";
import * as kept from "./kept.ts";
import { markRead, noteFeedState, staleAfter } from "./queries.ts";

/** Time in which hints are joined before what they name is read again. */
const JOIN = 100;

/** Follows the live feed of the project and reads again what it names. */
export function useFeed(project: string): FeedState {
  const queries = useQueryClient();
  const [state, setState] = useState<FeedState>("connecting");
  useEffect(() => {
    let waiting: Hint[] = [];
    let timer: ReturnType<typeof setTimeout> | undefined;
    const flush = () => {
      timer = undefined;
      const names = new Map(waiting.flatMap(staleAfter).map((name) => [name.join(), name]));
      waiting = [];
      for (const queryKey of names.values()) void queries.invalidateQueries({ queryKey });
    };
    let wasLive = false;
    const stop = follow(project, {
      state: (next) => {
        noteFeedState(next);
        setState(next);
        // What happened without a stream is read once.
        if (next === "live" && wasLive) void queries.invalidateQueries();
        if (next === "live") wasLive = true;
      },
      hints: (hints) => {
        waiting.push(...hints);
        timer ??= setTimeout(flush, JOIN);
      },
      reset: () => void queries.invalidateQueries(),
    });
    return () => {
      clearTimeout(timer);
      stop();
    };
  }, [project, queries]);
  return state;
}

export function useTitle(title: string): void {
  useEffect(() => {
    document.title = title === "" ? "Chasqui" : `${title} · Chasqui`;
  }, [title]);
}

/** Renders again at an interval, for ages and countdowns. */
export function useTick(ms: number): void {
  const [, tick] = useState(0);
  useEffect(() => {
    const timer = setInterval(() => tick((n) => n + 1), ms);
    return () => clearInterval(timer);
  }, [ms]);
}

/** A text that survives a reload, by name; in the project. */
export function useKept(name: string): [string, (text: string) => void] {
  const full = `${currentProject()}:${name}`;
  const [texts, setTexts] = useState<Record<string, string>>({});
  const text = texts[full] ?? kept.read(full);
  const set = (next: string) => {
    kept.write(full, next);
    setTexts((all) => ({ ...all, [full]: next }));
  };
  return [text, set];
}

/** Listens to keys while the component is shown. */
export function useKeys(listen: (event: KeyboardEvent) => void): void {
  const latest = useRef(listen);
  useLayoutEffect(() => {
    latest.current = listen;
  });
  useEffect(() => {
    const call = (event: KeyboardEvent) => latest.current(event);
    document.addEventListener("keydown", call);
    return () => document.removeEventListener("keydown", call);
  }, []);
}

/** Opens a `<dialog>` as long as it is rendered. */
export function useModal(): RefObject<HTMLDialogElement | null> {
  const dialog = useRef<HTMLDialogElement>(null);
  useEffect(() => {
    const shown = dialog.current;
    if (shown && !shown.open) shown.showModal();
    return () => shown?.close();
  }, []);
  return dialog;
}

/** Keeps a scrolled list at its end while new rows arrive, unless the reader scrolled up. */
export function useStayAtEnd(key: string, length: number): RefObject<HTMLDivElement | null> {
  const list = useRef<HTMLDivElement>(null);
  const atEnd = useRef(true);
  const shown = useRef("");
  useEffect(() => {
    const box = list.current;
    if (!box) return;
    const note = () => {
      atEnd.current = box.scrollHeight - box.scrollTop - box.clientHeight < 60;
    };
    box.addEventListener("scroll", note, { passive: true });
    return () => box.removeEventListener("scroll", note);
  }, []);
  useLayoutEffect(() => {
    const box = list.current;
    if (!box) return;
    if (shown.current !== key || atEnd.current) box.scrollTop = box.scrollHeight;
    if (length > 0) shown.current = key;
  }, [key, length]);
  return list;
}

/** Marks a conversation as read up to its latest message while the page is in the foreground. */
export function useReadMark(entry: { id: string; unread: boolean }, messages: { seq: number }[]): void {
  const queries = useQueryClient();
  const seq = messages.at(-1)?.seq ?? 0;
  const marked = useRef(0);
  useEffect(() => {
    if (!entry.unread || seq === 0 || marked.current >= seq || document.visibilityState !== "visible") return;
    marked.current = seq;
    void markRead(entry.id, seq)
      .then(() =>
        Promise.all([["inbox"], ["entry", entry.id]].map((queryKey) => queries.invalidateQueries({ queryKey }))),
      )
      .catch(() => {});
  }, [entry.id, entry.unread, seq, queries]);
}

/** Rows in a steady order while the reader scrolls or points at the list; `more` counts what waits. */
export function useSteady<Row extends { id: string }>(rows: Row[], name: string) {
  const [order, setOrder] = useState<{ name: string; ids: string[] } | null>(null);
  const held = order !== null && order.name === name;
  const byId = new Map(rows.map((row) => [row.id, row]));
  const known = held ? order.ids.filter((id) => byId.has(id)) : [];
  const first = known[0];
  const newer =
    held && first !== undefined
      ? rows
          .slice(
            0,
            rows.findIndex((row) => row.id === first),
          )
          .map((row) => row.id)
      : [];
  const older = held ? rows.slice(newer.length).filter((row) => !known.includes(row.id)) : [];
  const shown = held ? [...known.flatMap((id) => byId.get(id) ?? []), ...older] : rows;
  return {
    rows: shown,
    more: newer.filter((id) => rows.findIndex((row) => row.id === id) !== known.indexOf(id)).length,
    hold: () => setOrder((now) => (now?.name === name ? now : { name, ids: rows.map((row) => row.id) })),
    release: () => setOrder(null),
  };
}

/** Moves the focus to an element when a value changes, for pages that a screen reader must notice. */
export function useFocusOn(value: string): RefObject<HTMLHeadingElement | null> {
  const heading = useRef<HTMLHeadingElement>(null);
  const before = useRef(value);
  useEffect(() => {
    if (before.current !== value) heading.current?.focus({ preventScroll: true });
    before.current = value;
  }, [value]);
  return heading;
}

function online(call: () => void): () => void {
  window.addEventListener("online", call);
  window.addEventListener("offline", call);
  return () => {
    window.removeEventListener("online", call);
    window.removeEventListener("offline", call);
  };
}

export function useOnline(): boolean {
  return useSyncExternalStore(online, () => navigator.onLine);
}

/** Runs once when the component appears. */
export function useOnce(run: () => void): void {
  const done = useRef(false);
  const latest = useRef(run);
  useEffect(() => {
    if (done.current) return;
    done.current = true;
    latest.current();
  }, []);
}

/** Applies the theme of the person. */
export function useTheme(theme: string): void {
  useEffect(() => {
    if (theme === "system") document.documentElement.removeAttribute("data-theme");
    else document.documentElement.dataset.theme = theme;
  }, [theme]);
}
