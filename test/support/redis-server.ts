// How does a test get a real Redis? It starts one on a free loopback port, in a folder of its own, and ends it.

import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { createServer, connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** Where scripts/redis.mjs puts the program if the PATH has none. */
const OWN_PROGRAM = fileURLToPath(new URL('../../.peers/redis/redis-server', import.meta.url));
const START_MS = 10_000;

export interface RedisServerOptions {
  /** Keeps every write on disk before it is acknowledged, so that `kill -9` loses none. */
  readonly appendOnly?: boolean;
  readonly port?: number;
  readonly folder?: string;
  /** Further lines of its configuration, as arguments: `['--requirepass', 'secret']`. */
  readonly args?: readonly string[];
}

/** A Redis server: the same data on the same port after each `start`, if it is `appendOnly`. */
export class RedisServer {
  readonly port: number;
  readonly folder: string;
  readonly #options: RedisServerOptions;
  #process: ChildProcess | undefined;

  private constructor(options: RedisServerOptions, port: number, folder: string) {
    this.port = port;
    this.folder = folder;
    this.#options = options;
  }

  static async start(options: RedisServerOptions = {}): Promise<RedisServer> {
    const port = options.port ?? (await freePort());
    const folder = options.folder ?? mkdtempSync(join(tmpdir(), 'pvkit-redis-'));
    const server = new RedisServer(options, port, folder);
    await server.start();
    return server;
  }

  get url(): string {
    return `redis://127.0.0.1:${this.port}/0`;
  }

  /** Starts it, or again after `kill` or `stop`; resolves when it takes connections. */
  async start(): Promise<void> {
    const { appendOnly = false, args = [] } = this.#options;
    const always = ['--bind', '127.0.0.1', '--dir', this.folder, '--save', '', '--daemonize', 'no'];
    const persistence = appendOnly ? ['--appendonly', 'yes', '--appendfsync', 'always'] : ['--appendonly', 'no'];
    const own = args.includes('--port') ? [] : ['--port', String(this.port)];
    const program = existsSync(OWN_PROGRAM) ? OWN_PROGRAM : 'redis-server';
    const started = spawn(program, [...own, ...always, ...persistence, ...args], { stdio: ['ignore', 'pipe', 'pipe'] });
    let output = '';
    for (const stream of [started.stdout, started.stderr]) {
      stream.setEncoding('utf8').on('data', (text: string) => (output = (output + text).slice(-4_000)));
    }
    let ended: string | undefined;
    started.on('error', (error) => (ended = error.message));
    started.on('exit', (code, signal) => (ended ??= `exit ${code ?? signal}`));
    this.#process = started;
    const deadline = performance.now() + START_MS;
    while (!(await answers(this.port))) {
      if (ended !== undefined) throw new Error(`redis-server on port ${this.port} ended with ${ended}\n${output}`);
      if (performance.now() > deadline) throw new Error(`redis-server on port ${this.port} does not answer\n${output}`);
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
  }

  /** `kill -9`, as a crash does it. */
  async kill(): Promise<void> {
    await this.#end('SIGKILL');
  }

  /** Stops its process where it is, as a machine does that hangs; `resume` lets it go on. */
  pause(): void {
    this.#process?.kill('SIGSTOP');
  }

  resume(): void {
    this.#process?.kill('SIGCONT');
  }

  /** Runs redis-cli against it and returns what it prints. */
  cli(...args: readonly string[]): string {
    const { stdout, stderr, status } = spawnSync('redis-cli', ['-p', String(this.port), ...args], { encoding: 'utf8' });
    if (status !== 0) throw new Error(`redis-cli ${args.join(' ')}: ${stderr}${stdout}`);
    return stdout.trim();
  }

  /** Ends it and removes its folder. */
  async close(): Promise<void> {
    await this.#end('SIGKILL');
    rmSync(this.folder, { recursive: true, force: true });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  async #end(signal: NodeJS.Signals): Promise<void> {
    const running = this.#process;
    this.#process = undefined;
    if (running === undefined || running.exitCode !== null || running.signalCode !== null) return;
    const exited = new Promise((resolve) => running.once('exit', resolve));
    running.kill('SIGCONT');
    running.kill(signal);
    await exited;
  }
}

/** A TCP port of this machine that nobody has at the moment. */
export function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const probe = createServer();
    probe.on('error', reject);
    probe.listen(0, '127.0.0.1', () => {
      const address = probe.address();
      probe.close(() => resolve(typeof address === 'object' && address !== null ? address.port : 0));
    });
  });
}

function answers(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1');
    socket.once('connect', () => {
      socket.destroy();
      resolve(true);
    });
    socket.once('error', () => resolve(false));
  });
}
