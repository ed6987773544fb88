import { useQueryClient } from "@tanstack/react-query";
import { app, content, type Me } from "../lib/api.ts";
import * as files from "../lib/files.ts";
import { LANGUAGES, type Language, t } from "../lib/i18n.ts";
import * as kept from "../lib/kept.ts";
import { appPath } from "../lib/place.ts";
import { Menu } from "../ui/Menu.tsx";
import { Avatar } from "../ui/parts.tsx";
import { failed } from "../ui/Toast.tsx";

const THEMES = ["system", "light", "dark"] as const;
/** Languages in their own words. */
const NAMES: Record<Language, string> = { en: "English", es: "Español", "pt-BR": "Português (Brasil)" };

type Props = { me: Me; setLanguage: (to: Language) => void; openHelp: () => void };
type Change = { language?: Language; theme?: Me["theme"]; shortcuts?: boolean };

export function PersonMenu({ me, setLanguage, openHelp }: Props) {
  const queries = useQueryClient();
  const change = async (body: Change) => {
    try {
      const saved = (await content(app.PATCH("/app/api/me", { body }))).data;
      queries.setQueryData(["me"], saved);
      kept.write("language", saved.language);
      if (body.language) setLanguage(saved.language);
    } catch (error) {
      failed(error);
    }
  };
  const signOut = async () => {
    try {
      await content(app.DELETE("/app/api/session"));
      kept.clear();
      void files.clear().catch(() => {});
      location.assign(`${appPath}/login`);
    } catch (error) {
      failed(error);
    }
  };
  const name = me.name || me.email;
  const button = (
    <>
      <Avatar name={name} />
      <span className="hidden">{t("person.menu", { name })}</span>
    </>
  );
  return (
    <Menu button={button} className="button bare round">
      <div className="who">
        <strong dir="auto">{name}</strong>
        <span className="small quiet" dir="auto">
          {me.email}
        </span>
      </div>
      <label>
        {t("person.language")}
        <select value={me.language} onChange={(event) => void change({ language: event.target.value as Language })}>
          {LANGUAGES.map((language) => (
            <option key={language} value={language} lang={language}>
              {NAMES[language]}
            </option>
          ))}
        </select>
      </label>
      <label>
        {t("person.theme")}
        <select value={me.theme} onChange={(event) => void change({ theme: event.target.value as Me["theme"] })}>
          {THEMES.map((theme) => (
            <option key={theme} value={theme}>
              {t(`theme.${theme}`)}
            </option>
          ))}
        </select>
      </label>
      <label>
        {t("person.shortcuts")}
        <select
          value={String(me.shortcuts)}
          onChange={(event) => void change({ shortcuts: event.target.value === "true" })}
        >
          <option value="true">{t("person.on")}</option>
          <option value="false">{t("person.off")}</option>
        </select>
      </label>
      <button type="button" onClick={openHelp}>
        {t("help.title")}
      </button>
      <button type="button" onClick={() => void signOut()}>
        {t("person.signOut")}
      </button>
    </Menu>
  );
}
