import { useState } from "react";
import { useLocation, useSearchParams } from "wouter";
import type { Me, Role, View } from "../../lib/api.ts";
import { currentProject } from "../../lib/api.ts";
import { useKeys, useTitle } from "../../lib/hooks.ts";
import { t } from "../../lib/i18n.ts";
import { singleKey } from "../../lib/keys.ts";
import { useEntry, useInbox, useThread } from "../../lib/queries.ts";
import { Empty, Problem, Skeleton } from "../../ui/parts.tsx";
import { Conversation } from "./Conversation.tsx";
import styles from "./inbox.module.css";
import { List, VIEWS } from "./List.tsx";
import { nameOf } from "./words.ts";

/** Inbox: a list of conversations, the thread of one, and its details. */
export default function Inbox({ me, role, conversation }: { me: Me; role: Role; conversation?: string }) {
  const [search, setSearch] = useSearchParams();
  const [, navigate] = useLocation();
  const asked = search.get("view") as View | null;
  const view = asked && VIEWS.includes(asked) ? asked : "all";
  const text = search.get("search") ?? "";
  const contact = search.get("contact") ?? "";
  const config = search.get("config") ?? "";
  const inbox = useInbox(view, { search: text, contact, config });
  const rows = inbox.data?.pages.flatMap((page) => page.data) ?? [];
  const open = (id: string) => navigate(`/p/${currentProject()}/inbox${id ? `/${id}` : ""}${location.search}`);
  const set = (name: string, value: string) =>
    setSearch(
      (now) => {
        if (value) now.set(name, value);
        else now.delete(name);
        return now;
      },
      { replace: name === "search" },
    );
  useTitle(t("inbox.title"));
  useKeys((event) => {
    const key = singleKey(event, me.shortcuts);
    if (key === "/") {
      event.preventDefault();
      document.querySelector<HTMLInputElement>("#inbox-search")?.focus();
    } else if (key === "Escape" && conversation) {
      open("");
    } else if ((key === "j" || key === "k") && rows.length > 0) {
      const at = rows.findIndex((row) => row.id === conversation);
      const next = rows[Math.max(0, Math.min(rows.length - 1, at + (key === "j" ? 1 : -1)))];
      if (next) open(next.id);
    }
  });
  return (
    <main className={styles.panes} data-open={conversation ? "thread" : "list"}>
      <h1 className="hidden">{t("inbox.title")}</h1>
      <List
        view={view}
        text={text}
        query={inbox}
        rows={rows}
        chosen={conversation}
        me={me.id}
        contact={contact}
        config={config}
        onSearch={(next) => set("search", next)}
        onClear={(name) => set(name, "")}
      />
      {conversation ? (
        <Opened key={conversation} id={conversation} me={me} role={role} onBack={() => open("")} />
      ) : (
        <section className={styles.nothing} aria-label={t("inbox.conversation")}>
          {rows.length > 0 && <Empty>{t("inbox.choose")}</Empty>}
        </section>
      )}
    </main>
  );
}

function Opened({ id, me, role, onBack }: { id: string; me: Me; role: Role; onBack: () => void }) {
  const entry = useEntry(id);
  // Requested beside the entry rather than after it.
  useThread(id);
  const [showsDetails, setShowsDetails] = useState(false);
  useTitle(entry.data ? nameOf(entry.data) : t("inbox.title"));
  if (entry.isPending) {
    return (
      <section className={styles.nothing} aria-label={t("inbox.conversation")}>
        <Skeleton />
      </section>
    );
  }
  if (entry.isError && !entry.data) {
    return (
      <section className={styles.nothing} aria-label={t("inbox.conversation")}>
        <button type="button" className="button" onClick={onBack}>
          {t("action.back")}
        </button>
        <Problem error={entry.error} retry={() => void entry.refetch()} />
      </section>
    );
  }
  return (
    <Conversation entry={entry.data} me={me} role={role} onBack={onBack} details={[showsDetails, setShowsDetails]} />
  );
}
