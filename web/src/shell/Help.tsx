import { useModal } from "../lib/hooks.ts";
import { type Key, t } from "../lib/i18n.ts";
import { paletteKey } from "../lib/keys.ts";

const SHORTCUTS: [string[], Key][] = [
  [[paletteKey], "help.palette"],
  [["g", "i"], "help.inbox"],
  [["g", "e"], "help.executions"],
  [["g", "s"], "help.sandbox"],
  [["/"], "help.search"],
  [["j", "k"], "help.move"],
  [["r"], "help.reply"],
  [["n"], "help.note"],
  [["t"], "help.template"],
  [["h"], "help.takeOver"],
  [["u"], "help.unread"],
  [["e"], "help.close"],
  [["Esc"], "help.back"],
  [["?"], "help.help"],
];

export function Help({ onClose }: { onClose: () => void }) {
  const dialog = useModal();
  return (
    <dialog ref={dialog} className="dialog" aria-labelledby="help-title" onClose={onClose}>
      <h2 id="help-title">{t("help.title")}</h2>
      <dl className="shortcuts">
        {SHORTCUTS.map(([keys, what]) => (
          <div key={what} className="contents">
            <dt>
              {keys.map((key) => (
                <kbd key={key}>{key}</kbd>
              ))}
            </dt>
            <dd>{t(what)}</dd>
          </div>
        ))}
      </dl>
      <div className="actions">
        <button type="button" className="button" onClick={() => dialog.current?.close()}>
          {t("action.close")}
        </button>
      </div>
    </dialog>
  );
}
