import { useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { useLocation } from "wouter";
import { app, content } from "../../lib/api.ts";
import { useTitle } from "../../lib/hooks.ts";
import { t } from "../../lib/i18n.ts";
import { signedIn, useServerState } from "../../lib/queries.ts";
import { Field } from "../../ui/parts.tsx";
import { email, Failure, password, required, Start, useForm } from "./form.tsx";

const CHECKS: Record<string, (value: string) => string | undefined> = {
  token: required,
  name: required,
  email,
  password,
};

/** First run: the setup token creates the first operator, once. */
export default function Setup() {
  useTitle(t("setup.title"));
  const [isDone, setDone] = useState(false);
  const form = useForm(
    (name, value) => CHECKS[name]?.(value),
    async ({ token = "", name = "", email = "", password = "" }) => {
      const me = (await content(app.POST("/app/api/setup", { body: { token, name, email, password } }))).data;
      signedIn(me);
      setDone(true);
    },
  );
  if (isDone) return <Model />;
  const { errors } = form;
  return (
    <Start title={t("setup.title")}>
      <p className="quiet">{t("setup.text")}</p>
      <form
        ref={form.form}
        noValidate
        onSubmit={(event) => void form.onSubmit(event)}
        onBlur={(event) => form.onBlur(event as never)}
      >
        <Field label={t("setup.token")} name="token" error={errors.token || undefined} hint={t("setup.tokenHint")}>
          {(input) => <input {...input} type="text" autoComplete="off" spellCheck={false} />}
        </Field>
        <Field label={t("field.name")} name="name" error={errors.name || undefined}>
          {(input) => <input {...input} type="text" autoComplete="name" maxLength={120} />}
        </Field>
        <Field label={t("field.email")} name="email" error={errors.email || undefined}>
          {(input) => <input {...input} type="email" autoComplete="username" />}
        </Field>
        <Field
          label={t("field.newPassword")}
          name="password"
          error={errors.password || undefined}
          hint={t("field.passwordHint")}
        >
          {(input) => <input {...input} type="password" autoComplete="new-password" maxLength={200} />}
        </Field>
        <Failure
          error={form.problem}
          words={{ wrong_credentials: t("setup.wrongToken"), not_found: t("setup.done") }}
        />
        <button type="submit" className="button primary" aria-disabled={form.isBusy}>
          {t("setup.submit")}
        </button>
      </form>
    </Start>
  );
}

/** Says which model answers. */
function Model() {
  const state = useServerState();
  const queries = useQueryClient();
  const [, navigate] = useLocation();
  const model = state.data?.model;
  return (
    <Start title={t("setup.ready")}>
      {model && (
        <p>
          {model.is_rehearsal
            ? t("setup.rehearsal")
            : t("setup.model", { provider: model.provider, model: model.model })}
        </p>
      )}
      <p className="quiet">{t("setup.modelHow")}</p>
      <button
        type="button"
        className="button primary"
        onClick={() => {
          navigate("/");
          void queries.invalidateQueries({ queryKey: ["state"] });
        }}
      >
        {t("setup.open")}
      </button>
    </Start>
  );
}
