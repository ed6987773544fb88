import type { Me } from "../lib/api.ts";
import { t } from "../lib/i18n.ts";
import type { IconName } from "../ui/icons.tsx";

type Project = Me["projects"][number];
export type Place = { path: string; icon: IconName; label: string; group: string };

/** Pages that exist and that the role may use. */
export function places(project: Project): Place[] {
  const at = (page: string) => `/p/${project.id}/${page}`;
  const builds = project.role === "builder" || project.role === "owner";
  const all: Place[] = [{ path: at("inbox"), icon: "inbox", label: t("nav.inbox"), group: "" }];
  if (builds) {
    all.push({ path: at("executions"), icon: "executions", label: t("nav.executions"), group: t("nav.observe") });
    all.push({ path: at("sandbox"), icon: "sandbox", label: t("nav.sandbox"), group: t("nav.connect") });
    all.push({ path: at("settings"), icon: "settings", label: t("nav.settings"), group: t("nav.project") });
  }
  return all;
}
