import { useState } from "react";
import type { ProviderModels } from "../../lib/api.ts";
import { useTitle } from "../../lib/hooks.ts";
import { t, tn } from "../../lib/i18n.ts";
import { Chip, Empty, Problem, Skeleton, Untrusted } from "../../ui/parts.tsx";
import { Head } from "./Head.tsx";
import styles from "./models.module.css";
import { Provider } from "./Provider.tsx";
import { ProviderForm } from "./ProviderForm.tsx";
import { useModels, useProviders } from "./providers.ts";
import settings from "./settings.module.css";

/** The project's model providers, and the models that its agents may name. */
export default function Models({ isOwner }: { isOwner: boolean }) {
  useTitle(t("models.title"));
  const [isNew, setNew] = useState(false);
  const providers = useProviders();
  const add = (
    <button type="button" className="button" onClick={() => setNew(true)}>
      {t("models.add")}
    </button>
  );
  return (
    <main className={settings.page}>
      <Head isOwner={isOwner} />
      <section className={styles.part} aria-labelledby="providers">
        <header>
          <h2 id="providers">{t("models.providers")}</h2>
          {(providers.data?.length ?? 0) > 0 && add}
        </header>
        <p className="quiet">{t("models.how")}</p>
        {providers.isPending && <Skeleton rows={3} />}
        {providers.isError && !providers.data && (
          <Problem error={providers.error} retry={() => void providers.refetch()} />
        )}
        {providers.data?.length === 0 && <Empty action={add}>{t("models.none")}</Empty>}
        <ul>
          {providers.data?.map((provider) => (
            <Provider key={provider.id} provider={provider} />
          ))}
        </ul>
      </section>
      <Usable />
      {isNew && <ProviderForm onClose={() => setNew(false)} />}
    </main>
  );
}

/** Providers of project and server with their models. */
function Usable() {
  const models = useModels();
  return (
    <section className={styles.part} aria-labelledby="usable">
      <h2 id="usable">{t("models.usable")}</h2>
      <p className="quiet">{t("models.usableHow")}</p>
      {models.isPending && <Skeleton rows={3} />}
      {models.isError && !models.data && <Problem error={models.error} retry={() => void models.refetch()} />}
      <ul>
        {models.data?.map((one) => (
          <Offered key={`${one.source} ${one.provider}`} offered={one} />
        ))}
      </ul>
    </section>
  );
}

function Offered({ offered }: { offered: ProviderModels }) {
  const { models, problem } = offered;
  return (
    <li className={styles.offered}>
      <p>
        <strong>
          <Untrusted>{offered.provider}</Untrusted>
        </strong>
        <span className="small quiet">{t(`models.source.${offered.source}`)}</span>
        {offered.default && <Chip tone="act">{t("models.default")}</Chip>}
      </p>
      {offered.default_model && (
        <p className="small">
          {t("models.usual")} <Untrusted>{offered.default_model}</Untrusted>
        </p>
      )}
      {problem && (
        <p className="small error">
          {t("models.notListed")} <Untrusted>{problem.message}</Untrusted>
        </p>
      )}
      {(models.length > 1 || (models[0] ?? offered.default_model) !== offered.default_model) && (
        <details>
          <summary>{tn("models.count", models.length)}</summary>
          <ul>
            {models.map((model) => (
              <li key={model}>
                <Untrusted>{model}</Untrusted>
              </li>
            ))}
          </ul>
        </details>
      )}
    </li>
  );
}
