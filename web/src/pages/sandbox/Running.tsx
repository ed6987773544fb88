import { Link } from "wouter";
import { Cord } from "../../cord/Cord.tsx";
import { turnsOf } from "../../cord/model.ts";
import { useExecutions } from "../../cord/queries.ts";
import { currentProject, type InboxMessage } from "../../lib/api.ts";
import { t } from "../../lib/i18n.ts";
import { useEvents } from "../../lib/journal.ts";
import { useThread } from "../../lib/queries.ts";
import { Empty } from "../../ui/parts.tsx";
import styles from "./sandbox.module.css";

/** The steps of the phone's latest execution, as they happen. */
export function Running({ phone }: { phone: string }) {
  const executions = useExecutions({});
  const found = executions.data?.pages.flatMap((page) => page.data).find((row) => row.phone_number === phone);
  return (
    <section className={styles.running} aria-label={t("sandbox.steps")}>
      {found ? <Steps key={found.id} found={found} /> : <Empty>{t("sandbox.noSteps")}</Empty>}
    </section>
  );
}

type Found = NonNullable<ReturnType<typeof useExecutions>["data"]>["pages"][number]["data"][number];

function Steps({ found }: { found: Found }) {
  const { events } = useEvents(found.agent_id, found.id, found.status);
  const thread = useThread(found.whatsapp_conversation_id);
  const messages = new Map<string, InboxMessage>();
  for (const message of thread.data?.pages.flatMap((page) => page.data) ?? []) {
    messages.set(message.id, message);
    if (message.whatsapp_message_id) messages.set(message.whatsapp_message_id, message);
  }
  const at = `/p/${currentProject()}/executions/${found.id}`;
  return (
    <>
      <header className={styles.head}>
        <h2>{t("sandbox.steps")}</h2>
        <Link className="button" href={`/p/${currentProject()}/inbox/${found.whatsapp_conversation_id}`}>
          {t("trace.open")}
        </Link>
      </header>
      <Cord turns={turnsOf(events)} messages={messages} chosen={undefined} href={(step) => `${at}?step=${step}`} />
    </>
  );
}
