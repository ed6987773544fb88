import { useVirtualizer, type Virtualizer } from "@tanstack/react-virtual";
import { type RefObject, useEffect, useRef } from "react";

type Rows = {
  box: RefObject<HTMLDivElement | null>;
  rows: Virtualizer<HTMLDivElement, HTMLLIElement>;
};

/** Rows of a long list: only those in view are elements. The row `at` is brought into view. */
export function useRows(count: number, size: (at: number) => number, at = -1): Rows {
  const box = useRef<HTMLDivElement>(null);
  const rows = useVirtualizer<HTMLDivElement, HTMLLIElement>({
    count,
    getScrollElement: () => box.current,
    estimateSize: size,
    overscan: 12,
  });
  const latest = useRef(rows);
  latest.current = rows;
  useEffect(() => {
    if (at >= 0) latest.current.scrollToIndex(at, { align: "auto" });
  }, [at]);
  return { box, rows };
}

/**
 * As {@link useRows}, for a chat: it opens at its end, stays there, and keeps its place when earlier
 * rows arrive. `above` is the height of what stands above the rows.
 */
export function useChatRows(count: number, keyOf: (at: number) => string, above: number): Rows {
  const box = useRef<HTMLDivElement>(null);
  const rows = useVirtualizer<HTMLDivElement, HTMLLIElement>({
    count,
    getScrollElement: () => box.current,
    estimateSize: () => 64,
    getItemKey: keyOf,
    overscan: 8,
    anchorTo: "end",
    followOnAppend: true,
    scrollMargin: above,
    paddingStart: 16,
    paddingEnd: 16,
  });
  const opened = useRef(false);
  const latest = useRef(rows);
  latest.current = rows;
  useEffect(() => {
    if (opened.current || count === 0) return;
    opened.current = true;
    latest.current.scrollToIndex(count - 1, { align: "end" });
  }, [count]);
  return { box, rows };
}
