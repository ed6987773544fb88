import { type KeyboardEvent, useState } from "react";
import { useLocation } from "wouter";
import type { Me } from "../lib/api.ts";
import { useModal } from "../lib/hooks.ts";
import { t } from "../lib/i18n.ts";
import { useInbox } from "../lib/queries.ts";
import { Icon, type IconName } from "../ui/icons.tsx";
import { places } from "./places.ts";

type Target = { id: string; path: string; label: string; about: string; icon: IconName };
type Props = { me: Me; project: Me["projects"][number]; onClose: () => void };

/** Jumps to a page, a project or a conversation. */
export function Palette({ me, project, onClose }: Props) {
  const dialog = useModal();
  const [text, setText] = useState("");
  const [at, setAt] = useState(0);
  const [, navigate] = useLocation();
  const wanted = text.trim().toLowerCase();
  const inbox = useInbox("all", { search: text.trim() });
  const pages: Target[] = [
    ...places(project).map((place) => ({
      id: place.path,
      path: place.path,
      label: place.label,
      about: t("palette.page"),
      icon: place.icon,
    })),
    ...me.projects
      .filter((other) => other.id !== project.id)
      .map((other) => ({
        id: other.id,
        path: `/p/${other.id}/inbox`,
        label: other.name,
        about: t("palette.project"),
        icon: "inbox" as const,
      })),
  ].filter((target) => target.label.toLowerCase().includes(wanted));
  const conversations: Target[] = (inbox.data?.pages[0]?.data ?? []).slice(0, 8).map((entry) => ({
    id: entry.id,
    path: `/p/${project.id}/inbox/${entry.id}`,
    label: entry.contact.name ?? entry.contact.phone_number ?? entry.id,
    about: entry.contact.phone_number ?? t("inbox.hidden"),
    icon: "person",
  }));
  const targets = [...pages, ...conversations];
  const chosen = Math.min(at, targets.length - 1);
  const go = (target: Target | undefined) => {
    if (!target) return;
    dialog.current?.close();
    navigate(target.path);
  };
  const onKeyDown = (event: KeyboardEvent) => {
    if (event.nativeEvent.isComposing) return;
    if (event.key === "ArrowDown") setAt(Math.min(chosen + 1, targets.length - 1));
    else if (event.key === "ArrowUp") setAt(Math.max(chosen - 1, 0));
    else if (event.key === "Enter") go(targets[chosen]);
    else return;
    event.preventDefault();
  };
  return (
    <dialog ref={dialog} className="dialog palette" aria-label={t("shell.find")} onClose={onClose}>
      <input
        type="text"
        role="combobox"
        aria-expanded="true"
        aria-controls="palette-list"
        aria-activedescendant={targets[chosen] ? `palette-${chosen}` : undefined}
        aria-label={t("shell.find")}
        placeholder={t("shell.find")}
        value={text}
        onChange={(event) => {
          setText(event.target.value);
          setAt(0);
        }}
        onKeyDown={onKeyDown}
      />
      <div id="palette-list" role="listbox" aria-label={t("shell.find")}>
        {targets.map((target, index) => (
          // biome-ignore lint/a11y/useKeyWithClickEvents: the combobox has the focus and the keys
          <div
            key={target.id}
            id={`palette-${index}`}
            role="option"
            tabIndex={-1}
            aria-selected={index === chosen}
            onClick={() => go(target)}
          >
            <Icon name={target.icon} />
            <span dir="auto">{target.label}</span>
            <span className="small quiet">{target.about}</span>
          </div>
        ))}
      </div>
      {targets.length === 0 && <p className="quiet">{t("palette.none")}</p>}
    </dialog>
  );
}
