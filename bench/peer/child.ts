// How does the bench run other programs, hear them in lines, and leave none behind?

import { spawn, type ChildProcessByStdio } from 'node:child_process';
import { once } from 'node:events';
import { createInterface, type Interface } from 'node:readline';
import type { Readable, Writable } from 'node:stream';
import { pinned, type Cores } from './cores.ts';
import { ROOT } from './root.ts';

const START_MS = 30_000;
const END_MS = 5_000;

const running = new Set<Child>();
process.on('exit', () => {
  for (const child of running) child.kill();
});
// By default they end the process without its `exit`.
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(1));

export interface ChildOptions {
  readonly cores: Cores;
  /** Besides what this process has, without its EPICS_*: settings of a person lead to servers outside. */
  readonly environment?: Readonly<Record<string, string>>;
}

/** A program that speaks lines on stdout and ends when its stdin does, or when it has done its work. */
export class Child {
  readonly #process: ChildProcessByStdio<Writable, Readable, Readable>;
  readonly #lines: Interface;
  readonly #closed: Promise<void>;
  readonly #unread: string[] = [];
  readonly #what: string;
  #stderr = '';
  #hasClosed = false;

  constructor(command: readonly string[], { cores, environment = {} }: ChildOptions) {
    const [program = '', ...words] = pinned(cores, command);
    this.#what = command.slice(0, 4).join(' ');
    const inherited = Object.entries(process.env).filter(([name]) => !name.startsWith('EPICS_'));
    this.#process = spawn(program, words, {
      cwd: ROOT,
      env: { ...Object.fromEntries(inherited), ...environment },
      stdio: ['pipe', 'pipe', 'pipe'],
    });
    running.add(this);
    this.#closed = new Promise((resolve) => {
      this.#process.on('close', () => {
        this.#hasClosed = true;
        running.delete(this);
        resolve();
      });
    });
    // A program that is not there says so here; `close` follows.
    this.#process.on('error', (error) => (this.#stderr += error.message));
    this.#process.stdin.on('error', () => {
      // It has ended before; `line` and `rest` say so.
    });
    this.#process.stderr.setEncoding('utf8').on('data', (text: string) => (this.#stderr += text));
    this.#lines = createInterface({ input: this.#process.stdout });
    this.#lines.on('line', (line) => this.#unread.push(line));
  }

  get pid(): number {
    return this.#process.pid ?? 0;
  }

  /** The next line. @throws Error with what it said on stderr, when there is none in time */
  async line(): Promise<string> {
    const late = AbortSignal.timeout(START_MS);
    while (this.#unread.length === 0 && !this.#hasClosed && !late.aborted) {
      await Promise.race([once(this.#lines, 'line', { signal: late }).catch(() => undefined), this.#closed]);
    }
    const line = this.#unread.shift();
    if (line !== undefined) return line;
    throw new Error(
      `${this.#what}: a line was expected, but ${late.aborted ? 'none came' : 'it ended'}: ${this.#stderr}`,
    );
  }

  async ask(line: string): Promise<string> {
    this.#process.stdin.write(`${line}\n`);
    return this.line();
  }

  /** Waits for its end. @returns what it said after the lines that were read, and its exit code */
  async rest(): Promise<{ readonly code: number | null; readonly text: string; readonly stderr: string }> {
    await this.#closed;
    return { code: this.#process.exitCode, text: this.#unread.splice(0).join('\n'), stderr: this.#stderr };
  }

  /** Ends it in good order; what does not end by itself is killed. */
  async end(): Promise<void> {
    this.#process.stdin.end();
    this.#process.kill('SIGTERM');
    const timer = setTimeout(() => this.kill(), END_MS);
    await this.#closed;
    clearTimeout(timer);
  }

  kill(): void {
    this.#process.kill('SIGKILL');
  }
}
