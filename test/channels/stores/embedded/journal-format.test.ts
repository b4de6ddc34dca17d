// Is a segment read exactly as far as it is whole, whatever is done to its bytes?

import { describe, expect, it } from 'vitest';
import {
  beginGroup,
  beginRecord,
  endRecord,
  readSegment,
  SEGMENT_HEAD_BYTES,
  sealGroup,
  writeRemoval,
  writeSegmentHead,
} from '../../../../src/channels/stores/embedded/journal-format.ts';
import type { RecordChange } from '../../../../src/channels/stores/embedded/record.ts';
import { StoreError } from '../../../../src/channels/stores/store-error.ts';
import { Writer } from '../../../../src/protocol/writer.ts';

const BOOT = Uint8Array.from({ length: 16 }, (_, index) => index + 1);
const NUMBER = 7;
/** The group before the segment. */
const BEFORE = 41;

/** What a foreign program made of the description in journal-format.ts: Python's struct and zlib. */
const GOLDEN = `
  70766b6a 01000000 0700000000000000 0102030405060708090a0b0c0d0e0f10 8b672813
  16000000 2a00000000000000 28853b51 2fa9f41f
  64 05 6c61623a78 03000000 010203   76 02 6162 ffffffff`;

type Group = readonly RecordChange[];
const bytes = (...values: readonly number[]): Uint8Array => Uint8Array.from(values);
const GROUPS: readonly Group[] = [
  [
    ['definition', 'lab:x', bytes(1, 2, 3)],
    ['value', 'lab:x', bytes(4)],
  ],
  [['value', 'lab:x', bytes(5, 6)]],
  [],
  [
    ['value', 'lab:ü', bytes()],
    ['definition', 'lab:x', undefined],
    ['value', 'lab:x', undefined],
  ],
];

function segmentOf(groups: readonly Group[]): { readonly segment: Uint8Array; readonly ends: readonly number[] } {
  const segment = new Writer(false);
  const seed = writeSegmentHead(segment, NUMBER, BOOT);
  const ends = [segment.length];
  for (const [index, group] of groups.entries()) {
    const writer = new Writer(false);
    beginGroup(writer);
    for (const [kind, name, record] of group) {
      if (record === undefined) {
        writeRemoval(writer, kind, name);
        continue;
      }
      const place = beginRecord(writer, kind, name);
      writer.bytes(record);
      endRecord(writer, place);
    }
    sealGroup(writer, BEFORE + 1 + index, seed);
    segment.bytes(writer.view());
    ends.push(segment.length);
  }
  return { segment: segment.copy(), ends };
}

function read(segment: Uint8Array, number = NUMBER, lastGroup = BEFORE) {
  const groups: Group[] = [];
  const end = readSegment(segment, number, lastGroup, (group) => groups.push(group));
  return { groups, ...end };
}

const { segment, ends } = segmentOf(GROUPS);

describe('a segment of the journal', () => {
  it('gives its groups in order, and says where it ends and when it was written', () => {
    expect(read(segment)).toEqual({
      groups: GROUPS,
      bootId: BOOT,
      wholeBytes: segment.length,
      lastGroup: BEFORE + GROUPS.length,
      damage: undefined,
    });
  });

  it('is what its description says', () => {
    const golden = new Uint8Array(Buffer.from(GOLDEN.replaceAll(/\s/gu, ''), 'hex'));
    const groups: readonly Group[] = [
      [
        ['definition', 'lab:x', bytes(1, 2, 3)],
        ['value', 'ab', undefined],
      ],
    ];
    expect(read(golden)).toMatchObject({ groups, damage: undefined });
    expect(segmentOf(groups).segment).toEqual(golden);
  });

  it('that was cut short anywhere has exactly the groups before, and no damage', () => {
    for (let length = 0; length < segment.length; length++) {
      const whole = ends.filter((end) => end <= length);
      const { groups, wholeBytes, damage, bootId } = read(segment.subarray(0, length));
      expect([length, groups, damage]).toEqual([length, GROUPS.slice(0, Math.max(0, whole.length - 1)), undefined]);
      expect(wholeBytes).toBe(whole.at(-1) ?? 0);
      expect(bootId === undefined).toBe(length < SEGMENT_HEAD_BYTES);
    }
  });

  it('with any byte changed is refused, or damaged at the group with that byte', () => {
    for (let at = 0; at < segment.length; at++) {
      const changed = segment.slice();
      changed[at] = (changed[at] ?? 0) ^ 0x10;
      if (at < SEGMENT_HEAD_BYTES) {
        expect(() => read(changed)).toThrow(StoreError);
        continue;
      }
      const { groups, wholeBytes, damage } = read(changed);
      const start = ends.findLast((end) => end <= at) ?? 0;
      expect([at, wholeBytes, groups]).toEqual([at, start, GROUPS.slice(0, ends.indexOf(start))]);
      expect(damage).toMatch(/checksum/u);
    }
  });

  it('that ends in zeros is damaged where they begin', () => {
    const zeroed = segment.slice();
    zeroed.fill(0, ends[2]);
    expect(read(zeroed)).toMatchObject({ groups: GROUPS.slice(0, 2), wholeBytes: ends[2], damage: /./u });
  });

  it('that was only begun, or is all zeros, has nothing', () => {
    for (const begun of [bytes(), bytes(0, 0, 0), new Uint8Array(SEGMENT_HEAD_BYTES)])
      expect(read(begun)).toMatchObject({ groups: [], wholeBytes: 0, damage: undefined });
  });

  it('whose beginning a loss of power took has nothing, whatever is behind it, and is damaged', () => {
    const withoutHead = segment.slice().fill(0, 0, SEGMENT_HEAD_BYTES);
    const cutHead = new Uint8Array(100);
    cutHead.set(segment.subarray(0, 7));
    for (const lost of [new Uint8Array(100), withoutHead, cutHead]) {
      const damage = 'its beginning was never written';
      expect(read(lost)).toMatchObject({ groups: [], wholeBytes: 0, bootId: undefined, damage });
    }
  });

  it('whose groups do not follow the one before is damaged', () => {
    expect(read(segment, NUMBER, BEFORE - 1)).toMatchObject({
      groups: [],
      wholeBytes: SEGMENT_HEAD_BYTES,
      damage: `group ${BEFORE} is missing, group ${BEFORE + 1} is there`,
    });
  });

  it.each([
    [
      'a foreign file',
      bytes(...Buffer.from('[channels]\nname = "lab:x" # and so on and on\n')),
      /no journal of pvkit/u,
    ],
    ['a short foreign file', bytes(...Buffer.from('hello')), /no journal of pvkit/u],
    ['another segment under its name', segment, /it is the segment 7 under another name/u, 8],
  ])('is no segment: %s', (_, file, why, number = NUMBER) => {
    expect(() => read(file, number)).toThrow(why);
  });

  it('of a newer format is refused, whatever follows', () => {
    const newer = segment.slice();
    newer[4] = 2;
    expect(() => read(newer)).toThrow(/it is of format 2; this version of pvkit reads up to 1/u);
  });

  it.each([
    ['a kind that nobody knows', bytes(9), /a record of kind 9/u],
    ['a name that is longer than the group', bytes(0x76, 200, 1), /200 bytes expected/u],
    ['bytes that are longer than the group', bytes(0x76, 1, 0x61, 255, 255, 255, 127), /2147483647 bytes expected/u],
    ['an end within a record', bytes(0x76, 1), /1 bytes expected/u],
  ])('with a group that fits its checksum and has %s is damaged there', (_, body, why) => {
    const writer = new Writer(false);
    const seed = writeSegmentHead(writer, NUMBER, BOOT);
    const group = new Writer(false);
    beginGroup(group);
    group.bytes(body);
    sealGroup(group, BEFORE + 1, seed);
    writer.bytes(group.view());
    const { groups, wholeBytes, damage } = read(writer.copy());
    expect([groups, wholeBytes]).toEqual([[], SEGMENT_HEAD_BYTES]);
    expect(damage).toMatch(why);
  });
});
