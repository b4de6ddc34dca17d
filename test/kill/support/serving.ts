// How does a kill test get servers, as processes that `kill -9` ends?

import { spawn, type ChildProcessByStdio } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import type { Readable } from 'node:stream';

import { buildPackage, type BuiltPackage } from '../../support/built-package.ts';

const START_MS = 20_000;

type Child = ChildProcessByStdio<null, Readable, Readable>;

/** A `pvkit serve` that listens. */
export interface Serving {
  /** HOST:PORT for clients. */
  readonly server: string;
  /** Of searches. */
  readonly udpPort: number;
  /** All that it has printed on stderr. */
  readonly stderr: () => string;
  /** `kill -9`; resolves when the process is gone. */
  kill(): Promise<void>;
  /** SIGTERM; resolves when the process is gone, with its exit code. */
  stop(): Promise<number | null>;
}

/** Starts servers of one build, and ends those that are left. */
export class Servers {
  /** What was built. */
  readonly dist: string;
  readonly #built: BuiltPackage | undefined;
  readonly #running = new Set<Child>();

  /** Of the sources as they are; `PVKIT_DIST` says where that was built already. */
  constructor() {
    const ready = process.env['PVKIT_DIST'];
    this.#built = ready === undefined ? buildPackage() : undefined;
    this.dist = ready ?? join(this.#built?.folder ?? '', 'dist');
  }

  /** Runs `pvkit serve` with these words, on free ports. */
  async start(words: readonly string[]): Promise<Serving> {
    const all = ['serve', '--json', '--interface', '127.0.0.1', '--tcp-port', '0', '--udp-port', '0', ...words];
    const child = spawn(process.execPath, [join(this.dist, 'cli', 'main.js'), ...all], {
      stdio: ['ignore', 'pipe', 'pipe'],
      env: { PATH: process.env['PATH'] },
    });
    this.#running.add(child);
    child.once('exit', () => this.#running.delete(child));
    return listening(child);
  }

  async close(): Promise<void> {
    await Promise.all([...this.#running].map(ended));
    this.#built?.remove();
  }
}

async function listening(child: Child): Promise<Serving> {
  let stderr = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr = (stderr + text).slice(-20_000)));
  let stdout = '';
  const [tcpPort, udpPort] = await new Promise<readonly [number, number]>((resolve, reject) => {
    const late = setTimeout(
      () => reject(new Error(`no word from pvkit serve after ${START_MS} ms\n${stderr}`)),
      START_MS,
    );
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      stdout += text;
      const [, tcp, udp] = /"event":"listening","tcpPort":(\d+),"udpPort":(\d+)/u.exec(stdout) ?? [];
      if (tcp === undefined || udp === undefined) return;
      clearTimeout(late);
      resolve([Number(tcp), Number(udp)]);
    });
    child.once('exit', (code, signal) => {
      clearTimeout(late);
      reject(new Error(`pvkit serve ended with ${code ?? signal} before it was listening\n${stderr}`));
    });
  });
  return {
    server: `127.0.0.1:${tcpPort}`,
    udpPort,
    stderr: () => stderr,
    kill: () => ended(child),
    stop: () => stopped(child),
  };
}

async function stopped(child: Child): Promise<number | null> {
  const exit = once(child, 'exit');
  child.kill('SIGTERM');
  await exit;
  return child.exitCode;
}

async function ended(child: Child): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const exit = once(child, 'exit');
  child.kill('SIGKILL');
  await exit;
}
