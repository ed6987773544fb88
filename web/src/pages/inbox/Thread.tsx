import { useMemo, useState } from "react";
import { Link } from "wouter";
import { currentProject, type Entry, type InboxMessage, type Me, type Note, type Role } from "../../lib/api.ts";
import { useReadMark } from "../../lib/hooks.ts";
import { t } from "../../lib/i18n.ts";
import { useMembers, useNotes, useThread } from "../../lib/queries.ts";
import { forget, type Queued, retry, send, useQueued } from "../../lib/sending.ts";
import { clock, dayName, full, serverNow } from "../../lib/time.ts";
import { useChatRows } from "../../lib/virtual.ts";
import { Confirm } from "../../ui/Confirm.tsx";
import { Icon } from "../../ui/icons.tsx";
import { Problem, Skeleton, Untrusted } from "../../ui/parts.tsx";
import { Body } from "./Body.tsx";
import styles from "./thread.module.css";
import { deliveryOf, nameOf, resendOf, windowLeft } from "./words.ts";

type Item = { at: string; key: string; message?: InboxMessage; note?: Note };
export type Row = { key: string; day?: string; message?: InboxMessage; note?: Note; queued?: Queued };

/** Messages and notes in the order of their times, with a heading for each day. */
export function arranged(messages: InboxMessage[], notes: Note[], isComplete: boolean): Row[] {
  const first = messages[0]?.created_at ?? "";
  const shown = notes.filter((note) => isComplete || note.created_at >= first);
  const items: Item[] = [
    ...messages.map((message) => ({ at: message.created_at, key: message.id, message })),
    ...shown.map((note) => ({ at: note.created_at, key: note.id, note })),
  ];
  items.sort((a, b) => (a.at < b.at ? -1 : a.at > b.at ? 1 : 0));
  const rows: Row[] = [];
  let last = "";
  for (const { at, ...item } of items) {
    const day = new Date(at).toDateString();
    // In the row of its first item, which keeps its key when earlier rows arrive.
    rows.push(day === last ? item : { ...item, day: at });
    last = day;
  }
  return rows;
}

/** Height of the button for earlier messages, with its space. */
const EARLIER = 56;

export function Thread({ entry, me, role }: { entry: Entry; me: Me; role: Role }) {
  const thread = useThread(entry.id);
  const notes = useNotes(entry.contact.id);
  const queued = useQueued(entry.id);
  const pages = thread.data?.pages;
  const messages = useMemo(() => [...(pages ?? [])].reverse().flatMap((page) => page.data), [pages]);
  const byId = useMemo(() => new Map(messages.map((one) => [one.whatsapp_message_id ?? one.id, one])), [messages]);
  const isComplete = !thread.hasNextPage;
  const above = isComplete ? 0 : EARLIER;
  const all = [
    ...arranged(messages, notes.data ?? [], isComplete),
    ...queued.map((row) => ({ key: row.key, queued: row }) as Row),
  ];
  const { box, rows } = useChatRows(all.length, (at) => all[at]?.key ?? "", above);
  useReadMark(entry, messages);
  if (thread.isError && messages.length === 0)
    return <Problem error={thread.error} retry={() => void thread.refetch()} />;
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: a list that scrolls must take the keyboard
    <div ref={box} className={styles.thread} tabIndex={0} role="log" aria-label={t("inbox.messages")}>
      {thread.isPending && <Skeleton rows={5} />}
      {thread.hasNextPage && (
        <div className={styles.earlier}>
          <button
            type="button"
            className="button"
            disabled={thread.isFetchingNextPage}
            onClick={() => void thread.fetchNextPage()}
          >
            {t("inbox.earlier")}
          </button>
        </div>
      )}
      <ol className={styles.rows} style={{ blockSize: rows.getTotalSize() }}>
        {rows.getVirtualItems().map(({ key, index, start }) => {
          const row = all[index];
          if (!row) return null;
          return (
            <li
              key={key}
              ref={rows.measureElement}
              data-index={index}
              className={styles.row}
              style={{ insetBlockStart: start - above }}
            >
              {row.day && <h3 className={styles.day}>{dayName(row.day)}</h3>}
              {row.message && (
                <Message
                  message={row.message}
                  quoted={row.message.reply_to ? byId.get(row.message.reply_to) : undefined}
                  entry={entry}
                  me={me}
                  role={role}
                />
              )}
              {row.note && <NoteRow note={row.note} />}
              {row.queued && <Waiting row={row.queued} />}
            </li>
          );
        })}
      </ol>
    </div>
  );
}

type MessageProps = {
  message: InboxMessage;
  /** The answered message, if it is loaded. */
  quoted: InboxMessage | undefined;
  entry: Entry;
  me: Me;
  role: Role;
};

function Message({ message, quoted, entry, me, role }: MessageProps) {
  const members = useMembers();
  const isOurs = message.direction === "outbound";
  const kind = !isOurs
    ? ""
    : message.by.kind === "agent" || message.by.kind === "sandbox"
      ? styles.agents
      : styles.persons;
  const delivery = deliveryOf(message);
  const person = members.data?.find((member) => member.id === message.by.user_id)?.name;
  const author =
    message.by.kind === "agent"
      ? (entry.agent?.name ?? t("by.agent"))
      : message.by.user_id === me.id
        ? t("by.me")
        : person || t(`by.${message.by.kind}`);
  const execution = message.by.execution_id;
  const mayTrace = role === "builder" || role === "owner";
  return (
    <article className={`${styles.message} ${kind}`}>
      <div className={styles.bubble}>
        {message.reply_to && (
          <p className={styles.quoted}>
            <span className="hidden">{t("inbox.inReplyTo")}</span>
            <Untrusted>
              {quoted?.deleted_at ? t("type.deleted") : quoted?.content || t("inbox.earlierMessage")}
            </Untrusted>
          </p>
        )}
        <Body message={message} />
      </div>
      {message.edited_at && <Earlier message={message} />}
      <p className={styles.meta}>
        {isOurs && <Untrusted>{author}</Untrusted>}
        {execution && mayTrace && (
          <Link href={`/p/${currentProject()}/executions/${execution}?message=${message.id}`}>{t("inbox.steps")}</Link>
        )}
        <time dateTime={message.created_at} title={full(message.created_at)}>
          {clock(message.created_at)}
        </time>
        {delivery && (
          <span className={`${styles.delivery} ${delivery.tone}`} dir="auto">
            <Icon name={delivery.icon} />
            {delivery.text}
          </span>
        )}
        {role !== "viewer" && <Again message={message} entry={entry} me={me} />}
      </p>
    </article>
  );
}

/** Says that the contact changed the message, and shows the earlier texts on demand. */
function Earlier({ message }: { message: InboxMessage }) {
  return (
    <details className={styles.edits}>
      <summary>{t("inbox.edited")}</summary>
      <ol aria-label={t("inbox.earlierTexts")}>
        {message.earlier_texts.map((text) => (
          <li key={text.sent_at + text.content}>
            <Untrusted>{text.content}</Untrusted>{" "}
            <time dateTime={text.sent_at} title={full(text.sent_at)}>
              {clock(text.sent_at)}
            </time>
          </li>
        ))}
      </ol>
    </details>
  );
}

function NoteRow({ note }: { note: Note }) {
  return (
    <article className={`${styles.message} ${styles.note}`}>
      <div className={styles.bubble}>
        {note.name && (
          <>
            <Untrusted className={styles.noteName}>{note.name}</Untrusted>{" "}
          </>
        )}
        <Untrusted>{note.content}</Untrusted>
      </div>
      <p className={styles.meta}>
        <span>{t("inbox.noteOnly")}</span>
        <time dateTime={note.created_at} title={full(note.created_at)}>
          {clock(note.created_at)}
        </time>
      </p>
    </article>
  );
}

/** Sends a message again that failed or is unconfirmed. A new message: the old one keeps its state. */
function Again({ message, entry, me }: { message: InboxMessage; entry: Entry; me: Me }) {
  const [asks, setAsks] = useState(false);
  const how = resendOf(message);
  const isMine = entry.status === "active" && entry.assignment?.user_id === me.id;
  if (!how || !isMine || (how.text !== undefined && windowLeft(entry) === 0)) return null;
  const again = () => send(entry.id, message.content, new Date(serverNow()).toISOString(), how.template);
  return (
    <>
      <button type="button" className="link" onClick={() => (how.isUnsure ? setAsks(true) : again())}>
        {t("action.sendAgain")}
      </button>
      {asks && (
        <Confirm
          title={t("again.title")}
          text={t("again.text", { name: nameOf(entry) })}
          action={t("action.sendAgain")}
          onConfirm={again}
          onClose={() => setAsks(false)}
        />
      )}
    </>
  );
}

/** A message without an answer of the server yet. */
function Waiting({ row }: { row: Queued }) {
  return (
    <article className={`${styles.message} ${styles.persons}`}>
      <div className={styles.bubble}>
        {row.file && (
          <span className={styles.file}>
            <Icon name="file" />
            <Untrusted>{row.file.name}</Untrusted>
          </span>
        )}
        {row.text && <Untrusted>{row.text}</Untrusted>}
      </div>
      <p className={styles.meta}>
        <span className={`${styles.delivery} ${row.error ? "bad" : ""}`} dir="auto">
          <Icon name={row.error ? "alert" : "clock"} />
          {row.error ? t("delivery.notSent", { why: row.error }) : t("delivery.queued")}
        </span>
        {row.error && (
          <>
            <button type="button" className="link" onClick={() => retry(row.key)}>
              {t("action.retry")}
            </button>
            <button type="button" className="link" onClick={() => forget(row.key)}>
              {t("action.discard")}
            </button>
          </>
        )}
      </p>
    </article>
  );
}
