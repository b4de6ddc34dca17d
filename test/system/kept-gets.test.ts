// What may a client leave on a server that reads PVs again and again? As much as leaves room for all else that it does.

import { afterEach, describe, expect, it } from 'vitest';
import { Context, resolveClientConfig, SharedPV } from '../../src/index.ts';
import { DEFAULT_LIMITS } from '../../src/protocol/limits.ts';
import { ntScalar } from '../../src/protocol/normative/nt-scalar.ts';
import { double } from '../../src/protocol/types/type-desc.ts';
import { makeWorld } from '../support/server-world.ts';

const TYPE = ntScalar(double);

const ends: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const end of ends.splice(0)) await end();
});

/** PVs `0`, `1`, ... and a client that watches all of them, so that no channel is ever idle. */
async function watched(count: number, maxOperationsPerLink: number) {
  const limits = { ...DEFAULT_LIMITS, maxOperationsPerLink };
  const { server, clock, network } = await makeWorld({ config: { limits } });
  for (let index = 0; index < count; index++) {
    server.add(String(index), SharedPV.mailbox(TYPE, { initial: { value: index } }));
  }
  const client = network.host('client');
  const context = new Context({ network: client, clock, config: resolveClientConfig({ processEnvironment: {} }) });
  const monitors = Array.from({ length: count }, (_, index) => context.monitor(String(index)));
  for (const monitor of monitors) await clock.until(monitor.next());
  ends.push(async () => {
    await context.close();
    await clock.until(server.close());
  });
  const read = async (index: number): Promise<number> =>
    (await clock.until(context.get(String(index), { type: TYPE }))).value;
  return { clock, context, read };
}

describe('a client that watches and polls', () => {
  it('is never refused for what it keeps itself, however little a server allows', async () => {
    const { read, context, clock } = await watched(8, 10);
    for (let round = 0; round < 4; round++) {
      for (let index = 0; index < 8; index++) expect(await read(index)).toBe(index);
    }
    // And so are its other operations.
    await clock.until(context.put('0', 5));
    const later = context.monitor('1');
    await clock.until(later.next());
    expect(await read(0)).toBe(5);
    const array = context.array('2', { field: 'alarm' });
    await expect(clock.until(array.getLength())).rejects.toThrow('ARRAY INIT refused');
    await later.close();
  });

  it('monitors a PV that a server has room for only without what is kept', async () => {
    const { read, context, clock } = await watched(8, 10);
    for (const index of [0, 0, 1, 1]) await read(index);
    const both = [context.monitor('0'), context.monitor('1')];
    const updates = await clock.until(Promise.all(both.map((monitor) => monitor.next())));
    expect(updates.map(({ done }) => done)).toEqual([false, false]);
    await expect(clock.until(context.monitor('2').next())).rejects.toThrow('no more are allowed on one');
  });
});
