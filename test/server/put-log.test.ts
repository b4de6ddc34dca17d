// Is every request that writes told to the put log, once, with who, what and how it ended?
import { describe, expect, test } from 'vitest';
import { AccessRules } from '../../src/channels/access/access-rules.ts';
import { SharedPV, type SharedPVOptions } from '../../src/channels/shared-pv.ts';
import { ntScalar, ntScalarArray } from '../../src/protocol/normative/nt-scalar.ts';
import {
  any,
  arrayOf,
  boundedString,
  double,
  float,
  int,
  long,
  string,
  structure,
  ulong,
  union,
  type StructureType,
  type TypeDesc,
} from '../../src/protocol/types/type-desc.ts';
import type { PvValue } from '../../src/protocol/types/value-of.ts';
import { loggedValue } from '../../src/server/logged-value.ts';
import type { PutLogEntry } from '../../src/server/put-log.ts';
import { coercePartial } from '../../src/protocol/values/coerce.ts';
import { makeWorld } from '../support/server-world.ts';

const CREDENTIALS = structure({ user: string, host: string });
const SCALAR = ntScalar(double, { display: true });

/** In UTC, with milliseconds. */
const ISO_TIME: unknown = expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/u);

async function worldOf<T extends StructureType>(type: T, options: SharedPVOptions<T>, limits = {}) {
  const entries: PutLogEntry[] = [];
  const world = await makeWorld({
    pvs: { x: new SharedPV(type, options) },
    access: new AccessRules([
      { user: 'alice', allow: 'all' },
      { user: 'bob', allow: 'read' },
    ]),
    onPutLog: (entry) => entries.push(entry),
    ...limits,
  });
  const clientOf = async (user: string) => {
    const client = await world.connect();
    await client.validate('ca', { type: CREDENTIALS, value: { user, host: 'ws1' } });
    const sid = await client.createChannel('x');
    return { client, sid };
  };
  return { world, entries, clientOf };
}

/** What each entry of these tests has. */
const ALICE = { user: 'alice', host: 'ws1', address: '127.0.0.1', method: 'ca', channel: 'x' };

describe('the put log', () => {
  test('has an accepted put with its old and new values, when it is answered', async () => {
    const { world, entries, clientOf } = await worldOf(SCALAR, {
      initial: { value: 1.5, display: { units: 'C' } },
      onPut: (put, pv) => pv.post(put),
    });
    const { client, sid } = await clientOf('alice');
    const ioid = await client.init('PUT', sid);
    const sentAt = world.clock.wallTime();
    await client.put(sid, ioid, { value: 2.5, display: { units: 'K' } });
    expect(entries).toEqual([
      {
        time: ISO_TIME,
        operation: 'PUT',
        outcome: 'accepted',
        ...ALICE,
        changed: [
          { field: 'value', old: 1.5, new: 2.5 },
          { field: 'display.units', old: 'C', new: 'K' },
        ],
      },
    ]);
    const loggedAt = Date.parse(entries[0]?.time ?? '');
    expect(loggedAt).toBeGreaterThanOrEqual(Math.floor(sentAt));
    expect(loggedAt).toBeLessThanOrEqual(world.clock.wallTime());
  });

  test('has a put that the rules refuse, with what it would have written', async () => {
    const { entries, clientOf } = await worldOf(SCALAR, { initial: { value: 1 }, onPut: (put, pv) => pv.post(put) });
    const { client, sid } = await clientOf('bob');
    const ioid = await client.init('PUT', sid);
    expect(entries).toEqual([]);
    await client.put(sid, ioid, { value: 99 });
    expect(entries).toMatchObject([
      {
        operation: 'PUT',
        outcome: 'refused',
        reason: "user 'bob' on host 'ws1' at 127.0.0.1 needs write access to 'x' and has read",
        user: 'bob',
        changed: [{ field: 'value', old: 1, new: 99 }],
      },
    ]);
  });

  test('has a put that the PV refuses, with its reason', async () => {
    const { entries, clientOf } = await worldOf(SCALAR, {
      onPut: () => {
        throw new Error('the door is open');
      },
    });
    const { client, sid } = await clientOf('alice');
    const ioid = await client.init('PUT', sid);
    await client.put(sid, ioid, { value: 3 });
    expect(entries).toMatchObject([{ outcome: 'refused', reason: 'the door is open', changed: [{ new: 3 }] }]);
  });

  test('has a put whose PV takes its time once, when it is done', async () => {
    let finish: () => void = () => undefined;
    const { world, entries, clientOf } = await worldOf(SCALAR, {
      onPut: () => new Promise<void>((resolve) => (finish = resolve)),
    });
    const { client, sid } = await clientOf('alice');
    const ioid = await client.init('PUT', sid);
    await client.put(sid, ioid, { value: 3 });
    expect(entries).toEqual([]);
    await client.put(sid, ioid, { value: 4 });
    expect(entries).toMatchObject([{ outcome: 'refused', changed: [] }]);
    finish();
    await world.settle();
    expect(entries.slice(1)).toMatchObject([{ outcome: 'accepted', changed: [{ new: 3 }] }]);
    await client.put(sid, ioid, { value: 5 }, 0x10);
    finish();
    await world.settle();
    expect(entries).toHaveLength(3);
  });

  test('says that a put is unfinished when its client gives it up, or is gone, or waited too long', async () => {
    const { world, entries, clientOf } = await worldOf(SCALAR, {
      onPut: () => new Promise(() => undefined),
      putTimeoutMs: 2_000,
    });
    const { client, sid } = await clientOf('alice');
    const ioid = await client.init('PUT', sid);
    await client.put(sid, ioid, { value: 1 });
    await client.send({ command: 'CANCEL_REQUEST', sid, ioid });
    await client.put(sid, ioid, { value: 2 });
    await world.clock.advanceAsync(2_000);
    await client.put(sid, ioid, { value: 3 });
    await client.send({ command: 'DESTROY_REQUEST', sid, ioid });
    const other = await client.init('PUT', sid);
    client.take('PUT');
    await client.put(sid, other, { value: 4 });
    client.connection.destroy();
    await world.settle();
    expect(entries.map(({ outcome, reason, changed }) => [outcome, reason, changed[0]?.new])).toEqual([
      ['unfinished', 'PUT was cancelled by its client', 1],
      ['unfinished', 'PUT did not finish within 2 s', 2],
      ['unfinished', 'the client did not wait for the end', 3],
      ['unfinished', 'the client did not wait for the end', 4],
    ]);
  });

  test('has PUT_GET, PROCESS and ARRAY, and no RPC', async () => {
    const type = ntScalarArray(int);
    const { entries, clientOf } = await worldOf(type, {
      initial: { value: [1, 2, 3] },
      onPut: (put, pv) => pv.post(put),
      onProcess: () => undefined,
      onCall: () => null,
    });
    for (const user of ['alice', 'bob']) {
      const { client, sid } = await clientOf(user);
      const head = async (command: 'PUT_GET' | 'PROCESS' | 'ARRAY' | 'RPC') => {
        return { sid, ioid: await client.init(command, sid), subcommand: 0 };
      };
      const update = { type, ...coercePartial(type, { value: [7] }) };
      await client.send({ ...(await head('PUT_GET')), command: 'PUT_GET', phase: 'exec', update });
      await client.send({ ...(await head('PROCESS')), command: 'PROCESS', phase: 'exec' });
      const length = { subcommand: 0x80, length: 0 };
      await client.send({ ...(await head('ARRAY')), command: 'ARRAY', phase: 'setLength', ...length });
      if (user === 'alice') {
        await client.send({ ...(await head('RPC')), command: 'RPC', phase: 'exec', argument: null });
      }
    }
    expect(entries.map(({ user, operation, outcome, changed }) => [user, operation, outcome, changed])).toEqual([
      ['alice', 'PUT_GET', 'accepted', [{ field: 'value', old: [1, 2, 3], new: [7] }]],
      ['alice', 'PROCESS', 'accepted', []],
      ['alice', 'ARRAY', 'accepted', [{ field: 'value', old: [7], new: [] }]],
      ['bob', 'PUT_GET', 'refused', [{ field: 'value', old: [], new: [7] }]],
      ['bob', 'PROCESS', 'refused', []],
      // Of an array that is written in parts, the rest is known only where it is put together.
      ['bob', 'ARRAY', 'refused', []],
    ]);
  });

  test('lists fifty fields and says how many more there were', async () => {
    const type = structure(Object.fromEntries(Array.from({ length: 60 }, (_, index) => [`f${index}`, int])));
    const { entries, clientOf } = await worldOf(type, { onPut: () => undefined });
    const { client, sid } = await clientOf('alice');
    const ioid = await client.init('PUT', sid);
    await client.put(sid, ioid, Object.fromEntries(type.fields.map(({ name }, index) => [name, index])));
    const [entry] = entries;
    expect(entry?.changed).toHaveLength(50);
    expect(entry?.changed[49]).toEqual({ field: 'f49', old: 0, new: 49 });
    expect(entry?.unlisted).toBe(10);
  });

  test('that throws is noticed, and the put goes on', async () => {
    const world = await makeWorld({
      pvs: { x: SharedPV.mailbox(SCALAR) },
      onPutLog: () => {
        throw new Error('no paper');
      },
    });
    const client = await world.validated();
    const sid = await client.createChannel('x');
    const ioid = await client.init('PUT', sid);
    client.take('PUT');
    await client.put(sid, ioid, { value: 3 });
    expect(client.take('PUT')).toMatchObject({ status: { message: '' } });
    expect(world.notices).toContainEqual({ kind: 'putLogFailed', level: 'error', text: 'the put log threw: no paper' });
  });
});

describe('a value in the put log', () => {
  const long_text = 'x'.repeat(1_000);
  const point = structure({ x: int, y: int });
  const either = union({ n: int, text: string });

  test.each<[string, TypeDesc, PvValue, unknown]>([
    ['a number', double, 0.1, 0.1],
    ['no number', double, Number.NaN, 'NaN'],
    ['infinity', float, Number.NEGATIVE_INFINITY, '-Infinity'],
    ['a float in the digits of a float', float, Math.fround(0.1), 0.1],
    ['a long that every reader keeps', long, 2n ** 53n - 1n, 9_007_199_254_740_991],
    ['a long that some do not', ulong, 2n ** 64n - 1n, '18446744073709551615'],
    ['a text', string, 'on', 'on'],
    ['a long text', boundedString(2_000), long_text, { length: 1_000, first: 'x'.repeat(200) }],
    ['an array', arrayOf(int), Int32Array.of(1, 2), [1, 2]],
    [
      'a long array',
      arrayOf(long),
      new BigInt64Array(1_000).fill(7n),
      { length: 1_000, first: Array.from({ length: 10 }, () => 7) },
    ],
    ['a structure', point, { x: 1, y: 2 }, { x: 1, y: 2 }],
    ['a union', either, { select: 'text', value: 'a' }, { select: 'text', value: 'a' }],
    ['a union without a choice', either, null, null],
    ['any', any, { type: point, value: { x: 1, y: 2 } }, { x: 1, y: 2 }],
    ['any without a value', any, null, null],
    ['structures', arrayOf(point), [{ x: 1, y: 2 }, null], [{ x: 1, y: 2 }, null]],
    ['unions', arrayOf(either), [{ select: 'n', value: 1 }, null], [{ select: 'n', value: 1 }, null]],
    ['anys', arrayOf(any), [{ type: int, value: 3 }, null], [3, null]],
  ])('%s', (_what, type, value, expected) => {
    expect(loggedValue(type, value)).toEqual(expected);
  });

  test('is cut where it has more than a hundred parts, whatever its names', () => {
    const names = ['__proto__', ...Array.from({ length: 300 }, (_, index) => `f${index}`)];
    const wide = structure(Object.fromEntries(names.map((name) => [name, int] as const)));
    const text = JSON.stringify(
      loggedValue(
        arrayOf(wide),
        [{}, {}, {}].map(() => ({})),
      ),
    );
    expect(text.startsWith('[{"__proto__":0,"f0":0,')).toBe(true);
    expect(text.length).toBeLessThan(2_000);
    expect(text).toContain('...');
  });
});
