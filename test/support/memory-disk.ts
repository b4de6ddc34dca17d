// How does a test get a disk that is full, takes writes by halves, fails, crashes or loses its power? In memory, with what
// is written and what is flushed told apart. A database beside it crashes at the same moment.

import type { RecordDatabase } from '../../src/channels/stores/embedded/database.ts';
import type { JournalFile, JournalFolder } from '../../src/channels/stores/embedded/journal-files.ts';
import {
  KINDS,
  type ChannelRecord,
  type JournalPosition,
  type RecordChange,
  type RecordKind,
} from '../../src/channels/stores/embedded/record.ts';

type Content = Uint8Array;
export type Files = ReadonlyMap<string, Content>;

/** What happens instead of an act; a number is how many bytes a write takes. */
export type Fault = (act: string, name: string, length: number) => number | Error | Promise<undefined> | undefined;

class Crashed extends Error {}

/** Counts what is done, and ends it all at some moment. */
export class Power {
  count = 0;
  /** The number of the act that does not come to its end. */
  crashesAt = Number.POSITIVE_INFINITY;
  isOff = false;

  /** Whether this act is the one that is cut short. @throws when the power is off */
  use(): boolean {
    if (this.isOff) throw new Crashed('the power is off');
    this.isOff = ++this.count >= this.crashesAt;
    return this.isOff;
  }
}

export class MemoryDisk implements JournalFolder {
  readonly path = '/lab';
  readonly power: Power;
  /** As the system has it. */
  readonly files = new Map<string, Content>();
  /** As it is without the system: names and contents that were flushed. */
  #flushedNames = new Set<string>();
  readonly #flushed = new Map<string, Content>();
  fault: Fault = () => undefined;
  /** Why a write is said to have failed that has done its work: its flush did. */
  failsAfter: (act: string) => Error | undefined = () => undefined;
  readonly acts: string[] = [];

  constructor(files: Files = new Map(), power = new Power()) {
    this.power = power;
    for (const [name, content] of files) {
      this.files.set(name, content);
      this.#flushed.set(name, content);
    }
    this.#flushedNames = new Set(files.keys());
  }

  /** What is left when the power is lost: what was not flushed is there up to `share` of it, then zeros or nothing. */
  afterPowerLoss(share: number, zeros: boolean): Files {
    const left = new Map<string, Content>();
    for (const name of this.#flushedNames) {
      const written = this.files.get(name) ?? this.#flushed.get(name) ?? new Uint8Array(0);
      const flushedLength = this.#flushed.get(name)?.length ?? 0;
      const kept = flushedLength + Math.floor(Math.max(0, written.length - flushedLength) * share);
      const content = new Uint8Array(zeros ? Math.max(kept, written.length) : kept);
      content.set(written.subarray(0, kept));
      left.set(name, content);
    }
    return left;
  }

  async names(): Promise<readonly string[]> {
    await this.#act('names', '', 0);
    return [...this.files.keys()];
  }

  async create(name: string, isFlushed: boolean): Promise<JournalFile> {
    await this.#act('create', name, 0);
    this.files.set(name, new Uint8Array(0));
    this.#flushed.delete(name);
    const flush = (): void => void this.#flushed.set(name, this.files.get(name)?.slice() ?? new Uint8Array(0));
    return {
      write: async (bytes, at) => {
        const { count, isCut } = await this.#act('write', name, bytes.length);
        if (count > 0) this.#writeAt(name, bytes.subarray(0, count), at);
        if (isCut) throw new Crashed('the power went off');
        const failure = this.failsAfter('write');
        if (failure !== undefined) throw failure;
        if (isFlushed) flush();
        return count;
      },
      flush: async () => {
        await this.#act('flush', name, 0);
        flush();
      },
      cut: async (length) => {
        await this.#act('cut', name, 0);
        this.files.set(name, (this.files.get(name) ?? new Uint8Array(0)).slice(0, length));
      },
      close: async () => {
        this.acts.push(`close ${name}`);
      },
    };
  }

  async read(name: string, maxBytes: number): Promise<Uint8Array | undefined> {
    await this.#act('read', name, maxBytes);
    return this.files.get(name);
  }

  async keep(name: string, as: string): Promise<void> {
    await this.#act('keep', name, 0);
    this.files.set(as, this.files.get(name) ?? new Uint8Array(0));
  }

  async remove(name: string): Promise<void> {
    await this.#act('remove', name, 0);
    this.files.delete(name);
  }

  async flush(): Promise<void> {
    await this.#act('flush', '', 0);
    this.#flushedNames = new Set(this.files.keys());
  }

  /** In a buffer that grows, so that many writes cost little; what others hold of it stays as it is. */
  #writeAt(name: string, bytes: Uint8Array, at: number): void {
    const before = this.files.get(name) ?? new Uint8Array(0);
    const length = Math.max(before.length, at + bytes.length);
    const isAppended = at >= before.length && length <= before.buffer.byteLength;
    const after = new Uint8Array(isAppended ? before.buffer : new ArrayBuffer(2 * length), 0, length);
    if (!isAppended) after.set(before);
    after.set(bytes, at);
    this.files.set(name, after);
  }

  /** How much of a write is done, and whether all ends with it. */
  async #act(act: string, name: string, length: number): Promise<{ readonly count: number; readonly isCut: boolean }> {
    this.acts.push(`${act} ${name}`.trim());
    const fault = await this.fault(act, name, length);
    if (fault instanceof Error) throw fault;
    const isCut = this.power.use();
    if (!isCut) return { count: fault ?? length, isCut };
    if (act !== 'write') throw new Crashed('the power went off');
    return { count: (this.power.count * 7) % length, isCut };
  }
}

/** A commit that is said not to have held. */
export interface FailedCommit {
  readonly why: Error;
  /** What is there all the same: it was to be flushed after it could be seen. */
  readonly leaves: 'nothing' | 'visible' | 'flushed';
}

export interface DatabaseContent {
  readonly records: Readonly<Record<RecordKind, ReadonlyMap<string, Uint8Array>>>;
  readonly position: JournalPosition;
}

/** What a database is for the journal: records, and what of the journal is in them, changed at once or not at all. */
export class MemoryDatabase
  implements DatabaseContent, Pick<RecordDatabase, 'position' | 'read' | 'isOld' | 'commit' | 'close'>
{
  readonly power: Power;
  records: DatabaseContent['records'];
  position: JournalPosition;
  /** What is there after a loss of power. */
  flushed: DatabaseContent;
  readonly isOld = false;
  /** What becomes of a commit that does not hold. */
  fault: () => Error | FailedCommit | Promise<undefined> | undefined = () => undefined;
  commitCount = 0;

  constructor(power: Power, from?: DatabaseContent) {
    this.power = power;
    this.records = from?.records ?? { definition: new Map(), value: new Map() };
    this.position = from?.position ?? { segment: 0, group: 0 };
    this.flushed = { records: this.records, position: this.position };
  }

  read<T>(act: (records: (kind: RecordKind) => Iterable<ChannelRecord>, position: JournalPosition) => T): T {
    const records = (kind: RecordKind): Iterable<ChannelRecord> =>
      [...this.records[kind]].map(([name, bytes]) => ({ kind, name, bytes }));
    return act(records, this.position);
  }

  async commit(changes: readonly RecordChange[], position: JournalPosition): Promise<void> {
    const fault = await this.fault();
    const failed = fault instanceof Error ? { why: fault, leaves: 'nothing' } : fault;
    if (failed?.leaves === 'nothing') throw failed.why;
    // Its last act may have come to pass or not.
    const isCut = this.power.use();
    if (isCut && this.power.count % 2 === 0) throw new Crashed('the power went off');
    const records = { definition: new Map(this.records.definition), value: new Map(this.records.value) };
    for (const [kind, name, bytes] of changes) {
      if (!(kind in KINDS)) throw new Error(`no kind: ${kind}`);
      if (bytes === undefined) records[kind].delete(name);
      else records[kind].set(name, bytes.slice());
    }
    this.records = records;
    this.position = position;
    if (failed?.leaves !== 'visible') this.flushed = { records, position };
    if (isCut) throw new Crashed('the power went off');
    if (failed !== undefined) throw failed.why;
    this.commitCount++;
  }

  async close(): Promise<void> {
    // Nothing is held.
  }
}
