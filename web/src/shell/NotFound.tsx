import { Link } from "wouter";
import { useTitle } from "../lib/hooks.ts";
import { t } from "../lib/i18n.ts";

export function NotFound() {
  useTitle(t("notFound.title"));
  return (
    <main className="alone">
      <h1>{t("notFound.title")}</h1>
      <p>{t("notFound.text")}</p>
      <Link className="button" href="/">
        {t("notFound.home")}
      </Link>
    </main>
  );
}
