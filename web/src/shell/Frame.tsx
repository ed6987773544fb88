import { type ReactNode, useState } from "react";
import { Link, useLocation } from "wouter";
import type { Me } from "../lib/api.ts";
import { useFeed, useKeys, useOnce, useOnline } from "../lib/hooks.ts";
import { type Language, t } from "../lib/i18n.ts";
import { isPalette, jump, paletteKey, singleKey } from "../lib/keys.ts";
import { useCounts } from "../lib/queries.ts";
import { resume } from "../lib/sending.ts";
import { Icon, Mark } from "../ui/icons.tsx";
import { Help } from "./Help.tsx";
import { LiveDot } from "./LiveDot.tsx";
import { Palette } from "./Palette.tsx";
import { PersonMenu } from "./PersonMenu.tsx";
import { ProjectMenu } from "./ProjectMenu.tsx";
import { places } from "./places.ts";

type Project = Me["projects"][number];
type Props = { me: Me; project: Project; setLanguage: (to: Language) => void; children: ReactNode };

export function Frame({ me, project, setLanguage, children }: Props) {
  const [open, setOpen] = useState<"" | "palette" | "help">("");
  const [path, navigate] = useLocation();
  const feed = useFeed(project.id);
  const isOnline = useOnline();
  useOnce(resume);
  useKeys((event) => {
    if (isPalette(event)) {
      event.preventDefault();
      setOpen("palette");
      return;
    }
    const key = singleKey(event, me.shortcuts);
    if (key === "?") setOpen("help");
    const target = key && jump(key, Date.now());
    if (target && places(project).some((place) => place.path.endsWith(`/${target}`)))
      navigate(`/p/${project.id}/${target}`);
  });
  return (
    <div className="frame">
      <a className="skip" href="#main">
        {t("shell.skip")}
      </a>
      <header className="top">
        <Link className="brand" href="/" aria-label="Chasqui">
          <Mark />
          <span className="wide">Chasqui</span>
        </Link>
        <ProjectMenu me={me} project={project} />
        <button type="button" className="find" onClick={() => setOpen("palette")}>
          <Icon name="search" />
          <span>{t("shell.find")}</span>
          <kbd>{paletteKey}</kbd>
        </button>
        <LiveDot state={feed} />
        <PersonMenu me={me} setLanguage={setLanguage} openHelp={() => setOpen("help")} />
      </header>
      <Navigation project={project} path={path} />
      <div id="main" className="page" tabIndex={-1}>
        {!isOnline && <p className="strip wait">{t("state.offline")}</p>}
        {children}
      </div>
      {open === "palette" && <Palette me={me} project={project} onClose={() => setOpen("")} />}
      {open === "help" && <Help onClose={() => setOpen("")} />}
    </div>
  );
}

function Navigation({ project, path }: { project: Project; path: string }) {
  const counts = useCounts();
  const waiting = counts.data?.needs_person ?? 0;
  let group = "";
  return (
    <nav className="nav" aria-label={t("nav.label")}>
      {places(project).map((place) => {
        const heading = place.group !== group && place.group;
        group = place.group;
        const isHere = path === place.path || path.startsWith(`${place.path}/`);
        const count = place.icon === "inbox" && waiting > 0 ? (waiting > 99 ? "99+" : String(waiting)) : "";
        return (
          <div key={place.path} className="contents">
            {heading && <h2>{heading}</h2>}
            <Link href={place.path} aria-current={isHere ? "page" : undefined}>
              <Icon name={place.icon} />
              {place.label}
              {count && (
                <span className="count">
                  {count}
                  <span className="hidden"> {t("inbox.needsPersonCount")}</span>
                </span>
              )}
            </Link>
          </div>
        );
      })}
    </nav>
  );
}
