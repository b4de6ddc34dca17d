// How does a backup look? Lines of JSON, each with its own checksum, the last with one of the whole:
//
//   {"format":"pvkit-backup","version":1,"written":"2026-01-31T12:00:00.000Z","store":"embedded","sum":"5f1d..."}
//   {"name":"lab:temperature","revision":12,"settings":{...},"type":{...},"value":{"value":21.5},"sum":"09ab..."}
//   {"channels":1,"sha256":"e3b0...","sum":"77c2..."}
//
// `type` and `value` are the JSON that pvkit prints (values/format-json.ts), from which both come back exactly; `value`
// holds the leaves that were ever set. `sum` is the beginning of SHA-256 over its line up to there, `sha256` is of all
// lines before. Whoever can write a file can write this one: it is checked like the bytes of a peer.

import { constants } from 'node:buffer';
import { createHash } from 'node:crypto';

import { counted } from '../../protocol/counted.ts';
import { LimitError, PvaError, reasonOf, type PvaErrorOptions } from '../../protocol/errors.ts';
import { DEFAULT_LIMITS, type Limits } from '../../protocol/limits.ts';
import type { StructureType } from '../../protocol/types/type-desc.ts';
import { typeFromJson } from '../../protocol/types/type-from-json.ts';
import { formatJson, typeJson } from '../../protocol/values/format-json.ts';
import { updateFromJson } from '../../protocol/values/parse-json.ts';
import type { StoredChannel } from './channel-store.ts';
import { canonicalTable, isJsonTable } from './json.ts';

/** Moves when a file can no longer be read by those who read the ones before. */
export const BACKUP_VERSION = 1;

const FORMAT = 'pvkit-backup';
const SUM_CHARACTERS = 16;
/** How every line ends. */
const SUM = /,"sum":"(?<sum>[0-9a-f]{16})"\}$/u;
const TAIL_CHARACTERS = ',"sum":""}'.length + SUM_CHARACTERS;
const TIME = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/u;
/** Types that are remembered while a backup is read. */
const MAX_TYPES = 1_000;
const HEADER_KEYS = ['format', 'version', 'written', 'store'];
const CHANNEL_KEYS = ['name', 'revision', 'settings', 'type', 'value'];
const END_KEYS = ['channels', 'sha256'];

/** The first line of a backup. */
export interface BackupHeader {
  /** When it was begun, such as 2026-01-31T12:00:00.000Z. */
  readonly written: string;
  /** Which kind of store it is of: `memory`, `embedded`, `redis`. */
  readonly store: string;
}

/** What is wrong with a backup file; the message begins with the line. */
export class BackupError extends PvaError {
  /** Counted from 1. */
  readonly line: number;

  constructor(line: number, why: string, options?: PvaErrorOptions) {
    super('BACKUP', `line ${line}: ${why}`, options);
    this.line = line;
  }
}

/** Makes the lines of a backup, in order: `header`, `channel` for each, `end`. Each ends with a newline. */
export class BackupWriter {
  readonly #limits: Limits;
  readonly #hash = createHash('sha256');
  #channelCount = 0;

  constructor(limits: Limits = DEFAULT_LIMITS) {
    this.#limits = limits;
  }

  get channelCount(): number {
    return this.#channelCount;
  }

  header({ written, store }: BackupHeader): string {
    return this.#line(
      `{"format":"${FORMAT}","version":${BACKUP_VERSION},"written":"${written}","store":${JSON.stringify(store)}`,
    );
  }

  /** @throws PvaError where the value is not of its type; LimitError where nobody could read the line */
  channel(channel: StoredChannel): string {
    this.#channelCount++;
    const line = this.#lineOf(channel);
    const lineBytes = Buffer.byteLength(line);
    if (lineBytes > this.#limits.maxBackupLineBytes) throw this.#tooLong(channel, lineBytes);
    return line;
  }

  end(): string {
    const sha256 = this.#hash.copy().digest('hex');
    return this.#line(`{"channels":${this.#channelCount},"sha256":"${sha256}"`);
  }

  #lineOf(channel: StoredChannel): string {
    try {
      return this.#line(bodyOf(channel));
    } catch (thrown) {
      if (!(thrown instanceof RangeError)) throw thrown;
      throw this.#tooLong(channel, constants.MAX_STRING_LENGTH + 1);
    }
  }

  #tooLong({ definition: { name } }: StoredChannel, leastBytes: number): LimitError {
    return new LimitError('maxBackupLineBytes', leastBytes, this.#limits.maxBackupLineBytes, `channel '${name}'`);
  }

  #line(body: string): string {
    const line = `${body},"sum":"${sumOf(body)}"}\n`;
    this.#hash.update(line);
    return line;
  }
}

/** Takes the lines of a backup one after the other and says what each holds. @throws BackupError by every method */
export class BackupReader {
  readonly #limits: Limits;
  readonly #hash = createHash('sha256');
  /** Most channels of one site are of a few types. */
  readonly #types = new Map<string, StructureType>();
  #header: BackupHeader | undefined;
  #lineCount = 0;
  #channelCount = 0;
  #isEnded = false;

  constructor(limits: Limits = DEFAULT_LIMITS) {
    this.#limits = limits;
  }

  get header(): BackupHeader | undefined {
    return this.#header;
  }

  get channelCount(): number {
    return this.#channelCount;
  }

  /** Number of the last line that was given. */
  get lineCount(): number {
    return this.#lineCount;
  }

  /** The channel that the next line holds; undefined for the first and the last line, which hold none. */
  line(text: string): StoredChannel | undefined {
    this.#lineCount++;
    if (this.#isEnded) throw this.#wrong('something follows the last line of the backup');
    const json = this.#parse(text);
    if (this.#header === undefined) this.#header = this.#readHeader(json);
    else if (Object.hasOwn(json, 'sha256')) this.#readEnd(json);
    else {
      const channel = this.#readChannel(json);
      this.#channelCount++;
      this.#hash.update(`${text}\n`);
      return channel;
    }
    this.#hash.update(`${text}\n`);
    return undefined;
  }

  /** There are no more lines. */
  end(): void {
    if (this.#isEnded) return;
    this.#lineCount++;
    throw this.#wrong('the file ends here, without the last line of a backup: it was cut short');
  }

  #parse(text: string): Readonly<Record<string, unknown>> {
    const { sum } = SUM.exec(text.slice(-TAIL_CHARACTERS))?.groups ?? {};
    if (sum === undefined) {
      if (this.#header === undefined) throw this.#wrong('this is no backup of pvkit');
      throw this.#wrong('there is no checksum at its end: it was changed or cut short');
    }
    const body = text.slice(0, -TAIL_CHARACTERS);
    const found = sumOf(body);
    if (found !== sum) throw this.#wrong(`the checksum is ${found}, the line says ${sum}: it was changed or damaged`);
    try {
      const json: unknown = JSON.parse(`${body}}`);
      if (isJsonTable(json)) return json;
    } catch (thrown) {
      throw this.#wrong('it is no JSON', thrown);
    }
    throw this.#wrong('it is no JSON object');
  }

  #readHeader(json: Readonly<Record<string, unknown>>): BackupHeader {
    const { format, version, written, store } = json;
    if (format !== FORMAT) throw this.#wrong('this is no backup of pvkit');
    if (typeof version !== 'number' || !Number.isInteger(version) || version < 1) {
      throw this.#wrong(`version ${JSON.stringify(version)} of the format cannot be`);
    }
    if (version > BACKUP_VERSION) {
      throw this.#wrong(
        `the backup is of version ${version} of the format, this version of pvkit reads up to ${BACKUP_VERSION}`,
      );
    }
    this.#requireKeys(json, HEADER_KEYS);
    if (typeof written !== 'string' || !TIME.test(written)) {
      throw this.#wrong(`written is ${JSON.stringify(written)}, a time expected`);
    }
    if (typeof store !== 'string') throw this.#wrong(`store is ${JSON.stringify(store)}, a word expected`);
    return { written, store };
  }

  #readChannel(json: Readonly<Record<string, unknown>>): StoredChannel {
    this.#requireKeys(json, CHANNEL_KEYS);
    const { name, revision, settings, type, value } = json;
    if (typeof name !== 'string' || name === '' || Buffer.byteLength(name) > this.#limits.maxNameBytes) {
      throw this.#wrong(`a name of 1 to ${this.#limits.maxNameBytes} bytes expected`);
    }
    if (typeof revision !== 'number' || !Number.isSafeInteger(revision) || revision < 0) {
      throw this.#wrong(`channel '${name}': revision ${JSON.stringify(revision)} cannot be`);
    }
    const checked = canonicalTable(settings, 'settings', (why) => this.#wrong(`channel '${name}': ${why}`));
    try {
      const structure = this.#readType(type);
      const state = updateFromJson(structure, value);
      return { definition: { name, settings: checked, type: structure }, revision, state };
    } catch (thrown) {
      if (thrown instanceof BackupError || !(thrown instanceof PvaError)) throw thrown;
      throw this.#wrong(`channel '${name}': ${reasonOf(thrown)}`, thrown);
    }
  }

  #readType(json: unknown): StructureType {
    const text = JSON.stringify(json);
    const known = this.#types.get(text);
    if (known !== undefined) return known;
    const type = typeFromJson(json, this.#limits);
    if (type.kind !== 'structure') throw this.#wrong(`its type is ${text}, a structure expected`);
    if (this.#types.size >= MAX_TYPES) this.#types.clear();
    this.#types.set(text, type);
    return type;
  }

  #readEnd(json: Readonly<Record<string, unknown>>): void {
    this.#requireKeys(json, END_KEYS);
    const { channels, sha256 } = json;
    if (channels !== this.#channelCount) {
      throw this.#wrong(
        `${counted(this.#channelCount, 'channel')} came before, ${JSON.stringify(channels)} were written: lines are missing or were added`,
      );
    }
    const found = this.#hash.copy().digest('hex');
    if (sha256 !== found) {
      throw this.#wrong(
        `SHA-256 of the lines before is ${found}, the line says otherwise: lines were changed or moved`,
      );
    }
    this.#isEnded = true;
  }

  #requireKeys(json: Readonly<Record<string, unknown>>, expected: readonly string[]): void {
    const foreign = Object.keys(json).find((key) => !expected.includes(key));
    if (foreign !== undefined) throw this.#wrong(`the key ${JSON.stringify(foreign.slice(0, 60))} has no meaning here`);
    const missing = expected.find((key) => !Object.hasOwn(json, key));
    if (missing !== undefined) throw this.#wrong(`${missing} is missing`);
  }

  #wrong(why: string, cause?: unknown): BackupError {
    return new BackupError(this.#lineCount, why, { cause });
  }
}

function bodyOf({ definition: { name, settings, type }, revision, state }: StoredChannel): string {
  const value = formatJson(type, state.value, state.changed);
  return `{"name":${JSON.stringify(name)},"revision":${revision},"settings":${JSON.stringify(settings)},"type":${typeJson(type)},"value":${value}`;
}

function sumOf(body: string): string {
  return createHash('sha256').update(body).digest('hex').slice(0, SUM_CHARACTERS);
}
