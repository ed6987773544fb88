import type { Execution, ExecutionStatus } from "../../lib/api.ts";
import { t } from "../../lib/i18n.ts";
import type { Tone } from "../../ui/parts.tsx";

export const STATUSES: readonly ExecutionStatus[] = [
  "started",
  "running",
  "paused",
  "handoff",
  "ended",
  "failed",
  "stopped",
];

export const TONES: Record<ExecutionStatus, Tone> = {
  started: "act",
  running: "act",
  paused: "plain",
  ended: "good",
  handoff: "wait",
  failed: "bad",
  stopped: "plain",
};

type Ending = Pick<Execution, "error" | "handoff_reason" | "end_reason">;

/** Why an execution failed, waits for a person or ended; empty if it does none of these. */
export function reasonOf({ error, handoff_reason, end_reason }: Ending): string {
  if (error) return error.message;
  // The word that the server stores when a person takes a conversation over.
  if (handoff_reason === "assigned") return t("executions.takenOver");
  return handoff_reason ?? end_reason ?? "";
}
