// Which names does a .env file declare, with which values, on which lines?
import type { Report } from './config-error.ts';
import { quote } from './parsed.ts';

export interface Declaration {
  readonly value: string;
  /** Line of the name, counted from 1. */
  readonly line: number;
}

const NAME = /^(?:export[ \t]+)?([A-Za-z_][A-Za-z0-9_]*)[ \t]*=[ \t]*/;
/** What may stand behind a closing quote. */
const REST = /^[ \t]*(?:#.*)?$/;
const ESCAPES: Readonly<Record<string, string>> = { n: '\n', r: '\r', t: '\t', '"': '"', '\\': '\\', $: '$' };

/**
 * Reads `NAME=VALUE` lines; `export` before the name and `#` comments are allowed.
 *
 * - unquoted: trimmed, ends at white space followed by `#`;
 * - `'single'`: taken as it stands, may span lines;
 * - `"double"`: the same, with `\n \r \t \" \\ \$`; another backslash stands for itself.
 *
 * A name that is declared twice keeps the last value. Lines that are none of this are reported.
 */
export function parseDotenv(text: string, file: string, report: Report): ReadonlyMap<string, Declaration> {
  const declared = new Map<string, Declaration>();
  const lines = text.replace(/^\uFEFF/, '').split(/\r\n|\n|\r/);
  for (let index = 0; index < lines.length; index++) {
    const content = (lines[index] ?? '').trim();
    if (content === '' || content.startsWith('#')) continue;
    const line = index + 1;
    const name = NAME.exec(content);
    if (name?.[1] === undefined) {
      report({
        file,
        line,
        key: '',
        message: `${quote(content)} is not NAME=VALUE, with a name of letters, digits and _`,
      });
      continue;
    }
    const key = name[1];
    const opening = content.at(name[0].length);
    if (opening !== '"' && opening !== "'") {
      declared.set(key, { value: unquoted(content.slice(name[0].length)), line });
      continue;
    }
    // The line itself, not its trimmed form: white space inside of quotes counts.
    const raw = (lines[index] ?? '').trimStart();
    const quoted = readQuoted(opening, raw.slice(name[0].length + 1), lines, index);
    if (quoted === undefined) {
      report({ file, line, key, message: `the ${opening} that opens the value is closed nowhere` });
      return declared;
    }
    if (!REST.test(quoted.rest)) {
      report({
        file,
        line: quoted.lastIndex + 1,
        key,
        message: `${quote(quoted.rest.trim())} stands behind the closing ${opening}`,
      });
    }
    declared.set(key, { value: opening === '"' ? unescape(quoted.body) : quoted.body, line });
    index = quoted.lastIndex;
  }
  return declared;
}

interface Quoted {
  readonly body: string;
  readonly rest: string;
  readonly lastIndex: number;
}

/** Body up to the closing quote, over as many lines as it takes; undefined if there is none. */
function readQuoted(quoteMark: '"' | "'", start: string, lines: readonly string[], from: number): Quoted | undefined {
  const parts: string[] = [];
  let text = start;
  for (let lastIndex = from; ;) {
    const end = closingQuote(text, quoteMark);
    if (end >= 0) return { body: [...parts, text.slice(0, end)].join('\n'), rest: text.slice(end + 1), lastIndex };
    parts.push(text);
    lastIndex++;
    const next = lines[lastIndex];
    if (next === undefined) return undefined;
    text = next;
  }
}

function closingQuote(text: string, quoteMark: '"' | "'"): number {
  if (quoteMark === "'") return text.indexOf(quoteMark);
  for (let at = 0; at < text.length; at++) {
    if (text[at] === '\\') at++;
    else if (text[at] === '"') return at;
  }
  return -1;
}

function unescape(body: string): string {
  return body.replace(/\\(.)/g, (whole, character: string) => ESCAPES[character] ?? whole);
}

function unquoted(text: string): string {
  if (text.startsWith('#')) return '';
  const comment = /\s#/.exec(text);
  return (comment === null ? text : text.slice(0, comment.index)).trim();
}
