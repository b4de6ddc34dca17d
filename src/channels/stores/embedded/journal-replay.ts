// What is in the journal that is not in the database yet? What a process left that was killed is taken group by group; what
// is damaged is refused, or, where it may come from a loss of power, left out and kept beside.

import { join } from 'node:path';
import { STORE_LIMITS } from '../../../protocol/limits.ts';
import { StoreError } from '../store-error.ts';
import { segmentName, segmentNumbers, type JournalFolder } from './journal-files.ts';
import { readSegment, SEGMENT_HEAD_BYTES, type BootId } from './journal-format.ts';
import type { ChannelRecord, JournalPosition, RecordChange, RecordKind } from './record.ts';

type NewestRecords = Readonly<Record<RecordKind, ReadonlyMap<string, Uint8Array | undefined>>>;

export interface JournalContent {
  /** The newest record of each name that is in it; undefined for those that are no more. */
  readonly records: NewestRecords;
  /** Where it ends: whatever is written next comes behind that. */
  readonly end: JournalPosition;
  /** All files of the journal, also those whose content is in the database. */
  readonly names: readonly string[];
  /** Those of which something was left out. */
  readonly damaged: readonly string[];
  /** What was left out and why; undefined when nothing was. */
  readonly warning: string | undefined;
  /** What is behind the last whole group and may be left by a kill, for each file that has such; not for one that is written. */
  readonly torn: readonly string[];
}

/** What a damaged file is kept as. */
const KEPT = '.damaged';

/**
 * Reads what comes after a position.
 * @throws StoreError STORE_FORMAT that names file and place when it is damaged and the power was not lost since it was
 * written, or is foreign, or of a newer format
 */
export async function readJournal(
  folder: JournalFolder,
  position: JournalPosition,
  bootId: BootId,
): Promise<JournalContent> {
  const numbers = segmentNumbers(await folder.names());
  const records = {
    definition: new Map<string, Uint8Array | undefined>(),
    value: new Map<string, Uint8Array | undefined>(),
  };
  const take = (changes: readonly RecordChange[]): void => {
    for (const [kind, name, bytes] of changes) records[kind].set(name, bytes);
  };
  let { segment, group } = position;
  let roomBytes = STORE_LIMITS.maxJournalBytes + numbers.length * SEGMENT_HEAD_BYTES;
  let warning: string | undefined;
  let writtenAt: BootId | undefined;
  const damaged: string[] = [];
  const torn: string[] = [];
  let leftOutBytes = 0;
  for (const number of numbers.filter((each) => each > position.segment)) {
    const name = segmentName(number);
    const path = join(folder.path, name);
    const bytes = await folder.read(name, roomBytes);
    if (bytes === undefined) throw new StoreError('STORE_FORMAT', `${path} was taken away while it was read`);
    roomBytes -= bytes.length;
    if (warning !== undefined) {
      damaged.push(name);
      leftOutBytes += bytes.length;
      continue;
    }
    const isNext = number === segment + 1;
    const end = inFile(path, () => readSegment(bytes, number, group, isNext ? take : () => {}));
    // One whose beginning is lost was written after those before it.
    writtenAt = end.bootId ?? writtenAt;
    const [place, why] = isNext
      ? [end.wholeBytes, end.damage]
      : [0, `${segmentName(segment + 1)} is missing, without which it means nothing`];
    if (why !== undefined) {
      const isRestarted = restartedSince(writtenAt, bootId);
      if (isRestarted === false) throw new StoreError('STORE_FORMAT', `${path}, byte ${place}: ${why}`);
      const when = isRestarted
        ? 'the machine was restarted since'
        : 'nobody knows whether the machine was restarted since';
      warning = `${path}, byte ${place}: ${why}; ${when}`;
      damaged.push(name);
      leftOutBytes += bytes.length - place;
    } else if (bytes.length > place) {
      const ofAll = `the last ${bytes.length - place} of ${bytes.length} bytes`;
      torn.push(
        `${path}: ${ofAll} are no whole group, as a process leaves that is killed while it writes; they are left out`,
      );
    }
    segment = number;
    if (isNext) group = end.lastGroup;
  }
  const last = numbers.at(-1) ?? 0;
  return {
    records,
    end: { segment: Math.max(last, position.segment), group },
    names: numbers.map(segmentName),
    damaged,
    warning:
      warning &&
      `${warning}: ${leftOutBytes} bytes are left out, and kept in ${damaged.map((name) => name + KEPT).join(', ')}`,
    torn,
  };
}

/** Keeps what was damaged beside; `removeJournal` takes the files themselves away. */
export async function keepDamaged(folder: JournalFolder, { damaged }: JournalContent): Promise<void> {
  for (const name of damaged) await folder.keep(name, name + KEPT);
  if (damaged.length > 0) await folder.flush();
}

/** Takes the files away: what they hold is in the database. */
export async function removeJournal(folder: JournalFolder, { names }: JournalContent): Promise<void> {
  for (const name of names) await folder.remove(name);
}

/** The records of a kind as they are with the journal. */
export function* recordsWith(
  journal: JournalContent,
  kind: RecordKind,
  ofDatabase: Iterable<ChannelRecord>,
): Iterable<ChannelRecord> {
  const newer = journal.records[kind];
  for (const record of ofDatabase) if (!newer.has(record.name)) yield record;
  for (const [name, bytes] of newer) if (bytes !== undefined) yield { kind, name, bytes };
}

/** What makes the database what it is with the journal. */
export function changesOf({ records }: JournalContent): readonly RecordChange[] {
  return (['definition', 'value'] as const).flatMap((kind) =>
    [...records[kind]].map(([name, bytes]): RecordChange => [kind, name, bytes]),
  );
}

/** Whether the machine may have lost its power since then; undefined where nobody knows. */
function restartedSince(then: BootId | undefined, now: BootId): boolean | undefined {
  const isKnown = then?.some((byte) => byte !== 0) === true && now.some((byte) => byte !== 0);
  return isKnown ? then.some((byte, index) => byte !== now[index]) : undefined;
}

function inFile<T>(path: string, act: () => T): T {
  try {
    return act();
  } catch (thrown) {
    if (!(thrown instanceof StoreError)) throw thrown;
    throw new StoreError(thrown.reason, `${path}: ${thrown.message}`, { cause: thrown });
  }
}
