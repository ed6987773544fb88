/** Texts that survive a reload and a change of the conversation. Nothing secret is kept. */

const PREFIX = "chasqui:";

export function read(name: string): string {
  try {
    return localStorage.getItem(PREFIX + name) ?? "";
  } catch {
    return "";
  }
}

/** Keeps a text; an empty one is forgotten. `false` if the browser keeps nothing. */
export function write(name: string, text: string): boolean {
  try {
    if (text === "") localStorage.removeItem(PREFIX + name);
    else localStorage.setItem(PREFIX + name, text);
    return true;
  } catch {
    return false;
  }
}

/** Forgets texts and places at sign-out: the next person must not see them. The language stays. */
export function clear(): void {
  for (const name of Object.keys(localStorage)) {
    if (name.startsWith(PREFIX) && name !== `${PREFIX}language`) localStorage.removeItem(name);
  }
}
