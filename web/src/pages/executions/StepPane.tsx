import { type ReactNode, useState } from "react";
import type { Step } from "../../cord/model.ts";
import type { InboxMessage } from "../../lib/api.ts";
import { number, t, tn } from "../../lib/i18n.ts";
import { clock, full, span } from "../../lib/time.ts";
import { Icon } from "../../ui/icons.tsx";
import { Json } from "../../ui/Json.tsx";
import { Untrusted } from "../../ui/parts.tsx";
import { ModelBody, ToolBodies } from "./Bodies.tsx";
import styles from "./executions.module.css";

type Data = Record<string, unknown>;

/** One step: what was asked and answered, and its events. */
export function StepPane({
  execution,
  step,
  message,
  onBack,
}: {
  execution: string;
  step: Step;
  message: InboxMessage | undefined;
  onBack: () => void;
}) {
  const [isRaw, setRaw] = useState(false);
  const facts = [
    clock(step.at),
    step.ms === undefined ? "" : span(step.ms),
    step.tokens ? tn("trace.tokens", step.tokens) : "",
  ].filter(Boolean);
  return (
    <aside className={styles.pane} aria-label={t("trace.step")}>
      <header className={styles.paneHead}>
        <button type="button" className={`button bare ${styles.toList}`} onClick={onBack}>
          <Icon name="back" /> {t("trace.steps")}
        </button>
        <h2>
          {t(`step.${step.kind}`)}
          {step.isFailed && <span className="bad"> · {t("status.failed")}</span>}
        </h2>
        <p className="small quiet" title={full(step.at)}>
          {facts.join(" · ")}
        </p>
      </header>
      {isRaw ? <Raw step={step} /> : <Content execution={execution} step={step} message={message} />}
      <button type="button" className="button" aria-pressed={isRaw} onClick={() => setRaw(!isRaw)}>
        {isRaw ? t("trace.readable") : t("trace.raw")}
      </button>
    </aside>
  );
}

function Part({ title, children }: { title: string; children: ReactNode }) {
  return (
    <section>
      <h3>{title}</h3>
      {children}
    </section>
  );
}

function dataOf(step: Step, name: string): Data | undefined {
  return step.events.find((event) => event.name === name)?.data as Data | undefined;
}

function Content({ execution, step, message }: { execution: string; step: Step; message: InboxMessage | undefined }) {
  if (step.kind === "tool") return <Tool execution={execution} step={step} />;
  if (step.kind === "model") return <Model execution={execution} step={step} />;
  if (step.kind === "in" || step.kind === "out") {
    const text = message?.deleted_at ? t("type.deleted") : (message?.content ?? step.text);
    return (
      <Part title={step.kind === "in" ? t("trace.received") : t("trace.sent")}>
        {text ? <Untrusted className={styles.text}>{text}</Untrusted> : <p className="quiet">{t("trace.noText")}</p>}
      </Part>
    );
  }
  if (step.text) {
    return (
      <Part title={t(`step.${step.kind}`)}>
        <Untrusted className={styles.text}>{step.text}</Untrusted>
      </Part>
    );
  }
  return <Raw step={step} />;
}

function Tool({ execution, step }: { execution: string; step: Step }) {
  const asked = dataOf(step, "tool.called");
  const answered = dataOf(step, "tool.result");
  if (!asked) return <Raw step={step} />;
  return (
    <>
      <Part title={t("trace.asked")}>
        <p className={styles.code}>{String(asked.name ?? "")}</p>
        <Json value={asked.args ?? {}} />
      </Part>
      <Part title={t("trace.answered")}>
        {answered ? (
          <p className={answered.ok === false ? "bad" : undefined}>
            {answered.ok === false ? t("trace.toolFailed", { code: String(answered.code ?? "") }) : t("trace.toolOk")}
            {typeof answered.bytes === "number" && ` · ${t("trace.bytes", { n: number(answered.bytes) })}`}
          </p>
        ) : (
          <p className="quiet">{t("trace.noAnswer")}</p>
        )}
      </Part>
      <ToolBodies execution={execution} step={step.events[0]?.step} />
    </>
  );
}

function Model({ execution, step }: { execution: string; step: Step }) {
  const asked = dataOf(step, "llm.requested");
  const answered = dataOf(step, "llm.responded");
  const failures = step.events.filter((event) => event.name === "llm.failed");
  const calls = Array.isArray(answered?.tool_calls) ? (answered.tool_calls as Data[]) : [];
  const usage = (answered?.usage ?? {}) as Data;
  return (
    <>
      {asked && (
        <Part title={t("trace.asked")}>
          <dl className={styles.facts}>
            <dt>{t("trace.model")}</dt>
            <dd>{String(answered?.model || asked.model || "")}</dd>
            <dt>{t("trace.node")}</dt>
            <dd>{String(asked.node ?? "")}</dd>
            <dt>{t("trace.messages")}</dt>
            <dd>{number(Number(asked.messages ?? 0))}</dd>
            <dt>{t("trace.tools")}</dt>
            <dd>{number(Number(asked.tools ?? 0))}</dd>
          </dl>
        </Part>
      )}
      {asked && <ModelBody execution={execution} step={step.events[0]?.step} />}
      {answered && (
        <Part title={t("trace.answered")}>
          {typeof answered.text === "string" && answered.text !== "" && (
            <Untrusted className={styles.text}>{answered.text}</Untrusted>
          )}
          {calls.map((call, at) => (
            // biome-ignore lint/suspicious/noArrayIndexKey: calls have an order and may have equal names
            <div key={at}>
              <p className={styles.code}>{String(call.name ?? "")}</p>
              <Json value={call.arguments ?? call.args ?? {}} />
            </div>
          ))}
          {!answered.text && calls.length === 0 && <p className="quiet">{t("trace.silent")}</p>}
          <p className="small quiet">
            {t("trace.usage", {
              in: number(Number(usage.input_tokens ?? 0)),
              out: number(Number(usage.output_tokens ?? 0)),
            })}
          </p>
        </Part>
      )}
      {failures.length > 0 && (
        <Part title={t("trace.failures")}>
          {failures.map((event) => (
            <p key={event.seq} className="bad">
              <Untrusted>{String((event.data as Data).message ?? "")}</Untrusted>
            </p>
          ))}
        </Part>
      )}
    </>
  );
}

function Raw({ step }: { step: Step }) {
  return (
    <>
      {step.events.map((event) => (
        <Part key={event.seq} title={`${event.seq} · ${event.name}`}>
          <Json value={event.data} />
        </Part>
      ))}
    </>
  );
}
