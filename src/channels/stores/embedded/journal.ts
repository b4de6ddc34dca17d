// How is a put made to last without waiting for the disk? Its group goes to the end of a file by one write: once that is
// done the system has it, and it survives the process. A moment later the file is flushed, for a loss of power.
//
// The file is a row of numbered segments. When a new one is begun, what the older ones hold can go into the database, and
// then they are dropped. Groups and new segments take turns, so a segment holds exactly the groups up to some moment. A
// group that the disk did not take whole is cut off again before anything else is written.

import { reasonOf } from '../../../protocol/errors.ts';
import { STORE_LIMITS } from '../../../protocol/limits.ts';
import { Writer } from '../../../protocol/writer.ts';
import type { Clock, TimerHandle } from '../../../transport/clocks.ts';
import { StoreError, storeClosed } from '../store-error.ts';
import { segmentName, type JournalFile, type JournalFolder } from './journal-files.ts';
import { sealGroup, SEGMENT_HEAD_BYTES, writeSegmentHead, type BootId } from './journal-format.ts';
import type { JournalPosition, RecordChange, RecordKind, RecordPlace } from './record.ts';

const RECORD_KINDS = ['definition', 'value'] as const;

export interface JournalOptions {
  readonly folder: JournalFolder;
  readonly clock: Clock;
  readonly bootId: BootId;
  /** How long after a write the file is flushed; 0: a group is on the disk before its append resolves. */
  readonly flushMs: number;
  /** Given each flush that nobody waits for. */
  readonly watchFlush: (flush: Promise<void>) => Promise<void>;
}

/** What some segments hold in sum. */
interface Pending {
  /** The newest of each channel. */
  readonly records: readonly RecordChange[];
  /** The end of the last of them. */
  readonly end: JournalPosition;
}

/** A record where it was written, which is what was acknowledged: whoever gave the value may change it meanwhile. */
interface Written {
  readonly group: Uint8Array;
  readonly place: RecordPlace;
}

type NewestRecords = Readonly<Record<RecordKind, Map<string, Written>>>;

interface Segment {
  readonly number: number;
  readonly name: string;
  readonly file: JournalFile;
  readonly seed: number;
  length: number;
  flushedLength: number;
  /** Why a flush did not hold; undefined when all did. Trying again would not tell whether anything was lost. */
  flushFailure: string | undefined;
  /** Whether there may be a part of a group behind `length`. */
  isTorn: boolean;
  /** No more than the file has: it is the same bytes. */
  readonly newest: NewestRecords;
}

export class Journal {
  readonly #options: JournalOptions;
  /** Those that go into the database, oldest first. */
  #older: readonly Segment[] = [];
  /** The one that is written; undefined after `end`. */
  #current: Segment | undefined;
  /** The end of the older ones, also when these are gone. */
  #behind: JournalPosition;
  #lastGroup: number;
  /** Files that could not be taken away. */
  #leftOver: string[] = [];
  /** The end of the last act that has to have the segments to itself. */
  #turn: Promise<unknown> = Promise.resolve();
  #flushTimer: TimerHandle | undefined;
  #flushing: Promise<void> | undefined;
  /** Why nothing is begun any more. */
  #abandoned: StoreError | undefined;
  /** Told when a flush did not hold: what was written since the last one is safe only once it is in the database. */
  onFlushFailure: () => void = () => {};

  private constructor(options: JournalOptions, current: Segment, behind: JournalPosition) {
    this.#options = options;
    this.#current = current;
    this.#behind = behind;
    this.#lastGroup = behind.group;
  }

  /** Begins the segment after a position. */
  static async open(options: JournalOptions, { segment, group }: JournalPosition): Promise<Journal> {
    return new Journal(options, await begin(options, segment + 1), { segment, group });
  }

  /** Bytes in the segment that is written. */
  get currentBytes(): number {
    return (this.#current?.length ?? SEGMENT_HEAD_BYTES) - SEGMENT_HEAD_BYTES;
  }

  /** Channels that have changed in it. */
  get changedCount(): number {
    return this.#current?.newest.value.size ?? 0;
  }

  /** Whether a segment was set aside that is not in the database. */
  get hasOlder(): boolean {
    return this.#older.length > 0;
  }

  /** Whether nothing is in it that is not in the database. */
  get isEmpty(): boolean {
    return !this.hasOlder && this.currentBytes === 0;
  }

  /** Why what was acknowledged may be lost with the power; undefined when all is well. */
  get flushFailure(): string | undefined {
    return this.#segments.find(({ flushFailure }) => flushFailure !== undefined)?.flushFailure;
  }

  /**
   * Writes a group, begun by `beginGroup`, whose records are at some places. Resolves when the system has it; when it
   * rejects, it is as if it had never been. The writer belongs to the journal until then.
   */
  append(group: Writer, places: readonly RecordPlace[]): Promise<void> {
    return this.#inTurn(async () => {
      const segment = this.#current;
      if (segment === undefined) throw storeClosed();
      if (!this.takes(group)) {
        const share = `${this.#heldBytes} of ${STORE_LIMITS.maxJournalBytes} bytes`;
        throw new StoreError('STORE_AWAY', `the journal is full: ${share} are not in the database yet`);
      }
      await cutTorn(segment);
      sealGroup(group, this.#lastGroup + 1, segment.seed);
      await writeWhole(segment, group.view());
      segment.length += group.length;
      this.#lastGroup++;
      const written = group.view().slice();
      for (const place of places) segment.newest[place.kind].set(place.name, { group: written, place });
      this.#flushSoon();
    });
  }

  /** Begins a new segment: what was appended until now can be dropped once it is in the database. */
  async rotate(): Promise<void> {
    if (this.#current === undefined) throw storeClosed();
    // Nobody waits for it until it is there.
    const next = await begin(this.#options, this.#current.number + 1);
    try {
      await this.#inTurn(async () => {
        await this.#setAside();
        this.#current = next;
      });
    } catch (thrown) {
      await next.file.close();
      throw thrown;
    }
  }

  /** Begins none: from now on nothing is appended. */
  end(): Promise<void> {
    return this.#inTurn(async () => this.#setAside());
  }

  /** Whether a group finds room. */
  takes(group: Writer): boolean {
    return this.#heldBytes + group.length <= STORE_LIMITS.maxJournalBytes;
  }

  /** What the older segments hold. */
  pending(): Pending {
    const newest = noRecords();
    for (const segment of this.#older) {
      for (const kind of RECORD_KINDS) {
        for (const [name, written] of segment.newest[kind]) newest[kind].set(name, written);
      }
    }
    const records = RECORD_KINDS.flatMap((kind) => [...newest[kind].values()].map(changeOf));
    return { records, end: this.#behind };
  }

  /**
   * Takes away the older segments, up to a number: all that they hold is in the database, and on the disk. A file that
   * cannot be taken away does no harm, and is tried again with the next ones, or by whoever opens the store.
   */
  async drop(number = Number.POSITIVE_INFINITY): Promise<void> {
    const dropped = this.#older.filter((segment) => segment.number <= number);
    this.#older = this.#older.filter((segment) => segment.number > number);
    const names = [...this.#leftOver, ...dropped.map(({ name }) => name)];
    this.#leftOver = [];
    for (const { file } of dropped) await file.close().catch(() => {});
    for (const name of names) {
      if (this.#abandoned !== undefined) return;
      await this.#options.folder.remove(name).catch(() => this.#leftOver.push(name));
    }
  }

  /** Begins nothing any more: somebody else may have the folder by now. */
  abandon(why: StoreError): void {
    this.#abandoned = why;
  }

  /** Closes its files, which stay. */
  async close(): Promise<void> {
    const segments = this.#segments;
    this.#older = [];
    this.#current = undefined;
    // A file that is closed while it is written may be another one by then.
    await this.#turn;
    await this.#flushing;
    this.#flushTimer?.cancel();
    for (const { file } of segments) await file.close().catch(() => {});
  }

  get #heldBytes(): number {
    return this.#segments.reduce((sum, { length }) => sum + length, 0);
  }

  get #segments(): readonly Segment[] {
    return this.#current === undefined ? this.#older : [...this.#older, this.#current];
  }

  #inTurn<T>(act: () => Promise<T>): Promise<T> {
    const done = this.#turn.then(() => {
      if (this.#abandoned !== undefined) throw this.#abandoned;
      return act();
    });
    this.#turn = done.catch(() => {});
    return done;
  }

  async #setAside(): Promise<void> {
    if (this.#current === undefined) return;
    await cutTorn(this.#current);
    this.#older = [...this.#older, this.#current];
    this.#behind = { segment: this.#current.number, group: this.#lastGroup };
    this.#current = undefined;
  }

  #flushSoon(): void {
    const { clock, flushMs, watchFlush } = this.#options;
    if (flushMs === 0 || this.#flushing !== undefined) return;
    this.#flushTimer ??= clock.after(flushMs, () => {
      this.#flushTimer = undefined;
      this.#flushing = watchFlush(this.#flush()).finally(() => {
        this.#flushing = undefined;
        if (this.#segments.some(isUnflushed)) this.#flushSoon();
      });
    });
  }

  /** Never rejects. The oldest first: a loss of power takes the last groups, and none from between. */
  async #flush(): Promise<void> {
    for (const segment of this.#segments.filter(isUnflushed)) {
      const { length } = segment;
      try {
        await segment.file.flush();
        segment.flushedLength = length;
      } catch (thrown) {
        if (!this.#segments.includes(segment)) continue;
        segment.flushFailure = `${segment.name} could not be flushed: ${reasonOf(thrown)}`;
        this.onFlushFailure();
      }
    }
  }
}

function noRecords(): NewestRecords {
  return { definition: new Map(), value: new Map() };
}

function changeOf({ group, place: { kind, name, start, end } }: Written): RecordChange {
  return [kind, name, start === undefined ? undefined : group.subarray(start, end)];
}

function isUnflushed({ length, flushedLength, flushFailure }: Segment): boolean {
  return length > flushedLength && flushFailure === undefined;
}

/** A new segment whose file, and its name, are on the disk. */
async function begin({ folder, bootId, flushMs }: JournalOptions, number: number): Promise<Segment> {
  const name = segmentName(number);
  const head = new Writer(false, SEGMENT_HEAD_BYTES);
  const seed = writeSegmentHead(head, number, bootId);
  const file = await folder.create(name, flushMs === 0);
  const segment: Segment = {
    number,
    name,
    file,
    seed,
    length: 0,
    flushedLength: SEGMENT_HEAD_BYTES,
    flushFailure: undefined,
    isTorn: false,
    newest: noRecords(),
  };
  try {
    await writeWhole(segment, head.view());
    segment.length = SEGMENT_HEAD_BYTES;
    await file.flush();
    await folder.flush();
    return segment;
  } catch (thrown) {
    await file.close();
    throw thrown;
  }
}

/** Writes behind what counts; what was written of it when it rejects is cut off, now or before the next write. */
async function writeWhole(segment: Segment, bytes: Uint8Array): Promise<void> {
  const { file, name, length } = segment;
  try {
    for (let done = 0; done < bytes.length;) {
      const count = await file.write(done === 0 ? bytes : bytes.subarray(done), length + done);
      if (count === 0)
        throw new StoreError('STORE_AWAY', `${name}: the disk took none of ${bytes.length - done} bytes`);
      done += count;
    }
  } catch (thrown) {
    segment.isTorn = true;
    try {
      await cutTorn(segment);
    } catch (cause) {
      // Tried again before anything else is written.
      throw new StoreError('STORE_UNCERTAIN', `${reasonOf(thrown)}; nor can it be cut off: ${reasonOf(cause)}`, {
        cause,
      });
    }
    throw thrown;
  }
}

/** Takes away what is behind the last whole group, also from the disk: nobody may find there what was refused. */
async function cutTorn(segment: Segment): Promise<void> {
  if (!segment.isTorn) return;
  await segment.file.cut(segment.length);
  await segment.file.flush();
  segment.isTorn = false;
}
