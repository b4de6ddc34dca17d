// Messages are found in any stream: cut anywhere, begun in the middle, with holes and with bytes that make no sense.

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { DEFAULT_LIMITS } from '../../../src/protocol/limits.ts';
import { MessageCutter, type Piece } from '../../../src/protocol/trace/message-cutter.ts';
import { cut } from '../../support/trace.ts';
import { loadTranscript, streamOf, transcriptNames } from '../../support/transcript.ts';
import { fromHex } from '../../support/vectors.ts';
import { spaced } from '../../support/wire-text.ts';

// pvxs-get-double: CONNECTION_VALIDATED, and the reply to CREATE_CHANNEL.
const VALIDATED = 'ca 02 40 09 01 00 00 00 ff';
const CREATED = 'ca 02 40 07 09 00 00 00 78 56 34 12 01 03 05 07 ff';
const SET_BYTE_ORDER = 'ca 02 41 02 00 00 00 00';

/** `9 GET..`: offset, and the message or why it is none. */
function shown(pieces: readonly Piece[]): readonly string[] {
  return pieces.map((piece) => {
    if (piece.kind === 'message') return `${piece.offset}: ${spaced(piece.bytes)}`;
    return `${piece.offset}: ${piece.count} skipped (${spaced(piece.bytes)}), ${piece.reason}`;
  });
}

describe('a stream of messages', () => {
  it.each(transcriptNames())('is cut the same in any chunks: %s', (name) => {
    const bytes = streamOf(loadTranscript(name), 0, 's2c');
    const whole = cut(new MessageCutter({ fromServer: true }), bytes);
    const cutter = new MessageCutter({ fromServer: true });
    const chunks: Piece[] = [];
    for (let at = 0; at < bytes.length; at += 7) chunks.push(...cutter.push(bytes.subarray(at, at + 7)));
    expect([...chunks, ...cutter.end()]).toEqual(whole);
    expect(whole.every(({ kind }) => kind === 'message')).toBe(true);
    expect(whole.reduce((sum, piece) => sum + (piece.kind === 'message' ? piece.bytes.length : 0), 0)).toBe(
      bytes.length,
    );
  });

  it('takes control messages as eight bytes whatever their value is', () => {
    const control = 'ca 02 41 02 ff ff ff ff';
    expect(shown(cut(new MessageCutter(), fromHex(control + VALIDATED)))).toEqual([`0: ${control}`, `8: ${VALIDATED}`]);
  });

  it('says what is left at its end', () => {
    expect(shown(cut(new MessageCutter(), fromHex(`${SET_BYTE_ORDER} ca 02 40`)))).toEqual([
      `0: ${SET_BYTE_ORDER}`,
      '8: 3 skipped (ca 02 40), the bytes end within a message',
    ]);
  });
});

describe('after bytes that are no message', () => {
  it('reads on at the next message', () => {
    const pieces = cut(new MessageCutter(), fromHex(`00 01 02 ${VALIDATED}`));
    expect(shown(pieces)).toEqual([
      '0: 3 skipped (00 01 02), message starts with 0x00, 0xca expected',
      `3: ${VALIDATED}`,
    ]);
  });

  it('takes nothing for a message that only begins like one', () => {
    const almost = [
      'ca 00 40 09 01 00 00 00', // version 0
      'ca 09 40 09 01 00 00 00', // a version of the far future
      'ca 02 4e 09 01 00 00 00', // unused flags
      'ca 02 40 7f 01 00 00 00', // no command
      'ca 02 41 7f 01 00 00 00', // no control message
      'ca 02 00 09 01 00 00 00', // from the other side
      'ca 02 40 09 ff ff ff 7f', // longer than any message may be
      'ca 02 40 09 02 00 00 00', // no message behind it
    ];
    for (const bytes of almost) {
      const cutter = new MessageCutter({ fromServer: true, isStart: false });
      expect(shown(cut(cutter, fromHex(bytes + VALIDATED)))).toEqual([
        `0: 8 skipped (${bytes}), the capture begins in the middle of the stream`,
        `8: ${VALIDATED}`,
      ]);
    }
  });

  it('keeps only the first bytes of what it skips, however long that is', () => {
    const junk = new Uint8Array(100_000).fill(7);
    const [piece] = cut(new MessageCutter(), junk);
    expect(piece).toMatchObject({ kind: 'skipped', count: 100_000 });
    expect(piece?.bytes).toHaveLength(64);
  });

  it('names the message of the wrong side, and the body that is too long', () => {
    expect(shown(cut(new MessageCutter({ fromServer: false }), fromHex(VALIDATED)))[0]).toMatch(
      /^0: 9 skipped .*direction bit of a server from the other side$/u,
    );
    const limits = { ...DEFAULT_LIMITS, maxBodyBytes: 8 };
    expect(shown(cut(new MessageCutter({ limits }), fromHex(CREATED)))[0]).toMatch(
      /body of a message: 9 asked, maxBodyBytes allows 8$/u,
    );
  });
});

describe('where bytes are missing', () => {
  it('gives up the message they were part of and goes on with the next', () => {
    const cutter = new MessageCutter({ fromServer: true });
    const bytes = fromHex(CREATED);
    const pieces = [
      ...cutter.push(bytes.subarray(0, 10)),
      ...cutter.skip(3, 'not captured'),
      ...cutter.push(bytes.subarray(13)),
      ...cutter.push(fromHex(VALIDATED)),
      ...cutter.end(),
    ];
    expect(shown(pieces)).toEqual([
      '0: 10 skipped (ca 02 40 07 09 00 00 00 78 56), the bytes end within a message',
      '10: 3 skipped (), not captured',
      '13: 4 skipped (03 05 07 ff), looking for the next message',
      `17: ${VALIDATED}`,
    ]);
  });

  it('loses nothing if a message begins right behind', () => {
    const cutter = new MessageCutter({ fromServer: true, isStart: false });
    const pieces = [
      ...cutter.push(fromHex(CREATED)),
      ...cutter.skip(100, 'not captured'),
      ...cutter.push(fromHex(VALIDATED)),
    ];
    expect(shown(pieces)).toEqual([`0: ${CREATED}`, '17: 100 skipped (), not captured', `117: ${VALIDATED}`]);
  });
});

describe('any bytes', () => {
  it('are accounted for to the last, in any chunks', () => {
    const junk = fc.uint8Array({ maxLength: 40 });
    const parts = fc.array(fc.oneof(junk, fc.constantFrom(VALIDATED, CREATED, SET_BYTE_ORDER).map(fromHex)));
    fc.assert(
      fc.property(parts, fc.integer({ min: 1, max: 30 }), fc.boolean(), (given, step, isStart) => {
        const bytes = Uint8Array.from(given.flatMap((part) => [...part]));
        const cutter = new MessageCutter({ isStart });
        const pieces: Piece[] = [];
        for (let at = 0; at < bytes.length; at += step) pieces.push(...cutter.push(bytes.subarray(at, at + step)));
        pieces.push(...cutter.end());
        let offset = 0;
        for (const piece of pieces) {
          expect(piece.offset).toBe(offset);
          const length = piece.kind === 'message' ? piece.bytes.length : piece.count;
          const expected = piece.kind === 'message' ? length : Math.min(length, 64);
          expect(spaced(piece.bytes)).toBe(spaced(bytes.subarray(offset, offset + expected)));
          offset += length;
        }
        expect(offset).toBe(bytes.length);
      }),
    );
  });
});
