import { useState } from "react";
import type { ModelProvider, ModelProviderCheck } from "../../lib/api.ts";
import { t } from "../../lib/i18n.ts";
import { call } from "../../lib/queries.ts";
import { span } from "../../lib/time.ts";
import { Confirm } from "../../ui/Confirm.tsx";
import { Chip, Untrusted } from "../../ui/parts.tsx";
import { failed, toast } from "../../ui/Toast.tsx";
import styles from "./models.module.css";
import { ProviderForm } from "./ProviderForm.tsx";
import { kindName, useCheck, useDelete } from "./providers.ts";

/** A provider of the project: its settings, what a check found, and what can be done with it. */
export function Provider({ provider }: { provider: ModelProvider }) {
  const [open, setOpen] = useState<"" | "change" | "delete">("");
  const check = useCheck();
  const remove = useDelete();
  const { name } = provider;
  const key = provider.key_hint ? t("models.keyEnds", { end: provider.key_hint }) : t("models.keySet");
  // Findings about an earlier state say nothing about this one.
  const isOfThis = check.variables?.input.updated_at === provider.updated_at;
  const runCheck = () =>
    check.mutate(call(provider), {
      onSuccess: ({ works }) => toast(works ? t("models.works", { name }) : t("models.fails", { name })),
      onError: failed,
    });
  return (
    <li className={styles.provider}>
      <h3>
        <Untrusted>{name}</Untrusted>
      </h3>
      <div className={styles.actions}>
        <button type="button" className="button" disabled={check.isPending} onClick={runCheck}>
          {check.isPending ? t("models.checking") : t("models.check")}
          <span className="hidden"> {name}</span>
        </button>
        <button type="button" className="button" onClick={() => setOpen("change")}>
          {t("models.change")}
          <span className="hidden"> {name}</span>
        </button>
        <button type="button" className="button" disabled={remove.isPending} onClick={() => setOpen("delete")}>
          {t("models.delete")}
          <span className="hidden"> {name}</span>
        </button>
      </div>
      <dl>
        <dt>{t("models.kind")}</dt>
        <dd>{kindName(provider.kind)}</dd>
        <dt>{t("models.address")}</dt>
        <dd>{provider.base_url ? <Untrusted>{provider.base_url}</Untrusted> : t("models.usualAddress")}</dd>
        <dt>{t("models.model")}</dt>
        <dd>{provider.model ? <Untrusted>{provider.model}</Untrusted> : t("models.usualModel")}</dd>
        <dt>{t("models.key")}</dt>
        <dd>{provider.key_set ? key : t("models.noKey")}</dd>
      </dl>
      {isOfThis && check.data && <Findings found={check.data} name={name} />}
      {open === "change" && <ProviderForm provider={provider} onClose={() => setOpen("")} />}
      {open === "delete" && (
        <Confirm
          title={t("models.deleteTitle", { name })}
          text={t("models.deleteText", { name })}
          action={t("models.delete")}
          onConfirm={() => remove.mutate(call(provider), { onError: failed })}
          onClose={() => setOpen("")}
        />
      )}
    </li>
  );
}

/** Sentences for reasons that can be repaired here. */
const REASONS: Record<string, () => string> = {
  llm_key_missing: () => t("models.problem.llm_key_missing"),
  key_refused: () => t("models.problem.key_refused"),
  model_unknown: () => t("models.problem.model_unknown"),
  blocked_address: () => t("models.problem.blocked_address"),
  unreachable: () => t("models.problem.unreachable"),
};

/** What a check found, in words. */
function Findings({ found, name }: { found: ModelProviderCheck; name: string }) {
  const { problem } = found;
  const word = (finding: boolean | null) =>
    finding === null ? t("models.found.unknown") : finding ? t("models.found.yes") : t("models.found.no");
  return (
    <section className={styles.found} aria-label={t("models.found", { name })}>
      <p>
        <Chip tone={found.works ? "good" : "bad"}>
          {found.works ? t("models.found.works") : t("models.found.fails")}
        </Chip>
        {found.works && found.took_ms !== null && (
          <span>
            <Untrusted>{found.model ?? ""}</Untrusted> · {t("models.found.took", { time: span(found.took_ms) })}
          </span>
        )}
        {problem && <span>{(REASONS[problem.code] ?? (() => t("models.problem.refused")))()}</span>}
      </p>
      {problem && (
        <p className="small">
          <Untrusted>{problem.message}</Untrusted> <span className="quiet">{problem.code}</span>
        </p>
      )}
      {found.works && (
        <dl>
          <dt>{t("models.tools")}</dt>
          <dd>{found.tools === false ? t("models.noTools") : word(found.tools)}</dd>
          <dt>{t("models.streaming")}</dt>
          <dd>{word(found.streaming)}</dd>
          <dt>{t("models.images")}</dt>
          <dd>{word(found.images)}</dd>
        </dl>
      )}
      {found.adapted.length > 0 && (
        <p className="small quiet">
          {t("models.adapted")} <Untrusted>{found.adapted.join(", ")}</Untrusted>
        </p>
      )}
    </section>
  );
}
