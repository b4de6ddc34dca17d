// Is a conversation in MessagePack known for what it is, and explained to its last byte?

import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { holesIn, noteLines, tracesOfHex } from '../../support/trace.ts';

interface Vector {
  readonly name: string;
  readonly from: string;
  readonly hex: string;
}

// test/vectors/README.md gives the shape of the file.
const vectors = JSON.parse(
  readFileSync(new URL('../../vectors/msgpack/messages.json', import.meta.url), 'utf8'),
) as readonly Vector[];

function hexOf(wanted: string): string {
  const found = vectors.find(({ from, name }) => `${from} ${name}` === wanted);
  if (found === undefined) throw new Error(`no vector of a ${wanted}`);
  return found.hex;
}

const GREETING = hexOf('server CONNECTION_VALIDATION request');

describe('a conversation in MessagePack', () => {
  test.each(vectors.map(({ from, name, hex }) => [from, name, hex] as const))(
    'has every byte explained: of a %s, %s',
    (_from, _name, hex) => {
      const traced = tracesOfHex(GREETING, hex).at(-1);
      expect(traced && holesIn(traced)).toEqual([]);
    },
  );

  test('is decoded by the types that INIT agreed on, with the names of the PVs', () => {
    const traces = tracesOfHex(
      GREETING,
      hexOf('client CREATE_CHANNEL'),
      hexOf('server CREATE_CHANNEL reply'),
      hexOf('client MONITOR init'),
      hexOf('server MONITOR init reply'),
      hexOf('server MONITOR update'),
    );
    expect(traces.map(({ command, words, pvNames, problem }) => [command, words, pvNames.join(), problem])).toEqual([
      ['CONNECTION_VALIDATION', '', '', undefined],
      ['CREATE_CHANNEL', '', 'a,bc', undefined],
      ['CREATE_CHANNEL', '', 'a', undefined],
      ['MONITOR', 'INIT', 'a', undefined],
      ['MONITOR', 'INIT', 'a', undefined],
      ['MONITOR', '', 'a', undefined],
    ]);
    const update = traces.at(-1);
    expect(update && noteLines(update)).toEqual([
      '0  94  fields array of 4',
      '1  ce 10 20 30 40  ioid long = 270544960',
      '6  00  subcommand long = 0',
      '7  81  update map of 1',
      '8  a1 62 a2 68 69    b string = "hi"',
      '13  81  overrun map of 1',
      '14  a1 62 c3    b boolean = true',
    ]);
  });

  test('is known in the middle, too, and what cannot be decoded is said', () => {
    const traces = tracesOfHex(hexOf('server GET reply'), 'ca02c00a00000001c1');
    expect(traces.map(({ problem }) => problem)).toEqual([
      'not decodable: the type of the data is not known: no INIT of request 270544960 was seen',
      'not decodable: GET at offset 1 of 1: a byte that MessagePack does not use (0xc1) at offset 0, an array expected',
    ]);
    for (const traced of traces) expect(holesIn(traced)).toEqual([]);
    expect(traces.slice(1).map((traced) => noteLines(traced))).toEqual([['0  c1  rest not decoded']]);
  });

  test('is known by the first body that tells', () => {
    const emptyEcho = 'ca02c00200000000';
    const problems = (...messages: readonly string[]) =>
      tracesOfHex(emptyEcho, ...messages).map(({ problem }) => problem);
    expect(problems(GREETING)).toEqual([undefined, undefined]);
    // Behind a body of pvAccess: CREATE_CHANNEL.
    const inPvAccess = 'ca0280070000000800010000000101 61';
    expect(problems(inPvAccess, GREETING)).toEqual([undefined, undefined, expect.stringContaining('not decodable: ')]);
  });

  test('shows the numbers of arrays, integers of 64 bits, and bytes', () => {
    const shown = (hex: string): readonly string[] => {
      const body = `9192${hex}`;
      const size = (body.length / 2).toString(16).padStart(8, '0');
      const traced = tracesOfHex(GREETING, `ca028005${size}${body}`).at(-1);
      return traced === undefined ? [] : noteLines(traced).slice(2);
    };
    expect(shown('a573686f727401')).toContain('8  01    [1] long = 1');
    expect(shown('a773686f72745b5dd6210100feff')).toContain('10  d6 21 01 00 fe ff    [1] short[] = {2}[1, -2]');
    expect(shown('a5756c6f6e67cfffffffffffffffff')).toContain(
      '8  cf ff ff ff ff ff ff ff ff    [1] ulong = 18446744073709551615',
    );
  });

  test('of any bytes is explained without holes', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 60 }), fc.constantFrom(0x05, 0x0b, 0x0d, 0x12), (bytes, command) => {
        const body = Buffer.from(bytes).toString('hex');
        const size = bytes.length.toString(16).padStart(8, '0');
        const traced = tracesOfHex(GREETING, `ca0280${command.toString(16).padStart(2, '0')}${size}${body}`).at(-1);
        expect(traced && holesIn(traced)).toEqual([]);
      }),
      { numRuns: 2_000 },
    );
  });
});
