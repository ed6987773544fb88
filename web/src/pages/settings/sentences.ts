/** Sentences of the server for languages without a text; a unit test compares them with its own. */
export const BUILT_IN: Record<string, string> = {
  en: "You are chatting with an automated assistant.",
  es: "Estás conversando con un asistente automático.",
  pt: "Você está conversando com um assistente automático.",
  de: "Sie schreiben mit einem automatischen Assistenten.",
  fr: "Vous échangez avec un assistant automatique.",
  it: "Stai parlando con un assistente automatico.",
};

/** Languages that numbers of contacts lead to: always shown. */
export const SHOWN = ["en", "es", "pt"];

/** Languages that can be added; contacts have them by their metadata. */
export const MORE = "ar bn ca cs da de el fi fr he hi hu id it ja ko nl no pl pt-BR ro ru sv th tr uk vi zh".split(" ");

/** What a contact of a language gets without a text of the project for it. */
export function sentence(language: string, texts: Record<string, string>): string {
  const short = language.split("-")[0] ?? "";
  const own = (tag: string) => (tag === language ? "" : (texts[tag]?.trim() ?? ""));
  return own(short) || BUILT_IN[short] || own("en") || BUILT_IN.en || "";
}
