import { type ClipboardEvent, type FormEvent, type KeyboardEvent, useRef, useState } from "react";
import { useKept, useStayAtEnd } from "../../lib/hooks.ts";
import { t } from "../../lib/i18n.ts";
import {
  advance,
  type BusinessNumber,
  type Fault,
  type PhoneMessage,
  sendFile,
  sendText,
  setFault,
  textOf,
  useChat,
  useReading,
} from "../../lib/phone.ts";
import { client } from "../../lib/queries.ts";
import { Icon } from "../../ui/icons.tsx";
import { Menu } from "../../ui/Menu.tsx";
import { Problem, Untrusted } from "../../ui/parts.tsx";
import { failed, toast } from "../../ui/Toast.tsx";
import { Bubble } from "./Bubble.tsx";
import styles from "./phone.module.css";

const FAULTS: readonly Fault[] = ["none", "undelivered", "limited", "lost"];

type Props = {
  /** Digits of the phone. */
  phone: string;
  numbers: BusinessNumber[];
  number: string;
  onNumber: (id: string) => void;
  /** Code that connects the phone, until it was sent. */
  code?: string;
};

/** A phone on the emulated WhatsApp: what the customer sees, and what they can do. */
export function Phone({ phone, numbers, number, onNumber, code }: Props) {
  const chat = useChat(number, phone);
  useReading(phone, chat.data);
  const messages = chat.data?.messages ?? [];
  const screen = useStayAtEnd(`${number} ${phone}`, messages.length + (chat.data?.typing ? 1 : 0));
  const [answered, setAnswered] = useState<PhoneMessage>();
  const from = { number, phone };
  const act = (what: Promise<unknown>) =>
    void what.then(() => client.invalidateQueries({ queryKey: ["phone", "chat"] })).catch(failed);
  return (
    <section className={styles.phone} aria-label={t("phone.title")}>
      <header className={styles.head}>
        <div>
          <h2>{t("phone.title")}</h2>
          <p className="small quiet">{`+${phone}`}</p>
        </div>
        <label>
          <span className="hidden">{t("phone.number")}</span>
          <select value={number} onChange={(event) => onNumber(event.target.value)}>
            {numbers.map(({ id, display }) => (
              <option key={id} value={id}>{`+${display}`}</option>
            ))}
          </select>
        </label>
        <Settings />
      </header>
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: a list that scrolls must take the keyboard */}
      <div ref={screen} className={styles.screen} role="log" aria-label={t("phone.chat")} tabIndex={0}>
        {chat.isError && <Problem error={chat.error} retry={() => void chat.refetch()} />}
        {messages.map((message) => (
          <Bubble
            key={message.id}
            message={message}
            quoted={messages.find(({ id }) => id === message.reply_to)}
            from={from}
            act={act}
            onReply={() => setAnswered(message)}
          />
        ))}
        {chat.data?.typing && <p className={styles.typing}>{t("phone.typing")}</p>}
      </div>
      {code ? (
        <div className={styles.suggestions}>
          <button type="button" className="button primary" onClick={() => act(sendText(from, code))}>
            {t("phone.sendCode", { code })}
          </button>
        </div>
      ) : (
        <fieldset className={styles.suggestions}>
          <legend className="hidden">{t("phone.suggestions")}</legend>
          {[t("phone.ask.order"), t("phone.ask.person")].map((text) => (
            <button key={text} type="button" className="button" onClick={() => act(sendText(from, text))}>
              {text}
            </button>
          ))}
        </fieldset>
      )}
      <Writer from={from} answered={answered} onAnswered={() => setAnswered(undefined)} act={act} />
    </section>
  );
}

function Settings() {
  const [fault, set] = useState<Fault>("none");
  const move = (hours: number) =>
    advance(hours)
      .then(() => client.invalidateQueries())
      .then(() => toast(t("phone.moved", { hours })))
      .catch(failed);
  const choose = (next: Fault) => {
    set(next);
    setFault(next)
      .then(() => toast(t(`phone.fault.${next}.set`)))
      .catch(failed);
  };
  return (
    <Menu label={t("phone.settings")} button={<Icon name="more" />}>
      <button type="button" onClick={() => void move(1)}>
        {t("phone.later", { hours: 1 })}
      </button>
      <button type="button" onClick={() => void move(24)}>
        {t("phone.later", { hours: 24 })}
      </button>
      <label>
        {t("phone.fault")}
        <select value={fault} onChange={(event) => choose(event.target.value as Fault)}>
          {FAULTS.map((one) => (
            <option key={one} value={one}>
              {t(`phone.fault.${one}`)}
            </option>
          ))}
        </select>
      </label>
    </Menu>
  );
}

type WriterProps = {
  from: { number: string; phone: string };
  answered: PhoneMessage | undefined;
  onAnswered: () => void;
  act: (what: Promise<unknown>) => void;
};

function Writer({ from, answered, onAnswered, act }: WriterProps) {
  const [text, setText] = useKept(`phone:${from.phone}`);
  const [isBurst, setBurst] = useState(false);
  const file = useRef<HTMLInputElement>(null);
  const lines = text.split("\n").filter((line) => line.trim() !== "");
  const send = () => {
    if (lines.length === 0) return;
    const parts = isBurst ? lines : [text.trim()];
    setText("");
    onAnswered();
    // One after the other: they arrive in this order, without a pause.
    const all = async () => {
      for (const part of parts) await sendText(from, part, answered?.id);
    };
    act(all());
  };
  const onKeyDown = (event: KeyboardEvent) => {
    if (event.key !== "Enter" || event.shiftKey || event.nativeEvent.isComposing) return;
    event.preventDefault();
    send();
  };
  const onPaste = (event: ClipboardEvent) => {
    if (event.clipboardData.getData("text").trim().includes("\n")) setBurst(true);
  };
  return (
    <form
      className={styles.writer}
      onSubmit={(event: FormEvent) => {
        event.preventDefault();
        send();
      }}
    >
      {answered && (
        <p className={styles.answered}>
          <span className="hidden">{t("phone.answering")}</span>
          <Untrusted>{textOf(answered)}</Untrusted>
          <button type="button" className="button bare" aria-label={t("action.cancel")} onClick={onAnswered}>
            <Icon name="close" />
          </button>
        </p>
      )}
      <div className={styles.line}>
        <button
          type="button"
          className="button bare"
          aria-label={t("phone.file")}
          onClick={() => file.current?.click()}
        >
          <Icon name="attach" />
        </button>
        <input
          ref={file}
          type="file"
          hidden
          onChange={(event) => {
            const [chosen] = event.target.files ?? [];
            if (chosen) act(sendFile(from, chosen, text.trim()));
            setText("");
            event.target.value = "";
          }}
        />
        <textarea
          aria-label={t("phone.write")}
          placeholder={t("phone.write")}
          rows={lines.length > 1 ? 3 : 1}
          dir="auto"
          value={text}
          onChange={(event) => setText(event.target.value)}
          onKeyDown={onKeyDown}
          onPaste={onPaste}
        />
        <button type="submit" className="button primary" disabled={lines.length === 0}>
          {t("composer.send")}
        </button>
      </div>
      {lines.length > 1 && (
        <label className="small">
          <input type="checkbox" checked={isBurst} onChange={(event) => setBurst(event.target.checked)} />{" "}
          {t("phone.burst", { n: lines.length })}
        </label>
      )}
    </form>
  );
}
