// On which line of a TOML text does each key and each item stand? (The parser gives positions for syntax errors only.)
import { parse } from 'smol-toml';

/** Keys of tables and indexes of arrays, from the root. */
export type TomlPath = readonly (string | number)[];

/** A key, table or item, and what stands in it. */
class Place {
  /** Where it begins; undefined for an item that stands on the line of its array. */
  line: number | undefined;
  /** Items seen so far of an `[[array]]`. */
  count: number | undefined;
  /** Most places are those of plain values. */
  #inside: Map<string | number, Place> | undefined;

  find(part: string | number): Place | undefined {
    return this.#inside?.get(part);
  }

  at(part: string | number): Place {
    this.#inside ??= new Map();
    let place = this.#inside.get(part);
    if (place === undefined) this.#inside.set(part, (place = new Place()));
    return place;
  }
}

/** Lines of every key, table and array item of a text. Counted from 1. */
export class TomlLines {
  readonly #root: Place;

  constructor(root: Place) {
    this.#root = root;
  }

  /** Line of the path, or of the nearest table around it that has one. */
  lineOf(path: TomlPath): number | undefined {
    let line: number | undefined;
    let place: Place | undefined = this.#root;
    for (const part of path) {
      place = place.find(part);
      if (place === undefined) break;
      line = place.line ?? line;
    }
    return line;
  }
}

/** Finds the lines. The text should have been parsed before; on a faulty one this ends early or finds too little. */
export function locateKeys(text: string): TomlLines {
  const scan = new Scan(text);
  scan.document();
  return new TomlLines(scan.root);
}

const BLANKS = /[ \t]*/y;
const BLANKS_AND_LINES = /(?:[ \t\r\n]+|#[^\n]*)*/y;
const BARE_KEY = /[A-Za-z0-9_-]+/y;
const BARE_VALUE = /[^,\]}#\n]*/y;
const REST_OF_LINE = /[^\n]*\n?/y;
// A multi-line string may end in five quotes, of which two are its own.
const STRINGS = [/"""(?:[^\\]|\\[^])*?"""(?:"{0,2})/y, /'''[^]*?'''(?:'{0,2})/y, /"(?:[^"\\\n]|\\.)*"/y, /'[^'\n]*'/y];

/** Nearly every line of a large file; what it does not match is read part by part. */
const PLAIN_LINE = /([A-Za-z0-9_-]+)[ \t]*=[ \t]*(?:"[^"\\\n]*"|[A-Za-z0-9_.:+-]+)[ \t]*(?=[\r\n#]|$)/y;

/** The place of what nobody asks for. Nothing is put into it. */
const NOWHERE = new Place();

class Scan {
  readonly root = new Place();
  readonly #text: string;
  #at = 0;
  #line = 1;
  /** Where that line ends. */
  #lineEnd: number;

  constructor(text: string) {
    this.#text = text;
    this.#lineEnd = endOfLine(text, 0);
  }

  document(): void {
    let table = this.root;
    for (this.#skip(BLANKS_AND_LINES); this.#at < this.#text.length; this.#skip(BLANKS_AND_LINES)) {
      if (this.#text[this.#at] === '[') table = this.#header();
      else if (!this.#plainLine(table)) this.#keyValue(table);
      // What a faulty line has left over.
      this.#skip(REST_OF_LINE);
    }
  }

  #header(): Place {
    const isArray = this.#text.startsWith('[[', this.#at);
    this.#at += isArray ? 2 : 1;
    const keys = this.#keys();
    let place = this.root;
    for (const [index, key] of keys.entries()) {
      place = this.#enter(place, key);
      if (isArray && index === keys.length - 1) {
        const count = place.count ?? 0;
        place.count = count + 1;
        place = this.#enter(place, count);
      } else if (place.count !== undefined) {
        place = place.at(place.count - 1);
      }
    }
    return place;
  }

  /** A bare key with a plain value at once: as `#keyValue` would read it. */
  #plainLine(table: Place): boolean {
    PLAIN_LINE.lastIndex = this.#at;
    const key = PLAIN_LINE.exec(this.#text)?.[1];
    if (key === undefined) return false;
    this.#enter(table, key);
    this.#at = PLAIN_LINE.lastIndex;
    return true;
  }

  #keyValue(table: Place): void {
    let place = table;
    for (const key of this.#keys()) place = this.#enter(place, key);
    if (this.#text[this.#at] !== '=') return;
    this.#at++;
    this.#value(place);
  }

  #value(place: Place): void {
    this.#skip(BLANKS);
    const character = this.#text[this.#at];
    if (character === '[') {
      const firstLine = this.#lineHere();
      this.#items(']', (index) => {
        if (this.#lineHere() !== firstLine) this.#value(this.#enter(place, index));
        // Plain items on the array's own line need no place: an array may have a million of them.
        else this.#value(this.#isNested() ? place.at(index) : NOWHERE);
      });
    } else if (character === '{') {
      this.#items('}', () => this.#keyValue(place));
    } else if (!STRINGS.some((pattern) => this.#skip(pattern))) {
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

  /** The place of a key or an item, with its first line: where its table begins. */
  #enter(place: Place, part: string | number): Place {
    const inner = place.at(part);
    inner.line ??= this.#lineHere();
    return inner;
  }

  /** Whether an array or an inline table stands here. */
  #isNested(): boolean {
    const character = this.#text[this.#at];
    return character === '[' || character === '{';
  }

  #lineHere(): number {
    while (this.#lineEnd < this.#at) {
      this.#line++;
      this.#lineEnd = endOfLine(this.#text, this.#lineEnd + 1);
    }
    return this.#line;
  }

  /** Whether there was something to skip. */
  #skip(pattern: RegExp): boolean {
    const start = this.#at;
    pattern.lastIndex = start;
    // Without a match object, of which a large file would need a hundred thousand.
    if (pattern.test(this.#text)) this.#at = pattern.lastIndex;
    return this.#at > start;
  }

  #take(pattern: RegExp): string {
    pattern.lastIndex = this.#at;
    const taken = pattern.exec(this.#text)?.[0] ?? '';
    this.#at += taken.length;
    return taken;
  }
}

function endOfLine(text: string, from: number): number {
  const end = text.indexOf('\n', from);
  return end === -1 ? text.length : end;
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
