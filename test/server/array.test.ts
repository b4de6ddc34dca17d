// Does a server read and write parts of arrays within their bounds, and refuse the rest with a sentence?

import { describe, expect, test } from 'vitest';
import { SharedPV } from '../../src/channels/shared-pv.ts';
import { DEFAULT_LIMITS } from '../../src/protocol/limits.ts';
import type { ArrayReply } from '../../src/protocol/messages/array.ts';
import { encodeMessage, type ClientMessageToSend } from '../../src/protocol/messages/index.ts';
import { ntScalarArray } from '../../src/protocol/normative/nt-scalar.ts';
import { error, OK, STATUS_ERROR } from '../../src/protocol/status.ts';
import {
  arrayOf,
  boolean,
  boundedArrayOf,
  double,
  fixedArrayOf,
  int,
  string,
  structure,
  type StructureType,
} from '../../src/protocol/types/type-desc.ts';
import type { ScalarArrayValue } from '../../src/protocol/types/value-of.ts';
import { Writer } from '../../src/protocol/writer.ts';
import { hitsLimit } from '../support/hits-limit.ts';
import { makeWorld } from '../support/server-world.ts';

const GET = 0x40;
const SET_LENGTH = 0x80;
const GET_LENGTH = 0x04;
const LAST = 0x10;

/** A status with this in its message. */
const saying = (text: string) => ({ message: expect.stringContaining(text) as unknown });
const MANY = structure('many_t', {
  value: arrayOf(double),
  name: string,
  inner: structure({ bounded: boundedArrayOf(int, 4), fixed: fixedArrayOf(int, 3), texts: arrayOf(string) }),
});

async function makeArray(pv: SharedPV, request = '', limits = DEFAULT_LIMITS) {
  const world = await makeWorld({ pvs: { x: pv }, config: { limits } });
  const client = await world.validated();
  const sid = await client.createChannel('x');
  const ioid = await client.init('ARRAY', sid, request);
  const init = client.take('ARRAY');
  const type = init.phase === 'init' ? init.type : null;
  const head = { command: 'ARRAY', sid, ioid } as const;
  const reply = (): ArrayReply => client.take('ARRAY');
  const get = async (offset = 0, count = 0, stride = 1, subcommand = GET) => {
    await client.send({ ...head, phase: 'get', subcommand, offset, count, stride });
    return reply();
  };
  const put = async (value: ScalarArrayValue, offset = 0, stride = 1, subcommand = 0) => {
    if (type === null) throw new Error('INIT was refused');
    await client.send({ ...head, phase: 'put', subcommand, offset, stride, array: { type, value } });
  };
  const setLength = async (length: number, subcommand = SET_LENGTH) => {
    await client.send({ ...head, phase: 'setLength', subcommand, length });
    return reply();
  };
  const getLength = async (subcommand = GET_LENGTH) => {
    await client.send({ ...head, phase: 'getLength', subcommand });
    return reply();
  };
  return { world, client, sid, ioid, init, get, put, setLength, getLength, reply };
}

const wave = (...value: number[]) => SharedPV.mailbox(ntScalarArray(double), { initial: { value } });
const many = () =>
  SharedPV.mailbox(MANY, { initial: { value: [1, 2], inner: { bounded: [1, 2], texts: ['a', 'b'] } } });

describe('INIT of ARRAY', () => {
  test.each([
    ['', arrayOf(double)],
    ['field(value)', arrayOf(double)],
    ['field(inner.texts)', arrayOf(string)],
    ['field(inner.bounded)', boundedArrayOf(int, 4)],
    // A part of a fixed array does not fit its type.
    ['field(inner.fixed)', arrayOf(int)],
  ])('"%s" selects an array', async (request, type) => {
    const { init, ioid } = await makeArray(many(), request);
    expect(init).toEqual({ command: 'ARRAY', phase: 'init', ioid, subcommand: 0x08, status: OK, type });
  });

  test.each([
    ['field(value,name)', 'this PV has value, inner.bounded, inner.fixed, inner.texts'],
    ['field(name)', 'must select one array of scalars'],
    ['field(inner)', 'must select one array of scalars'],
    ['field(nosuch)', "there is no 'nosuch'"],
  ])('"%s" is refused', async (request, expected) => {
    const { init, client, sid, ioid } = await makeArray(many(), request);
    expect(init).toMatchObject({ status: { type: STATUS_ERROR }, type: null });
    expect('status' in init && init.status.message).toContain(expected);
    await client.send({ command: 'ARRAY', phase: 'getLength', sid, ioid, subcommand: GET_LENGTH });
    expect(client.heard).toEqual([]);
  });

  test.each([
    [structure({ n: int }), '', 'this PV has none'],
    [structure({ one: arrayOf(int), n: int }), '', 'this PV has one'],
    [
      structure(Object.fromEntries(['a', 'b', 'c', 'd', 'e', 'f', 'g'].map((name) => [name, arrayOf(int)]))),
      '',
      'this PV has a, b, c, d, e and 2 more',
    ],
  ] as const)('without a usual array is refused (%#)', async (type: StructureType, request, expected) => {
    const { init } = await makeArray(new SharedPV(type), request);
    expect('status' in init && init.status.message).toContain(expected);
  });

  test('needs no name where there is only one field', async () => {
    const { init, get } = await makeArray(new SharedPV(structure({ only: arrayOf(int) }), { initial: { only: [7] } }));
    expect(init).toMatchObject({ status: OK, type: arrayOf(int) });
    expect(await get()).toMatchObject({ array: { value: Int32Array.of(7) } });
  });
});

describe('ARRAY get', () => {
  test.each([
    [0, 0, 1, [0, 1, 2, 3, 4, 5]],
    [2, 0, 1, [2, 3, 4, 5]],
    [2, 3, 1, [2, 3, 4]],
    [1, 0, 2, [1, 3, 5]],
    [0, 2, 4, [0, 4]],
    [4, 100, 1, [4, 5]],
    [5, 1, 1000, [5]],
    [6, 0, 1, []],
  ])('offset %d, count %d, stride %d', async (offset, count, stride, expected) => {
    const { get, ioid } = await makeArray(wave(0, 1, 2, 3, 4, 5));
    expect(await get(offset, count, stride)).toEqual({
      command: 'ARRAY',
      phase: 'get',
      ioid,
      subcommand: GET,
      status: OK,
      array: { type: arrayOf(double), value: Float64Array.from(expected) },
    });
  });

  test.each([
    [7, 0, 1, 'offset 7 of an array of 6 elements'],
    [2 ** 31 - 1, 1, 1, 'offset 2147483647 of an array of 6 elements'],
    [0, 0, 0, 'stride 0, 1 or more expected'],
  ])('offset %d, count %d, stride %d is refused, and the operation goes on', async (offset, count, stride, reason) => {
    const { get } = await makeArray(wave(0, 1, 2, 3, 4, 5));
    expect(await get(offset, count, stride)).toMatchObject({ phase: 'get', status: error(reason), array: null });
    expect(await get(5)).toMatchObject({ status: OK });
  });

  test('sees what was posted since INIT', async () => {
    const pv = wave(1);
    const { get, getLength } = await makeArray(pv);
    pv.post({ value: [4, 5, 6] });
    expect(await get(1)).toMatchObject({ array: { value: Float64Array.of(5, 6) } });
    expect(await getLength()).toMatchObject({ phase: 'getLength', subcommand: GET_LENGTH, status: OK, length: 3 });
  });

  test('of a fixed array that nobody set gives its zeros', async () => {
    const { get, getLength } = await makeArray(many(), 'field(inner.fixed)');
    expect(await get()).toMatchObject({ array: { value: Int32Array.of(0, 0, 0) } });
    expect(await getLength()).toMatchObject({ length: 3 });
  });

  test('of a fixed array past the limits is refused, and so is its length', async () => {
    const pv = new SharedPV(structure({ value: fixedArrayOf(double, 2 ** 24) }));
    const { get, getLength } = await makeArray(pv);
    expect(await get()).toMatchObject({ status: { type: STATUS_ERROR }, array: null });
    expect(await getLength()).toMatchObject({ status: { type: STATUS_ERROR }, length: null });
  });

  test('of what no wire takes is an error, not the end of the link', async () => {
    const { client, get } = await makeArray(
      new SharedPV(structure({ value: arrayOf(int) }), {
        initial: { changed: many().state.changed, value: { value: ['no number'] } },
      }),
    );
    expect(await get()).toMatchObject({ status: { type: STATUS_ERROR }, array: null });
    expect(client.isClosed).toBe(false);
  });
});

describe('ARRAY put', () => {
  test.each([
    [[9], 1, 1, [0, 9, 2]],
    [[7, 8], 0, 2, [7, 1, 8]],
    [[8, 9], 2, 1, [0, 1, 8, 9]],
    [[9], 5, 1, [0, 1, 2, 0, 0, 9]],
    [[], 5, 1, [0, 1, 2]],
  ])('%j at offset %d with stride %d', async (elements, offset, stride, expected) => {
    const pv = wave(0, 1, 2);
    const { put, reply, ioid } = await makeArray(pv);
    await put(Float64Array.from(elements), offset, stride);
    expect(reply()).toEqual({ command: 'ARRAY', phase: 'put', ioid, subcommand: 0, status: OK });
    expect(pv.value.value).toEqual(Float64Array.from(expected));
  });

  test('is a put of the whole array to the handler, with its field alone changed', async () => {
    const seen: unknown[] = [];
    const pv = new SharedPV(MANY, {
      initial: { value: [1, 2], name: 'n' },
      onPut: ({ changed, value, peer }) => void seen.push([...changed], value, peer.user),
    });
    const { put, reply } = await makeArray(pv, 'field(inner.texts)');
    await put(['x'], 1);
    expect(reply()).toMatchObject({ status: OK });
    const inner = { bounded: new Int32Array(0), fixed: new Int32Array(0), texts: ['', 'x'] };
    expect(seen).toEqual([[6], { value: Float64Array.of(1, 2), name: 'n', inner }, 'anonymous']);
    expect(pv.value.inner.texts).toEqual([]);
  });

  test.each([
    ['field(inner.bounded)', 3, '5 elements, the array takes at most 4'],
    ['field(inner.fixed)', 2, '4 elements, the array has 3 always'],
    ['field(inner.fixed)', 2 ** 31 - 2, '2147483648 elements, the array has 3 always'],
  ])('past the end of %s is refused', async (request, offset, reason) => {
    const pv = many();
    const before = pv.state;
    const { put, reply } = await makeArray(pv, request);
    await put(Int32Array.of(1, 2), offset);
    expect(reply()).toMatchObject({ phase: 'put', status: error(reason) });
    expect(pv.state).toBe(before);
  });

  test('of two bytes cannot take gigabytes', async () => {
    const { put, setLength, reply } = await makeArray(wave(1));
    await put(Float64Array.of(1), 2 ** 31 - 2);
    expect(reply()).toMatchObject({ status: saying('maxBodyBytes') });
    expect(await setLength(2 ** 31 - 1)).toMatchObject({
      status: saying('maxBodyBytes'),
    });
  });

  test('to a read-only PV is refused as any put', async () => {
    const pv = new SharedPV(ntScalarArray(double), { initial: { value: [1] } });
    const { put, reply, setLength, get } = await makeArray(pv);
    await put(Float64Array.of(1));
    expect(reply()).toMatchObject({ status: saying('read-only') });
    expect(await setLength(0)).toMatchObject({ status: saying('read-only') });
    expect(await get()).toMatchObject({ status: OK });
  });

  test('to a read-only PV is refused before an array is made for it', async () => {
    const { setLength, put, reply } = await makeArray(new SharedPV(ntScalarArray(double), { initial: { value: [1] } }));
    const readOnly = { status: error('this PV is read-only') };
    // What would be refused for its size otherwise.
    expect(await setLength(2 ** 31 - 1)).toMatchObject(readOnly);
    await put(Float64Array.of(1), 2 ** 31 - 2);
    expect(reply()).toMatchObject(readOnly);
  });

  test('that takes time lets reads through, and no second put', async () => {
    let release = (): void => {};
    const pv = new SharedPV(ntScalarArray(double), {
      initial: { value: [1, 2] },
      onPut: () => new Promise((resolve) => (release = resolve)),
    });
    const { put, reply, get, setLength, client, world, sid, ioid } = await makeArray(pv);
    await put(Float64Array.of(9));
    expect(client.heard).toEqual([]);
    expect(await get()).toMatchObject({ array: { value: Float64Array.of(1, 2) } });
    expect(await setLength(1)).toMatchObject({
      phase: 'setLength',
      status: saying('still being carried out'),
    });
    release();
    await world.settle();
    expect(reply()).toMatchObject({ phase: 'put', status: OK });
    await put(Float64Array.of(9));
    await client.send({ command: 'CANCEL_REQUEST', sid, ioid });
    expect(reply()).toMatchObject({ phase: 'put', status: error('ARRAY was cancelled by its client') });
  });
});

describe('ARRAY set length', () => {
  test('cuts and fills up', async () => {
    const pv = wave(1, 2, 3);
    const { setLength } = await makeArray(pv);
    expect(await setLength(2)).toMatchObject({ phase: 'setLength', subcommand: SET_LENGTH, status: OK });
    expect(pv.value.value).toEqual(Float64Array.of(1, 2));
    await setLength(4);
    expect(pv.value.value).toEqual(Float64Array.of(1, 2, 0, 0));
  });

  test('is held to the bounds of the type', async () => {
    const bounded = await makeArray(many(), 'field(inner.bounded)');
    expect(await bounded.setLength(5)).toMatchObject({ status: error('5 elements, the array takes at most 4') });
    const fixed = await makeArray(many(), 'field(inner.fixed)');
    expect(await fixed.setLength(0)).toMatchObject({ status: error('0 elements, the array has 3 always') });
    expect(await fixed.setLength(3)).toMatchObject({ status: OK });
  });
});

describe('what an ARRAY request asks for with a few bytes', () => {
  test.each([
    ['strings', string, ['x'], ['', '', '']],
    ['booleans', boolean, [true], [false, false, false]],
  ] as const)('is a bounded number of %s', async (_, scalar, sent, blanks) => {
    hitsLimit('maxBlankElements');
    const pv = SharedPV.mailbox(structure({ value: arrayOf(scalar) }));
    const { setLength, put, reply } = await makeArray(pv, '', { ...DEFAULT_LIMITS, maxBlankElements: 3 });
    expect(await setLength(4)).toMatchObject({
      status: error(`elements of ${scalar.scalar}[] that were not sent: 4 asked, maxBlankElements allows 3`),
    });
    await put(sent, 4);
    expect(reply()).toMatchObject({ status: saying('maxBlankElements allows 3') });
    expect(pv.value.value).toEqual([]);
    expect(await setLength(3)).toMatchObject({ status: OK });
    // Those that are there, and those that are sent, are no blanks.
    await put(sent, 6);
    expect(reply()).toMatchObject({ status: OK });
    expect(pv.value.value).toEqual([...blanks, ...blanks, ...sent]);
  });

  test('is made for one request in a turn where it is much, and others get their turn between them', async () => {
    const seen: string[] = [];
    const onPut = (): void => void seen.push('large');
    const large = new SharedPV(ntScalarArray(double), { onPut });
    const small = new SharedPV(ntScalarArray(double), { onPut: () => void seen.push('small') });
    const world = await makeWorld({ pvs: { large, small } });
    const [greedy, modest] = [await world.validated(), await world.validated()];
    const ask = async (client: typeof greedy, pvName: string) => {
      const sid = await client.createChannel(pvName);
      return { command: 'ARRAY', phase: 'setLength', sid, ioid: await client.init('ARRAY', sid) } as const;
    };
    const head = await ask(greedy, 'large');
    const other = await ask(modest, 'small');
    // Both are there in the same turn.
    for (const more of [1, 2, 3]) {
      greedy.connection.write(bytesOf({ ...head, subcommand: SET_LENGTH, length: 1_000_000 + more }));
    }
    modest.connection.write(bytesOf({ ...other, subcommand: SET_LENGTH, length: 1 }));
    await world.settle();
    expect(seen).toEqual(['large', 'small', 'large', 'large']);
    expect(greedy.takeAll('ARRAY')).toMatchObject([
      { phase: 'init' },
      { phase: 'setLength', status: OK },
      { phase: 'setLength', status: OK },
      { phase: 'setLength', status: OK },
    ]);
    expect(greedy.isClosed).toBe(false);
  });

  test('is made for many requests in a turn where it is little', async () => {
    const { world, client, setLength, sid, ioid } = await makeArray(wave(1));
    expect(await setLength(10_000)).toMatchObject({ status: OK });
    const head = { command: 'ARRAY', phase: 'setLength', sid, ioid, subcommand: SET_LENGTH } as const;
    await client.send(...Array.from({ length: 20 }, (_, index) => ({ ...head, length: 10_000 + index })));
    await world.settle();
    expect(client.takeAll('ARRAY')).toHaveLength(20);
  });
});

describe('the last request of ARRAY', () => {
  test.each([
    ['get', GET | LAST],
    ['put', LAST],
    ['setLength', SET_LENGTH | LAST],
    ['getLength', GET_LENGTH | LAST],
  ] as const)('%s ends the operation', async (phase, subcommand) => {
    const { get, put, setLength, getLength, reply, client, sid, ioid, world } = await makeArray(wave(1));
    if (phase === 'get') expect(await get(0, 0, 1, subcommand)).toMatchObject({ phase, subcommand, status: OK });
    if (phase === 'setLength') expect(await setLength(1, subcommand)).toMatchObject({ phase, subcommand, status: OK });
    if (phase === 'getLength') expect(await getLength(subcommand)).toMatchObject({ phase, subcommand, status: OK });
    if (phase === 'put') {
      await put(Float64Array.of(2), 0, 1, subcommand);
      expect(reply()).toMatchObject({ phase, subcommand, status: OK });
    }
    await client.send({ command: 'ARRAY', phase: 'getLength', sid, ioid, subcommand: GET_LENGTH });
    expect(client.heard).toEqual([]);
    expect(world.server.counters.unknownIds).toBe(1);
  });
});

describe('several bits at once', () => {
  test.each([
    [GET | SET_LENGTH, 'get'],
    [GET | GET_LENGTH, 'get'],
    [SET_LENGTH | GET_LENGTH, 'setLength'],
  ] as const)('0x%s is read in the order of pvAccessCPP', async (subcommand, phase) => {
    const { client, sid, ioid } = await makeArray(wave(1, 2, 3));
    // Three sizes are enough for each.
    await client.sendBytes(
      Uint8Array.of(0xca, 2, 0, 0x0e, 12, 0, 0, 0, ...u32(sid), ...u32(ioid), subcommand, 1, 1, 1),
    );
    expect(client.take('ARRAY')).toMatchObject({ phase, subcommand, status: OK });
  });
});

describe('malformed requests', () => {
  test.each([
    ['an offset of no size', GET, [255, 0, 1]],
    ['no stride', GET, [0, 0]],
    ['an array that claims more than there is', 0, [0, 1, 254, 255, 255, 255, 127, 1, 2, 3]],
    ['an array cut short', 0, [0, 1, 2, 0, 0, 0, 0, 0, 0, 0, 0]],
    ['a length of no size', SET_LENGTH, [255]],
  ])('with %s closes the link and no other', async (_, subcommand, rest) => {
    const { client, sid, ioid, world } = await makeArray(wave(1, 2));
    const other = await world.validated();
    const size = 9 + rest.length;
    await client.sendBytes(
      Uint8Array.of(0xca, 2, 0, 0x0e, size, 0, 0, 0, ...u32(sid), ...u32(ioid), subcommand, ...rest),
    );
    expect(client.isClosed).toBe(true);
    expect(other.isClosed).toBe(false);
    expect(world.server.counters.linksFaulted).toBe(1);
  });
});

function bytesOf(message: ClientMessageToSend): Uint8Array {
  const writer = new Writer(false);
  encodeMessage(writer, message, { fromServer: false });
  return writer.detach(0);
}

function u32(value: number): number[] {
  return [value & 0xff, (value >>> 8) & 0xff, (value >>> 16) & 0xff, value >>> 24];
}
