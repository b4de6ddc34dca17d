// How do tests run commands: in their own process, with what they print kept and ^C at hand?

import { runCli } from '../../src/cli/program.ts';
import type { CliHost, Output } from '../../src/cli/host.ts';
import { nodeNetwork, systemClock, type Clock, type Network } from '../../src/index.ts';

export class MemoryOutput implements Output {
  readonly isTerminal: boolean;
  readonly columns: number;
  readonly rows = 24;
  text = '';
  #waiting: readonly { readonly isMet: (text: string) => boolean; readonly resolve: () => void }[] = [];

  constructor({ isTerminal = false, columns = 100 }: { isTerminal?: boolean; columns?: number } = {}) {
    this.isTerminal = isTerminal;
    this.columns = columns;
  }

  get lines(): string[] {
    return this.text.split('\n').slice(0, -1);
  }

  write(text: string): void {
    this.text += text;
    const met = this.#waiting.filter(({ isMet }) => isMet(this.text));
    this.#waiting = this.#waiting.filter((waiting) => !met.includes(waiting));
    for (const { resolve } of met) resolve();
  }

  drained(): Promise<void> {
    return Promise.resolve();
  }

  /** Resolves once the whole text is so. */
  until(isMet: (text: string) => boolean): Promise<void> {
    return isMet(this.text)
      ? Promise.resolve()
      : new Promise((resolve) => (this.#waiting = [...this.#waiting, { isMet, resolve }]));
  }
}

export interface RunOptions {
  readonly environment?: CliHost['environment'];
  readonly isTerminal?: boolean;
  readonly network?: Network;
  readonly clock?: Clock;
  readonly folder?: string;
  /** What comes over standard input. */
  readonly stdin?: AsyncIterable<Uint8Array>;
}

/** A command under way. */
export interface Run {
  readonly stdout: MemoryOutput;
  readonly stderr: MemoryOutput;
  readonly exitCode: Promise<number>;
  /** As ^C, of which the process says which signal it was. */
  interrupt(reason?: unknown): void;
  /** As SIGHUP; how many listened. */
  reload(): number;
}

export function start(words: readonly string[], options: RunOptions = {}): Run {
  const { environment = {}, isTerminal = false, network = nodeNetwork, clock = systemClock } = options;
  const stdout = new MemoryOutput({ isTerminal });
  const stderr = new MemoryOutput({ isTerminal });
  const interrupt = new AbortController();
  const folder = options.folder ?? new URL('.', import.meta.url).pathname;
  const stdin = () => options.stdin ?? nothing();
  const reloaders = new Set<() => void>();
  const onReload = (listener: () => void) => {
    reloaders.add(listener);
    return () => void reloaders.delete(listener);
  };
  const reload = () => {
    for (const listener of reloaders) listener();
    return reloaders.size;
  };
  const terminal = { stdin, stdout, stderr, environment, folder, interrupt: interrupt.signal, onReload };
  const exitCode = runCli(words, terminal, async () => ({ clock, network }));
  return { stdout, stderr, exitCode, interrupt: (reason) => interrupt.abort(reason), reload };
}

/** An empty stream. */
export async function* nothing(): AsyncGenerator<Uint8Array, void> {}

export interface Ended {
  readonly stdout: string;
  readonly stderr: string;
  readonly exitCode: number;
}

/** A command from beginning to end. */
export async function run(words: readonly string[], options: RunOptions = {}): Promise<Ended> {
  const running = start(words, options);
  const exitCode = await running.exitCode;
  return { stdout: running.stdout.text, stderr: running.stderr.text, exitCode };
}

/** A `pvkit serve` under way on ports of its own, and the environment in which clients find it. */
export interface Serving extends Run {
  readonly environment: CliHost['environment'];
  readonly tcpPort: number;
  readonly udpPort: number;
  stop(): Promise<number>;
}

export async function serve(words: readonly string[], options: RunOptions = {}): Promise<Serving> {
  const onLoopback = ['--interface', '127.0.0.1', '--tcp-port', '0', '--udp-port', '0'];
  const running = start(['serve', ...words, ...onLoopback], options);
  await Promise.race([running.stdout.until((text) => text.includes('listening')), running.exitCode]);
  const [, tcpPort = '', udpPort = ''] =
    /(?:tcp \S+:|"tcpPort":)(\d+)(?: udp |,"udpPort":)(\d+)/u.exec(running.stdout.text) ?? [];
  if (udpPort === '') throw new Error(`serve did not get ready: ${running.stdout.text}${running.stderr.text}`);
  return {
    ...running,
    tcpPort: Number(tcpPort),
    udpPort: Number(udpPort),
    environment: {
      EPICS_PVA_ADDR_LIST: '127.0.0.1',
      EPICS_PVA_AUTO_ADDR_LIST: 'NO',
      EPICS_PVA_BROADCAST_PORT: udpPort,
      EPICS_PVA_SERVER_PORT: tcpPort,
    },
    stop: () => {
      running.interrupt();
      return running.exitCode;
    },
  };
}
