// Reading a value, from the search to the reply, against a server that is told what to say.

import { describe, expect, expectTypeOf, it } from 'vitest';
import { BitSet } from '../../src/protocol/bit-set.ts';
import { ntScalar } from '../../src/protocol/normative/nt-scalar.ts';
import { double, long, string, structure } from '../../src/protocol/types/type-desc.ts';
import type { StructureValue } from '../../src/protocol/types/value-of.ts';
import { codecOf } from '../../src/protocol/values/codec.ts';
import { makeWorld } from '../support/client-world.ts';
import { FakeServer } from '../support/fake-server.ts';

const TYPE = ntScalar(double);

function valueOf(value: number) {
  return { changed: BitSet.of(1), value: { ...codecOf(TYPE).defaultValue(), value } };
}

describe('get', () => {
  it('finds a PV by broadcast, connects, and reads it', async () => {
    const { clock, serverHost, context } = makeWorld();
    const server = await FakeServer.start(serverHost);
    server.serve('x', TYPE, () => valueOf(42.5));

    const value = await clock.until(context.get('x', { type: TYPE }));

    expect(value.value).toBe(42.5);
    expect(server.link.commands).toEqual([
      'CONNECTION_VALIDATION',
      'CREATE_CHANNEL',
      'GET init',
      'GET exec',
      'DESTROY_REQUEST',
    ]);
    expect(server.link.received[0]).toMatchObject({
      method: 'ca',
      credentials: { value: { user: 'tester', host: 'client' } },
    });
    await context.close();
  });

  it('is typed by the type that is expected, and so are monitors; without one a value is any structure', async () => {
    const { clock, serverHost, context } = makeWorld();
    const server = await FakeServer.start(serverHost);
    server.serve('x', TYPE, () => valueOf(1));
    const value = await clock.until(context.get('x', { type: TYPE }));
    expectTypeOf(value.value).toEqualTypeOf<number>();
    expectTypeOf(value.alarm.message).toEqualTypeOf<string>();
    expectTypeOf(value.timeStamp.secondsPastEpoch).toEqualTypeOf<bigint>();
    expectTypeOf(await clock.until(context.get('x'))).toEqualTypeOf<StructureValue>();

    const monitor = context.monitor('x', { type: TYPE });
    type Update = NonNullable<Awaited<ReturnType<typeof monitor.next>>['value']>;
    expectTypeOf<Update['value']['value']>().toEqualTypeOf<number>();
    await monitor.close();

    // A channel with more fields than expected will do; one with other fields will not.
    const part = structure({ value: double });
    await expect(clock.until(context.get('x', { type: part }))).resolves.toMatchObject({ value: 1 });
    const other = structure({ value: long });
    await expect(clock.until(context.get('x', { type: other }))).rejects.toThrow(
      'x: field value is double, long expected',
    );
    const missing = structure({ nothing: string });
    await expect(clock.until(context.get('x', { type: missing }))).rejects.toThrow(/^x: the channel has no nothing/);
    await context.close();
  });
});
