import { useSyncExternalStore } from "react";
import { t } from "../lib/i18n.ts";
import { Icon } from "./icons.tsx";

type Shown = { id: number; text: string; tone: "plain" | "bad" };

let shown: Shown | null = null;
let timer: ReturnType<typeof setTimeout> | undefined;
let count = 0;
const listeners = new Set<() => void>();

function change(next: Shown | null): void {
  shown = next;
  for (const listener of listeners) listener();
}

/** Shows a sentence, which replaces the one before; errors stay until they are closed. */
export function toast(text: string, tone: Shown["tone"] = "plain"): void {
  clearTimeout(timer);
  change({ id: ++count, text, tone });
  if (tone === "plain") timer = setTimeout(() => change(null), 5_000);
}

export function failed(error: unknown): void {
  toast(error instanceof Error ? error.message : String(error), "bad");
}

/** The one polite live region. */
export function Toasts() {
  const now = useSyncExternalStore(
    (call) => {
      listeners.add(call);
      return () => listeners.delete(call);
    },
    () => shown,
  );
  return (
    <div className="toasts" role="status" aria-live="polite">
      {now && (
        <div key={now.id} className={`toast ${now.tone}`}>
          <span dir="auto">{now.text}</span>
          <button type="button" className="button bare" aria-label={t("action.dismiss")} onClick={() => change(null)}>
            <Icon name="close" />
          </button>
        </div>
      )}
    </div>
  );
}
