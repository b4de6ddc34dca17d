// Is what docs/access.md shows what happens? Its files are served, its commands and its program are run.

import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';

import { ALLOW_WORDS } from '../src/channels/access/rights.ts';
import { DEFAULT_LIMITS } from '../src/protocol/limits.ts';
import { run, serve, type Serving } from './cli/support.ts';
import { freeUdpPort } from './support/free-udp-port.ts';

const root = new URL('..', import.meta.url);
const text = readFileSync(new URL('docs/access.md', root), 'utf8');

function blocks(language: string): readonly string[] {
  return [...text.matchAll(new RegExp(`^\`\`\`${language}\\n([^]*?)^\`\`\`$`, 'gmu'))].map(([, block = '']) => block);
}

interface Example {
  readonly line: string;
  readonly words: readonly string[];
  readonly printed: string;
}

const examples: readonly Example[] = blocks('console')
  .flatMap((block) => block.split(/^\$ pvkit /mu).slice(1))
  .map((command) => {
    const [line = '', ...printed] = command.split('\n');
    return { line, words: line.split(' '), printed: printed.join('\n') };
  });

/** Without times, ports, ids, and who runs it where. */
function steady(printed: string): string {
  return printed
    .replaceAll(/^\{.*"msg":"(.*)"\}$/gmu, 'TIME warning: $1')
    .replaceAll(/^HH:MM:SS\.mmm warning/gmu, 'TIME warning')
    .replaceAll(/user '[^']*' on host '[^']*'/gu, 'user ON HOST')
    .replaceAll(/127\.0\.0\.1:\d+/gu, 'HOST:PORT')
    .replaceAll(/udp \d+ guid 0x[0-9a-f]{24}/gu, 'udp PORT guid GUID')
    .replaceAll(/searched \d+ times?/gu, 'searched N times');
}

let folder = '';
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'pvkit-access-'));
  const [lab = ''] = blocks('toml');
  const [surprise = ''] = blocks('ini');
  writeFileSync(join(folder, 'lab.toml'), lab);
  writeFileSync(join(folder, 'surprise.toml'), surprise);
});
afterAll(() => rmSync(folder, { recursive: true }));

describe('the files and commands of docs/access.md', () => {
  let server: Serving;
  beforeAll(async () => {
    server = await serve(['lab.toml'], { folder });
  });
  afterAll(async () => {
    await server.stop();
  });

  it('serve prints what it shows', () => {
    const [example] = examples;
    expect(example?.line).toBe('serve lab.toml');
    expect(steady(server.stderr.text + server.stdout.text)).toBe(steady(example?.printed ?? ''));
  });

  it('commands print what it shows, and the put log has what it says', async () => {
    const commands = examples.filter(({ words: [command] }) => command !== 'serve');
    expect(commands).toHaveLength(4);
    for (const { line, words, printed } of commands) {
      const { stdout, stderr } = await run(words, { environment: server.environment });
      expect(steady(stderr + stdout), line).toBe(steady(printed));
    }
    expect(await server.stop()).toBe(0);
    const shown = JSON.parse(blocks('json')[0] ?? '') as Readonly<Record<string, unknown>>;
    const [first = '', second = ''] = readFileSync(join(folder, 'puts.log'), 'utf8').split('\n');
    const logged = JSON.parse(first) as Readonly<Record<string, unknown>>;
    expect(Object.keys(logged)).toEqual(Object.keys(shown));
    const { time, user, host } = logged;
    expect(logged).toEqual({ ...shown, time, user, host });
    expect(JSON.parse(second)).toMatchObject({ outcome: 'refused', channel: 'lab:interlock:door' });
  });

  it('rules that are never reached keep the server from starting', async () => {
    const example = examples.find(({ line }) => line === 'serve surprise.toml');
    const { exitCode, stdout, stderr } = await run(['serve', 'surprise.toml'], { folder });
    expect({ exitCode, printed: stderr + stdout }).toEqual({ exitCode: 2, printed: example?.printed });
  });
});

describe('the program of docs/access.md', () => {
  it('prints what its comments say', async () => {
    const [program = ''] = blocks('ts');
    const source = program
      .replace("'pvkit/protocol'", JSON.stringify(new URL('src/protocol/index.ts', root).pathname))
      .replace("'pvkit'", JSON.stringify(new URL('src/index.ts', root).pathname));
    writeFileSync(join(folder, 'program.ts'), source);
    const udpPort = String(await freeUdpPort());
    const environment = {
      EPICS_PVAS_INTF_ADDR_LIST: '127.0.0.1',
      EPICS_PVAS_SERVER_PORT: '0',
      EPICS_PVAS_BROADCAST_PORT: udpPort,
      EPICS_PVAS_AUTO_BEACON_ADDR_LIST: 'NO',
      EPICS_PVA_BROADCAST_PORT: udpPort,
      EPICS_PVA_ADDR_LIST: '127.0.0.1',
      EPICS_PVA_AUTO_ADDR_LIST: 'NO',
      EPICS_PVA_INTF_ADDR_LIST: '127.0.0.1',
    };
    for (const [name, value] of Object.entries(environment)) vi.stubEnv(name, value);
    const printed: string[] = [];
    vi.spyOn(console, 'log').mockImplementation((word) => void printed.push(String(word)));
    try {
      await import(join(folder, 'program.ts'));
    } finally {
      vi.unstubAllEnvs();
    }
    const expected = [...program.matchAll(/console\.log\(.*[;,] \/\/ (.*)$/gmu)].map(([, comment]) => comment);
    expect(expected).toHaveLength(4);
    // The log is written when a put has ended, each time one does.
    expect(new Set(printed)).toEqual(new Set([...expected, 'guest: lab:setpoint accepted']));
  });
});

describe('the words of docs/access.md', () => {
  it('name every right', () => {
    for (const word of ALLOW_WORDS) expect(text).toContain(`"${word}"`);
  });

  it('say the limits that there are', () => {
    expect(DEFAULT_LIMITS).toMatchObject({ maxIdentityCharacters: 256, maxPutLogCharacters: 4 * 1024 * 1024 });
  });

  it('link to sections that there are', () => {
    const anchors = new Set(
      [...text.matchAll(/^#+ (.*)$/gmu)].map(([, title = '']) => title.toLowerCase().replaceAll(' ', '-')),
    );
    const links = [...text.matchAll(/\]\(#([^)]*)\)/gu)].map(([, anchor]) => anchor);
    expect(links.length).toBeGreaterThan(0);
    expect(links.filter((anchor) => anchor !== undefined && !anchors.has(anchor))).toEqual([]);
  });
});
