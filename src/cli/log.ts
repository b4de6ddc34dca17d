// How does a server of ours log what happens? As pino's lines of JSON for programs, as readable lines on a terminal.

import { pino, type Logger } from 'pino';

import type { NoticeLevel, ServerConfig, ServerNotice } from '../index.ts';
import type { CliHost } from './host.ts';
import { paintOf, type Paint } from './paint.ts';
import { printable } from './printable.ts';
import { timeText } from './time-text.ts';

export type LogLevel = ServerConfig['logLevel'];

/** What can be logged: a notice of the server, or a sentence of the command itself. */
export type LogEntry = ServerNotice | { readonly level: NoticeLevel; readonly text: string };

const PINO_LEVEL = { debug: 'debug', info: 'info', warning: 'warn', error: 'error' } as const satisfies Record<
  NoticeLevel,
  LogLevel
>;

/** Takes lines of JSON besides, such as a file. */
export type LogCopy = (line: string) => void;

/** Logs on stderr what is at least as grave as `level`; `name` is the server's. */
export class Log {
  readonly #logger: Logger;
  readonly #host: Pick<CliHost, 'stderr' | 'clock' | 'environment'>;
  readonly #paint: Paint;
  readonly #isTerminal: boolean;
  readonly #copy: LogCopy | undefined;

  constructor(name: string, level: LogLevel, host: Pick<CliHost, 'stderr' | 'clock' | 'environment'>, copy?: LogCopy) {
    const { stderr, clock } = host;
    this.#host = host;
    this.#isTerminal = stderr.isTerminal;
    this.#copy = copy;
    this.#paint = paintOf(stderr, host.environment);
    const timestamp = (): string => `,"time":${Math.floor(clock.wallTime())}`;
    this.#logger = pino({ name, level, timestamp }, { write: (line) => this.#writeJson(line) });
  }

  write(entry: LogEntry): void {
    const level = PINO_LEVEL[entry.level];
    if (!this.#logger.isLevelEnabled(level)) return;
    if (this.#isTerminal) this.#writeLine(entry);
    if (this.#isTerminal && this.#copy === undefined) return;
    this.#logger[level](detailsOf(entry), entry.text);
  }

  #writeJson(line: string): void {
    this.#copy?.(line);
    if (!this.#isTerminal) this.#host.stderr.write(line);
  }

  #writeLine({ level, text }: LogEntry): void {
    const time = this.#paint.dim(timeText(this.#host.clock.wallTime()));
    // What a client says may hold line breaks; it must not look like further entries.
    const line = printable(text).replaceAll(/[\n\t]+/gu, ' ');
    this.#host.stderr.write(`${time} ${this.#painted(level)}: ${line}\n`);
  }

  #painted(level: NoticeLevel): string {
    if (level === 'error') return this.#paint.red(level);
    return level === 'warning' ? this.#paint.yellow(level) : level;
  }
}

/** What programs filter by. */
function detailsOf(entry: LogEntry): Readonly<Record<string, string>> {
  if (!('kind' in entry)) return {};
  const { kind } = entry;
  return 'remote' in entry ? { kind, remote: `${entry.remote.address}:${entry.remote.port}` } : { kind };
}
