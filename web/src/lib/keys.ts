/** Keyboard shortcuts. Single keys never fire in inputs, during text composition, or in dialogs. */

export function isTyping(event: KeyboardEvent): boolean {
  const target = event.target as HTMLElement | null;
  if (event.isComposing || target?.isContentEditable) return true;
  return target !== null && ["INPUT", "TEXTAREA", "SELECT"].includes(target.tagName);
}

/** The single key of an event that may be a shortcut; empty otherwise. */
export function singleKey(event: KeyboardEvent, enabled: boolean): string {
  if (!enabled || event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey || isTyping(event))
    return "";
  if (document.querySelector("dialog[open]")) return "";
  return event.key;
}

export function isPalette(event: KeyboardEvent): boolean {
  return (event.metaKey || event.ctrlKey) && !event.altKey && !event.shiftKey && event.key.toLowerCase() === "k";
}

export const isMac = /Mac|iPhone|iPad/.test(navigator.userAgent);
/** Name of the key that opens the palette. */
export const paletteKey = isMac ? "⌘K" : "Ctrl K";

let lastG = 0;

/** The target after `g` and a letter, within 1.5 s. */
export function jump(key: string, now: number): string {
  if (key === "g") {
    lastG = now;
    return "";
  }
  const recent = now - lastG < 1_500;
  lastG = 0;
  return recent ? ({ i: "inbox", e: "executions", s: "sandbox" }[key] ?? "") : "";
}
