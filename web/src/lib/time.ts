import { currentLanguage, t } from "./i18n.ts";

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

let skew = 0;

/** Notes the server's time, so that ages do not depend on the clock of this machine. */
export function noteServerTime(iso: string): void {
  const at = Date.parse(iso);
  if (Number.isFinite(at)) skew = at - Date.now();
}

export function serverNow(): number {
  return Date.now() + skew;
}

/** Age in one unit: `2 m`, `3 h`, then the date. */
export function age(iso: string, now: number = serverNow()): string {
  const ms = Math.max(0, now - Date.parse(iso));
  if (ms < MINUTE) return t("time.now");
  if (ms < HOUR) return t("time.minutes", { n: Math.floor(ms / MINUTE) });
  if (ms < DAY) return t("time.hours", { n: Math.floor(ms / HOUR) });
  return day(iso);
}

/** Time that is left, in at most two units. */
export function left(ms: number): string {
  const minutes = Math.max(0, Math.ceil(ms / MINUTE));
  if (minutes < 60) return t("time.minutesLong", { n: minutes });
  return t("time.hoursMinutes", { h: Math.floor(minutes / 60), m: minutes % 60 });
}

export function clock(iso: string): string {
  return format(iso, { hour: "2-digit", minute: "2-digit" });
}

export function day(iso: string): string {
  return format(iso, { day: "numeric", month: "short" });
}

export function full(iso: string): string {
  return format(iso, { dateStyle: "full", timeStyle: "medium" });
}

export function dayAndTime(iso: string, now: number = serverNow()): string {
  return sameDay(iso, now)
    ? clock(iso)
    : format(iso, { day: "numeric", month: "short", hour: "2-digit", minute: "2-digit" });
}

/** Heading of a day in a thread. */
export function dayName(iso: string, now: number = serverNow()): string {
  if (sameDay(iso, now)) return t("time.today");
  if (sameDay(iso, now - DAY)) return t("time.yesterday");
  return format(iso, { weekday: "long", day: "numeric", month: "long" });
}

export function sameDay(iso: string, other: number): boolean {
  return new Date(iso).toDateString() === new Date(other).toDateString();
}

/** A length: `870 ms`, `1.9 s`, `3 min`. */
export function span(ms: number): string {
  if (ms < 1_000) return t("time.ms", { n: Math.round(ms) });
  if (ms < MINUTE) {
    const seconds = new Intl.NumberFormat(currentLanguage(), { maximumFractionDigits: 1 }).format(ms / 1_000);
    return t("time.seconds", { n: seconds });
  }
  return left(ms);
}

function format(iso: string, options: Intl.DateTimeFormatOptions): string {
  return new Intl.DateTimeFormat(currentLanguage(), options).format(new Date(iso));
}
