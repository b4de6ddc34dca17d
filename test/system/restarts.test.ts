// Do monitors outlive their server a hundred times, without missing a final value and without growing?
//
//   PVKIT_RESTARTS=1000 npx vitest run test/system/restarts.test.ts      more often

import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { describe, expect, it } from 'vitest';
import { Context, resolveClientConfig, resolveServerConfig, Server, SharedPV } from '../../src/index.ts';
import { ntScalar, ntScalarArray } from '../../src/protocol/normative/nt-scalar.ts';
import { double, int } from '../../src/protocol/types/type-desc.ts';
import { ManualClock } from '../../src/transport/manual-clock.ts';
import { MemoryNetwork } from '../../src/transport/memory-network.ts';

const SCALAR = ntScalar(int);
const WAVE = ntScalarArray(double);
/** Caches fill and code is compiled before anything is measured. */
const WARM_UP = 100;
const RESTARTS = Number(process.env['PVKIT_RESTARTS'] ?? 100);
const MEBI = 1024 * 1024;

setFlagsFromString('--expose-gc');

async function usedBytes(): Promise<number> {
  for (let round = 0; round < 5; round++) {
    runInNewContext('gc()');
    await new Promise(setImmediate);
  }
  const { heapUsed, arrayBuffers } = process.memoryUsage();
  return heapUsed + arrayBuffers;
}

describe('a hundred restarts', () => {
  it('cost no monitor a final value, and no memory', { timeout: 60_000 + RESTARTS * 200 }, async () => {
    const clock = new ManualClock();
    const network = new MemoryNetwork({ clock, delayMs: [0, 5], chunkBytes: [1, 4_096] });
    const host = network.host('server');
    const pvs = {
      plain: SharedPV.mailbox(SCALAR, { clock, initial: { value: 0 } }),
      pipelined: SharedPV.mailbox(SCALAR, { clock, initial: { value: 0 } }),
      wave: SharedPV.mailbox(WAVE, { clock, initial: { value: new Float64Array(1_000) } }),
    };
    const config = resolveServerConfig({ processEnvironment: {} });
    const context = new Context({
      network: network.host('client'),
      clock,
      config: resolveClientConfig({ processEnvironment: {} }),
    });
    const finals = { plain: [] as number[], pipelined: [] as number[], wave: [] as number[] };
    const last = { plain: -1, pipelined: -1, wave: -1 };
    const follow = async (name: keyof typeof pvs, pipeline: boolean): Promise<void> => {
      for await (const { value } of context.monitor(name, { pipeline })) {
        const now = value['value'];
        last[name] = now instanceof Float64Array ? (now[0] ?? -1) : Number(now);
      }
    };
    const following = [follow('plain', false), follow('pipelined', true), follow('wave', false)];

    let posted = 0;
    const oneLife = async (): Promise<void> => {
      const server = new Server({ network: host, clock, pvs, config });
      await clock.until(server.listen());
      await clock.advanceAsync(15_000);
      // More than the queues hold, the last of them just before the end.
      for (let count = 0; count < 20; count++) {
        posted++;
        pvs.plain.post({ value: posted });
        pvs.pipelined.post({ value: posted });
        pvs.wave.post({ value: new Float64Array(1_000).fill(posted) });
      }
      await clock.advanceAsync(1_000);
      for (const name of ['plain', 'pipelined', 'wave'] as const) finals[name].push(last[name] - posted);
      await clock.until(server.close());
    };

    for (let life = 0; life < WARM_UP; life++) await oneLife();
    const before = await usedBytes();
    for (let life = 0; life < RESTARTS; life++) await oneLife();
    const after = await usedBytes();

    const right = Array.from({ length: WARM_UP + RESTARTS }, () => 0);
    expect(finals).toEqual({ plain: right, pipelined: right, wave: right });
    const kept = after - before;
    console.log(
      `memory before ${(before / MEBI).toFixed(2)} MiB, after ${RESTARTS} restarts ${(after / MEBI).toFixed(2)} MiB: ` +
        `${(kept / RESTARTS).toFixed(0)} bytes a restart`,
    );
    expect(after).toBeLessThan(before * 1.1);
    // Vitest's own modules are in both figures; whatever stays behind of each restart would show here.
    expect(kept / RESTARTS).toBeLessThan(12_000);

    await context.close();
    await Promise.allSettled(following);
    await clock.advanceAsync(10_000);
    expect(clock.timerCount).toBe(0);
    expect(network.connections.size).toBe(0);
  });
});
