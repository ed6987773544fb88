/** The emulated phone of `dev`: what a customer sees and does, by the emulator's control API. */

import { useQuery } from "@tanstack/react-query";
import { useEffect, useRef } from "react";
import { newKey, Refusal } from "./api.ts";
import { t } from "./i18n.ts";
import { serverPath } from "./place.ts";
import { noteServerTime } from "./time.ts";

type Choice = { id?: string; title?: string; description?: string };
export type PhoneContent = {
  body?: string | { text?: string };
  type?: string;
  header?: { text?: string };
  footer?: { text?: string };
  action?: { button?: string; buttons?: { reply: Choice }[]; sections?: { title?: string; rows?: Choice[] }[] };
  button_reply?: Choice;
  list_reply?: Choice;
  text?: string;
  rendered?: {
    header?: unknown;
    body?: string;
    footer?: string;
    buttons?: { type?: string; text?: string; payload?: string }[];
  };
  caption?: string;
  filename?: string;
  mime_type?: string;
  name?: string;
  address?: string;
  latitude?: number;
  longitude?: number;
};
export type PhoneMessage = {
  id: string;
  /** `in` is sent by the phone. */
  direction: "in" | "out";
  /** `deleted` after a deletion. */
  type: string;
  /** The contact has changed it. */
  edited: boolean;
  content: PhoneContent | null;
  timestamp: string;
  reply_to: string | null;
  reactions: { from: string; emoji: string }[];
  statuses: { status: string; error?: { title?: string } }[];
};
export type Chat = { messages: PhoneMessage[]; typing: boolean };
export type BusinessNumber = { id: string; display: string };
export type Fault = "none" | "undelivered" | "limited" | "lost";

/** Interval at which a chat is read while its page is in the foreground. */
const POLL = 600;
const base = `${serverPath}/app/api/phone`;

async function ask<T>(method: string, path: string, body?: unknown): Promise<T> {
  let answer: Response;
  try {
    answer = await fetch(base + path, {
      method,
      headers: { "Content-Type": "application/json" },
      body: body === undefined ? undefined : JSON.stringify(body),
    });
  } catch {
    throw new Refusal(0, "unreachable", t("error.unreachable"));
  }
  const content = (await answer.json().catch(() => ({}))) as T & { error?: { code?: string; message?: string } };
  if (answer.ok) return content;
  const { code, message } = typeof content.error === "object" ? content.error : {};
  throw new Refusal(answer.status, code ?? String(answer.status), message ?? t("error.answer"));
}

/** Numbers of businesses that the phone can write to. */
export function useNumbers(enabled: boolean) {
  return useQuery({
    queryKey: ["phone", "numbers"],
    enabled,
    staleTime: Number.POSITIVE_INFINITY,
    refetchInterval: false,
    queryFn: async () => (await ask<{ phone_numbers: BusinessNumber[] }>("GET", "/state")).phone_numbers,
  });
}

const known = new Set<string>();

/** The chat of a phone with a number, live. */
export function useChat(number: string | undefined, phone: string) {
  return useQuery({
    queryKey: ["phone", "chat", number, phone],
    enabled: number !== undefined && phone !== "",
    // No stream: a browser has six connections to a server for all its tabs.
    refetchInterval: POLL,
    queryFn: async () => {
      // A phone that never wrote is unknown to the emulator.
      if (!known.has(phone)) {
        const { users } = await ask<{ users: { wa_id: string | null }[] }>("GET", "/state");
        const isKnown = users.some(({ wa_id }) => wa_id === phone);
        if (!isKnown) await ask("PUT", `/users/${phone}`, { name: `+${phone}` });
        known.add(phone);
      }
      return ask<Chat>("GET", `/chats/${number}/${phone}`);
    },
  });
}

/** Marks delivered messages as read while the page is in the foreground. */
export function useReading(phone: string, chat: Chat | undefined): void {
  const last = chat?.messages.findLast(
    ({ direction, statuses }) =>
      direction === "out" &&
      statuses.some(({ status }) => status === "delivered") &&
      !statuses.some(({ status }) => status === "read"),
  )?.id;
  const done = useRef("");
  useEffect(() => {
    if (!last || done.current === last || document.visibilityState !== "visible") return;
    done.current = last;
    void ask("POST", `/users/${phone}/read`, { message_id: last }).catch(() => {});
  }, [last, phone]);
}

type From = { number: string; phone: string };

export function sendText({ number, phone }: From, text: string, replyTo?: string): Promise<unknown> {
  return ask("POST", "/inbound", { phone_number_id: number, from: phone, text, reply_to: replyTo });
}

/** Taps a button or a row of a list, by its id. */
export function tap({ number, phone }: From, message: string, choice: string): Promise<unknown> {
  return ask("POST", "/inbound", { phone_number_id: number, from: phone, reply_to: message, tap: choice });
}

export function react({ number, phone }: From, message: string, emoji: string): Promise<unknown> {
  const reaction = { message_id: message, emoji };
  return ask("POST", "/inbound", { phone_number_id: number, from: phone, type: "reaction", reaction });
}

/** True for a text or a caption, which a contact can change. */
export function isEditable({ direction, type }: PhoneMessage): boolean {
  return direction === "in" && ["text", "image", "video", "document"].includes(type);
}

export function edit({ phone }: From, message: string, text: string): Promise<unknown> {
  return ask("POST", `/users/${phone}/edit`, { message_id: message, text });
}

export function remove({ phone }: From, message: string): Promise<unknown> {
  return ask("POST", `/users/${phone}/delete`, { message_id: message });
}

export async function sendFile({ number, phone }: From, file: File, caption: string): Promise<void> {
  const kind = /^(image|video|audio)\//.exec(file.type)?.[1] ?? "document";
  const bytes = new Uint8Array(await file.arrayBuffer());
  let binary = "";
  for (let at = 0; at < bytes.length; at += 0x8000) binary += String.fromCharCode(...bytes.subarray(at, at + 0x8000));
  const mime = file.type || "application/octet-stream";
  const stored = await ask<{ media_id: string }>("POST", "/inbound/media", {
    base64: btoa(binary),
    mime_type: mime,
    filename: file.name,
    phone_number_id: number,
  });
  const content = { id: stored.media_id, ...(caption && kind !== "audio" ? { caption } : {}) };
  await ask("POST", "/inbound", { phone_number_id: number, from: phone, type: kind, [kind]: content });
}

/** Moves the clocks of the phone and of this server forward. */
export async function advance(hours: number): Promise<void> {
  const { now } = await ask<{ now: number }>("POST", "/clock", { advance_ms: hours * 3_600_000 });
  noteServerTime(new Date(now).toISOString());
}

const FAULTS: Record<Exclude<Fault, "none">, unknown> = {
  undelivered: { status_fail: { code: 131026 } },
  limited: { error: "throughput" },
  lost: "accept_then_drop",
};

/** Sets what happens to the next message to the phone. */
export async function setFault(fault: Fault): Promise<void> {
  await ask("DELETE", "/faults");
  if (fault === "none") return;
  const trigger = { next: 1 };
  await ask("POST", "/faults", { id: newKey(), when: { surface: "send" }, trigger, do: FAULTS[fault] });
}

/** Text of a message as a phone shows it. */
export function textOf({ type, content }: PhoneMessage): string {
  if (!content) return "";
  const { body, rendered } = content;
  if (rendered) return rendered.body ?? "";
  if (type === "interactive") {
    const chosen = content.button_reply ?? content.list_reply;
    return chosen?.title ?? (typeof body === "object" ? (body.text ?? "") : "");
  }
  if (type === "button") return content.text ?? "";
  if (type === "location") return [content.name, content.address].filter(Boolean).join(", ");
  return (typeof body === "string" ? body : "") || content.caption || "";
}

/** What can be tapped below a message. */
export function choicesOf({ content, direction }: PhoneMessage): Choice[] {
  if (direction !== "out" || !content) return [];
  const buttons = content.action?.buttons?.map(({ reply }) => reply) ?? [];
  const rows = content.action?.sections?.flatMap((section) => section.rows ?? []) ?? [];
  const quick = content.rendered?.buttons?.filter(({ type }) => type === "QUICK_REPLY") ?? [];
  return [...buttons, ...rows, ...quick.map(({ text, payload }) => ({ id: payload ?? text, title: text }))];
}
