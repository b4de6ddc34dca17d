// On which line of a TOML text does each key and each item stand? (The parser gives positions for syntax errors only.)
import { parse } from 'smol-toml';

/** Keys of tables and indexes of arrays, from the root. */
export type TomlPath = readonly (string | number)[];

/** Lines of every key, table and array item of a text. Counted from 1. */
export class TomlLines {
  readonly #lines: ReadonlyMap<string, number>;

  constructor(lines: ReadonlyMap<string, number>) {
    this.#lines = lines;
  }

  /** Line of the path, or of the nearest table around it that has one. */
  lineOf(path: TomlPath): number | undefined {
    for (let length = path.length; length > 0; length--) {
      const line = this.#lines.get(JSON.stringify(path.slice(0, length)));
      if (line !== undefined) return line;
    }
    return undefined;
  }
}

/** Finds the lines. The text should have been parsed before; on a faulty one this ends early or finds too little. */
export function locateKeys(text: string): TomlLines {
  const scan = new Scan(text);
  scan.document();
  return new TomlLines(scan.lines);
}

const BLANKS = /[ \t]*/y;
const BLANKS_AND_LINES = /(?:[ \t\r\n]+|#[^\n]*)*/y;
const BARE_KEY = /[A-Za-z0-9_-]+/y;
const BARE_VALUE = /[^,\]}#\n]*/y;
const REST_OF_LINE = /[^\n]*\n?/y;
// A multi-line string may end in five quotes, of which two are its own.
const STRINGS = [/"""(?:[^\\]|\\[^])*?"""(?:"{0,2})/y, /'''[^]*?'''(?:'{0,2})/y, /"(?:[^"\\\n]|\\.)*"/y, /'[^'\n]*'/y];

class Scan {
  readonly lines = new Map<string, number>();
  /** Items seen so far of every `[[array]]`, by its path. */
  readonly #counts = new Map<string, number>();
  readonly #text: string;
  #at = 0;
  #countedTo = 0;
  #line = 1;

  constructor(text: string) {
    this.#text = text;
  }

  document(): void {
    let table: TomlPath = [];
    for (this.#skip(BLANKS_AND_LINES); this.#at < this.#text.length; this.#skip(BLANKS_AND_LINES)) {
      if (this.#text[this.#at] === '[') table = this.#header();
      else this.#keyValue(table);
      // What a faulty line has left over.
      this.#skip(REST_OF_LINE);
    }
  }

  #header(): TomlPath {
    const isArray = this.#text.startsWith('[[', this.#at);
    this.#at += isArray ? 2 : 1;
    const keys = this.#keys();
    const path: (string | number)[] = [];
    for (const [index, key] of keys.entries()) {
      path.push(key);
      this.#record(path);
      const name = JSON.stringify(path);
      const count = this.#counts.get(name);
      if (isArray && index === keys.length - 1) {
        this.#counts.set(name, (count ?? 0) + 1);
        path.push(count ?? 0);
        this.#record(path);
      } else if (count !== undefined) {
        path.push(count - 1);
      }
    }
    return path;
  }

  #keyValue(table: TomlPath): void {
    const path = [...table];
    for (const key of this.#keys()) {
      path.push(key);
      this.#record(path);
    }
    if (this.#text[this.#at] !== '=') return;
    this.#at++;
    this.#value(path);
  }

  #value(path: TomlPath): void {
    this.#skip(BLANKS);
    const character = this.#text[this.#at];
    if (character === '[') {
      const firstLine = this.#lineHere();
      this.#items(']', (index) => {
        const item = [...path, index];
        // Items on the array's own line need no entry: an array may have a million of them.
        if (this.#lineHere() !== firstLine) this.#record(item);
        this.#value(item);
      });
    } else if (character === '{') {
      this.#items('}', () => this.#keyValue(path));
    } else if (!STRINGS.some((pattern) => this.#take(pattern) !== '')) {
      this.#skip(BARE_VALUE);
    }
  }

  /** What stands between commas, up to the closing bracket. */
  #items(closing: ']' | '}', item: (index: number) => void): void {
    this.#at++;
    for (let index = 0; ; index++) {
      this.#skip(BLANKS_AND_LINES);
      if (this.#text[this.#at] === closing) break;
      const before = this.#at;
      item(index);
      this.#skip(BLANKS_AND_LINES);
      if (this.#text[this.#at] === ',') this.#at++;
      // Nothing was read: the text is faulty, or at its end.
      if (this.#at === before) return;
    }
    this.#at++;
  }

  /** A key with its dots, each part unquoted. */
  #keys(): readonly string[] {
    const keys: string[] = [];
    for (;;) {
      this.#skip(BLANKS);
      const quoted = this.#text[this.#at] === '"' || this.#text[this.#at] === "'";
      const part = quoted
        ? unquoteKey(
            STRINGS.slice(2)
              .map((pattern) => this.#take(pattern))
              .join(''),
          )
        : this.#take(BARE_KEY);
      if (part === undefined || (part === '' && !quoted)) return keys;
      keys.push(part);
      this.#skip(BLANKS);
      if (this.#text[this.#at] !== '.') return keys;
      this.#at++;
    }
  }

  /** Keeps the first line of a path: where its table begins. */
  #record(path: TomlPath): void {
    const name = JSON.stringify(path);
    if (!this.lines.has(name)) this.lines.set(name, this.#lineHere());
  }

  #lineHere(): number {
    for (; this.#countedTo < this.#at; this.#countedTo++) if (this.#text[this.#countedTo] === '\n') this.#line++;
    return this.#line;
  }

  #skip(pattern: RegExp): void {
    this.#take(pattern);
  }

  #take(pattern: RegExp): string {
    pattern.lastIndex = this.#at;
    const taken = pattern.exec(this.#text)?.[0] ?? '';
    this.#at += taken.length;
    return taken;
  }
}

/** The text of a quoted key; undefined if it is none. */
function unquoteKey(quoted: string): string | undefined {
  if (!quoted.includes('\\')) return quoted.length < 2 ? undefined : quoted.slice(1, -1);
  try {
    // The parser knows TOML's escapes.
    const [key] = Object.keys(parse(`${quoted} = 0`));
    return key;
  } catch {
    return undefined;
  }
}
