// Does the framer find the same messages however the stream is cut, join segments, and refuse what it must?

import fc from 'fast-check';
import { describe, expect, test } from 'vitest';

import { LimitError, RemoteProtocolError } from '../../src/protocol/errors.ts';
import { Framer, type Frame } from '../../src/protocol/framer.ts';
import { DEFAULT_LIMITS } from '../../src/protocol/limits.ts';
import { hitsLimit } from '../support/hits-limit.ts';
import { isBytes, loadTranscript, ownFrame, streamOf, recordedNames } from '../support/transcript.ts';
import { fromHex, toHex } from '../support/vectors.ts';

interface Told {
  readonly command: number;
  readonly isControl: boolean;
  readonly size: number;
  readonly hex: string;
}

function told({ header, body }: Frame): Told {
  expect(header.segment).toBe('none');
  return { command: header.command, isControl: header.isControl, size: header.size, hex: toHex(body) };
}

/** What comes out when a stream arrives in these chunks. */
function framesOf(chunks: readonly Uint8Array[], expectFromServer: boolean, maxBodyBytes?: number): Told[] {
  const limits = maxBodyBytes === undefined ? DEFAULT_LIMITS : { ...DEFAULT_LIMITS, maxBodyBytes };
  const framer = new Framer({ expectFromServer, limits });
  const frames: Told[] = [];
  for (const chunk of chunks) framer.push(chunk, (frame) => frames.push(told(frame)));
  return frames;
}

function fromClient(...hex: string[]): Told[] {
  return framesOf(hex.map(fromHex), false);
}

/** Cuts a stream at the given places. */
function cut(stream: Uint8Array, places: readonly number[]): Uint8Array[] {
  const ends = [...places.toSorted((a, b) => a - b), stream.length];
  return ends.map((end, index) => stream.subarray(ends[index - 1] ?? 0, end));
}

function byteByByte(stream: Uint8Array): Uint8Array[] {
  return Array.from(stream, (byte) => Uint8Array.of(byte));
}

const streams = recordedNames().flatMap((name) => {
  const recorded = loadTranscript(name);
  return recorded.connections.flatMap(({ conn }) =>
    (['c2s', 's2c'] as const).map((dir) => ({ name, conn, dir, stream: streamOf(recorded, conn, dir) })),
  );
});

describe('recorded streams', () => {
  test.each(recordedNames())('%s gives the recorded messages, whole or byte by byte', (name) => {
    const recorded = loadTranscript(name);
    for (const { conn, dir, stream } of streams.filter((one) => one.name === name)) {
      const items = recorded.tcp.filter(isBytes).filter((item) => item.conn === conn && item.dir === dir);
      const expected: Told[] = [];
      let joined = '';
      for (const { header, hex } of items) {
        joined += hex.slice(16);
        if (header.segment === 'first' || header.segment === 'middle') continue;
        const size = header.control ? header.payloadSize : joined.length / 2;
        expected.push({ command: header.command, isControl: header.control, size, hex: joined });
        joined = '';
      }
      expect(framesOf([stream], dir === 's2c')).toEqual(expected);
      // One byte at a time is slow for the longest streams, and no different there.
      if (stream.length < 20_000) expect(framesOf(byteByByte(stream), dir === 's2c')).toEqual(expected);
    }
  });

  test('cut anywhere give the same messages', () => {
    fc.assert(
      fc.property(
        fc.constantFrom(...streams).chain((one) => {
          const places = fc.array(fc.nat(one.stream.length), { maxLength: 20 });
          return fc.tuple(fc.constant(one), places);
        }),
        ([{ dir, stream }, places]) => {
          expect(framesOf(cut(stream, places), dir === 's2c')).toEqual(framesOf([stream], dir === 's2c'));
        },
      ),
      { numRuns: 300 },
    );
  });
});

describe('a message', () => {
  test('that lies whole in a chunk is given out as a view of it', () => {
    const chunk = fromHex('ca020002 02000000 aabb ca020002 01000000 cc');
    const bodies: Uint8Array[] = [];
    new Framer({ expectFromServer: false }).push(chunk, ({ body }) => bodies.push(body));
    expect(bodies.map((body) => [body.buffer === chunk.buffer, body.byteOffset, body.length])).toEqual([
      [true, 8, 2],
      [true, 18, 1],
    ]);
  });

  test('without a body is given out as soon as its header is there', () => {
    expect(fromClient('ca020002', '00000000')).toEqual([{ command: 2, isControl: false, size: 0, hex: '' }]);
  });

  test('of control has no body, whatever its size says', () => {
    expect(fromClient('ca020103 ffffffff ca020002 00000000')).toEqual([
      { command: 3, isControl: true, size: 0xffff_ffff, hex: '' },
      { command: 2, isControl: false, size: 0, hex: '' },
    ]);
  });

  test('may be longer than what is kept between messages, and a short one follows', () => {
    const long = Uint8Array.from({ length: 100_000 }, (_, index) => index % 251);
    const chunks = [fromHex('ca020002 a0860100'), ...cut(long, [1, 40_000, 40_001, 99_999]), fromHex('ca020002 01')];
    expect(framesOf([...chunks, fromHex('000000 ee')], false)).toEqual([
      { command: 2, isControl: false, size: 100_000, hex: toHex(long) },
      { command: 2, isControl: false, size: 1, hex: 'ee' },
    ]);
  });
});

describe('segments', () => {
  const first = 'ca021002 04000000 61626364';
  const middle = 'ca023002 02000000 7878';
  const last = 'ca022002 04000000 65666768';

  test('are joined under the header of the first', () => {
    const frames: Frame[] = [];
    const stream = fromHex(first + middle + last);
    new Framer({ expectFromServer: false }).push(stream, (frame) => frames.push(ownFrame(frame)));
    expect(frames.map(({ header }) => header)).toEqual([
      {
        version: 2,
        flags: 0x10,
        command: 2,
        isControl: false,
        segment: 'none',
        fromServer: false,
        bigEndian: false,
        size: 10,
      },
    ]);
    expect(Buffer.from(frames[0]?.body ?? []).toString()).toBe('abcdxxefgh');
  });

  test('may be without bytes: pvAccessCPP ends with such a one', () => {
    expect(fromClient(first, 'ca023002 00000000', 'ca022002 00000000')).toEqual([
      { command: 2, isControl: false, size: 4, hex: '61626364' },
    ]);
    expect(fromClient('ca021002 00000000 ca022002 00000000')).toEqual([
      { command: 2, isControl: false, size: 0, hex: '' },
    ]);
  });

  test('may have control messages between them', () => {
    // "control message between segments" in test/vectors/malformed.json.
    const stream = fromHex('ca0210020400000061626364ca02010007000000ca0220020400000065666768');
    const expected = [
      { command: 0, isControl: true, size: 7, hex: '' },
      { command: 2, isControl: false, size: 8, hex: '6162636465666768' },
    ];
    expect(framesOf([stream], false)).toEqual(expected);
    expect(framesOf(byteByByte(stream), false)).toEqual(expected);
  });

  test('are followed by messages as before', () => {
    expect(fromClient(first + last, 'ca02000f 01000000 aa', first, last).map(({ hex }) => hex)).toEqual([
      '6162636465666768',
      'aa',
      '6162636465666768',
    ]);
  });

  test('however many and however cut give the joined body', () => {
    const pieces = fc.array(fc.uint8Array({ maxLength: 40 }), { minLength: 2, maxLength: 12 });
    fc.assert(
      fc.property(pieces, fc.array(fc.nat(600), { maxLength: 8 }), fc.boolean(), (bodies, places, bigEndian) => {
        const stream = Buffer.concat(
          bodies.flatMap((body, index) => {
            const segment = index === 0 ? 0x10 : index === bodies.length - 1 ? 0x20 : 0x30;
            const size = bigEndian ? [0, 0, 0, body.length] : [body.length, 0, 0, 0];
            return [Uint8Array.of(0xca, 2, segment | (bigEndian ? 0x80 : 0), 0x0b, ...size), body];
          }),
        );
        const chunks = cut(
          stream,
          places.filter((place) => place <= stream.length),
        );
        const hex = bodies.map(toHex).join('');
        expect(framesOf(chunks, false)).toEqual([{ command: 0x0b, isControl: false, size: hex.length / 2, hex }]);
      }),
    );
  });

  const broken: readonly (readonly [what: string, hex: string, reason: string])[] = [
    ['a middle one without a first', middle, 'middle segment of command 0x02 without a first'],
    ['a last one without a first', last, 'last segment of command 0x02 without a first'],
    ['a first one after a first', first + first, 'segment first of command 0x02 amid'],
    ['a whole message amid them', `${first}ca020002 00000000`, 'segment none of command 0x02 amid'],
    ['another command amid them', `${first}ca02200f 00000000`, 'amid the segments of command 0x02'],
    ['another byte order amid them', `${first}ca02a002 00000000`, 'last segment in another byte order'],
  ];

  test.each(broken)('with %s end the link', (_, hex, reason) => {
    expect(() => fromClient(hex)).toThrow(RemoteProtocolError);
    expect(() => fromClient(hex)).toThrow(reason);
  });
});

describe('a broken stream is refused', () => {
  test('at the first wrong byte, before a header is there', () => {
    expect(() => fromClient('47')).toThrow(RemoteProtocolError);
    expect(() => fromClient('47')).toThrow('header at byte 0 of the stream: message starts with 0x47, 0xca expected');
  });

  test('naming the place in the stream, counted over chunks', () => {
    expect(() => fromClient('ca020002 02000000 aa', 'bb', 'ca020002', '00000000 00')).toThrow('header at byte 18');
    expect(() => fromClient('ca020002 00000000 ca', '00', '0000 00000000')).toThrow(
      'header at byte 8 of the stream: header with protocol version 0',
    );
  });

  test('if its direction is that of our own side, in control messages too', () => {
    expect(() => fromClient('ca024002 00000000')).toThrow('direction bit of a server, that of a client expected');
    expect(() => fromClient('ca024102 00000000')).toThrow(RemoteProtocolError);
    expect(() => framesOf([fromHex('ca020002 00000000')], true)).toThrow('of a client, that of a server expected');
  });

  test('if a body would pass the limit, without waiting for it', () => {
    hitsLimit('maxBodyBytes');
    const headerOnly = [fromHex('ca02000b 01010000')];
    expect(() => framesOf(headerOnly, false, 256)).toThrow(LimitError);
    expect(() => framesOf(headerOnly, false, 256)).toThrow('body of command 0x0b: 257 asked, maxBodyBytes allows 256');
    expect(framesOf([fromHex(`ca02000b 00010000 ${'00'.repeat(256)}`)], false, 256).length).toBe(1);
  });

  test('if the segments together would pass the limit', () => {
    hitsLimit('maxBodyBytes');
    const segments = `ca02100b 80000000 ${'00'.repeat(128)} ca02300b 80000000 ${'00'.repeat(128)} ca02200b`;
    expect(framesOf([fromHex(`${segments} 00000000`)], false, 256)[0]?.size).toBe(256);
    expect(() => framesOf([fromHex(`${segments} 01000000`)], false, 256)).toThrow('257 asked');
  });
});

describe('memory', () => {
  function allocated(): number {
    return process.memoryUsage().arrayBuffers;
  }

  test('is taken for the bytes that came, not for those that a header claims', () => {
    const before = allocated();
    const framers = Array.from({ length: 20 }, () => {
      const framer = new Framer({ expectFromServer: false });
      framer.push(fromHex('ca02000b 00000004 010203'), () => expect.unreachable());
      return framer;
    });
    expect(allocated() - before).toBeLessThan(1024 * 1024);
    expect(framers.length).toBe(20);
  });

  test('is at most twice the bytes that came in segments', () => {
    const framer = new Framer({ expectFromServer: false });
    const before = allocated();
    const body = new Uint8Array(1000);
    framer.push(fromHex('ca02100b 00000000'), () => expect.unreachable());
    for (let count = 0; count < 1000; count++) {
      framer.push(fromHex('ca02300b e8030000'), () => expect.unreachable());
      framer.push(body, () => expect.unreachable());
    }
    // A megabyte came; buffers outgrown meanwhile may still wait for the garbage collector.
    expect(allocated() - before).toBeLessThan(8 * 1024 * 1024);
  });
});

describe('a framer', () => {
  test('that is stopped gives out nothing more, not even from the present chunk', () => {
    const framer = new Framer({ expectFromServer: false });
    const seen: number[] = [];
    const stream = fromHex('ca020002 00000000 ca020003 00000000');
    framer.push(stream, ({ header }) => {
      seen.push(header.command);
      framer.stop();
    });
    framer.push(stream, ({ header }) => seen.push(header.command));
    expect(seen).toEqual([2]);
  });

  test('passes on what the receiver of a message throws', () => {
    const framer = new Framer({ expectFromServer: false });
    const push = () =>
      framer.push(fromHex('ca020002 00000000'), () => {
        throw new RemoteProtocolError('nonsense');
      });
    expect(push).toThrow('nonsense');
  });
});

describe('a message that may be taken in place', () => {
  /** What is offered in place and what comes as a frame; `takes` says which of those offered are taken. */
  function split(
    chunks: readonly string[],
    takes: (command: number) => boolean,
    options: { readonly max?: number } = {},
  ) {
    const limits = { ...DEFAULT_LIMITS, maxBodyBytes: options.max ?? DEFAULT_LIMITS.maxBodyBytes };
    const framer = new Framer({ expectFromServer: false, limits });
    const offered: string[] = [];
    const framed: string[] = [];
    const inPlace = {
      take(command: number, bytes: Uint8Array, start: number, end: number, bigEndian: boolean): boolean {
        offered.push(`${command} ${toHex(bytes.subarray(start, end))} ${bigEndian ? 'big' : 'little'}`);
        return takes(command);
      },
    };
    for (const chunk of chunks) {
      framer.push(fromHex(chunk), ({ header, body }) => framed.push(`${header.command} ${toHex(body)}`), inPlace);
    }
    return { offered, framed };
  }

  test('lies whole in the chunk, anywhere in it', () => {
    const chunk = 'ca02000a 02000000 aabb ca02800b 00000001 cc ca020002 00000000';
    expect(split([chunk], () => true)).toEqual({ offered: ['10 aabb little', '11 cc big', '2  little'], framed: [] });
    expect(split([chunk, chunk], () => true).offered).toHaveLength(6);
  });

  test('goes the usual way where it is not taken', () => {
    const { offered, framed } = split(['ca02000a 02000000 aabb ca02000b 01000000 cc'], (command) => command === 11);
    expect(offered).toEqual(['10 aabb little', '11 cc little']);
    expect(framed).toEqual(['10 aabb']);
  });

  test.each([
    ['a header that is cut', ['ca02000a 0200', '0000 aabb']],
    ['a body that is cut', ['ca02000a 02000000 aa', 'bb']],
    ['a header alone', ['ca02000a 02000000', 'aabb']],
    ['segments', ['ca02100a 01000000 aa ca02200a 01000000 bb']],
  ])('is not offered with %s, and what follows is', (_what, chunks) => {
    const { offered, framed } = split([...chunks, 'ca02000b 01000000 cc'], () => true);
    expect(offered).toEqual(['11 cc little']);
    expect(framed).toEqual(['10 aabb']);
  });

  test('is not offered while the rest of another is awaited', () => {
    // Its bytes look like a message; they are the body of the one before.
    const { offered, framed } = split(['ca02000a 09000000', 'ca02000b 01000000 cc'], () => true);
    expect(offered).toEqual([]);
    expect(framed).toEqual(['10 ca02000b01000000cc']);
  });

  test('is not offered amid the header of another, nor amid its segments', () => {
    // Behind the first byte, the header of command 0 looks like that of command 10 without a body.
    const { offered, framed } = split(['ca', `ca02000a 000000 ${'00'.repeat(10)}`], () => true);
    expect(offered).toEqual([]);
    expect(framed).toEqual([`0 ${'00'.repeat(10)}`]);
    expect(() => split(['ca02100a 01000000 aa', 'ca02000b 01000000 cc'], () => true)).toThrow(
      'segment none of command 0x0b amid the segments of command 0x0a',
    );
  });

  test('is no control message, which may stand between segments', () => {
    const chunks = ['ca02100a 01000000 aa', 'ca020102 07000000', 'ca02200a 01000000 bb'];
    expect(split(chunks, () => true)).toEqual({ offered: [], framed: ['2 ', '10 aabb'] });
  });

  test('that is too long is refused as everywhere', () => {
    expect(split(['ca02000a 02000000 aabb'], () => true, { max: 2 }).offered).toHaveLength(1);
    expect(() => split(['ca02000a 03000000 aabbcc'], () => true, { max: 2 })).toThrow('maxBodyBytes allows 2');
  });

  test('of the other side is refused as everywhere', () => {
    expect(() => split(['ca02400a 00000000'], () => true)).toThrow('direction bit of a server');
  });
});

describe('the buffer of joined bytes', () => {
  /** The memory that two messages, each of two pieces, are put together in. */
  function buffersOf(bytes: number): readonly unknown[] {
    const framer = new Framer({ expectFromServer: false });
    const buffers: unknown[] = [];
    const message = new Uint8Array(8 + bytes);
    message.set(fromHex('ca02000b'));
    new DataView(message.buffer).setUint32(4, bytes, true);
    for (let count = 0; count < 2; count++) {
      for (const piece of [message.subarray(0, 9), message.subarray(9)]) {
        framer.push(piece, ({ body }) => {
          expect(body).toHaveLength(bytes);
          buffers.push(body.buffer);
        });
      }
    }
    return buffers;
  }

  test.each([
    [100, true],
    [16 * 1024, true],
    [16 * 1024 + 1, false],
    [100_000, false],
  ])('of %i bytes is used for the next message: %s', (bytes, isKept) => {
    const [first, second] = buffersOf(bytes);
    expect(first === second).toBe(isKept);
  });

  test('holds no more than the body of a message that comes in pieces', () => {
    const framer = new Framer({ expectFromServer: false });
    let size = 0;
    framer.push(fromHex('ca02000b e8030000 01'), () => expect.unreachable());
    framer.push(new Uint8Array(600), () => expect.unreachable());
    framer.push(new Uint8Array(399), ({ body }) => (size = body.buffer.byteLength));
    expect(size).toBe(1_000);
  });
});
