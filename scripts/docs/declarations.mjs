// What does a declaration file declare? Enough of TypeScript to take apart what its compiler writes, and no more.
//
// TypeScript 7 has no API for programs; its declaration files are regular: statements follow each other, each with its
// comment above it.

/**
 * @typedef {object} Declaration
 * @property {readonly string[]} names
 * @property {string} text the statement, without `export declare`
 * @property {string} doc the text of its comment; '' if it has none
 */

const OPENING = '({[';
const CLOSING = ')}]';

/**
 * The statements of a declaration file that declare something.
 * @param {string} text
 * @returns {readonly Declaration[]}
 */
export function declarationsOf(text) {
  /** @type {Declaration[]} */
  const declarations = [];
  let doc = '';
  for (let at = 0; at < text.length;) {
    const end = endOfPart(text, at);
    const part = text.slice(at, end);
    at = end;
    if (part.startsWith('/**')) doc = docText(part);
    if (part.startsWith('/*') || part.startsWith('//') || part.trim() === '') continue;
    const names = namesOf(part);
    if (names.length > 0) declarations.push({ names, text: part.replace(/^export (?:declare )?/u, '').trim(), doc });
    doc = '';
  }
  return declarations;
}

/**
 * Names that a file hands on, by the file that it has them from.
 * @param {string} text
 * @returns {ReadonlyMap<string, readonly string[]>} `./x.js` -> names, in the order of the file
 */
export function reexportsOf(text) {
  /** @type {Map<string, string[]>} */
  const byFile = new Map();
  for (const [, list = '', file = ''] of text.matchAll(/^export (?:type )?\{([^}]*)\} from '([^']+)';/gmu)) {
    const names = list.split(',').map((name) => name.trim().replace(/^type /u, ''));
    byFile.set(file, [...(byFile.get(file) ?? []), ...names.filter((name) => name !== '')]);
  }
  return byFile;
}

/**
 * Comments, white space and statements come one after the other: where does the one that begins here end?
 * @param {string} text
 * @param {number} start
 */
function endOfPart(text, start) {
  const skipped = endOfSkippable(text, start);
  if (skipped > start) return skipped;
  if (/\s/u.test(text[start] ?? '')) return start + 1;
  // Bodies of these end with their brace, everything else with a semicolon.
  const hasBody = /^(?:export )?(?:declare )?(?:abstract )?(?:interface|class)\b/u.test(text.slice(start, start + 60));
  let depth = 0;
  for (let at = start; at < text.length;) {
    const next = endOfSkippable(text, at);
    if (next > at) {
      at = next;
      continue;
    }
    const character = text[at] ?? '';
    at++;
    if (OPENING.includes(character)) depth++;
    if (CLOSING.includes(character)) depth--;
    if (depth === 0 && (character === ';' || (hasBody && character === '}' && endsBody(text, at)))) return at;
  }
  return text.length;
}

/**
 * A brace at the beginning of a line; others belong to a type in the head.
 * @param {string} text
 * @param {number} after
 */
function endsBody(text, after) {
  return text[after - 2] === '\n' || text[after - 2] === '{';
}

/**
 * Behind the comment or the text in quotes that begins here; `start` if none does.
 * @param {string} text
 * @param {number} start
 */
function endOfSkippable(text, start) {
  const [two, one] = [text.slice(start, start + 2), text[start] ?? ''];
  if (two === '/*') return text.indexOf('*/', start) + 2;
  if (two === '//') return text.indexOf('\n', start) + 1;
  if (!`'"\``.includes(one) || one === '') return start;
  let at = start + 1;
  while (at < text.length && text[at] !== one) at += text[at] === '\\' ? 2 : 1;
  return at + 1;
}

/** @param {string} statement */
function namesOf(statement) {
  const head = /^(?:export )?(?:declare )?(?:abstract )?(?:interface|class|type|function|const|let) ([\w$]+)/u;
  const first = head.exec(statement)?.[1];
  return first === undefined ? [] : [first];
}

/**
 * What a comment says, without its stars.
 * @param {string} comment
 */
function docText(comment) {
  return comment
    .replace(/^\/\*\*/u, '')
    .replace(/\*\/$/u, '')
    .split('\n')
    .map((line) => line.replace(/^\s*\* ?/u, '').trimEnd())
    .join('\n')
    .trim();
}
