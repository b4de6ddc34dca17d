// Which inputs are kept? For each target a file of lines, one input a line (hex-text.ts); `readHex` reads a single one.

import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { fromHexText, toHexText } from './hex-text.ts';

/** Files are to stay small. Long inputs are kept where the same comes in them again and again. */
const MOST_KEPT_CHARACTERS = 2_048;

/** Inputs that led somewhere new once, and those that found a fault: the latter must never do so again. */
export class Corpus {
  readonly #file: string;
  readonly #lines: Set<string>;

  constructor(folder: string, target: string) {
    this.#file = join(folder, `${target}.hex`);
    this.#lines = new Set(existsSync(this.#file) ? linesOf(readFileSync(this.#file, 'utf8')) : []);
  }

  inputs(): readonly Uint8Array[] {
    return [...this.#lines].map(fromHexText);
  }

  add(input: Uint8Array): void {
    const line = toHexText(input);
    if (line.length <= MOST_KEPT_CHARACTERS) this.#lines.add(line);
  }

  save(): void {
    writeFileSync(
      this.#file,
      [...this.#lines]
        .toSorted()
        .map((line) => `${line}\n`)
        .join(''),
    );
  }
}

/** Writes an input that broke something to a file of its own, and returns its name, which follows from the content. */
export function saveFinding(folder: string, target: string, input: Uint8Array): string {
  mkdirSync(folder, { recursive: true });
  const name = createHash('sha256').update(input).digest('hex').slice(0, 12);
  const file = join(folder, `${target}-${name}.hex`);
  writeFileSync(file, `${toHexText(input)}\n`);
  return file;
}

export function readHex(file: string): Uint8Array {
  return fromHexText(linesOf(readFileSync(file, 'utf8')).join(''));
}

function linesOf(text: string): readonly string[] {
  return text.split(/\s+/u).filter((line) => line !== '');
}
