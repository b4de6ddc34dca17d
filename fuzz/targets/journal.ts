// Is a segment of the embedded store's journal taken as far as it is whole, or refused, whatever its bytes are? And is
// what was taken in the database afterwards, as it was?

import { crc32 } from 'node:zlib';

import type { StoredChannel } from '../../src/channels/stores/channel-store.ts';
import { writeDefinitionRecord, writeValueRecord } from '../../src/channels/stores/embedded/channel-records.ts';
import {
  beginGroup,
  beginRecord,
  endRecord,
  GROUP_HEAD_BYTES,
  SEGMENT_HEAD_BYTES,
  sealGroup,
  writeRemoval,
  writeSegmentHead,
} from '../../src/channels/stores/embedded/journal-format.ts';
import { recover } from '../../src/channels/stores/embedded/stored-files.ts';
import { StoreError } from '../../src/channels/stores/store-error.ts';
import { POINT, pointOf } from '../../src/channels/stores/suite/suite-support.ts';
import { DEFAULT_LIMITS } from '../../src/protocol/limits.ts';
import { Writer } from '../../src/protocol/writer.ts';
import { MemoryDatabase, MemoryDisk } from '../../test/support/memory-disk.ts';

import { requireThat, type Target } from '../target.ts';

const BOOT = new Uint8Array(16).fill(1);
const NAME = 'channels.1.journal';
const HEAD_CHECKED_BYTES = SEGMENT_HEAD_BYTES - 4;
const GROUP_CHECKED_BYTES = GROUP_HEAD_BYTES - 8;

export const journal: Target = {
  name: 'journal',
  seeds: () => [seed([]), seed([{ a: 1 }]), seed([{ a: 1, b: 2 }, { a: 3 }, { b: undefined }, {}])],
  repair: withFittingSums,
  async run(input) {
    const disk = new MemoryDisk(new Map([[NAME, input]]));
    const database = new MemoryDatabase(disk.power);
    const taken = await recovered(disk, database);
    if (taken === undefined) {
      requireThat(disk.files.get(NAME) === input && database.commitCount === 0, 'what is refused stays as it is');
      return;
    }
    requireThat(!disk.files.has(NAME), 'what is in the database is no more in the journal');
    requireThat((await recovered(disk, database)) === taken, 'what was taken comes back as it was');
  },
};

/** The channels that are found, as text; undefined when they are refused. */
async function recovered(folder: MemoryDisk, database: MemoryDatabase): Promise<string | undefined> {
  try {
    const tell = (text: string): void => requireThat(text.includes(NAME), 'what is told names the file');
    const told = { onWarning: tell, onInfo: tell };
    const { channels } = await recover(database, { folder, bootId: BOOT, limits: DEFAULT_LIMITS, ...told });
    const writer = new Writer(false);
    for (const [name, channel] of [...channels].toSorted(([one], [other]) => (one < other ? -1 : 1))) {
      writer.string(name);
      writeDefinitionRecord(writer, channel.definition);
      writeValueRecord(writer, channel);
    }
    return Buffer.from(writer.view()).toString('hex');
  } catch (thrown) {
    if (!(thrown instanceof StoreError) || thrown.message === '') throw thrown;
    return undefined;
  }
}

/** One group for each table of names. */
function seed(groups: readonly Readonly<Record<string, number | undefined>>[]): Uint8Array {
  const segment = new Writer(false);
  const sum = writeSegmentHead(segment, 1, BOOT);
  for (const [index, group] of groups.entries()) {
    const writer = new Writer(false);
    beginGroup(writer);
    for (const [name, x] of Object.entries(group)) {
      if (x === undefined) {
        writeRemoval(writer, 'definition', name);
        writeRemoval(writer, 'value', name);
        continue;
      }
      const channel: StoredChannel = {
        definition: { name, type: POINT, settings: {} },
        revision: index,
        state: pointOf({ x }),
      };
      let place = beginRecord(writer, 'definition', name);
      writeDefinitionRecord(writer, channel.definition);
      endRecord(writer, place);
      place = beginRecord(writer, 'value', name);
      writeValueRecord(writer, channel);
      endRecord(writer, place);
    }
    sealGroup(writer, index + 1, sum);
    segment.bytes(writer.view());
  }
  return segment.copy();
}

/** The same segment with the checksums that it should have, so that what is behind them is looked at. */
function withFittingSums(input: Uint8Array): Uint8Array {
  if (input.length < SEGMENT_HEAD_BYTES) return input;
  const fitting = input.slice();
  const view = new DataView(fitting.buffer);
  const sum = crc32(fitting.subarray(0, HEAD_CHECKED_BYTES));
  view.setUint32(HEAD_CHECKED_BYTES, sum, true);
  for (let start = SEGMENT_HEAD_BYTES; start + GROUP_HEAD_BYTES <= fitting.length;) {
    const body = start + GROUP_HEAD_BYTES;
    const length = Math.min(view.getUint32(start, true), fitting.length - body);
    const check = crc32(fitting.subarray(start, start + GROUP_CHECKED_BYTES), sum);
    view.setUint32(start + GROUP_CHECKED_BYTES, check, true);
    view.setUint32(start + GROUP_CHECKED_BYTES + 4, crc32(fitting.subarray(body, body + length), check), true);
    start = body + length;
  }
  return fitting;
}
