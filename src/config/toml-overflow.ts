// Which numbers of a TOML text are too large? The parser makes infinities of them, which nobody who writes digits means.
import { isTable } from './placeholders.ts';
import type { TomlLines, TomlPath } from './toml-lines.ts';

/** A float with an exponent, or one of so many digits that it needs none. */
const LARGE_NUMBER = /(?<![\w.])\d[\d_]*(?:\.[\d_]+)?e\+?[\d_]+|(?<![\w.])\d[\d_]{300,}\.\d/giu;
const WORD_INF = /\binf\b/u;

/** Reports each infinity whose line has such a number, and does not say `inf`. */
export function reportOverflows(
  text: string,
  tree: unknown,
  lines: TomlLines,
  report: (path: TomlPath, message: string) => void,
): void {
  const suspects = suspectLines(text);
  if (suspects.size === 0) return;
  const look = (node: unknown, path: TomlPath): void => {
    if (node === Number.POSITIVE_INFINITY || node === Number.NEGATIVE_INFINITY) {
      if (suspects.has(lines.lineOf(path) ?? 0)) report(path, 'is too large; a double goes to about 1.8e308');
    } else if (Array.isArray(node)) {
      for (const [index, item] of node.entries()) look(item, [...path, index]);
    } else if (isTable(node)) {
      for (const [key, item] of Object.entries(node)) look(item, [...path, key]);
    }
  };
  look(tree, []);
}

/** Counted from 1. */
function suspectLines(text: string): ReadonlySet<number> {
  const found = new Set<number>();
  // Most files have none, and are not taken apart.
  if (!hasOverflow(text)) return found;
  for (const [index, line] of text.split('\n').entries()) {
    if (hasOverflow(line) && !WORD_INF.test(line)) found.add(index + 1);
  }
  return found;
}

function hasOverflow(text: string): boolean {
  for (const [number] of text.matchAll(LARGE_NUMBER)) {
    if (!Number.isFinite(Number(number.replaceAll('_', '')))) return true;
  }
  return false;
}
