// Which flags do the commands share, and what may stand behind them?

import { InvalidArgumentError, Option, type Command } from 'commander';

import { DEFAULT_LIMITS, parsePvRequest, reasonOf, type CodecName } from '../protocol/index.ts';
import { UsageError } from './fault.ts';

export interface DebugOptions {
  readonly verbose?: true;
  readonly debug?: true;
}

export interface JsonOptions {
  readonly json?: true;
}

export interface TimeoutOptions {
  /** Seconds; 0 for no limit. */
  readonly timeout: number;
}

export interface ServerOptions {
  readonly server?: string;
}

export interface CodecOptions {
  readonly codec?: CodecName;
}

export interface ViewOptions extends JsonOptions {
  /** Known to be a pvRequest. */
  readonly request?: string;
  readonly format?: Format;
  readonly elements?: number;
  readonly precision?: number;
}

const CODECS: readonly CodecName[] = ['pva', 'msgpack'];

export const FORMATS = ['delta', 'tree', 'json'] as const;
export type Format = (typeof FORMATS)[number];

/** What pvxs waits, too. */
const DEFAULT_TIMEOUT_S = 5;
const MS_PER_SECOND = 1_000;
/** Ten days: more is a mistake, or means 0. */
const MAX_SECONDS = 864_000;
const MAX_COUNT = 0x7fff_ffff;
const MAX_DIGITS = 17;
const MAX_PORT = 65_535;

// --- flags -----------------------------------------------------------------------------------------------------

export function withDebug(command: Command, verbose: string): Command {
  return command
    .option('-v, --verbose', verbose)
    .option('-d, --debug', 'tell on stderr what happens, and where in the program an error comes from');
}

export function withJson(command: Command): Command {
  return command.option('--json', 'one JSON object a line, for programs');
}

export function withTimeout(command: Command, meaning: string, seconds = DEFAULT_TIMEOUT_S): Command {
  return command.addOption(
    new Option('-w, --timeout <seconds>', meaning).default(seconds).argParser((text) => secondsOf(text, MAX_SECONDS)),
  );
}

export function withServer(command: Command): Command {
  return command.addOption(new Option('--server <host:port>', 'ask this server, without a search').argParser(serverOf));
}

export function withCodec(command: Command): Command {
  return command.addOption(
    new Option(
      '--codec <codec>',
      'how messages are encoded; msgpack reaches servers on their port for it (default: pva)',
    ).choices(CODECS),
  );
}

export function withRequest(command: Command): Command {
  return command.addOption(
    new Option(
      '-r, --request <pvRequest>',
      'which fields, and how, such as "value,alarm" or "record[queueSize=8]field()"',
    ).argParser(pvRequestOf),
  );
}

export function withView(command: Command, byDefault: Format = 'delta'): Command {
  return withJson(
    withElements(
      command.addOption(
        new Option('-F, --format <form>', `how values are printed (default: ${byDefault})`).choices(FORMATS),
      ),
    ),
  );
}

export function withElements(command: Command): Command {
  return command
    .addOption(
      new Option(
        '-#, --elements <count>',
        'array elements that are printed; 0 for all (default: all, 20 on a terminal)',
      ).argParser((text) => countOf(text, 0, MAX_COUNT)),
    )
    .addOption(
      new Option(
        '--precision <digits>',
        'significant digits of float and double (default: as many as it takes)',
      ).argParser((text) => countOf(text, 1, MAX_DIGITS)),
    );
}

// --- what they mean --------------------------------------------------------------------------------------------

/** Milliseconds until a command gives up; Infinity for never. */
export function timeoutMsOf(options: TimeoutOptions): number {
  return options.timeout === 0 ? Number.POSITIVE_INFINITY : options.timeout * MS_PER_SECOND;
}

/** The form that was asked for. @throws UsageError when flags contradict each other */
export function formatOf(options: ViewOptions, byDefault: Format = 'delta'): Format {
  const { format, json } = options;
  if (json === true && format !== undefined && format !== 'json') {
    throw new UsageError(`--json and -F ${format} ask for two forms at once`);
  }
  const form = json === true ? 'json' : (format ?? byDefault);
  if (form === 'json' && options.elements !== undefined) {
    throw new UsageError('-# cuts arrays short, which JSON output never does; choose the fields with -r instead');
  }
  return form;
}

// --- what stands behind them -----------------------------------------------------------------------------------

export function countOf(text: string, lowest: number, highest: number): number {
  const count = /^\d+$/u.test(text) ? Number(text) : Number.NaN;
  if (count >= lowest && count <= highest) return count;
  throw new InvalidArgumentError(`Expected a whole number from ${lowest} to ${highest}.`);
}

export function secondsOf(text: string, highest: number): number {
  const seconds = /^(\d+(?:\.\d*)?|\.\d+)(e[+-]?\d+)?$/iu.test(text) ? Number(text) : Number.NaN;
  if (seconds <= highest) return seconds;
  throw new InvalidArgumentError(`Expected a number of seconds from 0 to ${highest}.`);
}

/** A name that a server could have; others are refused before anything is searched. */
export function pvNameOf(text: string): string {
  const bytes = Buffer.byteLength(text);
  if (bytes > 0 && bytes <= DEFAULT_LIMITS.maxNameBytes) return text;
  throw new InvalidArgumentError(`Expected a PV name of 1 to ${DEFAULT_LIMITS.maxNameBytes} bytes, it has ${bytes}.`);
}

/** As `pvNameOf`, for an argument that may come several times. */
export function pvNamesOf(text: string, before: readonly string[] = []): readonly string[] {
  return [...before, pvNameOf(text)];
}

/** Only what can be seen to be wrong without asking anybody; a host name is looked up later. */
export function serverOf(text: string): string {
  const [, host, port = '0'] =
    /^(\[[^\]]+\]|[^\s:[\]]+|[\da-f]*:[\da-f]*:[\da-f:]*)(?::(\d{1,5}))?$/iu.exec(text) ?? [];
  if (host !== undefined && Number(port) <= MAX_PORT) return text;
  throw new InvalidArgumentError('Expected HOST or HOST:PORT, such as 127.0.0.1:5075.');
}

function pvRequestOf(text: string): string {
  try {
    parsePvRequest(text);
    return text;
  } catch (thrown) {
    throw new InvalidArgumentError(`${reasonOf(thrown)}.`);
  }
}
