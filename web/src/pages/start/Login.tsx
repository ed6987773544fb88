import { useState } from "react";
import { Link, useLocation, useSearchParams } from "wouter";
import { app, content } from "../../lib/api.ts";
import { useOnce, useTitle } from "../../lib/hooks.ts";
import { t } from "../../lib/i18n.ts";
import { signedIn } from "../../lib/queries.ts";
import { Field, Skeleton } from "../../ui/parts.tsx";
import { Failure, required, Start, useForm } from "./form.tsx";

/** The path asked for before the sign-in; only pages of this application. */
export function nextPath(asked: string | null): string {
  return asked?.startsWith("/") && !asked.startsWith("//") && !asked.startsWith("/login") ? asked : "/";
}

export default function Login({ setupNeeded }: { setupNeeded: boolean }) {
  useTitle(t("login.title"));
  const [, navigate] = useLocation();
  const [search] = useSearchParams();
  // A fragment reaches no server log. It is taken from the address at once: it works only once.
  const [entry] = useState(() => new URLSearchParams(location.hash.slice(1)).get("entry"));
  const [linkProblem, setLinkProblem] = useState<unknown>(null);

  const signIn = async (body: { email?: string; password?: string; entry?: string }) => {
    const me = (await content(app.POST("/app/api/session", { body }))).data;
    signedIn(me);
    navigate(nextPath(search.get("next")), { replace: true });
  };
  useOnce(() => {
    if (!entry) return;
    history.replaceState(history.state, "", location.pathname + location.search);
    signIn({ entry }).catch(setLinkProblem);
  });
  const form = useForm(
    (_name, value) => required(value),
    ({ email, password }) => signIn({ email, password }),
  );
  if (entry && !linkProblem) return <Skeleton />;
  const { errors } = form;
  const words = { rate_limited: t("login.limited") };
  return (
    <Start title={t("login.title")}>
      <Failure error={linkProblem} words={{ ...words, wrong_credentials: t("login.linkUsed") }} />
      <form ref={form.form} noValidate onSubmit={(event) => void form.onSubmit(event)}>
        <Field label={t("field.email")} name="email" error={errors.email || undefined}>
          {(input) => <input {...input} type="email" autoComplete="username" />}
        </Field>
        <Field label={t("field.password")} name="password" error={errors.password || undefined}>
          {(input) => <input {...input} type="password" autoComplete="current-password" />}
        </Field>
        <Failure error={form.problem} words={{ ...words, wrong_credentials: t("login.wrong") }} />
        <button type="submit" className="button primary" aria-disabled={form.isBusy}>
          {t("login.submit")}
        </button>
      </form>
      {setupNeeded && (
        <p className="small">
          <Link href="/setup">{t("login.setup")}</Link>
        </p>
      )}
    </Start>
  );
}
