// Do the examples do what they say? Each is run as a newcomer runs it, and our client looks at what it serves.

import { spawn } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';

import { Context, resolveClientConfig, type MonitorEvent } from '../src/index.ts';
import { double, ntEnum, ntNdArray, ntScalar } from '../src/protocol/index.ts';
import { run, serve } from './cli/support.ts';
import { buildPackage, type BuiltPackage } from './support/built-package.ts';
import { freeUdpPort } from './support/free-udp-port.ts';

const root = fileURLToPath(new URL('..', import.meta.url));
const folder = join(root, 'examples');
const examples = readdirSync(folder).filter((name) => name.endsWith('.ts'));

const number = ntScalar(double);

let built: BuiltPackage;
beforeAll(() => {
  built = buildPackage();
  built.buildExamples();
}, 60_000);
afterAll(() => built.remove());

/** What a test opened, last first. */
const openThings: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of openThings.splice(0).toReversed()) await close();
});

type Environment = Readonly<Record<string, string | undefined>>;

interface Example {
  /** Resolves once this much was printed. */
  printed(text: string): Promise<void>;
  /** ^C; resolves when it has ended. */
  interrupt(): Promise<{ readonly exitCode: number | null; readonly stdout: string; readonly stderr: string }>;
}

function launch(name: string, words: readonly string[], environment: Environment): Example {
  const child = spawn(process.execPath, [join(built.folder, 'examples', 'dist', `${name}.js`), ...words], {
    env: { ...environment },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  openThings.push(() => child.kill('SIGKILL'));
  let stdout = '';
  let stderr = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => (stdout += text));
  child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text));
  const closed = new Promise<number | null>((resolve) => child.on('close', resolve));
  return {
    printed: (text) =>
      new Promise((resolve, reject) => {
        const look = (): void => {
          if (stdout.includes(text)) resolve();
        };
        child.stdout.on('data', look);
        child.on('close', () => reject(new Error(`${name} ended without printing '${text}': ${stdout}${stderr}`)));
        look();
      }),
    interrupt: async () => {
      child.kill('SIGINT');
      return { exitCode: await closed, stdout, stderr };
    },
  };
}

/** Ports of its own on loopback for what an example serves, and for whoever looks for that. */
async function ports(): Promise<{ readonly servers: Environment; readonly clients: Environment }> {
  const udpPort = String(await freeUdpPort());
  return {
    servers: {
      EPICS_PVAS_SERVER_PORT: '0',
      EPICS_PVAS_BROADCAST_PORT: udpPort,
      EPICS_PVAS_AUTO_BEACON_ADDR_LIST: 'NO',
    },
    clients: {
      EPICS_PVA_BROADCAST_PORT: udpPort,
      EPICS_PVA_ADDR_LIST: '127.0.0.1',
      EPICS_PVA_AUTO_ADDR_LIST: 'NO',
    },
  };
}

function contextIn(processEnvironment: Environment): Context {
  const context = new Context({ config: resolveClientConfig({ processEnvironment }) });
  openThings.push(() => context.close());
  return context;
}

/** An example that serves, ready, and a client of it. */
async function serving(name: string): Promise<{ readonly example: Example; readonly context: Context }> {
  const { servers, clients } = await ports();
  const example = launch(name, [], servers);
  await example.printed('serving');
  return { example, context: contextIn(clients) };
}

describe('every example', () => {
  it.each(examples)('%s says what it shows and how to run it, and imports pvkit alone', (name) => {
    const text = readFileSync(join(folder, name), 'utf8');
    expect(text).toMatch(/^\/\/ .*\?/u);
    expect(text).toContain(`//   npm run example ${name.replace(/\.ts$/u, '')}`);
    const imported = [...text.matchAll(/ from '([^']+)'/gu)].map(([, specifier = '']) => specifier);
    expect(imported.filter((specifier) => !/^(node:.*|pvkit|pvkit\/protocol)$/u.test(specifier))).toEqual([]);
  });

  it('is named in README.md', () => {
    const readme = readFileSync(join(root, 'README.md'), 'utf8');
    expect(examples.filter((name) => !readme.includes(name.replace(/\.ts$/u, '')))).toEqual([]);
  });
});

describe('device-simulation', () => {
  it('ramps to its setpoint when it is switched on, and is in alarm there', async () => {
    const { example, context } = await serving('device-simulation');
    await expect(context.put('psu:setpoint', 13)).rejects.toThrow(/13/u);
    await context.put('psu:rampRate', 100);
    await context.put('psu:setpoint', 11);
    const voltages: number[] = [];
    const severities = new Set<number>();
    const monitor = context.monitor('psu:voltage', { type: number });
    await context.put('psu:switch', 'On');
    for await (const { value } of monitor) {
      voltages.push(value.value);
      severities.add(value.alarm.severity);
      if (value.value === 11) break;
    }
    expect(voltages[0]).toBe(0);
    expect(voltages).toEqual(voltages.toSorted((a, b) => a - b));
    expect(voltages.length).toBeGreaterThan(2);
    expect([...severities]).toEqual([0, 1, 2]);
    expect((await context.get('psu:switch', { type: ntEnum })).value.index).toBe(1);
    await expect(context.put('psu:voltage', 5)).rejects.toThrow(/read-only/u);
    expect(await example.interrupt()).toMatchObject({ exitCode: 0, stderr: '' });
  });
});

describe('calculator-rpc', () => {
  it('answers with the result, and with what is wrong', async () => {
    const { example, context } = await serving('calculator-rpc');
    const answer = await context.rpc('calc', { op: 'divide', lhs: 10, rhs: 4 });
    expect(answer?.value).toMatchObject({ value: 2.5 });
    expect((await context.rpc('calc', { op: 'add', lhs: '1', rhs: '2' }))?.value).toMatchObject({ value: 3 });
    await expect(context.rpc('calc', { op: 'divide', lhs: 10, rhs: 0 })).rejects.toThrow(
      'divide has no result for 10 and 0',
    );
    await expect(context.rpc('calc', { op: 'root' })).rejects.toThrow('one of add, subtract, multiply, divide');
    await expect(context.rpc('calc', { op: 'add', lhs: 1 })).rejects.toThrow('rhs is not a number');
    expect((await context.get('calc', { type: number })).value).toBe(3);
    expect(await example.interrupt()).toMatchObject({
      exitCode: 0,
      stderr: '',
      stdout: expect.stringContaining('the answer is 2.5') as string,
    });
  });
});

describe('computed-channel', () => {
  it('computes anew after a put, and hands alarms on', async () => {
    const { example, context } = await serving('computed-channel');
    expect((await context.get('lab:power', { type: number })).value).toBe(24);
    await context.put('lab:current', 11);
    expect(await context.get('lab:power', { type: number })).toMatchObject({ value: 132, alarm: { severity: 2 } });
    await context.put('lab:current', 0);
    const { value, alarm } = await context.get('lab:resistance', { type: number });
    expect(value).toBeCloseTo(12 / 11);
    expect(alarm).toMatchObject({ severity: 3, message: 'no current flows' });
    expect(await example.interrupt()).toMatchObject({ exitCode: 0, stderr: '' });
  });
});

describe('image-source', () => {
  it('takes images while somebody watches', async () => {
    const { example, context } = await serving('image-source');
    const images: number[] = [];
    let brightest = 0;
    for await (const { value } of context.monitor('camera:image', { type: ntNdArray })) {
      images.push(value.uniqueId);
      expect(value.dimension.map((dimension) => dimension?.size)).toEqual([320, 240]);
      const pixels = value.value?.value;
      expect(pixels).toHaveLength(320 * 240);
      if (pixels instanceof Uint8Array) brightest = Math.max(...pixels);
      if (images.length === 3) break;
    }
    expect(images).toEqual([0, 1, 2]);
    expect(brightest).toBeGreaterThan(200);
    await example.printed('nobody watches');
    expect(await example.interrupt()).toMatchObject({
      exitCode: 0,
      stderr: '',
      stdout: 'serving camera:image and camera:exposure\nsomebody watches\nnobody watches\n',
    });
  });
});

describe('bridge', () => {
  it('shows values, passes puts and calls on, and tells when its PVs are gone', async () => {
    const upstream = await serve(['--demo']);
    openThings.push(() => upstream.interrupt());
    const { servers, clients } = await ports();
    const names = ['demo:setpoint', 'demo:enum', 'demo:add'];
    const example = launch('bridge', names, { ...upstream.environment, ...servers });
    await Promise.all(names.map((name) => example.printed(`mirror:${name} is ${name} of 127.0.0.1`)));
    const context = contextIn(clients);

    const monitor = context.monitor('mirror:demo:setpoint', { type: number, events: true });
    await nextOf(monitor, ({ kind }) => kind === 'connected');
    await context.put('mirror:demo:setpoint', 33);
    await nextOf(monitor, (event) => event.kind === 'update' && event.value.value === 33);
    const behind = contextIn(upstream.environment);
    expect((await behind.get('demo:setpoint', { type: number })).value).toBe(33);
    await expect(context.put('mirror:demo:setpoint', 200)).rejects.toThrow(/200 is outside of the limits/u);
    await context.put('mirror:demo:enum', 'Off');
    expect((await behind.get('demo:enum', { type: ntEnum })).value.index).toBe(0);
    expect((await context.rpc('mirror:demo:add', { lhs: 1, rhs: 2 }))?.value).toMatchObject({ value: 3 });

    await upstream.stop();
    await nextOf(monitor, ({ kind }) => kind === 'disconnected');
    await monitor.close();
    await Promise.all(names.map((name) => example.printed(`mirror:${name} ends: `)));
    expect(await example.interrupt()).toMatchObject({ exitCode: 0, stderr: '' });
  });

  it('says what it needs', async () => {
    const { servers } = await ports();
    const example = launch('bridge', [], servers);
    await expect(example.printed('mirroring')).rejects.toThrow('names of PVs to mirror expected');
  });
});

describe('typed-client', () => {
  it('prints what it reads, writes, and watches', async () => {
    const server = await serve(['--demo']);
    openThings.push(() => server.interrupt());
    const example = launch('typed-client', [], server.environment);
    await example.printed('now 42 C');
    await run(['put', 'demo:setpoint', '43'], { environment: server.environment });
    await example.printed('now 43 C');
    expect(await example.interrupt()).toEqual({
      exitCode: 0,
      stderr: '',
      stdout: [
        'setpoint 21.50 C within 0 to 100',
        'state On, one of Off, Standby, On, Tripped',
        'waveform of 200 points in 1600 bytes',
        'counts 9007199254740994',
        'height 2.5 mm',
        'now 42 C',
        'now 43 C',
        '',
      ].join('\n'),
    });
    expect(await server.stop()).toBe(0);
  });
});

async function nextOf<E extends MonitorEvent>(
  monitor: AsyncIterator<E, undefined>,
  isMeant: (event: E) => boolean,
): Promise<E> {
  for (;;) {
    const { done, value } = await monitor.next();
    if (done === true) throw new Error('the monitor ended');
    if (isMeant(value)) return value;
  }
}
