// Are the messages of a datagram found, and is what is malformed dropped without a word to the sender?

import { describe, expect, test } from 'vitest';

import { readDatagram } from '../../src/protocol/datagram.ts';
import { RemoteProtocolError, TruncatedError, type PvaError } from '../../src/protocol/errors.ts';
import { DEFAULT_LIMITS } from '../../src/protocol/limits.ts';
import { hitsLimit } from '../support/hits-limit.ts';
import { loadTranscript } from '../support/transcript.ts';
import { fromHex } from '../support/vectors.ts';

function read(hex: string): { commands: number[]; reasons: PvaError[] } {
  const reasons: PvaError[] = [];
  const frames = [...readDatagram(fromHex(hex), { onMalformed: (reason) => reasons.push(reason) })];
  return { commands: frames.map(({ header }) => header.command), reasons };
}

describe('a datagram', () => {
  test('may hold several messages, as a search behind its ORIGIN_TAG', () => {
    const forwarded = loadTranscript('base-forwarded-search').udp.find(({ dir }) => dir === 's2s');
    const { commands, reasons } = read(forwarded?.hex ?? '');
    expect(commands).toEqual([0x16, 0x03]);
    expect(reasons).toEqual([]);
  });

  test('gives out views, in either direction and byte order, and control messages without a body', () => {
    const bytes = fromHex('ca020002 02000000 aabb ca02c002 00000001 cc ca024102 ffffffff');
    const frames = [...readDatagram(bytes)];
    expect(frames.map(({ body }) => [...body])).toEqual([[0xaa, 0xbb], [0xcc], []]);
    expect(frames.map(({ header }) => header.fromServer)).toEqual([false, true, true]);
    expect(frames[0]?.body.buffer).toBe(bytes.buffer);
  });

  const malformed: readonly (readonly [
    what: string,
    hex: string,
    kind: typeof RemoteProtocolError | typeof TruncatedError,
  ])[] = [
    ['nothing at all', '', TruncatedError],
    ['half a header', 'ca020002', TruncatedError],
    ['a body longer than the datagram', 'ca020002 03000000 aabb', TruncatedError],
    ['a body that claims 4 GiB', 'ca020002 ffffffff aabb', TruncatedError],
    ['another magic byte', 'cb020002 00000000', RemoteProtocolError],
    ['version 0', 'ca000002 00000000', RemoteProtocolError],
    ['a segment', 'ca021002 00000000', RemoteProtocolError],
  ];

  test.each(malformed)('that holds %s gives no message but one reason', (_, hex, kind) => {
    const { commands, reasons } = read(hex);
    expect(commands).toEqual([]);
    expect(reasons).toEqual([expect.any(kind)]);
  });

  test.each(malformed.slice(1))('gives what stands before %s', (_, hex, kind) => {
    const { commands, reasons } = read(`ca020002 02000000 aabb ${hex}`);
    expect(commands).toEqual([0x02]);
    expect(reasons).toEqual([expect.any(kind)]);
  });

  test.each([
    ['ca020002', 'header at offset 0 of a datagram of 4 bytes is cut'],
    ['ca020002 02000000 aabb ca020002 03000000 aabb', 'body of 3 bytes at offset 18 of a datagram of 20'],
    ['ca020002 00000000 ca021002 00000000', 'segment first at offset 8 of a datagram, whole messages expected'],
  ])('says where it is wrong: %s', (hex, message) => {
    const reasons: string[] = [];
    const frames = [...readDatagram(fromHex(hex), { onMalformed: (reason) => reasons.push(reason.message) })];
    expect(reasons).toEqual([message]);
    expect(frames.length).toBeLessThan(2);
  });

  test('needs nobody who is told', () => {
    expect([...readDatagram(fromHex('cb'))]).toEqual([]);
  });

  test('is looked at only as far as its limit', () => {
    hitsLimit('maxDatagramBytes');
    const limits = { ...DEFAULT_LIMITS, maxDatagramBytes: 16 };
    const reasons: PvaError[] = [];
    const bytes = fromHex('ca020002 00000000 ca020002 00000000 ca020002 00000000');
    const frames = [...readDatagram(bytes, { limits, onMalformed: (reason) => reasons.push(reason) })];
    expect(frames.length).toBe(2);
    expect(reasons).toEqual([]);
  });
});
