import { type FormEvent, useState } from "react";
import { t } from "../../lib/i18n.ts";
import { edit, type PhoneMessage, textOf } from "../../lib/phone.ts";
import styles from "./phone.module.css";

type Props = {
  message: PhoneMessage;
  from: { number: string; phone: string };
  act: (what: Promise<unknown>) => void;
  onEnd: () => void;
};

/** Changes the text or the caption of an own message. */
export function Edit({ message, from, act, onEnd }: Props) {
  const before = textOf(message);
  const [text, setText] = useState(before);
  const isSame = text.trim() === "" || text.trim() === before;
  const save = (event: FormEvent) => {
    event.preventDefault();
    if (isSame) return;
    act(edit(from, message.id, text.trim()));
    onEnd();
  };
  return (
    <form className={styles.edit} onSubmit={save}>
      <textarea
        aria-label={t("phone.editText")}
        rows={2}
        dir="auto"
        value={text}
        onChange={(event) => setText(event.target.value)}
        onKeyDown={(event) => event.key === "Escape" && onEnd()}
      />
      <div>
        <button type="button" className="button" onClick={onEnd}>
          {t("action.cancel")}
        </button>
        <button type="submit" className="button primary" disabled={isSame}>
          {t("phone.save")}
        </button>
      </div>
    </form>
  );
}
