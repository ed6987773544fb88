import type { WhatsappTemplate } from "../../lib/api.ts";
import type { Template } from "../../lib/sending.ts";

export type Part = "header" | "body";
/** A placeholder of a template. */
export type Blank = { part: Part; name: string };

const PLACEHOLDER = /\{\{\s*(\w+)\s*\}\}/g;

function textOf(template: WhatsappTemplate, part: Part): string {
  const found = template.components.find(({ type }) => type?.toUpperCase() === part.toUpperCase());
  return part === "header" && found?.format && found.format !== "TEXT" ? "" : (found?.text ?? "");
}

/** Placeholders in the order in which they are filled, each once. */
export function blanksOf(template: WhatsappTemplate): Blank[] {
  return (["header", "body"] as const).flatMap((part) => {
    const names = [...textOf(template, part).matchAll(PLACEHOLDER)].map(([, name]) => name ?? "");
    return [...new Set(names)].map((name) => ({ part, name }));
  });
}

/** True for a template that needs more than texts: a file in its header, or a value of a button. */
export function needsMore(template: WhatsappTemplate): boolean {
  return template.components.some(
    ({ type, format, buttons }) =>
      (type?.toUpperCase() === "HEADER" && format !== undefined && format !== "TEXT") ||
      (buttons ?? []).some(
        (button) => button.url?.includes("{{") || button.type === "COPY_CODE" || button.type === "OTP",
      ),
  );
}

const keyOf = ({ part, name }: Blank) => `${part}.${name}`;

/** Text of the template with its values; placeholders without one stay. */
export function filled(template: WhatsappTemplate, values: Record<string, string>): string {
  return (["header", "body"] as const)
    .map((part) =>
      textOf(template, part).replace(PLACEHOLDER, (all, name: string) => values[keyOf({ part, name })] || all),
    )
    .filter(Boolean)
    .join("\n");
}

/** The template as the API sends it. */
export function toSend(template: WhatsappTemplate, values: Record<string, string>): Template {
  const isNamed = String(template.metadata.parameter_format ?? "").toUpperCase() === "NAMED";
  const { name, language_code: language } = template;
  const of = (part: Part) => {
    const blanks = blanksOf(template).filter((blank) => blank.part === part);
    const texts = blanks.map((blank) => [blank.name, values[keyOf(blank)] ?? ""] as const);
    return isNamed ? Object.fromEntries(texts) : texts.map(([, text]) => text);
  };
  const [header, body] = [of("header"), of("body")];
  const hasHeader = blanksOf(template).some(({ part }) => part === "header");
  return { name, language, params: hasHeader ? { header, body } : body };
}

export { keyOf };
