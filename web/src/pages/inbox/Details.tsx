import { Link } from "wouter";
import { currentProject, type Entry, type ExecutionStatus, type Me, type Role } from "../../lib/api.ts";
import { t } from "../../lib/i18n.ts";
import { useLinkedExecutions, useMembers } from "../../lib/queries.ts";
import { dayAndTime, left } from "../../lib/time.ts";
import { Icon } from "../../ui/icons.tsx";
import { Chip, Problem, type Tone, Untrusted } from "../../ui/parts.tsx";
import type { Actions } from "./actions.ts";
import styles from "./inbox.module.css";
import { windowLeft, windowTone } from "./words.ts";

const DAY = 24 * 3_600_000;
const TONES: Record<ExecutionStatus, Tone> = {
  started: "act",
  running: "act",
  paused: "plain",
  ended: "good",
  handoff: "wait",
  failed: "bad",
  stopped: "plain",
};

type Props = {
  entry: Entry;
  me: Me;
  role: Role;
  isShown: boolean;
  canWrite: boolean;
  actions: Actions;
  onBack: () => void;
};

/** Service window, contact, assignment and executions of a conversation. */
export function Details({ entry, me, role, isShown, canWrite, actions, onBack }: Props) {
  const ms = windowLeft(entry);
  const builds = role === "builder" || role === "owner";
  return (
    <aside className={styles.right} aria-label={t("inbox.details")} data-shown={isShown}>
      <button type="button" className={`button bare ${styles.back}`} onClick={onBack}>
        <Icon name="back" /> {t("inbox.conversation")}
      </button>
      <section>
        <h3>{t("details.window")}</h3>
        <p className="quiet">
          {ms > 0
            ? t("inbox.left", { time: left(ms) })
            : entry.window_expires_at
              ? t("window.closed")
              : t("window.never")}
        </p>
        <progress className={`meter ${windowTone(ms)}`} max={DAY} value={ms} aria-label={t("details.window")} />
      </section>
      <section>
        <h3>{t("details.contact")}</h3>
        <dl>
          <dt>{t("details.name")}</dt>
          <dd>{entry.contact.name ? <Untrusted>{entry.contact.name}</Untrusted> : t("details.unknown")}</dd>
          <dt>{t("details.number")}</dt>
          <dd>{entry.contact.phone_number ?? t("inbox.hidden")}</dd>
          <dt>{t("details.line")}</dt>
          <dd>
            {entry.number.config_id ? (
              <Link href={`/p/${currentProject()}/inbox/${entry.id}?view=all&config=${entry.number.config_id}`}>
                <Untrusted>{entry.number.name ?? t("details.unknown")}</Untrusted>
              </Link>
            ) : (
              t("nav.sandbox")
            )}
          </dd>
        </dl>
        <p className="small">
          <Link href={`/p/${currentProject()}/inbox/${entry.id}?view=all&contact=${entry.contact.id}`}>
            {t("details.allConversations")}
          </Link>
        </p>
      </section>
      <section>
        <h3>{t("details.assigned")}</h3>
        {canWrite && entry.status === "active" ? (
          <Assignee entry={entry} me={me} actions={actions} />
        ) : (
          <p>{entry.assignment?.name ?? t("details.noOne")}</p>
        )}
      </section>
      <Executions entry={entry} links={builds} />
    </aside>
  );
}

function Assignee({ entry, me, actions }: { entry: Entry; me: Me; actions: Actions }) {
  const members = useMembers();
  const people = new Map((members.data ?? []).map((member) => [member.id, member.name]));
  people.set(me.id, me.name || me.email);
  if (entry.assignment)
    people.set(entry.assignment.user_id, people.get(entry.assignment.user_id) || entry.assignment.name);
  return (
    <select
      className={styles.assignee}
      aria-label={t("details.assigned")}
      value={entry.assignment?.user_id ?? ""}
      disabled={actions.isBusy}
      onChange={(event) => {
        const user = event.target.value;
        if (user) actions.assignTo(user, people.get(user) || t("inbox.colleague"));
        else actions.giveBack();
      }}
    >
      <option value="" disabled={entry.assignment !== null && entry.agent === null}>
        {t("details.noOne")}
      </option>
      {[...people].map(([id, name]) => (
        <option key={id} value={id}>
          {name || t("inbox.colleague")}
        </option>
      ))}
    </select>
  );
}

function Executions({ entry, links }: { entry: Entry; links: boolean }) {
  const executions = useLinkedExecutions(entry.id);
  return (
    <section>
      <h3>{t("details.executions")}</h3>
      {executions.isError && <Problem error={executions.error} retry={() => void executions.refetch()} />}
      {executions.data?.length === 0 && <p className="quiet">{t("details.noExecutions")}</p>}
      <ul className={styles.executions}>
        {executions.data?.map(({ id, agent_execution: { id: execution, status, started_at } }) => (
          <li key={id}>
            <Chip tone={TONES[status]}>{t(`status.${status}`)}</Chip>{" "}
            {links ? (
              <Link href={`/p/${currentProject()}/executions/${execution}`}>{dayAndTime(started_at)}</Link>
            ) : (
              dayAndTime(started_at)
            )}
          </li>
        ))}
      </ul>
      {links && (executions.data?.length ?? 0) > 0 && (
        <p className="small">
          <Link href={`/p/${currentProject()}/executions?contact=${entry.contact.id}`}>
            {t("details.allExecutions")}
          </Link>
        </p>
      )}
    </section>
  );
}
