import { useMemo } from "react";
import { Link, useLocation, useSearchParams } from "wouter";
import { Cord } from "../../cord/Cord.tsx";
import { allSteps, turnsOf } from "../../cord/model.ts";
import { useExecution, useExecutions } from "../../cord/queries.ts";
import { content, currentProject, type InboxMessage, type Me, once, v1 } from "../../lib/api.ts";
import { useKeys, useTick, useTitle } from "../../lib/hooks.ts";
import { t, tn } from "../../lib/i18n.ts";
import { useEvents } from "../../lib/journal.ts";
import { singleKey } from "../../lib/keys.ts";
import { call, useEntry, useThread, useWrite } from "../../lib/queries.ts";
import { dayAndTime } from "../../lib/time.ts";
import { Icon } from "../../ui/icons.tsx";
import { Menu } from "../../ui/Menu.tsx";
import { Chip, Problem, Skeleton, Untrusted } from "../../ui/parts.tsx";
import { failed, toast } from "../../ui/Toast.tsx";
import styles from "./executions.module.css";
import { StepPane } from "./StepPane.tsx";
import { reasonOf, TONES } from "./words.ts";

type Found = NonNullable<ReturnType<typeof useExecution>["data"]>;

export default function Trace({ id, me }: { id: string; me: Me }) {
  const execution = useExecution(id);
  if (execution.isPending) return <Skeleton rows={8} />;
  if (execution.isError && !execution.data)
    return <Problem error={execution.error} retry={() => void execution.refetch()} />;
  return <Shown execution={execution.data} me={me} />;
}

function Shown({ execution, me }: { execution: Found; me: Me }) {
  useTick(30_000);
  const [search, setSearch] = useSearchParams();
  const [, navigate] = useLocation();
  const events = useEvents(execution.agent_id, execution.id, execution.status);
  const entry = useEntry(execution.whatsapp_conversation_id);
  const thread = useThread(execution.whatsapp_conversation_id);
  const messages = new Map<string, InboxMessage>();
  for (const message of thread.data?.pages.flatMap((page) => page.data) ?? []) {
    messages.set(message.id, message);
    if (message.whatsapp_message_id) messages.set(message.whatsapp_message_id, message);
  }
  // The list names the snapshot, which the published execution does not have.
  const siblings = useExecutions(
    { agent: execution.agent_id, contact: entry.data?.contact.id },
    entry.data !== undefined,
  );
  const snapshot = siblings.data?.pages
    .flatMap((page) => page.data)
    .find((row) => row.id === execution.id)?.snapshot_id;
  const turns = useMemo(() => turnsOf(events.events), [events.events]);
  const steps = useMemo(() => allSteps(turns), [turns]);
  const wanted = search.get("message");
  const chosen =
    steps.find((step) => String(step.id) === search.get("step")) ??
    (wanted ? steps.find((step) => step.kind === "out" && step.messageId === wanted) : undefined);
  const choose = (step: number | undefined) =>
    setSearch(
      (now) => {
        now.delete("message");
        if (step === undefined) now.delete("step");
        else now.set("step", String(step));
        return now;
      },
      { replace: true },
    );
  useKeys((event) => {
    const key = singleKey(event, me.shortcuts);
    const at = chosen ? steps.indexOf(chosen) : -1;
    if (key === "j" || key === "k")
      choose(steps[Math.max(0, Math.min(steps.length - 1, at + (key === "j" ? 1 : -1)))]?.id);
    else if (key === "e")
      choose((steps.slice(at + 1).find((step) => step.isFailed) ?? steps.find((step) => step.isFailed))?.id);
    else if (key === "[" || key === "]") {
      const turn = turns.findIndex((one) => chosen && one.steps.includes(chosen));
      choose(turns[Math.max(0, Math.min(turns.length - 1, turn + (key === "]" ? 1 : -1)))]?.steps[0]?.id);
    } else if (key === "o") navigate(`/p/${currentProject()}/inbox/${execution.whatsapp_conversation_id}`);
    else if (key === "Escape") choose(undefined);
    else return;
    event.preventDefault();
  });
  const contact = entry.data?.contact;
  const who = contact?.name || contact?.phone_number || t("inbox.hidden");
  useTitle(t("trace.title", { contact: who, agent: execution.agent_name }));
  return (
    <main className={styles.trace} data-open={chosen ? "step" : "cord"}>
      <h1 className="hidden">{t("trace.title", { contact: who, agent: execution.agent_name })}</h1>
      <section className={styles.left} aria-label={t("trace.steps")}>
        <Head execution={execution} who={who} turns={turns} snapshot={snapshot} />
        {events.error !== undefined && <Problem error={events.error} />}
        {events.isPending ? (
          <Skeleton rows={8} />
        ) : (
          <Cord turns={turns} messages={messages} chosen={chosen?.id} choose={choose} />
        )}
      </section>
      {chosen ? (
        <StepPane
          key={chosen.id}
          execution={execution.id}
          step={chosen}
          message={chosen.messageId ? messages.get(chosen.messageId) : undefined}
          onBack={() => choose(undefined)}
        />
      ) : (
        <aside className={styles.pane} aria-label={t("trace.step")}>
          <p className="quiet">{t("trace.choose")}</p>
        </aside>
      )}
    </main>
  );
}

type HeadProps = { execution: Found; who: string; turns: ReturnType<typeof turnsOf>; snapshot: string | undefined };

function Head({ execution, who, turns, snapshot }: HeadProps) {
  const tokens = turns.reduce((sum, turn) => sum + turn.tokens, 0);
  const calls = turns.reduce((sum, turn) => sum + turn.calls, 0);
  const real = turns.filter((turn) => turn.no > 0).length;
  const parts = [
    t("trace.started", { time: dayAndTime(execution.started_at) }),
    tn("trace.turns", real),
    tn("trace.calls", calls),
  ];
  if (tokens > 0) parts.push(tn("trace.tokens", tokens));
  const reason = reasonOf(execution);
  return (
    <header className={styles.traceHead}>
      <Link
        className={`button bare ${styles.toList}`}
        href={`/p/${currentProject()}/executions`}
        aria-label={t("executions.title")}
      >
        <Icon name="back" />
      </Link>
      <div className={styles.title}>
        <p className={styles.name}>
          <Untrusted>{t("trace.title", { contact: who, agent: execution.agent_name })}</Untrusted>
        </p>
        <p className="small quiet">
          {parts.join(" · ")}
          {snapshot && (
            <>
              {" · "}
              <Link href={`/p/${currentProject()}/executions?snapshot=${snapshot}`}>
                {t("trace.snapshot", { id: snapshot.slice(-8) })}
              </Link>
            </>
          )}
        </p>
      </div>
      <span title={reason || undefined}>
        <Chip tone={TONES[execution.status]}>{t(`status.${execution.status}`)}</Chip>
      </span>
      <Actions execution={execution} />
    </header>
  );
}

function Actions({ execution }: { execution: Found }) {
  const path = { agent_id: execution.agent_id, execution_id: execution.id };
  const stale = () => [["execution", execution.id], ["events", execution.id], ["executions"], ["inbox"], ["counts"]];
  const update = useWrite(
    (status: "ended" | "handoff") =>
      content(
        v1.PUT("/api/v1/agents/{agent_id}/executions/{execution_id}", {
          params: { path },
          body: { agent_execution: { status } },
        }),
      ),
    stale,
  );
  const resume = useWrite(
    (_: null, key: string) =>
      content(
        v1.POST("/api/v1/agents/{agent_id}/executions/{execution_id}/resume", {
          params: { path, ...once(key) },
          body: {},
        }),
      ),
    stale,
  );
  const isLive = execution.ended_at === null && execution.status !== "failed";
  const canResume =
    execution.status === "handoff" || (execution.status === "failed" && execution.error?.retryable === true);
  const said = (text: string) => ({ onSuccess: () => toast(text), onError: failed });
  return (
    <div className={styles.actions}>
      <Link className="button" href={`/p/${currentProject()}/inbox/${execution.whatsapp_conversation_id}`}>
        {t("trace.open")}
      </Link>
      {canResume && (
        <button
          type="button"
          className="button"
          disabled={resume.isPending}
          onClick={() => resume.mutate(call(null), said(t("done.resumed")))}
        >
          {t("action.resume")}
        </button>
      )}
      {isLive && (
        <Menu label={t("action.actions")} button={<Icon name="more" />}>
          {execution.status !== "handoff" && (
            <button
              type="button"
              disabled={update.isPending}
              onClick={() => update.mutate(call("handoff" as const), said(t("done.handedOver")))}
            >
              {t("trace.handOver")}
            </button>
          )}
          <button
            type="button"
            disabled={update.isPending}
            onClick={() => update.mutate(call("ended" as const), said(t("done.ended")))}
          >
            {t("trace.end")}
          </button>
        </Menu>
      )}
    </div>
  );
}
