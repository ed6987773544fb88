import { useQuery } from "@tanstack/react-query";
import { type FormEvent, useState } from "react";
import { content, type Entry, v1, type WhatsappTemplate } from "../../lib/api.ts";
import { useModal } from "../../lib/hooks.ts";
import { t } from "../../lib/i18n.ts";
import { send } from "../../lib/sending.ts";
import { serverNow } from "../../lib/time.ts";
import { Empty, Field, Problem, Skeleton, Untrusted } from "../../ui/parts.tsx";
import styles from "./composer.module.css";
import { blanksOf, filled, keyOf, needsMore, toSend } from "./template.ts";

function useTemplates(config: string | null) {
  return useQuery({
    queryKey: ["templates", config],
    enabled: config !== null,
    queryFn: async () => {
      const query = { "q[status_eq]": "approved" as const, whatsapp_config_id: config ?? "", per_page: 100 };
      return (await content(v1.GET("/api/v1/whatsapp_templates", { params: { query } }))).data;
    },
  });
}

/** Chooses an approved template, asks for its values and shows what will be sent. */
export function Templates({ entry, onClose }: { entry: Entry; onClose: () => void }) {
  const dialog = useModal();
  const templates = useTemplates(entry.number.config_id);
  const [chosen, choose] = useState("");
  const all = templates.data ?? [];
  const template = all.find(({ id }) => id === chosen) ?? all[0];
  return (
    <dialog ref={dialog} className="dialog" aria-labelledby="templates" onClose={onClose}>
      <h2 id="templates">{t("templates.title")}</h2>
      {entry.number.is_sandbox && <Empty>{t("templates.sandbox")}</Empty>}
      {templates.isLoading && <Skeleton rows={3} />}
      {templates.isError && <Problem error={templates.error} retry={() => void templates.refetch()} />}
      {templates.data?.length === 0 && <Empty>{t("templates.none")}</Empty>}
      {template && (
        <Field label={t("templates.template")} name="template">
          {(input) => (
            <select {...input} value={template.id} onChange={(event) => choose(event.target.value)}>
              {all.map(({ id, name, language_code }) => (
                <option key={id} value={id}>{`${name} · ${language_code}`}</option>
              ))}
            </select>
          )}
        </Field>
      )}
      {template ? (
        <Fill key={template.id} entry={entry} template={template} close={() => dialog.current?.close()} />
      ) : (
        <div className="actions">
          <button type="button" className="button" onClick={() => dialog.current?.close()}>
            {t("action.close")}
          </button>
        </div>
      )}
    </dialog>
  );
}

function Fill({ entry, template, close }: { entry: Entry; template: WhatsappTemplate; close: () => void }) {
  const [values, setValues] = useState<Record<string, string>>({});
  const [isChecked, setChecked] = useState(false);
  const blanks = blanksOf(template);
  const isMore = needsMore(template);
  const missing = (key: string) => isChecked && !values[key]?.trim();
  const submit = (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    const first = blanks.find((blank) => !values[keyOf(blank)]?.trim());
    if (first) {
      setChecked(true);
      event.currentTarget.querySelector<HTMLElement>(`[name="${keyOf(first)}"]`)?.focus();
      return;
    }
    send(entry.id, filled(template, values), new Date(serverNow()).toISOString(), toSend(template, values));
    close();
  };
  return (
    <form className={styles.template} onSubmit={submit} noValidate>
      {blanks.map((blank) => {
        const key = keyOf(blank);
        const label = t(`templates.value.${blank.part}`, { name: blank.name });
        return (
          <Field key={key} label={label} name={key} error={missing(key) ? t("form.required") : undefined}>
            {(input) => (
              <input
                {...input}
                type="text"
                dir="auto"
                autoComplete="off"
                value={values[key] ?? ""}
                onChange={(event) => setValues((now) => ({ ...now, [key]: event.target.value }))}
              />
            )}
          </Field>
        );
      })}
      <section aria-label={t("templates.preview")}>
        <Untrusted className={styles.preview}>{filled(template, values) || template.content}</Untrusted>
      </section>
      {isMore && <p className="small bad">{t("templates.more")}</p>}
      <div className="actions">
        <button type="button" className="button" onClick={close}>
          {t("action.cancel")}
        </button>
        <button type="submit" className="button primary" disabled={isMore}>
          {t("templates.send")}
        </button>
      </div>
    </form>
  );
}
