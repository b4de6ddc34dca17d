// Which commands, flags and variables are there? What the command line says of itself, as Markdown.

import { join } from 'node:path';
import { pathToFileURL } from 'node:url';

const COLUMNS = 110;

/**
 * The help of every command.
 * @param {string} dist
 */
export async function commandHelp(dist) {
  const overview = await help(dist);
  const commands = [...(/^Commands:\n((?: .*\n)+)/mu.exec(overview)?.[1]?.matchAll(/^ {2}(\w+)/gmu) ?? [])];
  const names = commands.map(([, name = '']) => name).filter((name) => name !== 'help');
  if (names.length === 0) throw new Error(`no commands found in the help of pvkit: ${overview}`);
  const parts = [section('pvkit', overview)];
  for (const name of names) parts.push(section(`pvkit ${name}`, await help(dist, name)));
  return parts.join('\n\n');
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
async function help(dist, ...words) {
  const { runCli } = /** @type {typeof import('../../src/cli/program.ts')} */ (
    await import(pathToFileURL(join(dist, 'cli', 'program.js')).href)
  );
  let printed = '';
  const output = {
    isTerminal: false,
    columns: COLUMNS,
    rows: 50,
    write: (/** @type {string} */ text) => void (printed += text),
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
  await runCli(['help', ...words], terminal, async () => {
    const { nodeNetwork, systemClock } = /** @type {typeof import('../../src/index.ts')} */ (
      await import(pathToFileURL(join(dist, 'index.js')).href)
    );
    return { network: nodeNetwork, clock: systemClock };
  });
  return printed;
}
