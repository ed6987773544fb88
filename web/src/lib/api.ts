import createClient, { type Middleware } from "openapi-fetch";
import type { components as AppComponents, paths as AppPaths } from "./generated/app";
import type { components as V1Components, paths as V1Paths } from "./generated/v1";
import { t } from "./i18n.ts";
import { serverPath } from "./place.ts";

type V1 = V1Components["schemas"];
type App = AppComponents["schemas"];
export type Me = App["Me"];
export type ServerState = App["ServerState"];
export type OpenInvitation = App["OpenInvitation"];
export type Role = App["RoleName"];
export type Entry = V1["InboxEntry"];
export type View = NonNullable<NonNullable<V1Paths["/api/v1/inbox"]["get"]["parameters"]["query"]>["view"]>;
export type InboxMessage = V1["InboxMessage"];
export type Note = V1["WhatsappContactNote"];
export type Member = V1["Member"];
export type Execution = V1["AgentExecution"];
export type ExecutionEvent = V1["ExecutionEvent"];
export type ExecutionStatus = V1["AgentExecutionStatus"];
export type LinkedExecution = V1["ConversationAgentExecution"];
export type Agent = V1["Agent"];
export type SandboxSession = V1["SandboxSession"];
export type Project = V1["ProjectDetails"];
export type ProjectUpdate = V1["ProjectUpdateRequest"];
export type ModelProvider = V1["ModelProvider"];
export type NewModelProvider = V1["NewModelProvider"];
export type ModelProviderChange = V1["ModelProviderChange"];
export type ModelProviderCheck = V1["ModelProviderCheck"];
export type ProviderModels = V1["ProviderModels"];
export type WhatsappTemplate = V1["WhatsappTemplate"];

/** An answer with an error status, or no answer. */
export class Refusal extends Error {
  readonly status: number;
  readonly code: string;
  readonly requestId: string;
  /** Messages by field: the last part of `details[].path`. */
  readonly fields: Record<string, string>;

  constructor(status: number, code: string, message: string, requestId = "", fields: Record<string, string> = {}) {
    super(message);
    this.status = status;
    this.code = code;
    this.requestId = requestId;
    this.fields = fields;
  }

  /** True if the request may have been carried out: repeat it with the same key. */
  get isUnanswered(): boolean {
    return this.status === 0 || this.status >= 500;
  }
}

/** Maps the body of an error, which proxies may have replaced. */
export function refusal(status: number, body: unknown): Refusal {
  const error = (typeof body === "object" && body !== null ? body : {}) as Record<string, unknown>;
  const text = (name: string) => (typeof error[name] === "string" ? (error[name] as string) : "");
  const fields: Record<string, string> = {};
  for (const detail of Array.isArray(error.details) ? error.details : []) {
    const { path, message } = detail as { path?: string; message?: string };
    const field = path?.split("/").pop();
    if (field && message) fields[field] = message;
  }
  return new Refusal(
    status,
    text("code") || String(status),
    text("message") || t("error.answer"),
    text("request_id"),
    fields,
  );
}

let project = "";
let signedOut: () => void = () => {};

/** Project of all requests to `/api/v1`. */
export function setProject(id: string): void {
  project = id;
}

export function currentProject(): string {
  return project;
}

/** Called when a session has ended. */
export function onSignedOut(call: () => void): void {
  signedOut = call;
}

const withProject: Middleware = {
  onRequest({ request }) {
    if (project) request.headers.set("X-Project-Id", project);
    return request;
  },
};

const baseUrl = location.origin + serverPath;
/** Operations of a project. */
export const v1 = createClient<V1Paths>({ baseUrl });
v1.use(withProject);
/** Sign-in, sessions and the own account. */
export const app = createClient<AppPaths>({ baseUrl, headers: { "Content-Type": "application/json" } });

type Answered<T> = { data?: T; error?: unknown; response: Response };

/** The content of an answer. Throws a {@link Refusal} otherwise. */
export async function content<T>(call: Promise<Answered<T>>): Promise<T> {
  let answered: Answered<T>;
  try {
    answered = await call;
  } catch (error) {
    if (error instanceof DOMException && error.name === "AbortError") throw error;
    throw new Refusal(0, "unreachable", t("error.unreachable"));
  }
  const { data, error, response } = answered;
  if (response.ok) return data as T;
  if (response.status === 401 && response.url.includes("/api/v1/")) signedOut();
  throw refusal(response.status, error);
}

/** Fields of a POST that must happen once, however often it is sent. */
export function once(key: string): { header: { "Idempotency-Key": string } } {
  return { header: { "Idempotency-Key": key } };
}

export function newKey(): string {
  return (
    crypto.randomUUID?.() ??
    Array.from(crypto.getRandomValues(new Uint8Array(16)), (b) => b.toString(16).padStart(2, "0")).join("")
  );
}
