import type { ReactNode } from "react";
import { Link, useSearchParams } from "wouter";
import { useExecutions } from "../../cord/queries.ts";
import { currentProject, type ExecutionStatus } from "../../lib/api.ts";
import { useTick, useTitle } from "../../lib/hooks.ts";
import { number, t } from "../../lib/i18n.ts";
import { useAgents } from "../../lib/queries.ts";
import { left, span } from "../../lib/time.ts";
import { Icon } from "../../ui/icons.tsx";
import { Age, Chip, Empty, Problem, Skeleton, Untrusted } from "../../ui/parts.tsx";
import styles from "./executions.module.css";
import { reasonOf, STATUSES, TONES } from "./words.ts";

type Row = NonNullable<ReturnType<typeof useExecutions>["data"]>["pages"][number]["data"][number];

/** Executions of all agents, newest first. */
export default function Executions() {
  useTitle(t("executions.title"));
  useTick(30_000);
  const [search, setSearch] = useSearchParams();
  const asked = search.get("status") as ExecutionStatus | null;
  const status = asked && STATUSES.includes(asked) ? asked : "";
  const agent = search.get("agent") ?? "";
  const agents = useAgents();
  const contact = search.get("contact") ?? "";
  const snapshot = search.get("snapshot") ?? "";
  const executions = useExecutions({
    status: status || undefined,
    agent: agent || undefined,
    contact: contact || undefined,
    snapshot: snapshot || undefined,
  });
  const rows = executions.data?.pages.flatMap((page) => page.data) ?? [];
  const set = (name: string, value: string) =>
    setSearch((now) => {
      if (value) now.set(name, value);
      else now.delete(name);
      return now;
    });
  let body: ReactNode;
  if (executions.isPending) body = <Skeleton rows={8} />;
  else if (executions.isError && rows.length === 0) {
    body = <Problem error={executions.error} retry={() => void executions.refetch()} />;
  } else if (rows.length === 0) {
    body = status || agent || contact || snapshot ? <Empty>{t("executions.noMatch")}</Empty> : <None />;
  } else {
    body = (
      <>
        <div className={styles.scroll}>
          <table className={styles.table}>
            <thead>
              <tr>
                <th scope="col">{t("executions.contact")}</th>
                <th scope="col">{t("executions.asked")}</th>
                <th scope="col">{t("executions.status")}</th>
                <th scope="col">{t("executions.agent")}</th>
                <th scope="col">{t("executions.started")}</th>
                <th scope="col" className={styles.end}>
                  {t("executions.turns")}
                </th>
                <th scope="col" className={styles.end}>
                  {t("executions.calls")}
                </th>
                <th scope="col" className={styles.end}>
                  {t("executions.tokens")}
                </th>
                <th scope="col" className={styles.end}>
                  {t("executions.duration")}
                </th>
                <th scope="col">{t("executions.reason")}</th>
              </tr>
            </thead>
            <tbody>
              {rows.map((row) => (
                <TableRow key={row.id} row={row} />
              ))}
            </tbody>
          </table>
        </div>
        {executions.hasNextPage && (
          <button type="button" className={`button ${styles.more}`} onClick={() => void executions.fetchNextPage()}>
            {t("action.more")}
          </button>
        )}
      </>
    );
  }
  return (
    <main className={styles.page}>
      <header className={styles.head}>
        <h1>{t("executions.title")}</h1>
        <label>
          <span className="hidden">{t("executions.status")}</span>
          <select value={status} onChange={(event) => set("status", event.target.value)}>
            <option value="">{t("executions.everyStatus")}</option>
            {STATUSES.map((one) => (
              <option key={one} value={one}>
                {t(`status.${one}`)}
              </option>
            ))}
          </select>
        </label>
        {(["contact", "snapshot"] as const).map(
          (name) =>
            search.get(name) && (
              <button key={name} type="button" className={`button ${styles.clear}`} onClick={() => set(name, "")}>
                {t(`executions.only.${name}`, { name: nameIn(rows, name, search.get(name) ?? "") })}
                <Icon name="close" />
                <span className="hidden">{t("executions.clear")}</span>
              </button>
            ),
        )}
        {(agents.data?.length ?? 0) > 1 && (
          <label>
            <span className="hidden">{t("executions.agent")}</span>
            <select value={agent} onChange={(event) => set("agent", event.target.value)}>
              <option value="">{t("executions.everyAgent")}</option>
              {agents.data?.map((one) => (
                <option key={one.id} value={one.id}>
                  {one.name}
                </option>
              ))}
            </select>
          </label>
        )}
      </header>
      {body}
    </main>
  );
}

/** Name of what the list is limited to. */
function nameIn(rows: Row[], kind: "contact" | "snapshot", id: string): string {
  const row = rows.find((one) => one.contact_id === id);
  if (kind === "contact" && row) return row.contact_name || row.phone_number || t("inbox.hidden");
  return id.slice(-8);
}

function TableRow({ row }: { row: Row }) {
  const who = row.contact_name || row.phone_number || t("inbox.hidden");
  const reason = reasonOf(row);
  const ms = row.ended_at ? Date.parse(row.ended_at) - Date.parse(row.started_at) : undefined;
  return (
    <tr>
      <th scope="row">
        <Link href={`/p/${currentProject()}/executions/${row.id}`}>
          <Untrusted>{who}</Untrusted>
        </Link>
      </th>
      <td className={styles.asked} title={row.asked ?? undefined}>
        {row.asked && <Untrusted>{row.asked}</Untrusted>}
      </td>
      <td>
        <Chip tone={TONES[row.status]}>{t(`status.${row.status}`)}</Chip>
      </td>
      <td>
        <Untrusted>{row.agent_name ?? t("executions.agentGone")}</Untrusted>
      </td>
      <td>
        <Age at={row.started_at} />
      </td>
      <td className={styles.end}>{row.turns === null ? "" : number(row.turns)}</td>
      <td className={styles.end}>{row.llm_calls === null ? "" : number(row.llm_calls)}</td>
      <td className={styles.end}>
        {row.input_tokens === null || row.output_tokens === null ? "" : number(row.input_tokens + row.output_tokens)}
      </td>
      <td className={styles.end}>{ms === undefined ? t("executions.open") : ms < 60_000 ? span(ms) : left(ms)}</td>
      <td className={styles.reason}>
        <Untrusted>{reason}</Untrusted>
      </td>
    </tr>
  );
}

function None() {
  return (
    <Empty
      action={
        <Link className="button" href={`/p/${currentProject()}/sandbox`}>
          {t("inbox.openSandbox")}
        </Link>
      }
    >
      {t("executions.none")}
    </Empty>
  );
}
