// Is what README.md shows what happens? Every example in it is run, and what it prints compared.

import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';

import { run, serve, start, type Serving } from './cli/support.ts';
import { freeUdpPort } from './support/free-udp-port.ts';

const root = new URL('..', import.meta.url);
const readme = readFileSync(new URL('README.md', root), 'utf8');

function blocks(language: string): readonly string[] {
  return [...readme.matchAll(new RegExp(`^\`\`\`${language}\\n([^]*?)^\`\`\`$`, 'gmu'))].map(([, text = '']) => text);
}

interface Example {
  readonly line: string;
  readonly words: readonly string[];
  readonly printed: string;
}

/** `$ pvkit ...` lines, each with what is printed below it; blank lines only separate. */
const examples: readonly Example[] = blocks('console')
  .flatMap((block) => block.split(/^\$ pvkit /mu).slice(1))
  .map((text) => {
    const [line = '', ...printed] = text.split('\n');
    return {
      line,
      words: wordsOf(line),
      printed: printed
        .filter((one) => one !== '')
        .map((one) => `${one}\n`)
        .join(''),
    };
  });

/** As a shell splits them; there are no quotes but single ones in the examples. */
function wordsOf(line: string): string[] {
  return [...line.matchAll(/(?:'[^']*'|[^\s'])+/gu)].map(([word]) => word.replaceAll("'", ''));
}

/** They print what a server answers, and end. */
const ANSWERING = ['get', 'put', 'monitor', 'call', 'list', 'echo', 'probe', 'doctor', 'types'];

/** Without what differs from run to run: times, ports, ids, and numbers that move. */
function steady(text: string): string {
  return text
    .replaceAll(/\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{3}/gu, 'TIME')
    .replaceAll(/0x[0-9a-f]{24}/gu, 'GUID')
    .replaceAll(/127\.0\.0\.1:\d+/gu, 'HOST:PORT')
    .replaceAll(/ udp \d+|^udp port +\d+/gmu, ' udp PORT')
    .replaceAll(/(secondsPastEpoch|nanoseconds)("?:| int\d+_t =) ?\d+/gu, '$1$2 N')
    .replaceAll(/\d+\.\d{3}/gu, 'MS')
    .replaceAll(/(double x|value int32_t) = \d+/gu, '$1 = N')
    .replaceAll(/searched \d+ times?/gu, 'searched N times')
    .replaceAll(/\blo0 /gu, 'lo ')
    .replaceAll(/\n{2,}/gu, '\n');
}

describe('the command line of README.md', () => {
  let server: Serving;
  beforeAll(async () => {
    server = await serve(['--demo']);
  });
  afterAll(async () => {
    expect(await server.stop()).toBe(0);
  });

  it('is shown with every command', () => {
    const shown = new Set(examples.map(({ words: [command] }) => command));
    expect(shown).toEqual(new Set([...ANSWERING, 'serve', 'sniff']));
  });

  it.each(
    examples
      .filter(({ words: [command = ''] }) => ANSWERING.includes(command))
      .map((example) => [example.line, example] as const),
  )('pvkit %s', async (_line, { words, printed }) => {
    const { stdout, stderr } = await run(words, { environment: server.environment });
    // A terminal shows both; the examples have all that comes on stderr first.
    expect(steady(stderr + stdout)).toBe(steady(printed));
  });

  it.each(
    examples.filter(({ words: [command] }) => command === 'serve').map((example) => [example.line, example] as const),
  )('pvkit %s', async (_line, { words: [, ...words], printed }) => {
    const started = await serve(words);
    expect(await started.stop()).toBe(0);
    expect(steady(started.stderr.text + started.stdout.text)).toBe(steady(printed));
  });
});

describe('the command line of README.md that waits for others', () => {
  it.each(
    examples.filter(({ words: [command] }) => command === 'sniff').map((example) => [example.line, example] as const),
  )('pvkit %s', async (_line, { words, printed }) => {
    const server = await serve(['--demo']);
    const { environment } = server;
    const sniffing = start(words, { environment });
    const over = { isOver: false };
    sniffing.exitCode.finally(() => (over.isOver = true)).catch(() => {});
    while (!over.isOver) await run(['get', '-w', '0.3', 'demo:nosuch'], { environment });
    expect(await sniffing.exitCode).toBe(0);
    expect(steady(sniffing.stderr.text + sniffing.stdout.text)).toBe(steady(printed));
    expect(await server.stop()).toBe(0);
  });
});

describe('the files of README.md', () => {
  let folder = '';
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'pvkit-readme-'));
  });
  afterAll(() => rmSync(folder, { recursive: true }));

  it('lab.toml is served', async () => {
    const [toml = ''] = blocks('toml');
    writeFileSync(join(folder, 'lab.toml'), toml);
    const server = await serve(['lab.toml'], { folder });
    const { stdout } = await run(['get', '-r', 'value,display.units', 'lab:temperature'], {
      environment: server.environment,
    });
    expect(stdout).toBe('lab:temperature\n    value double = 21.5\n    display.units string = "C"\n');
    expect(await server.stop()).toBe(0);
  });

  it('the program prints what its comments say', async () => {
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
    };
    for (const [name, value] of Object.entries(environment)) vi.stubEnv(name, value);
    const printed: unknown[] = [];
    vi.spyOn(console, 'log').mockImplementation((text) => void printed.push(text));
    try {
      await import(join(folder, 'program.ts'));
    } finally {
      vi.unstubAllEnvs();
    }
    const expected = [...program.matchAll(/console\.log\(.*; \/\/ (.*)$/gmu)].map(([, text]) => text);
    expect(printed.map(String)).toEqual(expected);
  });
});
