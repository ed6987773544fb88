import { type FormEvent, useRef } from "react";
import { Refusal } from "../../lib/api.ts";
import { useModal } from "../../lib/hooks.ts";
import { t } from "../../lib/i18n.ts";
import { call, useAgents } from "../../lib/queries.ts";
import { Field, Problem } from "../../ui/parts.tsx";
import { toast } from "../../ui/Toast.tsx";
import { useCreate } from "./create.ts";
import styles from "./sandbox.module.css";

export function NewSession({ onClose }: { onClose: () => void }) {
  const dialog = useModal();
  const form = useRef<HTMLFormElement>(null);
  const agents = useAgents();
  const create = useCreate();
  const refusal = create.error instanceof Refusal ? create.error : undefined;
  const submit = (event: FormEvent) => {
    event.preventDefault();
    const values = new FormData(form.current ?? undefined);
    const session = {
      phone_number: String(values.get("phone_number") ?? ""),
      agent_id: String(values.get("agent_id") ?? ""),
    };
    create.mutate(call(session), {
      onSuccess: () => {
        toast(t("sandbox.created"));
        dialog.current?.close();
      },
    });
  };
  return (
    <dialog ref={dialog} className="dialog" aria-labelledby="sandbox-new" onClose={onClose}>
      <form ref={form} onSubmit={submit} className={styles.form}>
        <h2 id="sandbox-new">{t("sandbox.new")}</h2>
        <Field
          label={t("sandbox.phone")}
          name="phone_number"
          hint={t("sandbox.phoneHint")}
          error={refusal?.fields.phone_number}
        >
          {(input) => <input {...input} type="tel" required autoComplete="tel" placeholder="+51 987 654 321" />}
        </Field>
        <Field label={t("executions.agent")} name="agent_id" error={refusal?.fields.agent_id}>
          {(input) => (
            <select {...input} required>
              {agents.data?.map((agent) => (
                <option key={agent.id} value={agent.id}>
                  {agent.name}
                </option>
              ))}
            </select>
          )}
        </Field>
        {refusal && Object.keys(refusal.fields).length === 0 && <Problem error={refusal} />}
        <div className="actions">
          <button type="button" className="button" onClick={() => dialog.current?.close()}>
            {t("action.cancel")}
          </button>
          <button type="submit" className="button primary" disabled={create.isPending}>
            {t("sandbox.create")}
          </button>
        </div>
      </form>
    </dialog>
  );
}
