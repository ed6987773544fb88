import { type Dispatch, type SetStateAction, useState } from "react";
import type { Entry, Me, Role } from "../../lib/api.ts";
import { useKeys, useTick } from "../../lib/hooks.ts";
import { t } from "../../lib/i18n.ts";
import { singleKey } from "../../lib/keys.ts";
import { Confirm } from "../../ui/Confirm.tsx";
import { Icon } from "../../ui/icons.tsx";
import { Menu } from "../../ui/Menu.tsx";
import { Avatar, Untrusted } from "../../ui/parts.tsx";
import { failed } from "../../ui/Toast.tsx";
import { type Actions, useActions } from "./actions.ts";
import { Composer } from "./Composer.tsx";
import { Details } from "./Details.tsx";
import styles from "./inbox.module.css";
import { Thread } from "./Thread.tsx";
import { isPausedByPhone, nameOf } from "./words.ts";

type Props = {
  entry: Entry;
  me: Me;
  role: Role;
  onBack: () => void;
  details: [boolean, Dispatch<SetStateAction<boolean>>];
};

export function Conversation({ entry, me, role, onBack, details: [showsDetails, setShowsDetails] }: Props) {
  useTick(30_000);
  const actions = useActions(entry, me);
  /** What follows when a take-over from a colleague is confirmed. */
  const [asks, setAsks] = useState<{ then?: () => void }>();
  const canWrite = role !== "viewer";
  const isMine = entry.assignment?.user_id === me.id;
  const takeOver = (then?: () => void) => (entry.assignment && !isMine ? setAsks({ then }) : actions.takeOver(then));
  const canTake = canWrite && entry.status === "active" && !isMine;
  const canGiveBack =
    canWrite &&
    entry.status === "active" &&
    (entry.assignment !== null ? entry.agent !== null : entry.mode === "handoff");
  useKeys((event) => {
    const key = singleKey(event, me.shortcuts);
    if (!key || actions.isBusy) return;
    if (key === "h" && canTake) takeOver();
    else if (key === "h" && isMine && canGiveBack) actions.giveBack();
    else if (key === "i" && canTake) takeOver();
    else if (key === "u") void actions.unread().then(onBack, failed);
    else if (key === "e" && canWrite && entry.status === "active") actions.close();
    else return;
    event.preventDefault();
  });
  const phone = entry.contact.phone_number ?? t("inbox.hidden");
  const subtitle = [entry.contact.name && entry.contact.name !== phone ? phone : "", entry.agent?.name]
    .filter(Boolean)
    .join(" · ");
  return (
    <>
      <section className={styles.middle} aria-label={t("inbox.conversation")} data-hidden={showsDetails}>
        <header className={styles.head}>
          <button type="button" className={`button bare ${styles.back}`} aria-label={t("action.back")} onClick={onBack}>
            <Icon name="back" />
          </button>
          <Avatar name={nameOf(entry)} />
          <div className={styles.title}>
            <h2>
              <Untrusted>{nameOf(entry)}</Untrusted>
            </h2>
            <div className="small quiet">
              <Untrusted>{subtitle}</Untrusted>
            </div>
          </div>
          <Buttons
            entry={entry}
            actions={actions}
            canTake={canTake}
            canGiveBack={canGiveBack}
            canWrite={canWrite}
            takeOver={() => takeOver()}
            onBack={onBack}
          />
          <button
            type="button"
            className={`button bare ${styles.info}`}
            aria-label={t("inbox.details")}
            onClick={() => setShowsDetails(true)}
          >
            <Icon name="info" />
          </button>
        </header>
        <Thread entry={entry} me={me} role={role} />
        <Banner entry={entry} me={me} actions={actions} canWrite={canWrite} />
        {canWrite && <Composer entry={entry} me={me} takeOver={canTake && !actions.isBusy ? takeOver : undefined} />}
      </section>
      <Details
        entry={entry}
        role={role}
        isShown={showsDetails}
        onBack={() => setShowsDetails(false)}
        canWrite={canWrite}
        actions={actions}
        me={me}
      />
      {asks && (
        <Confirm
          title={t("take.title")}
          text={t("take.text", { colleague: entry.assignment?.name || t("inbox.colleague"), name: nameOf(entry) })}
          action={t("action.takeOver")}
          onConfirm={() => actions.takeOver(asks.then)}
          onClose={() => setAsks(undefined)}
        />
      )}
    </>
  );
}

type ButtonProps = {
  entry: Entry;
  actions: Actions;
  canTake: boolean;
  canGiveBack: boolean;
  canWrite: boolean;
  takeOver: () => void;
  onBack: () => void;
};

function Buttons({ entry, actions, canTake, canGiveBack, canWrite, takeOver, onBack }: ButtonProps) {
  if (!canWrite) return null;
  if (entry.status === "ended") {
    return (
      <button type="button" className="button" onClick={actions.reopen} disabled={actions.isBusy}>
        {t("action.reopen")}
      </button>
    );
  }
  // The agent's current step may still have to stop.
  const isStopping = actions.isTaking && entry.mode !== "person";
  return (
    <div className={styles.buttons}>
      <button type="button" className={`button ${styles.wide}`} onClick={actions.close} disabled={actions.isBusy}>
        {t("action.closeConversation")} <kbd>E</kbd>
      </button>
      {canGiveBack && entry.assignment !== null && (
        <button type="button" className="button" onClick={actions.giveBack} disabled={actions.isBusy}>
          {t("action.giveBack")} {!canTake && <kbd>H</kbd>}
        </button>
      )}
      {canTake && (
        <button type="button" className="button primary" onClick={takeOver} disabled={actions.isBusy}>
          {isStopping ? t("inbox.stopping") : t("action.takeOver")} <kbd>H</kbd>
        </button>
      )}
      <span>
        <Menu label={t("action.actions")} button={<Icon name="more" />}>
          <button type="button" onClick={() => void actions.unread().then(onBack, failed)}>
            {t("action.unread")}
          </button>
          <button type="button" className={styles.narrowOnly} onClick={actions.close}>
            {t("action.closeConversation")}
          </button>
        </Menu>
      </span>
    </div>
  );
}

function Banner({ entry, me, actions, canWrite }: { entry: Entry; me: Me; actions: Actions; canWrite: boolean }) {
  const reason = entry.execution?.reason ?? "";
  if (entry.status === "ended") return <p className={styles.banner}>{t("banner.ended")}</p>;
  if (entry.mode === "handoff") {
    const byPhone = isPausedByPhone(entry);
    return (
      <div className={byPhone ? styles.banner : `${styles.banner} ${styles.wait}`}>
        {byPhone ? <span>{t("banner.phone")}</span> : <Why reason={reason} text={t("banner.handoff")} />}
        {canWrite && (
          <button type="button" className="button" onClick={actions.giveBack} disabled={actions.isBusy}>
            {t("action.giveBack")}
          </button>
        )}
      </div>
    );
  }
  if (entry.mode === "failed") {
    return (
      <div className={`${styles.banner} ${styles.bad}`}>
        <Why reason={reason} text={t("banner.failed")} />
        {canWrite && entry.execution?.retryable && (
          <button type="button" className="button" onClick={actions.giveBack} disabled={actions.isBusy}>
            {t("action.resume")}
          </button>
        )}
      </div>
    );
  }
  if (entry.mode === "person") {
    if (entry.assignment?.user_id === me.id) return null;
    return (
      <p className={styles.banner}>{t("banner.colleague", { name: entry.assignment?.name || t("inbox.colleague") })}</p>
    );
  }
  if (entry.mode === "none") return <p className={styles.banner}>{t("banner.none")}</p>;
  return <p className={styles.banner}>{entry.mode === "agent" ? t("banner.agent") : t("banner.waiting")}</p>;
}

/** A sentence of ours, then the reason as it was given: it may have quotes of its own. */
function Why({ text, reason }: { text: string; reason: string }) {
  return (
    <span>
      {text} {reason && <Untrusted className={styles.reason}>{reason}</Untrusted>}
    </span>
  );
}
