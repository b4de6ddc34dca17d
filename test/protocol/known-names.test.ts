// Do names that are found by their bytes read as all text does?
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { KnownNames } from '../../src/protocol/known-names.ts';
import { Reader } from '../../src/protocol/reader.ts';
import { Writer } from '../../src/protocol/writer.ts';

function textBytes(...texts: readonly string[]): Uint8Array {
  const writer = new Writer(true);
  for (const text of texts) writer.string(text);
  return writer.detach(0);
}

/** What reading gives, and where it ends; or what is thrown. */
function outcomeOf(bytes: Uint8Array, read: (reader: Reader) => string): unknown {
  const reader = new Reader(bytes, true);
  try {
    return { text: read(reader), offset: reader.offset };
  } catch (thrown) {
    return { thrown: String(thrown) };
  }
}

const names = fc.oneof(
  fc.string({ unit: 'grapheme', maxLength: 40 }),
  fc.constantFrom('', 'lab:temperature', 'größe', 'x'.repeat(300)),
);

describe('names that are known', () => {
  test('read just as unknown ones do, whatever was kept', () => {
    fc.assert(
      fc.property(fc.array(names, { maxLength: 20 }), fc.array(names, { maxLength: 20 }), (kept, asked) => {
        const known = new KnownNames();
        for (const name of kept) known.keep(name);
        for (const name of [...kept, ...asked]) {
          const bytes = textBytes(name);
          expect(outcomeOf(bytes, (reader) => known.read(reader))).toEqual(
            outcomeOf(bytes, (reader) => reader.string()),
          );
        }
      }),
    );
  });

  test('read any bytes as text does: cut off, null, not UTF-8', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 12 }), (bytes) => {
        const known = new KnownNames();
        for (const name of ['a', 'b', '\u0000']) known.keep(name);
        expect(outcomeOf(bytes, (reader) => known.read(reader))).toEqual(outcomeOf(bytes, (reader) => reader.string()));
      }),
    );
  });

  test('are forgotten when there are too many, and read as before', () => {
    const known = new KnownNames();
    let most = 0;
    for (let index = 0; index < 200_000; index++) {
      known.keep(`lab:${index}`);
      most = Math.max(most, known.count);
    }
    expect(most).toBeLessThanOrEqual(131_072);
    const reader = new Reader(textBytes('lab:0', 'lab:100000', 'lab:199999', 'lab:200000'), true);
    const read = [0, 1, 2, 3].map(() => known.read(reader));
    expect(read).toEqual(['lab:0', 'lab:100000', 'lab:199999', 'lab:200000']);
  });

  test('count once, however often they are kept', () => {
    const known = new KnownNames();
    for (const name of ['a', 'b', 'a', 'größe']) known.keep(name);
    // One in other than ASCII is read anew each time.
    expect(known.count).toBe(2);
  });
});
