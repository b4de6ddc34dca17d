// Every malformed input of the vectors that a server can send: the client ends as the vectors say, and goes on living.

import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { BitSet } from '../../src/protocol/bit-set.ts';
import { ntScalar } from '../../src/protocol/normative/nt-scalar.ts';
import { double } from '../../src/protocol/types/type-desc.ts';
import { codecOf } from '../../src/protocol/values/codec.ts';
import { makeWorld } from '../support/client-world.ts';
import { FakeServer } from '../support/fake-server.ts';

interface MalformedCase {
  readonly name: string;
  readonly kind: string;
  readonly context?: string;
  readonly hex: string;
  readonly why: string;
  readonly expect: 'reject' | 'ignore' | 'tolerate' | 'accept';
}

const TYPE = ntScalar(double);
const ALL = (
  JSON.parse(readFileSync(new URL('../vectors/malformed.json', import.meta.url), 'utf8')) as {
    readonly cases: readonly MalformedCase[];
  }
).cases;
const FIRST = ALL.filter(({ context }) => context === 'client-first');
const CONNECTED = ALL.filter(({ context }) => context === 'client-connected');

/** Whatever happened, the client is alive: another server serves it. */
async function expectAlive(world: ReturnType<typeof makeWorld>): Promise<void> {
  const host = world.network.host('healthy', '10.0.0.3/24');
  const healthy = await FakeServer.start(host);
  healthy.serve('y', TYPE, () => ({ changed: BitSet.of(1), value: { ...codecOf(TYPE).defaultValue(), value: 7 } }));
  const value = await world.clock.until(world.context.get('y', { type: TYPE }));
  expect(value.value).toBe(7);
  await world.context.close();
  await world.clock.advanceAsync(10_000);
  expect(world.clock.timerCount).toBe(0);
}

describe('as the first bytes of a server', () => {
  it.each(FIRST)('$name: $expect, $why', async ({ hex, expect: outcome }) => {
    const world = makeWorld();
    const server = await FakeServer.start(world.serverHost);
    server.greets = false;
    server.pvNames.add('x');
    const call = world.context.get('x', { timeoutMs: 1_500 });
    call.catch(() => {});
    await world.clock.advanceAsync(100);
    const { link } = server;
    link.sendHex(hex);
    await world.clock.advanceAsync(100);
    if (outcome === 'reject') expect(link.isClosed).toBe(true);
    // Nobody ever answers the GET, whatever became of the connection.
    await expect(world.clock.until(call)).rejects.toThrow(/^x: timed out after 1\.5 s: /);
    await expectAlive(world);
  });

  it('are all tried', () => {
    expect(FIRST.length).toBeGreaterThanOrEqual(9);
  });
});

describe('from a server that has let us in', () => {
  it.each(CONNECTED)('$name: $expect, $why', async ({ hex, expect: outcome }) => {
    const world = makeWorld();
    const server = await FakeServer.start(world.serverHost);
    server.pvNames.add('x');
    // The channel is asked for and not given: the state that the vectors mean.
    server.on((message) => message.command === 'CREATE_CHANNEL');
    const call = world.context.get('x', { timeoutMs: 1_500 });
    call.catch(() => {});
    await world.clock.advanceAsync(100);
    const { link } = server;
    link.sendHex(hex);
    await world.clock.advanceAsync(100);
    expect(link.isClosed).toBe(outcome === 'reject');
    await expect(world.clock.until(call)).rejects.toThrow(/^x: timed out after 1\.5 s: /);
    await expectAlive(world);
  });

  it('are all tried', () => {
    expect(CONNECTED.length).toBeGreaterThanOrEqual(9);
  });
});

describe('a datagram of noise', () => {
  it('to the search port changes nothing', async () => {
    const world = makeWorld();
    const server = await FakeServer.start(world.serverHost);
    server.serve('x', TYPE, () => ({ changed: BitSet.of(1), value: { ...codecOf(TYPE).defaultValue(), value: 7 } }));
    server.answer = (search, to) => {
      for (const hex of ['', 'ca', 'ca024004ff000000', 'ca024004140000006767676767676767676767676767676767676767']) {
        server.udp.send(Uint8Array.from(Buffer.from(hex, 'hex')), to);
      }
      server.sendDatagram(to, { command: 'ECHO', payload: new Uint8Array(3) });
      // Found nowhere, by a protocol nobody knows, at port 0, for an id that is not ours.
      const right = server.response(search, [], 5075);
      if (right.command !== 'SEARCH_RESPONSE') return;
      server.sendDatagram(to, {
        ...right,
        found: false,
        instanceIds: search.names.map(({ instanceId }) => instanceId),
      });
      server.sendDatagram(to, { ...right, found: true, protocol: 'tls', instanceIds: [1] });
      server.sendDatagram(to, { ...right, found: true, serverPort: 0, instanceIds: [1] });
      server.sendDatagram(to, { ...right, found: true, instanceIds: [4711] });
    };
    const call = world.context.get('x', { timeoutMs: 1_500 });
    await expect(world.clock.until(call)).rejects.toThrow('no server answered');
    expect(server.links).toEqual([]);
    await expectAlive(world);
  });
});
