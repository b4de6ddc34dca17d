// Which commands, flags and variables are there? What the command line says of itself, as Markdown.

import { join } from 'node:path';
import { pathToFileURL } from 'node:url';

const COLUMNS = 110;

/**
 * The help of every command.
 * @param {string} dist
 */
export async function commandHelp(dist) {
  const overview = await printed(dist, ['help']);
  const names = commandsIn(overview);
  if (names.length === 0) throw new Error(`no commands found in the help of pvkit: ${overview}`);
  const parts = [section('pvkit', overview)];
  for (const name of names) {
    const text = await printed(dist, ['help', name]);
    parts.push(section(`pvkit ${name}`, text));
    // A command of several, such as `pvkit channel create`.
    for (const inner of commandsIn(text)) {
      parts.push(section(`pvkit ${name} ${inner}`, await printed(dist, [name, inner, '--help'])));
    }
  }
  return parts.join('\n\n');
}

/**
 * The commands that a help lists.
 * @param {string} text
 */
function commandsIn(text) {
  const lines = /^Commands:\n((?: .*\n)+)/mu.exec(text)?.[1] ?? '';
  return [...lines.matchAll(/^ {2}(\w+)/gmu)].map(([, name = '']) => name).filter((name) => name !== 'help');
}

/**
 * @param {string} dist
 * @returns {Promise<string>}
 */
export async function environmentTable(dist) {
  const { ENVIRONMENT_VARIABLES } = /** @type {typeof import('../../src/index.ts')} */ (
    await import(pathToFileURL(join(dist, 'index.js')).href)
  );
  const rows = ENVIRONMENT_VARIABLES.map(({ name, readBy, byDefault, fallback, meaning }) => {
    const otherwise = [fallback, byDefault === '' ? undefined : byDefault].filter((text) => text !== undefined);
    return `| \`${name}\` | ${readBy} | ${otherwise.map((text) => `\`${text}\``).join(', else ')} | ${meaning} |`;
  });
  return ['| variable | read by | if it is not set | meaning |', '| --- | --- | --- | --- |', ...rows].join('\n');
}

/**
 * @param {string} title
 * @param {string} text
 */
function section(title, text) {
  return `### ${title}\n\n\`\`\`text\n${text.trimEnd()}\n\`\`\``;
}

/**
 * @param {string} dist
 * @param {readonly string[]} words
 */
async function printed(dist, words) {
  const { runCli } = /** @type {typeof import('../../src/cli/program.ts')} */ (
    await import(pathToFileURL(join(dist, 'cli', 'program.js')).href)
  );
  let text = '';
  const output = {
    isTerminal: false,
    columns: COLUMNS,
    rows: 50,
    write: (/** @type {string} */ more) => void (text += more),
    drained: () => Promise.resolve(),
  };
  const terminal = {
    stdin: () => process.stdin,
    stdout: output,
    stderr: output,
    environment: {},
    folder: dist,
    interrupt: new AbortController().signal,
  };
  await runCli(words, terminal, async () => {
    const { nodeNetwork, systemClock } = /** @type {typeof import('../../src/index.ts')} */ (
      await import(pathToFileURL(join(dist, 'index.js')).href)
    );
    return { network: nodeNetwork, clock: systemClock };
  });
  return text;
}
