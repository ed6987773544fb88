import { useModal } from "../lib/hooks.ts";
import { t } from "../lib/i18n.ts";

/** Asks before an action with an effect outside; it names what will happen. */
export function Confirm({
  title,
  text,
  action,
  onConfirm,
  onClose,
}: {
  title: string;
  text: string;
  action: string;
  onConfirm: () => void;
  onClose: () => void;
}) {
  const dialog = useModal();
  return (
    <dialog ref={dialog} className="dialog" aria-labelledby="confirm-title" onClose={onClose}>
      <form method="dialog" onSubmit={onConfirm}>
        <h2 id="confirm-title">{title}</h2>
        <p dir="auto">{text}</p>
        <div className="actions">
          <button type="button" className="button" onClick={() => dialog.current?.close()}>
            {t("action.cancel")}
          </button>
          <button type="submit" className="button primary">
            {action}
          </button>
        </div>
      </form>
    </dialog>
  );
}
