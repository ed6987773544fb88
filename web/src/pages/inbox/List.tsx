import type { ReactNode } from "react";
import { Link, useSearch } from "wouter";
import { currentProject, type Entry, type View } from "../../lib/api.ts";
import { useSteady, useTick } from "../../lib/hooks.ts";
import { t, tn } from "../../lib/i18n.ts";
import { type InboxFilter, useCounts, useInbox } from "../../lib/queries.ts";
import { Icon } from "../../ui/icons.tsx";
import { Age, Avatar, Chip, Empty, Problem, Skeleton, Untrusted } from "../../ui/parts.tsx";
import panes from "./inbox.module.css";
import styles from "./list.module.css";
import { chipOf, nameOf, previewOf } from "./words.ts";

export const VIEWS: readonly View[] = ["mine", "needs_person", "agent", "all"];

type Props = {
  view: View;
  text: string;
  /** Ids that the list is limited to; empty if it is not. */
  contact: string;
  config: string;
  query: ReturnType<typeof useInbox>;
  rows: Entry[];
  chosen: string | undefined;
  /** Id of the person who reads. */
  me: string;
  onSearch: (text: string) => void;
  onClear: (name: "contact" | "config") => void;
};

export function List({ view, text, contact, config, query, rows, chosen, me, onSearch, onClear }: Props) {
  useTick(30_000);
  const search = useSearch();
  const steady = useSteady(rows, `${view} ${text} ${contact} ${config}`);
  // Not the rows of the filter before, which are shown until the answer arrives.
  const hold = () => !query.isPlaceholderData && steady.hold();
  const at = (id: string) => `/p/${currentProject()}/inbox/${id}${search ? `?${search}` : ""}`;
  let body: ReactNode;
  if (query.isPending) body = <Skeleton rows={6} />;
  else if (query.isError && rows.length === 0)
    body = <Problem error={query.error} retry={() => void query.refetch()} />;
  else if (rows.length === 0)
    body = <None view={view} searches={text !== ""} isFiltered={contact !== "" || config !== ""} />;
  else {
    body = (
      <ul className={styles.list}>
        {steady.rows.map((entry) => (
          <Row key={entry.id} entry={entry} me={me} href={at(entry.id)} isChosen={entry.id === chosen} />
        ))}
        {query.hasNextPage && (
          <li className={styles.more}>
            <button type="button" className="button" onClick={() => void query.fetchNextPage()}>
              {t("action.more")}
            </button>
          </li>
        )}
      </ul>
    );
  }
  return (
    <section className={panes.left} aria-label={t("inbox.conversations")}>
      <Tabs view={view} />
      <div className={styles.search}>
        <input
          id="inbox-search"
          type="search"
          aria-label={t("inbox.search")}
          placeholder={t("inbox.search")}
          value={text}
          onChange={(event) => onSearch(event.target.value)}
        />
      </div>
      {(contact || config) && (
        <div className={styles.filters}>
          {contact && <ContactFilter id={contact} rows={rows} onClear={() => onClear("contact")} />}
          {config && <NumberFilter id={config} rows={rows} onClear={() => onClear("config")} />}
        </div>
      )}
      {steady.more > 0 && (
        <button
          type="button"
          className={styles.pill}
          onClick={() => {
            steady.release();
            document.querySelector(`.${styles.scroll}`)?.scrollTo({ top: 0 });
          }}
        >
          {tn("inbox.new", steady.more)}
        </button>
      )}
      <div
        className={styles.scroll}
        onPointerEnter={(event) => event.pointerType === "mouse" && hold()}
        onPointerLeave={(event) => event.currentTarget.scrollTop < 40 && steady.release()}
        onScroll={(event) => (event.currentTarget.scrollTop > 40 ? hold() : undefined)}
      >
        {body}
      </div>
    </section>
  );
}

/** A filter of the list that a click removes. */
function Filter({ children, onClear }: { children: string; onClear: () => void }) {
  return (
    <button type="button" className={`button ${styles.filter}`} onClick={onClear}>
      <Untrusted>{children}</Untrusted>
      <Icon name="close" />
      <span className="hidden">{t("executions.clear")}</span>
    </button>
  );
}

type Filtered = { id: string; rows: Entry[]; onClear: () => void };

function ContactFilter({ id, rows, onClear }: Filtered) {
  const entry = useEntryOf({ contact: id }, rows);
  const name = entry ? nameOf(entry) : id.slice(-8);
  return <Filter onClear={onClear}>{t("executions.only.contact", { name })}</Filter>;
}

function NumberFilter({ id, rows, onClear }: Filtered) {
  const name = useEntryOf({ config: id }, rows)?.number.name ?? id.slice(-8);
  return <Filter onClear={onClear}>{t("inbox.only.number", { name })}</Filter>;
}

/** A conversation that a filter lets through, also if the view has none. */
function useEntryOf({ contact, config }: InboxFilter, rows: Entry[]): Entry | undefined {
  const isOf = (entry: Entry) => (contact ? entry.contact.id === contact : entry.number.config_id === config);
  const row = rows.find(isOf);
  const all = useInbox("all", { contact, config }, row === undefined).data;
  return row ?? all?.pages[0]?.data.find(isOf);
}

function Tabs({ view }: { view: View }) {
  const counts = useCounts().data;
  const search = new URLSearchParams(useSearch());
  return (
    <nav className={styles.tabs} aria-label={t("inbox.views")}>
      {VIEWS.map((other) => {
        search.set("view", other);
        const count = other === "all" ? 0 : (counts?.[other] ?? 0);
        return (
          <Link
            key={other}
            href={`/p/${currentProject()}/inbox?${search}`}
            aria-current={other === view ? "page" : undefined}
          >
            {t(`view.${other}`)}
            {count > 0 && <span className={styles.count}>{count > 99 ? "99+" : count}</span>}
          </Link>
        );
      })}
    </nav>
  );
}

type RowProps = { entry: Entry; me: string; href: string; isChosen: boolean };

function Row({ entry, me, href, isChosen }: RowProps) {
  const chip = chipOf(entry, me);
  const name = nameOf(entry);
  return (
    <li>
      <Link href={href} aria-current={isChosen ? "true" : undefined} data-unread={entry.unread}>
        <Avatar name={name} />
        <span className={styles.name}>
          {entry.unread && (
            <span className={styles.dot}>
              <span className="hidden">{t("inbox.unread")}</span>
            </span>
          )}
          <Untrusted>{name}</Untrusted>
        </span>
        <Age at={entry.last_active_at} />
        <Untrusted className={styles.preview}>{previewOf(entry)}</Untrusted>
        {chip && <Chip tone={chip.tone}>{chip.text}</Chip>}
      </Link>
    </li>
  );
}

function None({ view, searches, isFiltered }: { view: View; searches: boolean; isFiltered: boolean }) {
  if (searches) return <Empty>{t("inbox.noMatch")}</Empty>;
  if (isFiltered) return <Empty>{t("inbox.noMatchFilter")}</Empty>;
  if (view !== "all") return <Empty>{t(`inbox.none.${view}`)}</Empty>;
  return (
    <Empty
      action={
        <Link className="button" href={`/p/${currentProject()}/sandbox`}>
          {t("inbox.openSandbox")}
        </Link>
      }
    >
      {t("inbox.none.all")}
    </Empty>
  );
}
