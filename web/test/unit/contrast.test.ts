import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";

const css = readFileSync(join(import.meta.dirname, "../../src/tokens.css"), "utf8");
const tokens: Record<string, [string, string]> = {};
for (const [, name = "", light, dark, both] of css.matchAll(
  /--([a-z0-9-]+): (?:light-dark\((#\w+), (#\w+)\)|(#\w{6}))/g,
)) {
  tokens[name] = both ? [both, both] : [light ?? "", dark ?? ""];
}

function luminance(hex: string): number {
  const [r = 0, g = 0, b = 0] = [1, 3, 5]
    .map((at) => Number.parseInt(hex.slice(at, at + 2), 16) / 255)
    .map((v) => (v <= 0.03928 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4));
  return 0.2126 * r + 0.7152 * g + 0.0722 * b;
}

/** Lowest contrast of two tokens in both themes. */
function contrast(a: string, b: string): number {
  const ratios = [0, 1].map((theme) => {
    const [high = 0, low = 0] = [a, b].map((name) => luminance(tokens[name]?.[theme] ?? "")).sort((x, y) => y - x);
    return (high + 0.05) / (low + 0.05);
  });
  return Math.min(...ratios);
}

const TEXT = `text ground, text sunken, text-2 ground, text-2 surface, text-2 sunken, text-3 ground, text-3 surface,
  text-3 sunken, act ground, act surface, act act-tint, text act-tint, text-2 act-tint, on-act act-fill, good good-tint,
  good surface, wait wait-tint, wait surface, bad bad-tint, bad surface, note-text note, text-3 act-tint`;
const SIGNS = "line-strong surface, line-strong ground, focus ground, focus surface, act-fill surface";
const pairs = (list: string) => list.split(",").map((pair) => pair.trim().split(" ") as [string, string]);

test("text has a contrast of 4.5:1 in both themes", () => {
  for (const [a, b] of pairs(TEXT)) assert.ok(contrast(a, b) >= 4.5, `${a} on ${b}: ${contrast(a, b)}`);
});

test("signs and borders of controls have a contrast of 3:1 in both themes", () => {
  for (const [a, b] of pairs(SIGNS)) assert.ok(contrast(a, b) >= 3, `${a} on ${b}: ${contrast(a, b)}`);
});
