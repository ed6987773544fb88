import { useState } from "react";
import { t } from "../../lib/i18n.ts";
import { choicesOf, isEditable, type PhoneMessage, react, remove, tap, textOf } from "../../lib/phone.ts";
import { clock } from "../../lib/time.ts";
import { Icon } from "../../ui/icons.tsx";
import { Untrusted } from "../../ui/parts.tsx";
import { Edit } from "./Edit.tsx";
import styles from "./phone.module.css";

type Props = {
  message: PhoneMessage;
  quoted: PhoneMessage | undefined;
  from: { number: string; phone: string };
  act: (what: Promise<unknown>) => void;
  onReply: () => void;
};

const FILES = ["image", "video", "audio", "document", "sticker"] as const;
type FileKind = (typeof FILES)[number];
const LIKE = "👍";

/** A message on the phone's screen. */
export function Bubble({ message, quoted, from, act, onReply }: Props) {
  const { content, direction, type } = message;
  const [isEditing, setEditing] = useState(false);
  const isOwn = direction === "in";
  const file = FILES.find((kind): kind is FileKind => kind === type);
  const text = textOf(message);
  const at = new Date(Number(message.timestamp) * 1_000).toISOString();
  const isLiked = message.reactions.some((reaction) => reaction.emoji === LIKE);
  const sections = content?.action?.sections?.filter((section) => section.title) ?? [];
  const header =
    content?.header?.text ?? (typeof content?.rendered?.header === "string" ? content.rendered.header : "");
  const footer = content?.footer?.text ?? content?.rendered?.footer;
  return (
    <article className={`${styles.bubble} ${isOwn ? styles.own : ""}`}>
      {quoted && <Untrusted className={styles.quoted}>{textOf(quoted) || t("phone.message")}</Untrusted>}
      {header && <Untrusted className={styles.strong}>{header}</Untrusted>}
      {file && (
        <span className={styles.file}>
          <Icon name="file" />
          {t(`type.${file}`)}
          {content?.filename && <Untrusted>{content.filename}</Untrusted>}
        </span>
      )}
      {type === "deleted" && <em className="quiet">{t("phone.deleted")}</em>}
      {isEditing && <Edit message={message} from={from} act={act} onEnd={() => setEditing(false)} />}
      {text && !isEditing && <Untrusted className={styles.text}>{text}</Untrusted>}
      {!text && !file && type !== "deleted" && <span className="quiet">{t("phone.message")}</span>}
      {footer && <Untrusted className="small quiet">{footer}</Untrusted>}
      {sections.length > 0 && <span className="small quiet">{sections.map(({ title }) => title).join(" · ")}</span>}
      <ul className={styles.choices}>
        {choicesOf(message).map(({ id, title, description }) => (
          <li key={`${id} ${title}`}>
            <button type="button" className="button" onClick={() => act(tap(from, message.id, id ?? title ?? ""))}>
              <Untrusted>{title ?? ""}</Untrusted>
              {description && <Untrusted className="small quiet">{description}</Untrusted>}
            </button>
          </li>
        ))}
      </ul>
      {message.reactions.length > 0 && (
        <span className={styles.reactions}>{message.reactions.map((reaction) => reaction.emoji).join(" ")}</span>
      )}
      <footer className={styles.foot}>
        {!isOwn && (
          <>
            <button type="button" className="link" onClick={onReply}>
              {t("phone.reply")}
            </button>
            <button
              type="button"
              className="link"
              aria-pressed={isLiked}
              aria-label={t("phone.like")}
              onClick={() => act(react(from, message.id, isLiked ? "" : LIKE))}
            >
              <Icon name="like" />
            </button>
          </>
        )}
        {isEditable(message) && !isEditing && (
          <button type="button" className="link" onClick={() => setEditing(true)}>
            {t("phone.edit")}
          </button>
        )}
        {isOwn && type !== "deleted" && (
          <button type="button" className="link" onClick={() => act(remove(from, message.id))}>
            {t("phone.delete")}
          </button>
        )}
        {message.edited && <span>{t("phone.edited")}</span>}
        <time dateTime={at}>{clock(at)}</time>
        {isOwn && <Ticks message={message} />}
      </footer>
    </article>
  );
}

function Ticks({ message }: { message: PhoneMessage }) {
  const isRead = message.statuses.some(({ status }) => status === "read");
  return (
    <span className={isRead ? styles.read : ""} title={isRead ? t("delivery.read") : t("delivery.sent")}>
      <Icon name={isRead ? "ticks" : "check"} />
      <span className="hidden">{isRead ? t("delivery.read") : t("delivery.sent")}</span>
    </span>
  );
}
