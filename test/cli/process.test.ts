// Does pvkit behave as a process: exit codes, signals, and readers that go away or are slow?

import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';

import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { buildPackage, type BuiltPackage } from '../support/built-package.ts';
import { nodeNetwork } from '../../src/index.ts';
import { WireClient } from '../support/wire-client.ts';
import { serve, type Serving } from './support.ts';

let built: BuiltPackage;
let program = '';
let server: Serving;

beforeAll(async () => {
  built = buildPackage();
  program = join(built.folder, 'dist', 'cli', 'main.js');
  server = await serve(['--demo']);
}, 60_000);

afterAll(async () => {
  await server.stop();
  built.remove();
});

interface Process {
  readonly child: ReturnType<typeof spawn>;
  readonly ended: Promise<{ readonly stdout: string; readonly stderr: string; readonly exitCode: number | null }>;
  /** Resolves once this much of stdout is there. */
  readonly printed: (text: string) => Promise<void>;
  readonly stdoutText: () => string;
  /** Resolves once the text is on stderr so often, or the process has ended. */
  readonly stderrHas: (text: string, times?: number) => Promise<void>;
}

function launch(...words: string[]): Process {
  return launchIn(server.environment, ...words);
}

function launchIn(environment: Readonly<Record<string, string | undefined>>, ...words: string[]): Process {
  const child = spawn(process.execPath, [program, ...words], { cwd: built.folder, env: { ...environment } });
  let stdout = '';
  let stderr = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => (stdout += text));
  child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text));
  const ended = new Promise<Awaited<Process['ended']>>((resolve) => {
    child.on('close', (exitCode) => resolve({ stdout, stderr, exitCode }));
  });
  const printed = (text: string): Promise<void> =>
    new Promise((resolve, reject) => {
      const look = (): void => {
        if (stdout.includes(text)) resolve();
      };
      child.stdout.on('data', look);
      child.on('close', () => reject(new Error(`ended without printing '${text}': ${stdout}${stderr}`)));
      look();
    });
  const stderrHas = (text: string, times = 1): Promise<void> =>
    new Promise((resolve) => {
      const look = (): void => {
        if (stderr.split(text).length > times) resolve();
      };
      child.stderr.on('data', look);
      child.on('close', () => resolve());
      look();
    });
  return { child, ended, printed, stderrHas, stdoutText: () => stdout };
}

async function until(isSo: () => boolean): Promise<void> {
  const end = performance.now() + 20_000;
  while (!isSo()) {
    if (performance.now() > end) throw new Error('not within 20 s');
    await new Promise((resolve) => setTimeout(resolve, 2));
  }
}

async function connectTo(port: number): Promise<WireClient> {
  const client = await WireClient.connect(nodeNetwork, port, { settle: until });
  await until(() => client.heard.length >= 2);
  await client.validate();
  return client;
}

async function watchingWave(port: number): Promise<WireClient> {
  const client = await connectTo(port);
  const sid = await client.createChannel('w');
  const ioid = await client.initMonitor(sid);
  await client.steer(sid, ioid, 0x44);
  return client;
}

/** Puts as many arrays of 4 MB. */
async function writeWaves(client: WireClient, count: number): Promise<void> {
  const sid = await client.createChannel('w');
  const ioid = await client.init('PUT', sid);
  for (let index = 1; index <= count; index++)
    await client.put(sid, ioid, { value: new Float64Array(500_000).fill(index) });
  client.connection.destroy();
}

/** Resolves once nobody listens any more. */
async function refusesConnections(port: number): Promise<void> {
  const isRefused = (): Promise<boolean> =>
    new Promise((resolve) => {
      const socket = connect({ host: '127.0.0.1', port }, () => {
        socket.destroy();
        resolve(false);
      }).on('error', () => resolve(true));
    });
  while (!(await isRefused())) await new Promise(setImmediate);
}

/** Resolves once a connection is taken and greeted. */
async function greets(port: number): Promise<void> {
  const isGreeted = (): Promise<boolean> =>
    new Promise((resolve) => {
      const socket = connect({ host: '127.0.0.1', port })
        .once('data', () => {
          socket.destroy();
          resolve(true);
        })
        .once('close', () => resolve(false))
        .on('error', () => undefined);
    });
  while (!(await isGreeted())) await new Promise(setImmediate);
}

function firstOf(value: unknown): number | undefined {
  return (value as { readonly value: Float64Array }).value[0];
}

describe('pvkit as a process', () => {
  it('prints, and ends with its exit code', async () => {
    expect(await launch('--version').ended).toMatchObject({
      stdout: expect.stringMatching(/^\d/u) as string,
      exitCode: 0,
    });
    expect(await launch('nosuch').ended).toMatchObject({ stdout: '', exitCode: 2 });
    const { stdout, exitCode } = await launch('get', '--json', 'demo:enum').ended;
    expect(JSON.parse(stdout)).toMatchObject({ name: 'demo:enum' });
    expect(exitCode).toBe(0);
  });

  it('writes many large values to a pipe to their end, and nothing else', async () => {
    const names = Array.from({ length: 40 }, () => 'demo:image');
    const { stdout, stderr, exitCode } = await launch('get', '--json', ...names).ended;
    expect(stderr).toBe('');
    const lines = stdout.trimEnd().split('\n');
    expect(stdout.length).toBeGreaterThan(200_000);
    expect(lines.map((line) => Object.keys(JSON.parse(line) as object))).toEqual(names.map(() => ['name', 'value']));
    expect(exitCode).toBe(0);
  });

  it.each(['SIGTERM', 'SIGINT'] as const)('serve ends with 0 at %s', async (signal) => {
    const { child, ended, printed } = launch('serve', '--interface', '127.0.0.1', '--tcp-port', '0', '--udp-port', '0');
    await printed('listening');
    child.kill(signal);
    expect(await ended).toMatchObject({ stderr: '', exitCode: 0 });
  });

  it('serve finishes what is under way before it ends, and a second signal does not wait for that', async () => {
    const serving = ['serve', '--pv', 'w=double[]', '--interface', '127.0.0.1', '--tcp-port', '0', '--udp-port', '0'];
    for (const isAskedTwice of [false, true]) {
      const { child, ended, printed, stdoutText } = launch(...serving);
      await printed('guid');
      const port = Number(/ tcp \S+:(\d+) /u.exec(stdoutText())?.[1]);
      const slow = await watchingWave(port);
      slow.connection.pause();
      const writer = await connectTo(port);
      await writeWaves(writer, 12);
      child.kill('SIGTERM');
      await refusesConnections(port);
      if (isAskedTwice) child.kill('SIGTERM');
      else slow.connection.resume();
      const { exitCode } = await ended;
      expect(exitCode).toBe(isAskedTwice ? 130 : 0);
      if (!isAskedTwice) {
        await until(() => slow.isClosed);
        const updates = slow.takeAll('MONITOR').filter(({ phase }) => phase === 'update');
        const last = updates.at(-1);
        // The last put of the other client.
        expect(last?.phase === 'update' && firstOf(last.update.value)).toBe(12);
      }
      slow.connection.destroy();
    }
  }, 60_000);

  it('serve with few file descriptors refuses in order, says so once, and takes clients again', async () => {
    const file = join(built.folder, 'few.toml');
    // All come from this host.
    writeFileSync(file, '[limits]\nmax_links_per_host = 1000\n');
    const words = `${process.execPath} ${program} serve ${file} --interface 127.0.0.1 --tcp-port 0 --udp-port 0 --pv a=int:3`;
    const child = spawn('sh', ['-c', `ulimit -n 200; exec ${words}`], { env: { ...server.environment } });
    let [stdout, stderr] = ['', ''];
    child.stdout.setEncoding('utf8').on('data', (text: string) => (stdout += text));
    child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text));
    await until(() => stdout.includes('listening'));
    const port = Number(/ tcp \S+:(\d+) /u.exec(stdout)?.[1]);
    const sockets = Array.from({ length: 300 }, () =>
      connect({ host: '127.0.0.1', port }).on('error', () => undefined),
    );
    let greeted = 0;
    for (const socket of sockets) socket.once('data', () => greeted++);
    await until(() => sockets.filter(({ destroyed }) => destroyed).length + greeted === sockets.length);
    expect(greeted).toBe(200 - 128);
    for (const socket of sockets) socket.destroy();
    expect(stderr.split('the system allows a process 200 open files')).toHaveLength(2);
    // The server may not have heard yet that the others are gone.
    await greets(port);
    const client = await connectTo(port);
    expect(await client.createChannel('a')).toBeGreaterThan(0);
    client.connection.destroy();
    child.kill('SIGTERM');
    await once(child, 'close');
    expect(child.exitCode).toBe(0);
  }, 30_000);

  it('serve outlives errors that nobody caught, and ends with 1 once there are many', async () => {
    const hook = join(built.folder, 'faults.mjs');
    writeFileSync(
      hook,
      `process.on('SIGUSR2', () => {
        setTimeout(() => { throw new Error('of a timer'); }, 1);
        Promise.reject(new Error('of a promise'));
      });`,
    );
    const words = ['serve', '--pv', 'lab:a=int:7', '--interface', '127.0.0.1', '--tcp-port', '0', '--udp-port', '0'];
    const environment = { ...server.environment, NODE_OPTIONS: `--import ${pathToFileURL(hook).href}` };
    const { child, ended, printed, stderrHas } = launchIn(environment, ...words);
    await printed('listening');
    child.kill('SIGUSR2');
    await stderrHas('of a timer');
    await stderrHas('of a promise');
    expect(child.exitCode).toBeNull();
    for (let count = 0; count < 4; count++) {
      child.kill('SIGUSR2');
      await stderrHas('of a timer', count + 2);
    }
    const { stderr, exitCode } = await ended;
    expect(stderr).toContain('10 faults within 60 s: ending');
    expect(exitCode).toBe(1);
  });

  it.each(['get demo:enum', 'monitor -n 1 demo:enum', 'help get'])(
    '`pvkit %s` fails where its output cannot be written, as on a full disk',
    async (line) => {
      // Opened to read: every write to it fails.
      const unwritable = openSync(program, 'r');
      const child = spawn(process.execPath, [program, ...line.split(' ')], {
        env: { ...server.environment },
        stdio: ['ignore', unwritable, 'pipe'],
      });
      closeSync(unwritable);
      let stderr = '';
      child.stderr?.setEncoding('utf8').on('data', (text: string) => (stderr += text));
      await once(child, 'close');
      expect(stderr).toContain('pvkit: the output cannot be written: EBADF');
      expect(child.exitCode).toBe(1);
    },
  );

  it('serve goes on where its log cannot be written, as on a full disk', async () => {
    const unwritable = openSync(program, 'r');
    const words = ['serve', '-d', '--pv', 'a=int', '--interface', '127.0.0.1', '--tcp-port', '0', '--udp-port', '0'];
    const child = spawn(process.execPath, [program, ...words], {
      env: { ...server.environment },
      stdio: ['ignore', 'pipe', unwritable],
    });
    closeSync(unwritable);
    let stdout = '';
    child.stdout?.setEncoding('utf8').on('data', (text: string) => (stdout += text));
    await until(() => stdout.includes('guid') || child.exitCode !== null);
    const port = Number(/ tcp \S+:(\d+) /u.exec(stdout)?.[1]);
    // It has logged by now.
    await Promise.race([greets(port), once(child, 'close')]);
    expect(child.exitCode).toBeNull();
    child.kill('SIGTERM');
    await once(child, 'close');
    expect(child.exitCode).toBe(0);
  });

  it.each(['decode', 'channel create lab:x --schema -', 'restore --store memory: -'])(
    '`pvkit %s` ends at ^C though nothing comes over standard input',
    async (line) => {
      const hook = join(built.folder, 'stdin.mjs');
      writeFileSync(
        hook,
        `process.stdin.on('newListener', function told(event) {
          if (event === 'readable') process.stdin.off('newListener', told), process.stderr.write('waits\\n');
        });`,
      );
      const environment = { ...server.environment, NODE_OPTIONS: `--import ${pathToFileURL(hook).href}` };
      const { child, ended, stderrHas } = launchIn(environment, ...line.split(' '));
      await stderrHas('waits');
      child.kill('SIGINT');
      expect(await ended).toEqual({
        stdout: '',
        stderr: 'waits\npvkit: interrupted before the end: SIGINT\n',
        exitCode: 1,
      });
    },
  );

  it('monitor ends with 0 at ^C', async () => {
    const { child, ended, printed } = launch('monitor', 'demo:fast');
    await printed('value');
    child.kill('SIGINT');
    expect(await ended).toMatchObject({ exitCode: 0 });
  });

  it('ends quietly when its reader went away, as with `| head`', async () => {
    const { child, ended, printed } = launch('monitor', '--json', 'demo:fast');
    await printed('\n');
    child.stdout?.destroy();
    const { stderr, exitCode } = await ended;
    expect(stderr.trimEnd().split('\n')).toEqual([expect.stringContaining('"event":"connected"')]);
    expect(exitCode).toBe(0);
  });
});

it('an image becomes text in little more memory than the text takes', () => {
  const script = `
    import { arrayOf, formatJson, formatTree, ushort } from 'pvkit/protocol';
    const pixels = Uint16Array.from({ length: 2 << 20 }, (_, index) => index * 7919);
    console.log(formatJson(arrayOf(ushort), pixels).length, formatTree(arrayOf(ushort), pixels).length);
  `;
  const words = ['--max-old-space-size=64', '--input-type=module', '-e', script];
  const { stdout, status } = spawnSync(process.execPath, words, { cwd: built.folder, encoding: 'utf8' });
  expect(status).toBe(0);
  expect(stdout).toBe('12227393 14324567\n');
}, 60_000);
