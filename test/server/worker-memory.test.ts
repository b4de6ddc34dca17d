// Do workers that are short of memory refuse connections only where no other has room, and without keeping anything of them?

import { describe, expect, test } from 'vitest';
import { HeldConnection } from '../../src/server/workers/held-connection.ts';
import type { TcpConnection } from '../../src/transport/network.ts';
import type { Vitals } from '../../src/transport/vitals.ts';
import { prepare, scalarPv } from '../support/crew-world.ts';
import { WireClient } from '../support/wire-client.ts';

const MIB = 1024 * 1024;

describe('a worker past its memory', () => {
  /** Two workers, the memory of each set by the test. */
  async function makeTwo() {
    const memoryMiB = [10, 10];
    const world = prepare({
      pvs: { x: scalarPv() },
      vitals: { take: () => ({ memoryBytes: 0, loopDelayMs: 0 }) },
      config: { maxMemoryBytes: 300 * MIB },
    });
    const { clock, host, server, processes } = world;
    let startedCount = 0;
    Object.defineProperty(processes, 'vitals', {
      get: (): Vitals => {
        // Asked for twice for each worker.
        const index = Math.floor(startedCount++ / 2);
        return { take: () => ({ memoryBytes: (memoryMiB[index] ?? 0) * MIB, loopDelayMs: 0 }) };
      },
    });
    await clock.until(server.listen());
    const settle = (): Promise<void> => clock.advanceAsync(1);
    const isServed = async (): Promise<boolean> => {
      const client = await clock.until(WireClient.connect(host, server.tcpPort, { settle }));
      await settle();
      return !client.isClosed;
    };
    return { ...world, memoryMiB, isServed };
  }

  test('is handed no connections as long as another has room', async () => {
    const { clock, memoryMiB, isServed, server } = await makeTwo();
    memoryMiB[0] = 200;
    await clock.advanceAsync(2_000);
    for (let count = 0; count < 20; count++) expect(await isServed()).toBe(true);
    expect(server.counters.linksRefused).toBe(0);
    await clock.until(server.close());
  });

  test('takes connections again when it has room; where none has, they are refused and told why', async () => {
    const { clock, memoryMiB, isServed, server, notices } = await makeTwo();
    memoryMiB.fill(200);
    await clock.advanceAsync(2_000);
    expect(await isServed()).toBe(false);
    expect(notices.at(-1)?.text).toMatch(/refused, all workers are past their memory$/u);
    memoryMiB[1] = 20;
    await clock.advanceAsync(2_000);
    expect(await isServed()).toBe(true);
    await clock.until(server.close());
  });
});

describe('a connection that a worker refuses', () => {
  test('is forgotten at once', () => {
    let destroyedCount = 0;
    let closedCount = 0;
    const ends = { address: '10.0.0.1', port: 1 };
    // All that is asked of it.
    const inner = { local: ends, remote: ends, destroy: () => destroyedCount++ } as unknown as TcpConnection;
    const held = new HeldConnection(inner, () => closedCount++);
    held.destroy();
    held.destroy();
    expect([destroyedCount, closedCount]).toEqual([2, 1]);
  });
});
