import { Link } from "wouter";
import type { InboxMessage } from "../lib/api.ts";
import { t, tn } from "../lib/i18n.ts";
import { span } from "../lib/time.ts";
import { useRows } from "../lib/virtual.ts";
import { Empty, Untrusted } from "../ui/parts.tsx";
import styles from "./cord.module.css";
import { barOf, type Step, type Turn } from "./model.ts";

type Props = {
  turns: Turn[];
  messages: Map<string, InboxMessage>;
  chosen: number | undefined;
  /** Shows a step beside the cord. */
  choose?: (step: number) => void;
  /** Address of a step on another page. */
  href?: (step: number) => string;
};

type Flat = { turn: Turn; step?: Step; place: "" | "first" | "last" | "only" };

/** Rows of the cord: a heading for each turn, then its steps. */
function flat(turns: Turn[]): Flat[] {
  return turns.flatMap((turn) => [
    ...(turn.no > 0 ? [{ turn, place: "" as const }] : []),
    ...turn.steps.map((step, at, { length }) => {
      const place = length === 1 ? "only" : at === 0 ? "first" : at === length - 1 ? "last" : "";
      return { turn, step, place } as const;
    }),
  ]);
}

const isTouch = matchMedia("(pointer: coarse)").matches;
const STEP = isTouch ? 40 : 32;
const TURN = 40;

/** The cord: one line of steps, and a knot for each, whose shape is its kind. */
export function Cord({ turns, messages, chosen, choose, href }: Props) {
  const all = flat(turns);
  const at = chosen === undefined ? -1 : all.findIndex(({ step }) => step?.id === chosen);
  const { box, rows } = useRows(all.length, (row) => (all[row]?.step ? STEP : TURN), at);
  return (
    <div ref={box} className={styles.cord}>
      {all.length === 0 && <Empty>{t("trace.none")}</Empty>}
      <ol className={styles.steps} style={{ blockSize: rows.getTotalSize() }}>
        {rows.getVirtualItems().map(({ key, index, start }) => {
          const row = all[index];
          if (!row) return null;
          const { turn, step, place } = row;
          return (
            <li
              key={key}
              ref={rows.measureElement}
              data-index={index}
              data-place={place}
              className={styles.row}
              style={{ insetBlockStart: start }}
              aria-setsize={all.length}
              aria-posinset={index + 1}
            >
              {step ? (
                <StepRow
                  turn={turn}
                  step={step}
                  messages={messages}
                  isChosen={step.id === chosen}
                  choose={choose}
                  href={href?.(step.id)}
                />
              ) : (
                <TurnHead turn={turn} messages={messages} />
              )}
            </li>
          );
        })}
      </ol>
    </div>
  );
}

function TurnHead({ turn, messages }: { turn: Turn; messages: Map<string, InboxMessage> }) {
  const input = inputOf(turn.inputIds, messages);
  const sums = [
    turn.ms === undefined ? "" : span(turn.ms),
    turn.tokens > 0 ? tn("trace.tokens", turn.tokens) : "",
  ].filter(Boolean);
  return (
    <div className={styles.turn}>
      <h2>{t("trace.turn", { n: turn.no })}</h2>
      {input && <Untrusted className={`quiet ${styles.said}`}>{`“${input}”`}</Untrusted>}
      <span className="small quiet">{sums.join(" · ")}</span>
    </div>
  );
}

/** Texts of the messages that a turn began with. */
export function inputOf(ids: string[], messages: Map<string, InboxMessage>): string {
  const texts = ids.flatMap((id) => {
    const message = messages.get(id);
    return message?.deleted_at ? t("type.deleted") : (message?.content ?? []);
  });
  return texts.join(" · ");
}

type RowProps = {
  turn: Turn;
  step: Step;
  messages: Map<string, InboxMessage>;
  isChosen: boolean;
  choose: ((step: number) => void) | undefined;
  href: string | undefined;
};

function StepRow({ turn, step, messages, isChosen, choose, href }: RowProps) {
  const { start, length } = barOf(turn, step);
  const knot = `${styles.knot} ${styles[step.kind]} ${step.isFailed ? styles.failed : ""}`;
  const content = (
    <>
      <span className={knot} aria-hidden="true" />
      <span className={styles.kind}>{t(`step.${step.kind}`)}</span>
      <Untrusted className={styles.line}>{lineOf(step, turn, messages)}</Untrusted>
      <span className={styles.bar} aria-hidden="true">
        <i className={styles[step.kind]} style={{ insetInlineStart: `${start}%`, inlineSize: `${length}%` }} />
      </span>
      <span className={styles.end}>{endOf(step, messages)}</span>
    </>
  );
  if (href) {
    return (
      <Link className={styles.step} href={href}>
        {content}
      </Link>
    );
  }
  return (
    <button
      type="button"
      className={styles.step}
      aria-current={isChosen ? "true" : undefined}
      onClick={() => choose?.(step.id)}
    >
      {content}
    </button>
  );
}

/** The one line of a step. */
export function lineOf(step: Step, turn: Turn, messages: Map<string, InboxMessage>): string {
  if (step.kind === "in") return inputOf(turn.inputIds, messages) || t("trace.input");
  if (step.kind === "out" && !step.text && step.messageId)
    return messages.get(step.messageId)?.content ?? t("trace.message");
  if (step.kind === "handoff" || step.kind === "status") return step.text || t(`step.${step.kind}`);
  switch (step.said) {
    case "called":
      return t("trace.called", { tools: step.text });
    case "silent":
      return t("trace.silent");
    case "waiting":
      return step.kind === "model" ? t("trace.waiting") : t("delivery.unconfirmed");
    case "failed":
      return t("trace.failed", { why: step.text });
    case "discarded":
      return t("trace.discarded");
    case "refused":
      return t("trace.refused");
    case "unavailable":
      return t("trace.unavailable", { why: step.text });
    default:
      return step.isFailed ? t("trace.failed", { why: step.text }) : step.text;
  }
}

function endOf(step: Step, messages: Map<string, InboxMessage>): string {
  if (step.kind === "out") {
    const status = step.isFailed ? "failed" : step.messageId ? messages.get(step.messageId)?.status : undefined;
    if (
      status === "read" ||
      status === "delivered" ||
      status === "sent" ||
      status === "failed" ||
      status === "pending"
    ) {
      return t(`delivery.${status}`);
    }
    return "";
  }
  if (step.isFailed && step.ms === undefined) return t("status.failed");
  return step.ms === undefined ? "" : span(step.ms);
}
