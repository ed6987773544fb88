import { type FormEvent, type ReactNode, useRef, useState } from "react";
import { Refusal } from "../../lib/api.ts";
import { t } from "../../lib/i18n.ts";
import { Mark } from "../../ui/icons.tsx";
import { Problem } from "../../ui/parts.tsx";
import styles from "./start.module.css";

/** Frame of the pages without a session. */
export function Start({ title, children }: { title: string; children: ReactNode }) {
  return (
    <main className={styles.start}>
      <div className={styles.card}>
        <p className={styles.brand}>
          <Mark /> Chasqui
        </p>
        <h1>{title}</h1>
        {children}
      </div>
    </main>
  );
}

type Errors = Record<string, string>;

/** State of a form: checks at blur, sends once, and puts errors of the server at their fields. */
export function useForm(
  check: (name: string, value: string) => string | undefined,
  submit: (values: Errors) => Promise<void>,
) {
  const form = useRef<HTMLFormElement>(null);
  const [errors, setErrors] = useState<Errors>({});
  const [problem, setProblem] = useState<unknown>(null);
  const [isBusy, setBusy] = useState(false);

  const focusFirst = (found: Errors) => {
    const inputs = [...(form.current?.elements ?? [])] as HTMLInputElement[];
    inputs.find((input) => found[input.name])?.focus();
  };
  const onBlur = (event: { target: { name: string; value: string } }) => {
    const { name, value } = event.target;
    if (value !== "") setErrors((all) => ({ ...all, [name]: check(name, value) ?? "" }));
  };
  const onSubmit = async (event: FormEvent) => {
    event.preventDefault();
    if (isBusy || !form.current) return;
    const values: Errors = {};
    for (const [name, value] of new FormData(form.current)) values[name] = String(value);
    const found: Errors = {};
    for (const [name, value] of Object.entries(values)) {
      const error = check(name, value);
      if (error) found[name] = error;
    }
    setErrors(found);
    setProblem(null);
    if (Object.keys(found).length > 0) return focusFirst(found);
    setBusy(true);
    try {
      await submit(values);
    } catch (error) {
      const fields = error instanceof Refusal ? error.fields : {};
      setErrors(fields);
      if (Object.keys(fields).length === 0) setProblem(error);
      focusFirst(fields);
    } finally {
      setBusy(false);
    }
  };
  return { form, errors, problem, isBusy, onBlur, onSubmit };
}

export function Failure({ error, words }: { error: unknown; words: Partial<Record<string, string>> }) {
  if (!error) return null;
  const text = error instanceof Refusal ? words[error.code] : undefined;
  return text ? (
    <p className="problem" role="alert">
      {text}
    </p>
  ) : (
    <Problem error={error} />
  );
}

export function required(value: string): string | undefined {
  return value.trim() === "" ? t("form.required") : undefined;
}

export function password(value: string): string | undefined {
  return value.length < 10 ? t("form.shortPassword") : undefined;
}

export function email(value: string): string | undefined {
  return /^\s*[^@\s]+@[^@\s]+\s*$/.test(value) ? undefined : t("form.email");
}
