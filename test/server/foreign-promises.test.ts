// Does a server wait for handlers whose promises are none of its realm's, and say what it expects of their results?

import { runInNewContext } from 'node:vm';
import { describe, expect, test } from 'vitest';
import { SharedPV } from '../../src/channels/shared-pv.ts';
import { computed } from '../../src/channels/behaviours/computed.ts';
import { nativePromise } from '../../src/channels/promise-like.ts';
import { BitSet } from '../../src/protocol/bit-set.ts';
import { ntScalar } from '../../src/protocol/normative/nt-scalar.ts';
import { OK, STATUS_ERROR } from '../../src/protocol/status.ts';
import { double, int, structure } from '../../src/protocol/types/type-desc.ts';
import type { PutLogEntry } from '../../src/server/put-log.ts';
import { makeWorld } from '../support/server-world.ts';

const SCALAR = ntScalar(double);
const RESULT = { type: structure({ sum: int }), value: { sum: 7 } };

interface Foreign<T> {
  /** Typed as handlers should be, which is what JavaScript does not care about. */
  readonly promise: Promise<T>;
  readonly resolve: (value: T) => void;
  readonly reject: (reason: unknown) => void;
  /** How often somebody waited for it. */
  readonly waiters: () => number;
}

/** A promise of another realm. */
function foreign<T>(): Foreign<T> {
  let waiters = 0;
  const made = runInNewContext(
    `
    let ends;
    const promise = new Promise((resolve, reject) => (ends = { resolve, reject }));
    const then = promise.then;
    promise.then = function (...whatNext) { waited(); return then.apply(this, whatNext); };
    ({ promise, ...ends })`,
    { waited: () => void waiters++ },
  ) as Omit<Foreign<T>, 'waiters'>; // a script has no type
  expect(made.promise instanceof Promise).toBe(false);
  return { ...made, waiters: () => waiters };
}

/** So many turns that a chain of promises has come to its end. */
async function turns(): Promise<void> {
  for (let turn = 0; turn < 10; turn++) await Promise.resolve();
}

describe('a handler that gives a promise of another realm', () => {
  test.each(['PUT', 'PUT_GET'] as const)('of %s is done when the promise is, and waited for once', async (command) => {
    const done = foreign<void>();
    const entries: PutLogEntry[] = [];
    const pv = new SharedPV(SCALAR, { onPut: () => done.promise });
    const world = await makeWorld({ pvs: { x: pv }, onPutLog: (entry) => entries.push(entry) });
    const client = await world.validated();
    const sid = await client.createChannel('x');
    const ioid = await client.init(command, sid);
    client.take(command);
    const update = { type: SCALAR, changed: BitSet.of(1), value: { ...pv.value, value: 2 } };
    await client.send({ command, phase: 'exec', sid, ioid, subcommand: 0, update });
    await world.settle();
    expect(client.heard).toEqual([]);
    expect(entries).toEqual([]);
    done.resolve();
    await turns();
    await world.settle();
    expect(client.take(command)).toMatchObject({ phase: 'exec', status: OK });
    expect(entries).toMatchObject([{ outcome: 'accepted' }]);
    expect(done.waiters()).toBe(1);
  });

  test('of an RPC answers what the promise becomes, or why it is rejected', async () => {
    const calls = [foreign<typeof RESULT>(), foreign<typeof RESULT>()];
    const [first, second] = calls;
    const pv = new SharedPV(SCALAR, { onCall: () => calls.shift()?.promise });
    const world = await makeWorld({ pvs: { x: pv } });
    const client = await world.validated();
    const sid = await client.createChannel('x');
    const ioid = await client.init('RPC', sid);
    client.take('RPC');
    const call = () => client.send({ command: 'RPC', phase: 'exec', sid, ioid, subcommand: 0, argument: null });
    await call();
    expect(client.heard).toEqual([]);
    first?.resolve(RESULT);
    await turns();
    await world.settle();
    expect(client.take('RPC')).toMatchObject({ status: OK, result: RESULT });
    await call();
    second?.reject(new Error('device is away'));
    await turns();
    await world.settle();
    expect(client.take('RPC')).toMatchObject({ status: { type: STATUS_ERROR, message: 'device is away' } });
  });

  test('is no value of a computed PV', () => {
    const late = foreign<number>();
    const a = new SharedPV(SCALAR, { initial: { value: 1 } });
    const pv = computed(SCALAR, { a }, () => late.promise);
    expect(pv.value.alarm).toMatchObject({ severity: 3, message: 'compute gave a promise; a value is expected' });
  });
});

describe('nativePromise', () => {
  test('leaves native promises and what is no promise as they are', () => {
    const native = Promise.resolve(1);
    expect(nativePromise(native)).toBe(native);
    expect([null, undefined, 1, 'then'].map((result) => nativePromise<unknown>(result))).toEqual([
      null,
      undefined,
      1,
      'then',
    ]);
  });
});

describe('a result of an RPC that is no value with its type', () => {
  test.each([
    ['a number', 5, 'number 5 given'],
    ['a value without its type', { value: 5 }, 'an object given'],
    ['a type without a value', { type: int }, 'an object given'],
    ['a type that pvkit did not make', { type: { kind: 'scalar' }, value: 5 }, 'an object given'],
    ['a promise of such a thing', Promise.resolve('seven'), "text 'seven' given"],
  ])('is answered with what is expected: %s', async (_what, result, given) => {
    // JavaScript does not know what handlers should give.
    const pv = new SharedPV(SCALAR, { onCall: () => result as unknown as typeof RESULT });
    const world = await makeWorld({ pvs: { x: pv } });
    const client = await world.validated();
    const sid = await client.createChannel('x');
    const ioid = await client.init('RPC', sid);
    client.take('RPC');
    await client.send({ command: 'RPC', phase: 'exec', sid, ioid, subcommand: 0, argument: null });
    await world.settle();
    const { status } = client.take('RPC');
    expect(status.type).toBe(STATUS_ERROR);
    expect(status.message).toContain("the handler's result: { type, value }");
    expect(status.message).toContain(given);
  });
});
