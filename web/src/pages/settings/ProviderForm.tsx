import { type FormEvent, useRef, useState } from "react";
import { type ModelProvider, Refusal } from "../../lib/api.ts";
import { useModal } from "../../lib/hooks.ts";
import { t } from "../../lib/i18n.ts";
import { call } from "../../lib/queries.ts";
import { Field, Problem } from "../../ui/parts.tsx";
import styles from "./models.module.css";
import { KINDS, type Kind, kindName, needsAddress, type Saved, useSave } from "./providers.ts";

const FIELDS = ["name", "kind", "base_url", "model", "api_key"];

/** Adds a provider, or changes one. A stored key is never shown and goes to no other address. */
export function ProviderForm({ provider, onClose }: { provider?: ModelProvider; onClose: () => void }) {
  const dialog = useModal();
  const form = useRef<HTMLFormElement>(null);
  /** A second Enter comes before the page is drawn again. */
  const isBusy = useRef(false);
  const [kind, setKind] = useState<Kind>(provider?.kind ?? "OpenAI");
  const [address, setAddress] = useState(provider?.base_url ?? "");
  const [removes, setRemoves] = useState(false);
  const save = useSave();
  const refusal = save.error instanceof Refusal ? save.error : undefined;
  const atField = refusal && Object.keys(refusal.fields).some((field) => FIELDS.includes(field));
  const hasKey = provider?.key_set ?? false;
  const isMoved = hasKey && address.trim() !== (provider?.base_url ?? "");
  let keyHint = hasKey ? t("models.keepKey") : t("models.keyHint");
  if (isMoved && !removes) keyHint = t("models.keyAgain");
  const submit = (event: FormEvent) => {
    event.preventDefault();
    if (isBusy.current) return;
    const values = new FormData(form.current ?? undefined);
    const text = (name: string) => String(values.get(name) ?? "").trim();
    const key = text("api_key");
    const fields = { name: text("name"), base_url: address.trim() || null, model: text("model") || null };
    const saved: Saved = provider
      ? { id: provider.id, fields: { ...fields, ...(removes ? { api_key: null } : key && { api_key: key }) } }
      : { id: undefined, fields: { ...fields, kind, ...(key && { api_key: key }) } };
    isBusy.current = true;
    save.mutate(call(saved), {
      onSuccess: () => dialog.current?.close(),
      onError: (error) => {
        const bad = error instanceof Refusal ? Object.keys(error.fields) : [];
        const inputs = [...(form.current?.elements ?? [])] as HTMLInputElement[];
        inputs.find((input) => bad.includes(input.name))?.focus();
      },
      onSettled: () => {
        isBusy.current = false;
      },
    });
  };
  const title = provider ? t("models.changeTitle", { name: provider.name }) : t("models.add");
  return (
    <dialog ref={dialog} className="dialog" aria-labelledby="provider-form" onClose={onClose}>
      <form ref={form} onSubmit={submit} className={styles.form} autoComplete="off">
        <h2 id="provider-form">{title}</h2>
        <Field label={t("field.name")} name="name" hint={t("models.nameHint")} error={refusal?.fields.name}>
          {(input) => (
            <input {...input} type="text" required maxLength={64} spellCheck={false} defaultValue={provider?.name} />
          )}
        </Field>
        <Field label={t("models.kind")} name="kind" error={refusal?.fields.kind}>
          {(input) => (
            <select
              {...input}
              value={kind}
              disabled={provider !== undefined}
              onChange={(event) => setKind(event.target.value as Kind)}
            >
              {KINDS.map((one) => (
                <option key={one} value={one}>
                  {kindName(one)}
                </option>
              ))}
            </select>
          )}
        </Field>
        <Field
          label={t("models.address")}
          name="base_url"
          hint={needsAddress(kind) ? t("models.addressNeeded") : t("models.addressHint")}
          error={refusal?.fields.base_url}
        >
          {(input) => (
            <input
              {...input}
              type="text"
              inputMode="url"
              spellCheck={false}
              required={needsAddress(kind)}
              maxLength={2048}
              placeholder="https://models.example.com/v1"
              value={address}
              onChange={(event) => setAddress(event.target.value)}
            />
          )}
        </Field>
        <Field label={t("models.model")} name="model" hint={t("models.modelHint")} error={refusal?.fields.model}>
          {(input) => (
            <input {...input} type="text" spellCheck={false} maxLength={200} defaultValue={provider?.model ?? ""} />
          )}
        </Field>
        <Field label={t("models.key")} name="api_key" hint={keyHint} error={refusal?.fields.api_key}>
          {(input) => <input {...input} type="password" autoComplete="off" maxLength={4096} disabled={removes} />}
        </Field>
        {hasKey && (
          <label className={styles.check}>
            <input type="checkbox" checked={removes} onChange={(event) => setRemoves(event.target.checked)} />
            {t("models.removeKey")}
          </label>
        )}
        {save.error && !atField && <Problem error={save.error} />}
        <div className="actions">
          <button type="button" className="button" onClick={() => dialog.current?.close()}>
            {t("action.cancel")}
          </button>
          <button type="submit" className="button primary" disabled={save.isPending}>
            {t("settings.save")}
          </button>
        </div>
      </form>
    </dialog>
  );
}
