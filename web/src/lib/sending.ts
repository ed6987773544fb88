/**
 * Messages on their way to the server. Text and key are stored before the request, and the same key
 * is repeated until an answer arrives: a double Enter, a lost answer or a reload never sends twice.
 */

import { useSyncExternalStore } from "react";
import { content, currentProject, newKey, once, Refusal, v1 } from "./api.ts";
import * as files from "./files.ts";
import { t } from "./i18n.ts";
import * as kept from "./kept.ts";
import { client, ofConversation } from "./queries.ts";

type Values = string[] | Record<string, string>;
export type Template = { name: string; language: string; params: Values | { header: Values; body: Values } };
export type Queued = {
  key: string;
  conversation: string;
  /** What the thread shows: the text, the caption, or the filled template. */
  text: string;
  at: string;
  template?: Template;
  /** Name and kind of a file, which `files.ts` keeps under the key. */
  file?: { name: string; kind: "image" | "video" | "audio" | "document" };
  error?: string;
};

const LONGEST_WAIT = 15_000;
const listeners = new Set<() => void>();
const running = new Set<string>();
let cached: { name: string; text: string; rows: Queued[] } = { name: "", text: "", rows: [] };

function name(): string {
  return `${currentProject()}:sending`;
}

function all(): Queued[] {
  const text = kept.read(name());
  if (cached.name !== name() || cached.text !== text) {
    cached = { name: name(), text, rows: text ? (JSON.parse(text) as Queued[]) : [] };
  }
  return cached.rows;
}

function store(rows: Queued[]): void {
  kept.write(name(), rows.length > 0 ? JSON.stringify(rows) : "");
  for (const listener of listeners) listener();
}

/** Messages of a conversation without an answer, oldest first. */
export function useQueued(conversation: string): Queued[] {
  const rows = useSyncExternalStore((call) => {
    listeners.add(call);
    return () => listeners.delete(call);
  }, all);
  return rows.filter((row) => row.conversation === conversation);
}

/** Queues a text or a template. The same one within a second is a double Enter. */
export function send(conversation: string, text: string, at: string, template?: Template): void {
  const twin = all().find((row) => row.conversation === conversation && row.text === text && !row.error && !row.file);
  if (twin && Date.parse(at) - Date.parse(twin.at) < 1_000) return;
  store([...all(), { key: newKey(), conversation, text, at, ...(template && { template }) }]);
  resume();
}

/** Queues a file. It is kept before the message is listed, so that a reload finds it. */
export async function sendFile(conversation: string, file: File, caption: string, at: string): Promise<void> {
  const key = newKey();
  await files.put(key, file);
  store([...all(), { key, conversation, text: caption, at, file: { name: file.name, kind: kindOf(file) } }]);
  resume();
}

/** Kind of message that WhatsApp makes of a file. */
export function kindOf({ type }: File): "image" | "video" | "audio" | "document" {
  if (type === "image/jpeg" || type === "image/png") return "image";
  if (type === "video/mp4" || type === "video/3gpp") return "video";
  return type.startsWith("audio/") ? "audio" : "document";
}

const MIB = 1 << 20;
/** Largest file of a kind, as WhatsApp takes it. */
export const LARGEST = { image: 5 * MIB, video: 16 * MIB, audio: 16 * MIB, document: 100 * MIB };

export function forget(key: string): void {
  if (all().some((row) => row.key === key && row.file)) void files.remove(key).catch(() => {});
  store(all().filter((row) => row.key !== key));
}

/** Sends a refused message again, with the same key: a refusal sent nothing. */
export function retry(key: string): void {
  store(all().map((row) => (row.key === key ? { ...row, error: undefined } : row)));
  resume();
}

/** Sends what has no answer yet: after a reload, and for each new message. */
export function resume(): void {
  const first = new Map<string, Queued>();
  for (const row of all()) if (!row.error && !first.has(row.conversation)) first.set(row.conversation, row);
  for (const row of first.values()) if (!running.has(row.key)) void deliver(row);
}

async function deliver(row: Queued): Promise<void> {
  running.add(row.key);
  const project = currentProject();
  for (let failures = 0; ; failures++) {
    try {
      await post(row);
      await Promise.all(ofConversation(row.conversation).map((queryKey) => client.invalidateQueries({ queryKey })));
      if (project === currentProject()) forget(row.key);
      break;
    } catch (error) {
      if (project !== currentProject()) break;
      const isFinal = error instanceof Refusal && !error.isUnanswered && error.status !== 401 && error.status !== 429;
      if (isFinal) {
        store(all().map((other) => (other.key === row.key ? { ...other, error: error.message } : other)));
        break;
      }
      await new Promise((done) => setTimeout(done, Math.min(1_000 * 2 ** failures, LONGEST_WAIT)));
      if (!all().some((other) => other.key === row.key)) break;
    }
  }
  running.delete(row.key);
  resume();
}

const MESSAGES = "/api/v1/whatsapp_conversations/{conversation_id}/whatsapp_messages";

async function post(row: Queued): Promise<void> {
  const params = { path: { conversation_id: row.conversation }, ...once(row.key) };
  if (!row.file) {
    const { template } = row;
    const message = template
      ? {
          message_type: "template" as const,
          template_name: template.name,
          template_language: template.language,
          template_params: template.params,
        }
      : { message_type: "text" as const, content: row.text };
    await content(v1.POST(MESSAGES, { params, body: { message } }));
    return;
  }
  const file = await files.get(row.key);
  if (!file) throw new Refusal(400, "file_gone", t("composer.fileGone"));
  const form = new FormData();
  form.set("message[message_type]", row.file.kind);
  if (row.text && row.file.kind !== "audio") form.set("message[caption]", row.text);
  if (row.file.kind === "document") form.set("message[filename]", file.name);
  form.set("message[media_file]", file, file.name);
  // The body of a form has no type of its own in the document.
  const body = { message: { message_type: row.file.kind } };
  await content(v1.POST(MESSAGES, { params, body, bodySerializer: () => form }));
}
