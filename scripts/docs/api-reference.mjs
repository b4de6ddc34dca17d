// What can be imported from an entry of the package? Its names with their declarations and comments, as Markdown.

import { readFileSync } from 'node:fs';
import { dirname, join, relative, sep } from 'node:path';

import { declarationsOf, reexportsOf } from './declarations.mjs';

/**
 * @typedef {import('./declarations.mjs').Declaration} Declaration
 *
 * @typedef {object} PublicName
 * @property {string} name
 * @property {string} doc
 * @property {readonly string[]} declarations one, or one for each way to call a function
 *
 * @typedef {object} Chapter what one file makes public
 * @property {string} file path under `src`, with forward slashes
 * @property {string} question which it answers
 * @property {readonly PublicName[]} names
 */

/**
 * Throws an Error that lists public names without a comment.
 * @param {string} specifier such as 'pvkit/protocol'
 * @param {string} entry its declarations, such as dist/protocol/index.d.ts
 * @param {{ readonly dist: string, readonly src: string }} folders
 */
export function apiReference(specifier, entry, folders) {
  const chapters = chaptersOf(entry, folders);
  const mute = chapters.flatMap(({ file, names }) =>
    names.filter(({ doc }) => doc === '').map(({ name }) => `src/${file}: ${name} has no comment that says what it is`),
  );
  if (mute.length > 0) throw new Error(mute.join('\n'));
  const anchorOf = anchors([
    specifier,
    ...chapters.flatMap(({ question, names }) => [question, ...names.map(titleOf)]),
  ]);
  anchorOf(specifier);
  const rows = chapters.map(({ question, names }) => {
    const chapter = `[${question}](#${anchorOf(question)})`;
    return `| ${chapter} | ${names.map((name) => `[\`${name.name}\`](#${anchorOf(titleOf(name))})`).join(', ')} |`;
  });
  return `${[
    `# ${specifier}`,
    `Every name that can be imported from \`${specifier}\`, written by \`npm run docs\` from the comments in the source.`,
    ['| | |', '| --- | --- |', ...rows].join('\n'),
    ...chapters.flatMap(chapterText),
  ].join('\n\n')}\n`;
}

/**
 * @param {string} entry
 * @param {{ readonly dist: string, readonly src: string }} folders
 * @returns {readonly Chapter[]}
 */
function chaptersOf(entry, { dist, src }) {
  const reexports = reexportsOf(readFileSync(entry, 'utf8'));
  return [...reexports].map(([specifier, names]) => {
    const declarationFile = join(dirname(entry), declarationsFor(specifier));
    const file = relative(dist, declarationFile)
      .split(sep)
      .join('/')
      .replace(/\.d\.ts$/u, '.ts');
    return {
      file,
      question: questionOf(readFileSync(join(src, file), 'utf8')),
      names: names.map((name) => publicName(name, file, declarationsIn(declarationFile))),
    };
  });
}

/**
 * With those that the file hands on from others.
 * @param {string} file
 * @returns {readonly Declaration[]}
 */
function declarationsIn(file) {
  const text = readFileSync(file, 'utf8');
  const others = [...reexportsOf(text).keys()].map((specifier) => join(dirname(file), declarationsFor(specifier)));
  return [text, ...others.map((other) => readFileSync(other, 'utf8'))].flatMap(declarationsOf);
}

/** @param {string} specifier `./x.ts` or `./x.js` */
function declarationsFor(specifier) {
  return specifier.replace(/\.[jt]s$/u, '.d.ts');
}

/**
 * @param {string} name
 * @param {string} file
 * @param {readonly Declaration[]} all
 * @returns {PublicName}
 */
function publicName(name, file, all) {
  const own = all.filter(({ names }) => names.includes(name));
  if (own.length === 0) throw new Error(`src/${file}: no declaration of ${name} found`);
  return {
    name,
    doc: own.map(({ doc }) => doc).find((doc) => doc !== '') ?? '',
    declarations: own.map(({ text }) => withoutPrivates(text)),
  };
}

/**
 * The first comment of a file begins with the question that it answers.
 * @param {string} source
 */
function questionOf(source) {
  const comment = /^(?:\/\/.*\n)+/u.exec(source)?.[0] ?? '';
  const text = comment.replaceAll(/^\/\/ ?/gmu, '').split(/\n\s*\n/u)[0] ?? '';
  const line = text.replaceAll(/\s+/gu, ' ').trim();
  return /^.*?[?.](?=\s|$)/u.exec(line)?.[0] ?? line;
}

/** @param {string} text */
function withoutPrivates(text) {
  return text.replaceAll(/^ +(?:#private|private [^\n]*);\n/gmu, '');
}

/**
 * @param {Chapter} chapter
 * @returns {string[]}
 */
function chapterText({ file, question, names }) {
  return [`## ${question}`, `[\`src/${file}\`](../../src/${file})`, ...names.flatMap(nameText)];
}

/** @param {PublicName} name */
function nameText(name) {
  return [`### ${titleOf(name)}`, docMarkdown(name.doc), `\`\`\`ts\n${name.declarations.join('\n')}\n\`\`\``];
}

/** @param {PublicName} name */
function titleOf({ name }) {
  return `\`${name}\``;
}

/**
 * A list as such, `@throws` as a sentence of its own.
 * @param {string} doc
 */
function docMarkdown(doc) {
  return doc.replaceAll(/\n?(?:^|\s)@throws (?:\{[^}]*\} )?/gu, '\n\nThrows ').trim();
}

/**
 * The anchors that GitHub gives to headings: lower case, and numbered where two are the same. Each heading is to be
 * asked for in its order.
 * @param {readonly string[]} headings in the order of the document
 */
function anchors(headings) {
  /** @type {Map<string, string[]>} */
  const waiting = new Map();
  /** @type {Map<string, number>} */
  const counts = new Map();
  for (const heading of headings) {
    const slug = heading
      .toLowerCase()
      .replaceAll(/[^\p{L}\p{N}\s_-]/gu, '')
      .replaceAll(' ', '-');
    const count = counts.get(slug) ?? 0;
    counts.set(slug, count + 1);
    waiting.set(heading, [...(waiting.get(heading) ?? []), count === 0 ? slug : `${slug}-${count}`]);
  }
  /** @param {string} heading */
  return (heading) => waiting.get(heading)?.shift() ?? '';
}
