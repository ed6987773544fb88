import { type ClipboardEvent, type DragEvent, type KeyboardEvent, useRef, useState } from "react";
import { content, type Entry, type Me, once, v1 } from "../../lib/api.ts";
import { useKept, useKeys } from "../../lib/hooks.ts";
import { number, t } from "../../lib/i18n.ts";
import { singleKey } from "../../lib/keys.ts";
import { call, useWrite } from "../../lib/queries.ts";
import { kindOf, LARGEST, send, sendFile } from "../../lib/sending.ts";
import { left, serverNow } from "../../lib/time.ts";
import { Icon } from "../../ui/icons.tsx";
import { Untrusted } from "../../ui/parts.tsx";
import { failed, toast } from "../../ui/Toast.tsx";
import styles from "./composer.module.css";
import { Templates } from "./Templates.tsx";
import { windowLeft, windowTone } from "./words.ts";

const LONGEST = 4_096;
const LONGEST_CAPTION = 1_024;
const isTouch = matchMedia("(pointer: coarse)").matches;

type Props = { entry: Entry; me: Me; takeOver: ((then: () => void) => void) | undefined };

/** Writes a reply or a note. The text survives a reload, and each conversation has its own. */
export function Composer({ entry, me, takeOver }: Props) {
  const ms = windowLeft(entry);
  const isMine = entry.assignment?.user_id === me.id;
  const isOpen = entry.status === "active" && isMine;
  const canReply = isOpen && ms > 0;
  const [wantsNote, setWantsNote] = useState(false);
  const [showsTemplates, setShowsTemplates] = useState(false);
  const [file, setFile] = useState<File>();
  const isNote = wantsNote || !canReply;
  const [asNote, setNote] = useKept(`note:${entry.id}`);
  const [asReply, setReply] = useKept(`reply:${entry.id}`);
  const [text, setText] = isNote ? [asNote, setNote] : [asReply, setReply];
  const box = useRef<HTMLTextAreaElement>(null);
  const picker = useRef<HTMLInputElement>(null);
  const note = useWrite(
    (body: string, key: string) =>
      content(
        v1.POST("/api/v1/whatsapp_contacts/{identifier}/notes", {
          params: { path: { identifier: entry.contact.id }, ...once(key) },
          body: { note: { content: body, name: (me.name || me.email).slice(0, 120) } },
        }),
      ),
    () => [["notes"]],
  );
  useKeys((event) => {
    const key = singleKey(event, me.shortcuts);
    if (key === "t" && isOpen) {
      event.preventDefault();
      setShowsTemplates(true);
      return;
    }
    if (key !== "r" && key !== "n") return;
    event.preventDefault();
    setWantsNote(key === "n");
    box.current?.focus();
  });
  // What was typed before is the reply that the person wants to send.
  const takeOverToReply = () =>
    takeOver?.(() => {
      setWantsNote(false);
      if (asReply === "") {
        setReply(box.current?.value || asNote);
        setNote("");
      }
      box.current?.focus();
    });
  const attach = (files: Iterable<File> | null | undefined) => {
    const [chosen, ...others] = files ?? [];
    if (!chosen || !canReply) return false;
    if (others.length > 0) toast(t("composer.oneFile"), "bad");
    const most = LARGEST[kindOf(chosen)];
    if (chosen.size > most) toast(t("composer.tooLarge", { name: chosen.name, mib: number(most >> 20) }), "bad");
    else if (chosen.size === 0) toast(t("composer.emptyFile", { name: chosen.name }), "bad");
    else {
      setFile(chosen);
      setWantsNote(false);
      box.current?.focus();
    }
    return true;
  };
  const submit = () => {
    const body = text.trim();
    const at = new Date(serverNow()).toISOString();
    if (!isNote && file) {
      setFile(undefined);
      setText("");
      sendFile(entry.id, file, body.slice(0, LONGEST_CAPTION), at).catch(failed);
      return;
    }
    if (body === "" || note.isPending) return;
    if (!isNote) {
      send(entry.id, body, at);
      setText("");
      return;
    }
    note.mutate(call(body), { onSuccess: () => setText(""), onError: failed });
  };
  const onKeyDown = (event: KeyboardEvent) => {
    if (event.key === "Escape") {
      box.current?.blur();
    } else if (event.key === "/" && text === "" && !isNote && entry.number.config_id !== null) {
      event.preventDefault();
      setShowsTemplates(true);
    } else if (event.key === "Enter" && !event.shiftKey && !event.nativeEvent.isComposing && !isTouch) {
      event.preventDefault();
      submit();
    }
  };
  return (
    <>
      <form
        className={styles.composer}
        data-note={wantsNote || (isNote && text !== "")}
        onSubmit={(event) => {
          event.preventDefault();
          submit();
        }}
        onDragOver={(event: DragEvent) => canReply && event.preventDefault()}
        onDrop={(event: DragEvent) => {
          if (attach(event.dataTransfer.files)) event.preventDefault();
        }}
      >
        {isOpen && ms === 0 && (
          <div className={styles.locked}>
            <span>{t("composer.closed")}</span>
            <button type="button" className="button primary" onClick={() => setShowsTemplates(true)}>
              {t("composer.chooseTemplate")} <kbd>T</kbd>
            </button>
          </div>
        )}
        <div className={styles.box}>
          {file && !isNote && (
            <div className={styles.file}>
              <Icon name="file" />
              <Untrusted>{file.name}</Untrusted>
              <span className="small quiet">{sizeOf(file)}</span>
              <button
                type="button"
                className="button bare"
                aria-label={t("composer.removeFile")}
                onClick={() => setFile(undefined)}
              >
                <Icon name="close" />
              </button>
            </div>
          )}
          <textarea
            ref={box}
            aria-label={isNote ? t("composer.note") : t("composer.reply")}
            placeholder={file && !isNote ? t("composer.caption") : placeholder(entry, isMine, ms, isNote)}
            value={text}
            maxLength={LONGEST}
            rows={2}
            dir="auto"
            onChange={(event) => setText(event.target.value)}
            onKeyDown={onKeyDown}
            onPaste={(event: ClipboardEvent) => {
              if (event.clipboardData.files.length > 0 && attach(event.clipboardData.files)) event.preventDefault();
            }}
          />
          <div className={styles.bar}>
            <fieldset className={styles.kinds}>
              <legend className="hidden">{t("composer.kind")}</legend>
              {takeOver && !canReply && ms > 0 ? (
                <button type="button" aria-pressed="false" onClick={takeOverToReply}>
                  {t("composer.takeOverToReply")}
                </button>
              ) : (
                <button type="button" aria-pressed={!isNote} disabled={!canReply} onClick={() => setWantsNote(false)}>
                  {t("composer.reply")}
                </button>
              )}
              <button type="button" aria-pressed={isNote} onClick={() => setWantsNote(true)}>
                {t("composer.note")}
              </button>
            </fieldset>
            {canReply && !isNote && (
              <button
                type="button"
                className="button bare"
                aria-label={t("composer.attach")}
                onClick={() => picker.current?.click()}
              >
                <Icon name="attach" />
              </button>
            )}
            <input
              ref={picker}
              type="file"
              hidden
              onChange={(event) => {
                attach(event.target.files);
                event.target.value = "";
              }}
            />
            <span className={`small ${styles.window} ${windowTone(ms)}`}>
              {ms > 0
                ? t("window.open", { time: left(ms) })
                : entry.window_expires_at
                  ? t("window.closed")
                  : t("window.never")}
            </span>
            <button
              type="submit"
              className={isNote ? "button" : "button primary"}
              disabled={(text.trim() === "" && (isNote || !file)) || note.isPending}
            >
              {isNote ? t("composer.addNote") : t("composer.send")}
            </button>
          </div>
        </div>
      </form>
      {showsTemplates && <Templates entry={entry} onClose={() => setShowsTemplates(false)} />}
    </>
  );
}

function sizeOf({ size }: File): string {
  return size < 1 << 20
    ? t("composer.kib", { n: number(Math.ceil(size / 1024)) })
    : t("composer.mib", { n: number(Math.round((size / (1 << 20)) * 10) / 10) });
}

function placeholder(entry: Entry, isMine: boolean, ms: number, isNote: boolean): string {
  if (isNote && isMine && ms > 0) return t("composer.noteText");
  if (entry.status === "ended") return t("composer.ended");
  if (!isMine) return t("composer.takeOver");
  if (ms === 0) return t("composer.noteText");
  return t("composer.replyText");
}
