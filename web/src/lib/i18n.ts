import en from "../i18n/en.json" with { type: "json" };

export type Language = "en" | "es" | "pt-BR";
export const LANGUAGES: readonly Language[] = ["en", "es", "pt-BR"];

export type Key = keyof typeof en;
/** Keys that have a text for each plural form: `"trace.turns"` stands for `trace.turns.one` and so on. */
export type PluralKey = Key extends infer K ? (K extends `${infer Name}.other` ? Name : never) : never;
type Values = Record<string, string | number>;

let language: Language = "en";
let texts: Record<string, string> = en;
let plurals = new Intl.PluralRules("en");

const catalogues: Record<Language, () => Promise<Record<string, string>>> = {
  en: async () => en,
  es: async () => (await import("../i18n/es.json", { with: { type: "json" } })).default,
  "pt-BR": async () => (await import("../i18n/pt-BR.json", { with: { type: "json" } })).default,
};

/** Text of a key, with its values filled in. */
export function t(key: Key, values?: Values): string {
  return filled(texts[key] ?? en[key], values);
}

/** Text of a count. `{n}` is the count. */
export function tn(key: PluralKey, n: number, values?: Values): string {
  const text = texts[`${key}.${plurals.select(n)}`] ?? texts[`${key}.other`] ?? key;
  return filled(text, { ...values, n: number(n) });
}

function filled(text: string, values?: Values): string {
  return values ? text.replace(/\{(\w+)\}/g, (all, name: string) => String(values[name] ?? all)) : text;
}

export function currentLanguage(): Language {
  return language;
}

/** Loads a catalogue; the caller renders again afterwards. */
export async function setLanguage(to: Language): Promise<void> {
  texts = await catalogues[to]();
  language = to;
  plurals = new Intl.PluralRules(to);
  document.documentElement.lang = to;
}

/** The first language of the browser that has a catalogue. */
export function preferredLanguage(wanted: readonly string[]): Language {
  for (const tag of wanted) {
    const base = tag.toLowerCase().split("-")[0];
    const found = LANGUAGES.find((known) => known.toLowerCase().split("-")[0] === base);
    if (found) return found;
  }
  return "en";
}

/** Name of a language, in the language of the page. */
export function languageName(tag: string): string {
  try {
    return new Intl.DisplayNames(language, { type: "language" }).of(tag) ?? tag;
  } catch {
    return tag;
  }
}

export function number(n: number): string {
  return new Intl.NumberFormat(language).format(n);
}
