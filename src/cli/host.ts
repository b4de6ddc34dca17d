// What does the command line need from the process it runs in? Handed in, so that tests run commands in their own process.

import type { Clock, Network, Vitals } from '../index.ts';

/** One of the two output streams. */
export interface Output {
  readonly isTerminal: boolean;
  /** Width of the terminal in characters; 80 where there is none. */
  readonly columns: number;
  /** Height of the terminal in lines; 24 where there is none. */
  readonly rows: number;
  write(text: string): void;
  /** Resolves when what was written is taken, so that a slow reader slows the writer instead of filling memory. */
  drained(): Promise<void>;
}

/** The streams and the surroundings of the process. */
export interface Terminal {
  /** Opens standard input: commands that do not read it must not wait for it. */
  readonly stdin: () => AsyncIterable<Uint8Array>;
  readonly stdout: Output;
  readonly stderr: Output;
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** Relative files start here; `.env` is read here. */
  readonly folder: string;
  /** Aborted when the user wants no more: ^C, SIGTERM, or a reader of our output that went away. */
  readonly interrupt: AbortSignal;
  /** Calls `listener` when the user wants the configuration read again, SIGHUP, until the returned function is called. */
  readonly onReload?: (listener: () => void) => () => void;
  /** Calls `listener` with every error that nobody caught, until the returned function is called; until then it ends all. */
  readonly onFault?: (listener: (thrown: unknown) => void) => () => void;
}

/** How commands reach the world. */
export interface Reach {
  readonly clock: Clock;
  readonly network: Network;
  /** Begins to measure how this process is. */
  readonly vitals?: () => Vitals;
}

export interface CliHost extends Terminal, Reach {}
