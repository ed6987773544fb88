import { useState } from "react";
import { useSearchParams } from "wouter";
import type { Me, SandboxSession } from "../../lib/api.ts";
import { useTick, useTitle } from "../../lib/hooks.ts";
import { t } from "../../lib/i18n.ts";
import { useNumbers } from "../../lib/phone.ts";
import { call, useSandboxSessions, useServerState } from "../../lib/queries.ts";
import { left, serverNow } from "../../lib/time.ts";
import { Chip, Empty, Problem, Skeleton, type Tone, Untrusted } from "../../ui/parts.tsx";
import { Qr } from "../../ui/Qr.tsx";
import { failed, toast } from "../../ui/Toast.tsx";
import { useCreate } from "./create.ts";
import { NewSession } from "./NewSession.tsx";
import { Phone } from "./Phone.tsx";
import { Running } from "./Running.tsx";
import styles from "./sandbox.module.css";

const TONES: Record<SandboxSession["status"], Tone> = { pending_activation: "wait", active: "good", expired: "plain" };

const digits = (phone: string) => phone.replace(/\D/g, "");

/** Sandbox sessions: phones that may try an agent on the sandbox number; in `dev` also such a phone. */
export default function Sandbox({ me }: { me: Me }) {
  useTitle(t("sandbox.title"));
  useTick(15_000);
  const [isNew, setNew] = useState(false);
  const [search, setSearch] = useSearchParams();
  const state = useServerState();
  const sessions = useSandboxSessions();
  const number = state.data?.sandbox?.phone_number;
  const hasPhone = state.data?.phone === "here" && me.is_operator;
  const numbers = useNumbers(hasPhone);
  const all = sessions.data ?? [];
  const usable = all.find((session) => session.status !== "expired") ?? all[0];
  const chosen = all.find((session) => digits(session.phone_number) === search.get("phone")) ?? usable;
  const set = (name: string, value: string) =>
    setSearch(
      (now) => {
        now.set(name, value);
        return now;
      },
      { replace: true },
    );
  const business =
    numbers.data?.find(({ id }) => id === search.get("number")) ??
    numbers.data?.find(({ display }) => display === number) ??
    numbers.data?.[0];
  return (
    <main className={styles.page} data-phone={hasPhone}>
      <section className={styles.sessions} aria-label={t("sandbox.sessions")}>
        <header className={styles.head}>
          <div>
            <h1>{t("sandbox.title")}</h1>
            <p className="small quiet">
              {number ? t("sandbox.number", { number: `+${number}` }) : t("sandbox.noNumber")}
            </p>
          </div>
          {number && (
            <button type="button" className="button" onClick={() => setNew(true)}>
              {t("sandbox.new")}
            </button>
          )}
        </header>
        {state.data?.model.is_rehearsal && <p className={styles.note}>{t("sandbox.rehearsal")}</p>}
        {state.data?.phone === "apart" && <p className={styles.note}>{t("phone.apart")}</p>}
        {sessions.isPending && <Skeleton rows={3} />}
        {sessions.isError && !sessions.data && <Problem error={sessions.error} retry={() => void sessions.refetch()} />}
        {sessions.data?.length === 0 && <Empty>{t("sandbox.none")}</Empty>}
        <ul>
          {all.map((session) => (
            <Session
              key={session.id}
              session={session}
              isChosen={hasPhone && session === chosen}
              isEmulated={state.data?.phone != null}
              onChoose={hasPhone ? () => set("phone", digits(session.phone_number)) : undefined}
            />
          ))}
        </ul>
      </section>
      {hasPhone && chosen && business && (
        <>
          <Phone
            key={chosen.phone_number}
            phone={digits(chosen.phone_number)}
            numbers={numbers.data ?? []}
            number={business.id}
            onNumber={(id) => set("number", id)}
            code={
              chosen.status === "pending_activation" && business.display === number ? chosen.activation_code : undefined
            }
          />
          <Running phone={chosen.phone_number} />
        </>
      )}
      {hasPhone && numbers.isError && <Problem error={numbers.error} retry={() => void numbers.refetch()} />}
      {isNew && <NewSession onClose={() => setNew(false)} />}
    </main>
  );
}

type SessionProps = {
  session: SandboxSession;
  isChosen: boolean;
  isEmulated: boolean;
  onChoose: (() => void) | undefined;
};

function Session({ session, isChosen, isEmulated, onChoose }: SessionProps) {
  const create = useCreate();
  const ms = session.expires_at ? Date.parse(session.expires_at) - serverNow() : 0;
  const isPending = session.status === "pending_activation";
  const renew = () =>
    create.mutate(call({ phone_number: session.phone_number, agent_id: session.agent.id }), {
      onSuccess: () => toast(t("sandbox.renewed")),
      onError: failed,
    });
  return (
    <li className={styles.session} aria-current={isChosen ? "true" : undefined}>
      <div className={styles.who}>
        {onChoose ? (
          <button type="button" className={styles.choose} onClick={onChoose}>
            <strong>{session.phone_number}</strong>
          </button>
        ) : (
          <strong>{session.phone_number}</strong>
        )}
        <Chip tone={TONES[session.status]}>{t(`sandbox.${session.status}`)}</Chip>
        <span className="small quiet">
          <Untrusted>{session.agent.name}</Untrusted>
          {session.status !== "expired" && ms > 0 && ` · ${t("inbox.left", { time: left(ms) })}`}
        </span>
        {session.status === "expired" && <span className="small quiet">{t("sandbox.expiredHow")}</span>}
      </div>
      {isPending && (
        <div className={styles.code}>
          <Qr text={session.activation_link} label={t("sandbox.qr")} />
          <div>
            <p>{t("sandbox.sendCode", { code: session.activation_code })}</p>
            {isEmulated && <p className="small quiet">{t("sandbox.emulated")}</p>}
            <a className={styles.link} href={session.activation_link} target="_blank" rel="noopener noreferrer">
              {session.activation_link}
            </a>
          </div>
        </div>
      )}
      {!isPending && (
        <button type="button" className="button" onClick={renew} disabled={create.isPending}>
          {t("sandbox.renew")}
        </button>
      )}
    </li>
  );
}
