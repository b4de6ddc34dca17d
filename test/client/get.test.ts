// Reading a value, from the search to the reply, against a server that is told what to say.

import { describe, expect, it } from 'vitest';
import { BitSet } from '../../src/protocol/bit-set.ts';
import { ntScalar } from '../../src/protocol/normative/nt-scalar.ts';
import { double } from '../../src/protocol/types/type-desc.ts';
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
});
