import { type FormEvent, useState } from "react";
import { content, currentProject, type Project, type ProjectUpdate, Refusal, v1 } from "../../lib/api.ts";
import { useTitle } from "../../lib/hooks.ts";
import { languageName, t } from "../../lib/i18n.ts";
import { call, useProject, useWrite } from "../../lib/queries.ts";
import { Field, Problem, Skeleton } from "../../ui/parts.tsx";
import { toast } from "../../ui/Toast.tsx";
import { Head } from "./Head.tsx";
import { MORE, SHOWN, sentence } from "./sentences.ts";
import styles from "./settings.module.css";

/** Characters of a text. */
const LONGEST = 300;

/** General settings of the project, for its owners. */
export default function Settings() {
  useTitle(t("settings.title"));
  const project = useProject();
  return (
    <main className={styles.page}>
      <Head isOwner />
      {project.isPending && <Skeleton rows={6} />}
      {project.isError && !project.data && <Problem error={project.error} retry={() => void project.refetch()} />}
      {project.data && <AgentMessages project={project.data} />}
    </main>
  );
}

/** What agents say about themselves, and how their texts are written. */
function AgentMessages({ project }: { project: Project }) {
  const { disclosure, keep_markdown } = project.agent_messages;
  const [enabled, setEnabled] = useState(disclosure.enabled);
  const [texts, setTexts] = useState<Record<string, string>>(disclosure.texts);
  const [keeps, setKeeps] = useState(keep_markdown);
  const save = useWrite(
    (body: ProjectUpdate) =>
      content(v1.PATCH("/api/v1/projects/{project_id}", { params: { path: { project_id: currentProject() } }, body })),
    () => [["project"]],
  );
  const shown = [...SHOWN, ...Object.keys(texts).filter((language) => !SHOWN.includes(language))];
  const others = MORE.filter((language) => !shown.includes(language));
  const refusal = save.error instanceof Refusal ? save.error : undefined;
  const atField = refusal && Object.keys(refusal.fields).some((field) => shown.includes(field));
  const submit = (event: FormEvent) => {
    event.preventDefault();
    const own = Object.entries(texts).filter(([, text]) => text.trim() !== "");
    const body = {
      project: { agent_messages: { disclosure: { enabled, texts: Object.fromEntries(own) }, keep_markdown: keeps } },
    };
    save.mutate(call(body), { onSuccess: () => toast(t("settings.saved")) });
  };
  return (
    <form className={styles.form} onSubmit={submit}>
      <h2>{t("settings.agentMessages")}</h2>
      <fieldset>
        <legend>{t("settings.disclosure")}</legend>
        <p className="quiet">{t("settings.disclosureHow")}</p>
        <label className={styles.check}>
          <input type="checkbox" checked={enabled} onChange={(event) => setEnabled(event.target.checked)} />
          {t("settings.disclosureOn")}
        </label>
        {enabled &&
          shown.map((language) => (
            <Field
              key={language}
              label={languageName(language)}
              name={`text-${language}`}
              error={refusal?.fields[language]}
            >
              {(input) => (
                <textarea
                  {...input}
                  lang={language}
                  dir="auto"
                  rows={2}
                  maxLength={LONGEST}
                  placeholder={sentence(language, texts)}
                  value={texts[language] ?? ""}
                  onChange={(event) => setTexts({ ...texts, [language]: event.target.value })}
                />
              )}
            </Field>
          ))}
        {enabled && (
          <>
            <p className="small quiet">{t("settings.empty")}</p>
            <select
              className={styles.add}
              aria-label={t("settings.addLanguage")}
              value=""
              onChange={(event) => setTexts({ ...texts, [event.target.value]: "" })}
            >
              <option value="">{t("settings.addLanguage")}</option>
              {others.map((language) => (
                <option key={language} value={language}>
                  {languageName(language)}
                </option>
              ))}
            </select>
          </>
        )}
      </fieldset>
      <fieldset>
        <legend>{t("settings.format")}</legend>
        <label className={styles.check}>
          <input type="checkbox" checked={keeps} onChange={(event) => setKeeps(event.target.checked)} />
          {t("settings.keepMarkdown")}
        </label>
        <p className="small quiet">{t("settings.keepMarkdownHow")}</p>
      </fieldset>
      {save.error && !atField && <Problem error={save.error} />}
      <div>
        <button type="submit" className="button primary" disabled={save.isPending}>
          {t("settings.save")}
        </button>
      </div>
    </form>
  );
}
