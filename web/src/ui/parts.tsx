import type { ReactNode } from "react";
import { Refusal } from "../lib/api.ts";
import { useTick } from "../lib/hooks.ts";
import { t } from "../lib/i18n.ts";
import { age, full } from "../lib/time.ts";
import { Icon } from "./icons.tsx";

export type Tone = "plain" | "good" | "wait" | "bad" | "act";

export function Chip({ tone = "plain", children }: { tone?: Tone; children: ReactNode }) {
  return <span className={`chip ${tone}`}>{children}</span>;
}

/** Age of a time; the time itself on hover and for screen readers. */
export function Age({ at }: { at: string }) {
  useTick(30_000);
  return (
    <time className="age" dateTime={at} title={full(at)}>
      {age(at)}
    </time>
  );
}

/** Text of other people: names, messages, file names, model answers. */
export function Untrusted({ children, className }: { children: string; className?: string }) {
  return (
    <bdi className={className} dir="auto">
      {children}
    </bdi>
  );
}

/** Initials of a name, or the start of a number. */
export function initials(name: string): string {
  const words = name.trim().split(/\s+/).filter(Boolean);
  const first = words[0];
  if (first === undefined) return "?";
  if (/^[+\d]/.test(first)) return first.replace(/\D/g, "").slice(-2);
  const last = words.length > 1 ? words[words.length - 1] : undefined;
  return ([...first][0] ?? "").toUpperCase() + (last ? ([...last][0] ?? "").toUpperCase() : "");
}

export function Avatar({ name }: { name: string }) {
  return (
    <span className="avatar" aria-hidden="true">
      {initials(name)}
    </span>
  );
}

/** An answer that failed: its sentence, code and request id, and a way on. */
export function Problem({ error, retry }: { error: unknown; retry?: () => void }) {
  const refusal = error instanceof Refusal ? error : undefined;
  return (
    <div className="problem" role="alert">
      <Icon name="alert" />
      <div>
        <p>{refusal?.message ?? t("error.page")}</p>
        {refusal && refusal.status > 0 && (
          <p className="small quiet">
            {refusal.code}
            {refusal.requestId && ` · ${refusal.requestId}`}
          </p>
        )}
        {retry && (
          <button type="button" className="button" onClick={retry}>
            {t("action.retry")}
          </button>
        )}
      </div>
    </div>
  );
}

/** Appears after 150 ms, so that fast answers do not flicker. */
export function Skeleton({ rows = 4 }: { rows?: number }) {
  return (
    <div className="skeleton" role="status">
      <span className="hidden">{t("state.loading")}</span>
      {Array.from({ length: rows }, (_, row) => (
        // biome-ignore lint/suspicious/noArrayIndexKey: the rows have no content
        <span key={row} aria-hidden="true" />
      ))}
    </div>
  );
}

export function Empty({ children, action }: { children: ReactNode; action?: ReactNode }) {
  return (
    <div className="empty">
      <p>{children}</p>
      {action}
    </div>
  );
}

/** A labelled input with its error. */
export function Field({
  label,
  name,
  error,
  hint,
  children,
}: {
  label: string;
  name: string;
  error?: string;
  hint?: string;
  children: (input: {
    id: string;
    name: string;
    "aria-invalid": boolean;
    "aria-describedby": string | undefined;
  }) => ReactNode;
}) {
  const id = `field-${name}`;
  const described = error ? `${id}-error` : hint ? `${id}-hint` : undefined;
  return (
    <div className="field">
      <label htmlFor={id}>{label}</label>
      {children({ id, name, "aria-invalid": error !== undefined, "aria-describedby": described })}
      {error ? (
        <p id={`${id}-error`} className="small error">
          {error}
        </p>
      ) : (
        hint && (
          <p id={`${id}-hint`} className="small quiet">
            {hint}
          </p>
        )
      )}
    </div>
  );
}
