import { useQuery } from "@tanstack/react-query";
import { Link, useLocation } from "wouter";
import { app, content, type OpenInvitation, Refusal } from "../../lib/api.ts";
import { useTitle } from "../../lib/hooks.ts";
import { t } from "../../lib/i18n.ts";
import { signedIn } from "../../lib/queries.ts";
import { Field, Problem, Skeleton } from "../../ui/parts.tsx";
import { Failure, password, required, Start, useForm } from "./form.tsx";

/** Page of a link from an invitation, or to choose a new password. */
export default function Invitation({ token }: { token: string }) {
  const invitation = useQuery({
    queryKey: ["invitation", token],
    refetchInterval: false,
    refetchOnWindowFocus: false,
    queryFn: async () => (await content(app.GET("/app/api/invitations/{token}", { params: { path: { token } } }))).data,
  });
  if (invitation.isPending) return <Skeleton />;
  if (invitation.isError) {
    const isGone = invitation.error instanceof Refusal && invitation.error.status === 404;
    return (
      <Start title={t("invitation.title")}>
        {isGone ? (
          <p>{t("invitation.gone")}</p>
        ) : (
          <Problem error={invitation.error} retry={() => void invitation.refetch()} />
        )}
        <Link className="button" href="/login">
          {t("login.title")}
        </Link>
      </Start>
    );
  }
  return <Accept token={token} invitation={invitation.data} />;
}

function Accept({ token, invitation }: { token: string; invitation: OpenInvitation }) {
  const { email, project, role, has_password: knows } = invitation;
  const title = project === null ? t("reset.title") : t("invitation.title");
  useTitle(title);
  const [, navigate] = useLocation();
  const form = useForm(
    (field, value) => (field === "password" && !knows ? password(value) : required(value)),
    async (values) => {
      const body = { name: values.name, password: values.password ?? "" };
      const me = (await content(app.POST("/app/api/invitations/{token}", { params: { path: { token } }, body }))).data;
      signedIn(me);
      navigate("/", { replace: true });
    },
  );
  const { errors } = form;
  return (
    <Start title={title}>
      {project !== null && role && <p dir="auto">{t("invitation.text", { project, role: t(`role.${role}`) })}</p>}
      <form ref={form.form} noValidate onSubmit={(event) => void form.onSubmit(event)}>
        <Field label={t("field.email")} name="email">
          {(input) => <input {...input} type="email" value={email} readOnly autoComplete="username" />}
        </Field>
        {project !== null && !knows && (
          <Field label={t("field.name")} name="name" error={errors.name || undefined}>
            {(input) => <input {...input} type="text" autoComplete="name" maxLength={120} />}
          </Field>
        )}
        <Field
          label={knows ? t("field.password") : t("field.newPassword")}
          name="password"
          error={errors.password || undefined}
          hint={knows ? t("invitation.knows") : t("field.passwordHint")}
        >
          {(input) => (
            <input
              {...input}
              type="password"
              autoComplete={knows ? "current-password" : "new-password"}
              maxLength={200}
            />
          )}
        </Field>
        <Failure
          error={form.problem}
          words={{
            wrong_credentials: t("login.wrong"),
            not_found: t("invitation.gone"),
            rate_limited: t("login.limited"),
          }}
        />
        <button type="submit" className="button primary" aria-disabled={form.isBusy}>
          {project === null ? t("reset.submit") : t("invitation.submit")}
        </button>
      </form>
    </Start>
  );
}
