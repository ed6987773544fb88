import { Link, useLocation } from "wouter";
import { currentProject } from "../../lib/api.ts";
import { t } from "../../lib/i18n.ts";
import styles from "./settings.module.css";

/** Title of the settings, and links to their pages that the role may use. */
export function Head({ isOwner }: { isOwner: boolean }) {
  const [path] = useLocation();
  const tabs = [
    ...(isOwner ? [["general", t("settings.general")] as const] : []),
    ["models", t("models.title")] as const,
  ];
  return (
    <header className={styles.head}>
      <h1>{t("settings.title")}</h1>
      <nav className={styles.tabs} aria-label={t("settings.title")}>
        {tabs.map(([name, label]) => {
          const to = `/p/${currentProject()}/settings/${name}`;
          return (
            <Link key={name} href={to} aria-current={path === to ? "page" : undefined}>
              {label}
            </Link>
          );
        })}
      </nav>
    </header>
  );
}
