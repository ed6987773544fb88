import type { Entry, InboxMessage } from "../../lib/api.ts";
import { t } from "../../lib/i18n.ts";
import type { Template } from "../../lib/sending.ts";
import { left, serverNow } from "../../lib/time.ts";
import type { Tone } from "../../ui/parts.tsx";

const HOUR = 3_600_000;

/** Name, else number, else short id. */
export function nameOf(entry: Entry): string {
  return entry.contact.name || entry.contact.phone_number || `${t("inbox.hidden")} ${entry.contact.id.slice(-4)}`;
}

/** Time left in the service window; 0 if it is closed. */
export function windowLeft(entry: Entry, now = serverNow()): number {
  return entry.window_expires_at ? Math.max(0, Date.parse(entry.window_expires_at) - now) : 0;
}

/** Plain above 4 h, then maize, then cochineal. */
export function windowTone(ms: number): Tone {
  return ms > 4 * HOUR ? "plain" : ms > HOUR / 2 ? "wait" : "bad";
}

/** A person replied on the shop's phone, and the agent has not continued since. */
export function isPausedByPhone(entry: Entry): boolean {
  return entry.mode === "handoff" && entry.execution?.reason === "phone_reply";
}

/** The one chip of a row. */
export function chipOf(entry: Entry, me = ""): { tone: Tone; text: string } | null {
  if (entry.status === "ended") return { tone: "plain", text: t("inbox.closed") };
  if (
    entry.mode === "failed" ||
    (entry.last_message?.status === "failed" && entry.last_message.direction === "outbound")
  ) {
    return { tone: "bad", text: t("inbox.failed") };
  }
  if (isPausedByPhone(entry)) return { tone: "plain", text: t("by.phone") };
  if (entry.mode === "handoff") return { tone: "wait", text: t("inbox.needsPerson") };
  const ms = windowLeft(entry);
  if (ms > 0 && windowTone(ms) !== "plain") return { tone: windowTone(ms), text: t("inbox.left", { time: left(ms) }) };
  if (entry.assignment) {
    const { user_id, name } = entry.assignment;
    return { tone: "plain", text: user_id === me ? t("by.me") : name || t("inbox.colleague") };
  }
  if (entry.agent) return { tone: "act", text: t("inbox.agent") };
  return null;
}

export function previewOf(entry: Entry): string {
  const last = entry.last_message;
  if (!last) return "";
  if (last.is_deleted) return t("type.deleted");
  if (last.direction === "inbound") return last.text;
  // The list does not say which person it was.
  return `${last.by === "person" ? t("inbox.team") : t(`by.${last.by}`)}: ${last.text}`;
}

export type Delivery = { text: string; tone: "" | "bad" | "wait"; icon: "clock" | "check" | "ticks" | "alert" };

/** Refusals of Meta that have a sentence of ours; the others keep Meta's. */
const REASONS = [
  "130429",
  "130472",
  "131026",
  "131047",
  "131048",
  "131049",
  "131053",
  "131056",
  "132015",
  "132016",
] as const;

type Failure = { code?: string | number; message?: string; title?: string; details?: string };

/** Delivery of an outgoing message, in words. */
export function deliveryOf(message: InboxMessage): Delivery | null {
  if (message.direction === "inbound") return null;
  const error = message.metadata.error as Failure | undefined;
  if (message.status === "failed") {
    const known = REASONS.find((code) => code === String(error?.code));
    const why = known ? t(`reason.${known}`) : error?.message || error?.details || error?.title;
    const text = why ? t("delivery.failedWhy", { why: why.replace(/\.$/, "") }) : t("delivery.failed");
    return { text: error?.code ? `${text} (${error.code})` : text, tone: "bad", icon: "alert" };
  }
  if (error?.code === "unconfirmed" && message.status === "pending") {
    return { text: t("delivery.unconfirmed"), tone: "wait", icon: "alert" };
  }
  if (message.status === "read" || message.status === "played")
    return { text: t("delivery.read"), tone: "", icon: "ticks" };
  if (message.status === "delivered") return { text: t("delivery.delivered"), tone: "", icon: "ticks" };
  if (message.status === "sent") return { text: t("delivery.sent"), tone: "", icon: "check" };
  return { text: t("delivery.pending"), tone: "", icon: "clock" };
}

/** How a failed or unconfirmed message can be sent again; null if it cannot. */
export function resendOf(message: InboxMessage): { isUnsure: boolean; text?: string; template?: Template } | null {
  if (message.direction === "inbound" || message.by.kind === "agent") return null;
  const error = message.metadata.error as { code?: string } | undefined;
  const isUnsure = error?.code === "unconfirmed" && message.status === "pending";
  if (message.status !== "failed" && !isUnsure) return null;
  const { template_name: name, template_language: language, template_params: params } = message.message_type_data;
  if (message.message_type === "template" && name && language) {
    return { isUnsure, template: { name, language, params: params ?? [] } };
  }
  return message.message_type === "text" ? { isUnsure, text: message.content } : null;
}
