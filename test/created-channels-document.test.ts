// Is what docs/created-channels.md shows what happens? Its commands and its program are run.

import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';

import { DEFAULT_LIMITS } from '../src/protocol/limits.ts';
import { run, serve } from './cli/support.ts';
import { freeUdpPort } from './support/free-udp-port.ts';

const root = new URL('..', import.meta.url);
const text = readFileSync(new URL('docs/created-channels.md', root), 'utf8');

function blocks(language: string): readonly string[] {
  return [...text.matchAll(new RegExp(`^\`\`\`${language}\\n([^]*?)^\`\`\`$`, 'gmu'))].map(([, block = '']) => block);
}

/** Without ports and ids. */
function steady(printed: string): string {
  return printed
    .replaceAll(/127\.0\.0\.1:\d+/gu, 'HOST:PORT')
    .replaceAll(/udp \d+ guid 0x[0-9a-f]{24}/gu, 'udp PORT guid GUID')
    .replaceAll(/"schema":.*\}/gu, '"schema":...}');
}

let folder = '';
beforeAll(() => (folder = mkdtempSync(join(tmpdir(), 'pvkit-created-document-'))));
afterAll(() => rmSync(folder, { recursive: true }));
afterEach(() => vi.unstubAllEnvs());

describe('docs/created-channels.md', () => {
  it('shows what its commands print', { timeout: 30_000 }, async () => {
    const commands = blocks('console')
      .flatMap((block) => block.split(/^\$ pvkit /mu).slice(1))
      .map((command) => {
        const [line = '', ...printed] = command.split('\n');
        return { line, words: line.split(' '), printed: printed.join('\n') };
      });
    const [first, ...others] = commands;
    const server = await serve(first?.words.slice(1) ?? [], { folder });
    expect(steady(server.stdout.text)).toBe(steady(first?.printed ?? ''));
    expect(others).toHaveLength(7);
    for (const { line, words, printed } of others) {
      const { stdout, stderr } = await run(words, { environment: server.environment });
      expect(steady(stderr + stdout), line).toBe(steady(printed));
    }
    expect(await server.stop()).toBe(0);
  });

  it('has rules that a server takes, and that do what it says', async () => {
    const [rules = ''] = blocks('toml');
    writeFileSync(join(folder, 'rules.toml'), rules);
    const server = await serve(['rules.toml'], { folder });
    const { environment } = server;
    const at = ['--server', `127.0.0.1:${server.tcpPort}`];
    const create = (name: string) => run(['channel', 'create', name, '--type', 'int', ...at], { environment });
    expect(await create('tmp:x')).toMatchObject({ exitCode: 0, stderr: '' });
    expect((await create('lab:x')).stderr).toContain("needs manage access to 'lab:x' and has read, write, call");
    expect(await server.stop()).toBe(0);
    expect(server.stderr.text).toBe('');
  });

  it('has a program that prints what its comments say', async () => {
    const [program = ''] = blocks('ts');
    const source = program.replace("'pvkit'", JSON.stringify(new URL('src/index.ts', root).pathname));
    writeFileSync(join(folder, 'program.ts'), source);
    const environment = {
      EPICS_PVAS_INTF_ADDR_LIST: '127.0.0.1',
      EPICS_PVAS_SERVER_PORT: '0',
      EPICS_PVAS_BROADCAST_PORT: String(await freeUdpPort()),
      EPICS_PVAS_AUTO_BEACON_ADDR_LIST: 'NO',
      EPICS_PVA_AUTO_ADDR_LIST: 'NO',
      EPICS_PVA_INTF_ADDR_LIST: '127.0.0.1',
    };
    for (const [name, value] of Object.entries(environment)) vi.stubEnv(name, value);
    const printed: string[] = [];
    vi.spyOn(console, 'log').mockImplementation((word) => void printed.push(String(word)));
    await import(join(folder, 'program.ts'));
    const expected = [...program.matchAll(/console\.log\(.*[;,] \/\/ (.*)$/gmu)].map(([, comment]) => comment);
    expect(expected).toHaveLength(4);
    expect(printed).toEqual(expected);
  });

  it('says the limits that there are, and links to sections that there are', () => {
    expect(DEFAULT_LIMITS).toMatchObject({ maxCreatedChannels: 100_000, maxSchemaCharacters: 1024 * 1024 });
    const anchors = [...text.matchAll(/^#+ (.*)$/gmu)].map(([, title = '']) =>
      title.toLowerCase().replaceAll(' ', '-'),
    );
    const links = [...text.matchAll(/\]\(#([^)]*)\)/gu)].map(([, anchor]) => anchor);
    expect(links.filter((link) => !anchors.includes(link ?? ''))).toEqual([]);
  });
});
