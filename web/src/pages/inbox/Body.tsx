import type { InboxMessage } from "../../lib/api.ts";
import { t } from "../../lib/i18n.ts";
import { Icon } from "../../ui/icons.tsx";
import { Untrusted } from "../../ui/parts.tsx";
import styles from "./thread.module.css";

/** A link of another person; only http and https. */
export function safeUrl(text: string | null | undefined): string | undefined {
  if (!text) return undefined;
  try {
    const url = new URL(text, location.href);
    return url.protocol === "https:" || url.protocol === "http:" ? url.href : undefined;
  } catch {
    return undefined;
  }
}

/** True for a file of this server, which the policy lets the page show. */
function isOwn(url: string | undefined): url is string {
  return url !== undefined && new URL(url).origin === location.origin;
}

/** Content of a message of any type, as text nodes. */
export function Body({ message }: { message: InboxMessage }) {
  const { message_type: type, message_type_data: data, content } = message;
  if (message.deleted_at) return <em className="quiet">{t("type.deleted")}</em>;
  const url = safeUrl(message.media_url);
  if (type === "image" && isOwn(url)) {
    return (
      <>
        <a href={url} target="_blank" rel="noopener noreferrer">
          <img className={styles.image} src={url} alt={data.caption || t("type.image")} loading="lazy" />
        </a>
        {data.caption && <Untrusted>{data.caption}</Untrusted>}
      </>
    );
  }
  if (type === "audio" && isOwn(url)) {
    // biome-ignore lint/a11y/useMediaCaption: a voice message has no captions
    return <audio className={styles.audio} controls preload="none" src={url} aria-label={t("type.audio")} />;
  }
  if (type === "image" || type === "video" || type === "audio" || type === "document") {
    return (
      <File
        type={type}
        name={data.filename ?? data.caption ?? ""}
        url={url}
        isPending={message.processing_status === "pending"}
      />
    );
  }
  if (type === "interactive" && data.interactive_type) {
    const options = [...(data.buttons ?? []), ...(data.sections ?? []).flatMap((section) => section.rows ?? [])];
    return (
      <>
        <Untrusted>{data.body_text ?? content}</Untrusted>
        {options.length > 0 && (
          <ul className={styles.options} aria-label={t("type.options")}>
            {options.map((option) => (
              <li key={`${option.id} ${option.title}`}>
                <Untrusted>{option.title ?? ""}</Untrusted>
              </li>
            ))}
          </ul>
        )}
      </>
    );
  }
  if (type === "reaction") {
    return (
      <Untrusted>
        {data.reaction_emoji ? t("type.reaction", { emoji: data.reaction_emoji }) : t("type.reactionRemoved")}
      </Untrusted>
    );
  }
  if (type === "location") {
    const place = [data.location_name, data.location_address].filter(Boolean).join(", ");
    return <Untrusted>{`${t("type.location")}: ${place || `${data.latitude}, ${data.longitude}`}`}</Untrusted>;
  }
  return <Untrusted className={styles.text}>{content}</Untrusted>;
}

function File({
  type,
  name,
  url,
  isPending,
}: {
  type: "image" | "video" | "audio" | "document";
  name: string;
  url: string | undefined;
  isPending: boolean;
}) {
  const label = (
    <>
      <Icon name="file" />
      <span>
        {t(`type.${type}`)}
        {name && (
          <>
            : <Untrusted>{name}</Untrusted>
          </>
        )}
      </span>
    </>
  );
  if (!url)
    return (
      <span className={styles.file}>
        {label} {isPending && <span className="quiet small">{t("type.loading")}</span>}
      </span>
    );
  return (
    <a className={styles.file} href={url} target="_blank" rel="noopener noreferrer" download>
      {label}
    </a>
  );
}
