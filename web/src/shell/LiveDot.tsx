import type { FeedState } from "../lib/feed.ts";
import { t } from "../lib/i18n.ts";

/** Live, Reconnecting or Paused: whether the page follows changes. */
export function LiveDot({ state }: { state: FeedState }) {
  const shown = state === "live" ? "live" : state === "paused" ? "paused" : "reconnecting";
  return (
    <span className={`live ${shown}`} role="status" title={t(`live.${shown}.how`)}>
      <i aria-hidden="true" />
      {t(`live.${shown}`)}
    </span>
  );
}
