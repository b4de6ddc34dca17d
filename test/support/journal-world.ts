// How does a test write through the journal, let everything stop at some moment, and see what is there after it? The store
// below its table, on a disk and a database in memory.

import { MemoryDatabase, MemoryDisk, Power, type Files } from './memory-disk.ts';
import type { StoredChannel } from '../../src/channels/stores/channel-store.ts';
import { JournaledRecords } from '../../src/channels/stores/embedded/journaled-records.ts';
import { recover } from '../../src/channels/stores/embedded/stored-files.ts';
import { POINT, pointOf, updateOf } from '../../src/channels/stores/suite/suite-support.ts';
import { DEFAULT_LIMITS } from '../../src/protocol/limits.ts';
import { int, structure } from '../../src/protocol/types/type-desc.ts';
import { ManualClock } from '../../src/transport/manual-clock.ts';

export const BOOT = new Uint8Array(16).fill(1);
/** A value so large that its group is not written to the journal. */
export const LARGE = 1_000_000;
export const NEXT_BOOT = new Uint8Array(16).fill(2);
const LARGE_NOTE = '.'.repeat(1_100_000);
/** Of another type than POINT: a value of one does not fit a definition of the other. */
const COUNT = structure('demo:count/1.0', { n: int });

/** What becomes of one channel; the number is all that its value is. */
export type Change = readonly [name: string, to: number | undefined, type?: 'point' | 'count'];

export interface WorldOptions {
  /** Instead of one with `files`. */
  readonly disk?: MemoryDisk;
  readonly files?: Files;
  /** A disk of its own comes with a database that lost its power with it. */
  readonly database?: MemoryDatabase;
  readonly bootId?: Uint8Array;
  readonly flushMs?: number;
}

export class JournalWorld {
  readonly clock = new ManualClock();
  readonly power: Power;
  readonly disk: MemoryDisk;
  readonly database: MemoryDatabase;
  readonly table: Map<string, StoredChannel>;
  readonly troubles: (string | undefined)[] = [];
  /** What its close did not wait for. */
  readonly hangs: Promise<void>[];
  readonly warnings: readonly string[];
  readonly records: JournaledRecords;

  private constructor(
    disk: MemoryDisk,
    database: MemoryDatabase,
    table: Map<string, StoredChannel>,
    warnings: readonly string[],
    records: JournaledRecords,
    clock: ManualClock,
    hangs: Promise<void>[],
  ) {
    this.power = disk.power;
    this.disk = disk;
    this.database = database;
    this.table = table;
    this.warnings = warnings;
    this.records = records;
    this.clock = clock;
    this.hangs = hangs;
    records.onTrouble = (trouble) => this.troubles.push(trouble);
  }

  static async open({
    files,
    database: from,
    bootId = BOOT,
    flushMs = 100,
    disk: folder = new MemoryDisk(files, new Power()),
  }: WorldOptions = {}): Promise<JournalWorld> {
    const database = from?.power === folder.power ? from : new MemoryDatabase(folder.power, from);
    const warnings: string[] = [];
    const onWarning = (text: string): void => void warnings.push(text);
    const onInfo = (): void => {};
    const { channels, end } = await recover(database, { folder, bootId, limits: DEFAULT_LIMITS, onWarning, onInfo });
    const clock = new ManualClock();
    const hangs: Promise<void>[] = [];
    const onHang = (ended: Promise<void>): void => void hangs.push(ended);
    const records = await JournaledRecords.open({
      folder,
      bootId,
      clock,
      flushMs,
      database,
      end,
      table: channels,
      onHang,
    });
    return new JournalWorld(folder, database, channels, warnings, records, clock, hangs);
  }

  /** Commits one group; the table follows, as the store has it. */
  async commit(...changes: readonly Change[]): Promise<void> {
    const group = this.#group(changes);
    await this.records.commit(group);
    apply(this.table, group);
  }

  /** The state after a commit. */
  stateWith(...changes: readonly Change[]): Readonly<Record<string, string>> {
    const table = new Map(this.table);
    apply(table, this.#group(changes));
    return stateOf(table);
  }

  /** What another one finds that opens what this one left as it is. */
  reopened(options: WorldOptions = {}): Promise<JournalWorld> {
    return JournalWorld.open({ files: new Map(this.disk.files), database: this.database, ...options });
  }

  get state(): Readonly<Record<string, string>> {
    return stateOf(this.table);
  }

  /** Lets happen what needs no time. */
  settle(): Promise<void> {
    return this.clock.advanceAsync(0);
  }

  #group(changes: readonly Change[]): ReadonlyMap<string, StoredChannel | undefined> {
    return new Map(changes.map(([name, to, type]) => [name, this.#channel(name, to, type)]));
  }

  #channel(name: string, to: number | undefined, type?: 'point' | 'count'): StoredChannel | undefined {
    if (to === undefined) return undefined;
    const before = this.table.get(name);
    const isPoint = type === undefined ? before?.definition.type !== COUNT : type === 'point';
    const own = isPoint ? POINT : COUNT;
    const isSame = before?.definition.type === own;
    return {
      definition: isSame ? before.definition : { name, type: own, settings: {} },
      revision: isSame ? before.revision + 1 : 0,
      state: isPoint ? pointOf({ x: to, note: to === LARGE ? LARGE_NOTE : '' }) : updateOf(COUNT, { n: to }),
    };
  }
}

function apply(table: Map<string, StoredChannel>, group: ReadonlyMap<string, StoredChannel | undefined>): void {
  for (const [name, channel] of group) {
    if (channel === undefined) table.delete(name);
    else table.set(name, channel);
  }
}

/** One line for each channel. */
export function stateOf(table: ReadonlyMap<string, StoredChannel>): Readonly<Record<string, string>> {
  const lines = [...table].map(([name, { definition, revision, state }]): [string, string] => {
    const { x, n } = state.value;
    return [name, `${definition.type.id} ${revision}: ${Number(x ?? n)}`];
  });
  return Object.fromEntries(lines.toSorted(([one], [other]) => (one < other ? -1 : 1)));
}
