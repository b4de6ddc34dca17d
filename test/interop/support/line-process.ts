// How does a test run another program, talk with it in lines, and end it for sure?

import { spawn, type ChildProcessWithoutNullStreams } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

export const ROOT = fileURLToPath(new URL('../../../', import.meta.url));
const START_MS = 20_000;
const END_MS = 5_000;

export type Environment = Readonly<Record<string, string>>;

/** What is running: nothing of it may stay behind a test, nor behind vitest. */
const running = new Set<ChildProcessWithoutNullStreams>();
process.on('exit', () => {
  for (const child of running) child.kill('SIGKILL');
});

function start(command: string, args: readonly string[], environment: Environment): ChildProcessWithoutNullStreams {
  // Settings of the person who runs the tests must not lead anybody to servers outside.
  const inherited = Object.entries(process.env).filter(([name]) => !name.startsWith('EPICS_'));
  const child = spawn(command, args, { cwd: ROOT, env: { ...Object.fromEntries(inherited), ...environment } });
  running.add(child);
  child.on('close', () => running.delete(child));
  // A program that is not there says so here; `close` follows. Writing to one that has gone is no news either.
  child.on('error', () => running.delete(child));
  child.stdin.on('error', () => {});
  return child;
}

/** Ends whatever a test file has left running; for `afterAll`. */
export async function endEverything(): Promise<void> {
  await Promise.all(
    Array.from(running, async (child) => {
      const closed = new Promise((resolve) => {
        child.on('close', resolve);
      });
      child.kill('SIGKILL');
      await closed;
    }),
  );
}

export interface Ended {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs a program to its end. */
export function runToEnd(command: string, args: readonly string[], environment: Environment): Promise<Ended> {
  const child = start(command, args, environment);
  let stdout = '';
  let stderr = '';
  child.stdout.setEncoding('utf8').on('data', (chunk: string) => {
    stdout += chunk;
  });
  child.stderr.setEncoding('utf8').on('data', (chunk: string) => {
    stderr += chunk;
  });
  child.stdin.end();
  return new Promise((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (code) => resolve({ code, stdout, stderr }));
  });
}

/** A program that speaks lines. */
export class LineProcess {
  readonly #child: ChildProcessWithoutNullStreams;
  readonly #waiting: ((line: string | undefined) => void)[] = [];
  readonly #unread: string[] = [];
  #hasEnded = false;
  stderr = '';
  readonly exited: Promise<number | null>;

  constructor(command: string, args: readonly string[], environment: Environment) {
    this.#child = start(command, args, environment);
    this.#child.stderr.setEncoding('utf8').on('data', (chunk: string) => {
      this.stderr += chunk;
    });
    createInterface({ input: this.#child.stdout }).on('line', (line) => {
      const waiting = this.#waiting.shift();
      if (waiting === undefined) this.#unread.push(line);
      else waiting(line);
    });
    this.#child.on('error', (error) => {
      this.stderr += error.message;
    });
    this.exited = new Promise((resolve) => {
      this.#child.on('close', (code) => {
        this.#hasEnded = true;
        for (const waiting of this.#waiting.splice(0)) waiting(undefined);
        resolve(code);
      });
    });
  }

  write(line: string): void {
    this.#child.stdin.write(`${line}\n`);
  }

  kill(signal: NodeJS.Signals): void {
    this.#child.kill(signal);
  }

  async line(): Promise<string> {
    const ready = this.#unread.shift();
    if (ready !== undefined) return ready;
    if (this.#hasEnded) throw new Error(`the process has ended: ${this.stderr}`);
    const line = await new Promise<string | undefined>((resolve) => {
      this.#waiting.push(resolve);
    });
    if (line === undefined) throw new Error(`the process ended before it said anything more: ${this.stderr}`);
    return line;
  }

  /** Reads lines until one holds `text`. */
  lineWith(text: string): Promise<string> {
    return this.#inTime(text, async () => {
      for (;;) {
        const line = await this.line();
        if (line.includes(text)) return line;
      }
    });
  }

  /** Waits until `text` was written to stderr. */
  stderrWith(text: string): Promise<void> {
    return this.#inTime(text, async () => {
      while (!this.stderr.includes(text)) {
        if (this.#hasEnded) throw new Error('the process has ended');
        await Promise.race([once(this.#child.stderr, 'data'), this.exited]);
      }
    });
  }

  async #inTime<T>(text: string, wait: () => Promise<T>): Promise<T> {
    let isLate = false;
    const timer = setTimeout(() => {
      isLate = true;
      this.kill('SIGKILL');
    }, START_MS);
    try {
      return await wait();
    } catch (cause) {
      const why = isLate ? `did not come within ${START_MS} ms` : 'did not come';
      throw new Error(`'${text}' ${why}: ${this.stderr}`, { cause });
    } finally {
      clearTimeout(timer);
    }
  }

  /** Closes its input, which ends a peer, and waits for its exit code; what does not end is killed. */
  async end(signal?: NodeJS.Signals): Promise<number | null> {
    this.#child.stdin.end();
    if (signal !== undefined) this.kill(signal);
    const timer = setTimeout(() => this.kill('SIGKILL'), END_MS);
    const code = await this.exited;
    clearTimeout(timer);
    return code;
  }
}
