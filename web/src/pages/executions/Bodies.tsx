import { type ReactNode, useState } from "react";
import { useStep } from "../../cord/queries.ts";
import { t } from "../../lib/i18n.ts";
import { Json, Text } from "../../ui/Json.tsx";
import { Problem, Skeleton, Untrusted } from "../../ui/parts.tsx";
import { failed, toast } from "../../ui/Toast.tsx";
import { curlOf } from "./curl.ts";
import styles from "./executions.module.css";

type Props = { execution: string; step: number | undefined };
type Data = Record<string, unknown>;
type Chat = { role?: string; content?: unknown; tool_calls?: unknown };

/** A part whose content is read from the server when it is opened. */
function Opened({ title, children }: { title: string; children: (isOpen: boolean) => ReactNode }) {
  const [isOpen, setOpen] = useState(false);
  return (
    <details className={styles.opened} onToggle={(event) => setOpen(event.currentTarget.open)}>
      <summary>{title}</summary>
      {children(isOpen)}
    </details>
  );
}

/** The exact request to the model, in words and as it was sent. */
export function ModelBody({ execution, step }: Props) {
  return (
    <Opened title={t("trace.request")}>
      {(isOpen) => <Request execution={execution} step={step} isOpen={isOpen} />}
    </Opened>
  );
}

function Request({ execution, step, isOpen }: Props & { isOpen: boolean }) {
  const read = useStep(execution, step, isOpen);
  if (!isOpen) return null;
  if (read.isPending) return <Skeleton rows={4} />;
  if (read.isError) return <Problem error={read.error} retry={() => void read.refetch()} />;
  const request = read.data.model_request;
  if (!request?.body) return <p className="quiet">{request?.problem ?? t("trace.noRequest")}</p>;
  return (
    <div className={styles.bodies}>
      {request.model && <p className="small quiet">{`${request.provider} · ${request.model}`}</p>}
      <Said body={request.body} />
      <h4>{t("trace.exact")}</h4>
      <Text text={request.body} name={`request-${step}.json`} />
    </div>
  );
}

/** The messages of a request. */
function Said({ body }: { body: string }) {
  let parsed: { messages?: Chat[]; system?: string; tools?: unknown[] };
  try {
    parsed = JSON.parse(body) as typeof parsed;
  } catch {
    return null;
  }
  const messages: Chat[] = [
    ...(parsed.system ? [{ role: "system", content: parsed.system }] : []),
    ...(parsed.messages ?? []),
  ];
  return (
    <ol className={styles.chat}>
      {messages.map((message, at) => (
        // biome-ignore lint/suspicious/noArrayIndexKey: the messages have an order and no ids
        <li key={at}>
          <strong className="small">{message.role ?? ""}</strong>
          {typeof message.content === "string" && message.content !== "" && (
            <Untrusted className={styles.text}>{message.content}</Untrusted>
          )}
          {message.tool_calls !== undefined && <Json value={message.tool_calls} />}
        </li>
      ))}
    </ol>
  );
}

/** Request and answer of a tool, and what the model was given. */
export function ToolBodies({ execution, step }: Props) {
  return (
    <Opened title={t("trace.bodies")}>
      {(isOpen) => <ToolRequest execution={execution} step={step} isOpen={isOpen} />}
    </Opened>
  );
}

function ToolRequest({ execution, step, isOpen }: Props & { isOpen: boolean }) {
  const read = useStep(execution, step, isOpen);
  if (!isOpen) return null;
  if (read.isPending) return <Skeleton rows={4} />;
  if (read.isError) return <Problem error={read.error} retry={() => void read.refetch()} />;
  const request = read.data.effects.find(({ effect }) => effect === "call_tool")?.request as Data | undefined;
  const outcome = read.data.outcome;
  const given = outcome?.result ?? outcome?.answer;
  const copy = (text: string) => navigator.clipboard.writeText(text).then(() => toast(t("trace.copied")), failed);
  return (
    <div className={styles.bodies}>
      {request ? (
        <>
          <h4>{t("trace.sentRequest")}</h4>
          <p className={styles.code}>{`${String(request.method ?? "")} ${String(request.url ?? "")}`}</p>
          {Array.isArray(request.headers) && request.headers.length > 0 && <Json value={request.headers} />}
          {request.body != null && <Json value={request.body} />}
          <button type="button" className="button" onClick={() => void copy(curlOf(request))}>
            {t("trace.curl")}
          </button>
        </>
      ) : (
        <p className="quiet">{t("trace.noRequest")}</p>
      )}
      {given !== undefined && (
        <>
          <h4>{t("trace.given")}</h4>
          <Json value={given} />
        </>
      )}
    </div>
  );
}
