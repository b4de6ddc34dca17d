// Is what docs/channels.md shows what happens? Its file is served, its commands and programs are run.

import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';

import { FUNCTIONS } from '../src/channels/expression/arithmetic.ts';
import { DEFAULT_LIMITS } from '../src/protocol/limits.ts';
import { run, serve, type Serving } from './cli/support.ts';

const root = new URL('..', import.meta.url);
const text = readFileSync(new URL('docs/channels.md', root), 'utf8');

function blocks(language: string): readonly string[] {
  return [...text.matchAll(new RegExp(`^\`\`\`${language}\\n([^]*?)^\`\`\`$`, 'gmu'))].map(([, block = '']) => block);
}

/** Without times and ports. */
function steady(printed: string): string {
  return printed.replaceAll(/^[-\d]+ [\d:.]+ warning/gmu, 'TIME warning').replaceAll(/127\.0\.0\.1:\d+/gu, 'HOST:PORT');
}

let folder = '';
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'pvkit-channels-'));
});
afterAll(() => rmSync(folder, { recursive: true }));

describe('the configuration file of docs/channels.md', () => {
  let server: Serving;
  beforeAll(async () => {
    writeFileSync(join(folder, 'lab.toml'), blocks('toml').join('\n'));
    server = await serve(['lab.toml'], { folder });
  });
  afterAll(async () => {
    expect(await server.stop()).toBe(0);
  });

  it('does what the commands below it print', async () => {
    const commands = blocks('console')
      .flatMap((block) => block.split(/^\$ pvkit /mu).slice(1))
      .map((command) => command.split('\n'));
    expect(commands.length).toBeGreaterThan(0);
    for (const [line = '', ...printed] of commands) {
      const { stdout, stderr } = await run(line.split(' '), { environment: server.environment });
      // A terminal shows both; the examples have what comes on stderr first.
      expect(steady(stderr + stdout), line).toBe(steady(printed.join('\n')));
    }
  });
});

describe('the programs of docs/channels.md', () => {
  it.each(blocks('ts').map((program, index) => [index, program] as const))(
    'print what their comments say: %d',
    async (index, program) => {
      const source = program
        .replace("'pvkit/protocol'", JSON.stringify(new URL('src/protocol/index.ts', root).pathname))
        .replace("'pvkit'", JSON.stringify(new URL('src/index.ts', root).pathname));
      const file = join(folder, `program-${index}.ts`);
      writeFileSync(file, source);
      const printed: string[] = [];
      vi.spyOn(console, 'log').mockImplementation((...words) => void printed.push(words.join(' ')));
      await import(file);
      const expected = [...program.matchAll(/console\.log\(.*; \/\/ (.*)$/gmu)].map(([, comment]) => comment);
      expect(expected.length).toBeGreaterThan(0);
      expect(printed).toEqual(expected);
    },
  );
});

describe('the words of docs/channels.md', () => {
  it('name every function of expressions', () => {
    const named = new Set(text.match(/\b[a-zA-Z]\w*\b/gu));
    expect([...FUNCTIONS.keys()].filter((name) => !named.has(name))).toEqual([]);
  });

  it('say the limits that there are', () => {
    expect(DEFAULT_LIMITS).toMatchObject({
      putTimeoutMs: 30_000,
      callTimeoutMs: 600_000,
      maxExpressionCharacters: 1_000,
      maxExpressionDepth: 50,
    });
  });

  it('link to sections that there are', () => {
    const anchors = new Set(
      [...text.matchAll(/^#+ (.*)$/gmu)].map(([, title = '']) => title.toLowerCase().replaceAll(' ', '-')),
    );
    const links = [...text.matchAll(/\]\(#([^)]*)\)/gu)].map(([, anchor]) => anchor);
    expect(links.filter((anchor) => anchor !== undefined && !anchors.has(anchor))).toEqual([]);
  });
});
