// Which servers are measured? Two nodes on one Redis, as `pvkit serve` starts them, on free loopback ports.

import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import process from 'node:process';
import { fileURLToPath } from 'node:url';

/** From bench/dist/store. */
const COMMAND_LINE = fileURLToPath(new URL('../../../dist/cli/main.js', import.meta.url));
const OWN_REDIS = fileURLToPath(new URL('../../../.peers/redis', import.meta.url));
const START_MS = 10_000;

export class SharedPair {
  /** HOST:PORT of each node. */
  readonly servers: readonly [string, string];
  readonly storeUrl: string;
  readonly #processes: readonly ChildProcess[];
  readonly #folder: string;

  private constructor(
    storeUrl: string,
    servers: readonly [string, string],
    processes: readonly ChildProcess[],
    folder: string,
  ) {
    this.storeUrl = storeUrl;
    this.servers = servers;
    this.#processes = processes;
    this.#folder = folder;
  }

  /** Each of `pvs` is NAME=TYPE. */
  static async start(pvs: readonly string[]): Promise<SharedPair> {
    const folder = mkdtempSync(join(tmpdir(), 'pvkit-bench-'));
    const port = await freePort();
    const arguments_ = [
      '--port',
      String(port),
      '--bind',
      '127.0.0.1',
      '--dir',
      folder,
      '--save',
      '',
      '--appendonly',
      'no',
    ];
    const path = `${OWN_REDIS}:${process.env['PATH'] ?? ''}`;
    const redis = spawn('redis-server', arguments_, { stdio: 'ignore', env: { ...process.env, PATH: path } });
    const storeUrl = `redis://127.0.0.1:${port}/0`;
    await answering(redis, port);
    const words = ['serve', '--json', '--interface', '127.0.0.1', '--tcp-port', '0', '--udp-port', '0'];
    const all = [COMMAND_LINE, ...words, '--store', storeUrl, ...pvs.flatMap((pv) => ['--pv', pv])];
    const nodes: ChildProcess[] = [];
    const servers: string[] = [];
    for (let index = 0; index < 2; index++) {
      const node = spawn(process.execPath, all, { stdio: ['ignore', 'pipe', 'inherit'] });
      nodes.push(node);
      servers.push(await listening(node));
    }
    const [one = '', other = ''] = servers;
    return new SharedPair(storeUrl, [one, other], [...nodes, redis], folder);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const child of this.#processes) {
      if (child.exitCode !== null || child.signalCode !== null) continue;
      const exited = once(child, 'exit');
      child.kill();
      await exited;
    }
    rmSync(this.#folder, { recursive: true, force: true });
  }
}

async function listening(node: ChildProcess): Promise<string> {
  let text = '';
  for await (const chunk of node.stdout ?? []) {
    text += String(chunk);
    const [, port] = /"event":"listening","tcpPort":(\d+)/u.exec(text) ?? [];
    if (port !== undefined) return `127.0.0.1:${port}`;
  }
  throw new Error(`pvkit serve ended before it was listening: ${text}`);
}

async function answering(redis: ChildProcess, port: number): Promise<void> {
  const deadline = performance.now() + START_MS;
  while (!(await takesConnections(port))) {
    if (redis.exitCode !== null) throw new Error(`redis-server ended with ${redis.exitCode}`);
    if (performance.now() > deadline) throw new Error(`redis-server does not answer on port ${port}`);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

function takesConnections(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1');
    socket.once('connect', () => {
      socket.destroy();
      resolve(true);
    });
    socket.once('error', () => resolve(false));
  });
}

function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const probe = createServer();
    probe.once('error', reject);
    probe.listen(0, '127.0.0.1', () => {
      const address = probe.address();
      probe.close(() => resolve(typeof address === 'object' && address !== null ? address.port : 0));
    });
  });
}
