// Do the PVs of a server show how it is?

import { describe, expect, test } from 'vitest';
import { SharedPV } from '../../src/channels/shared-pv.ts';
import { DEFAULT_LIMITS } from '../../src/protocol/limits.ts';
import { ntScalar } from '../../src/protocol/normative/nt-scalar.ts';
import { double } from '../../src/protocol/types/type-desc.ts';
import { StatisticsPVs } from '../../src/server/statistics.ts';
import { Server } from '../../src/server/server.ts';
import { ManualClock } from '../../src/transport/manual-clock.ts';
import { MemoryNetwork } from '../../src/transport/memory-network.ts';
import type { VitalSigns } from '../../src/transport/vitals.ts';
import { configWith, makeWorld } from '../support/server-world.ts';

const MIB = 1024 * 1024;
const START = 0x44;

async function makeShown(maxMemoryBytes = 0) {
  const signs: { now: VitalSigns } = { now: { memoryBytes: 50 * MIB, loopDelayMs: 2 } };
  const world = await makeWorld({
    pvs: { x: new SharedPV(ntScalar(double), { initial: { value: 1 } }) },
    vitals: { take: () => signs.now },
    config: { maxMemoryBytes, limits: { ...DEFAULT_LIMITS, maxLinks: 4, maxLinksPerHost: 4 } },
  });
  const statistics = new StatisticsPVs(world.server, world.clock);
  const stateOf = (name: string) =>
    statistics.pvs.get(name)?.state.value as {
      readonly value: number;
      readonly alarm: { readonly severity: number };
      readonly display: { readonly units: string };
    };
  const look = (): Promise<void> => world.clock.advanceAsync(1_000);
  return { world, signs, statistics, stateOf, look };
}

describe('the PVs of a server', () => {
  test('count links and monitors that are open, and what was refused', async () => {
    const { world, stateOf, look } = await makeShown();
    const clients = [await world.validated(), await world.validated(), await world.validated()];
    for (const client of clients) {
      const sid = await client.createChannel('x');
      await client.steer(sid, await client.initMonitor(sid), START);
      await client.initMonitor(sid);
    }
    await look();
    expect(['links', 'monitors', 'refused', 'squashed'].map((name) => stateOf(name).value)).toEqual([3, 6, 0, 0]);
    clients[0]?.connection.destroy();
    await look();
    expect(['links', 'monitors'].map((name) => stateOf(name).value)).toEqual([2, 4]);
    for (let index = 0; index < 5; index++) await world.connect();
    await look();
    expect(['links', 'refused'].map((name) => stateOf(name).value)).toEqual([4, 3]);
    expect(stateOf('links').alarm.severity).toBe(2);
  });

  test('have alarms for what the system allows, where that is less', () => {
    const clock = new ManualClock();
    const network = { ...new MemoryNetwork({ clock }).host('server'), descriptorLimit: () => 1_024 };
    const server = new Server({ clock, network, config: configWith() });
    const statistics = new StatisticsPVs(server, clock);
    // 128 are for other things than links.
    expect(server.statistics.maxLinks).toBe(896);
    expect(statistics.pvs.get('links')?.state.value).toMatchObject({
      valueAlarm: { highWarningLimit: 896 * 0.8, highAlarmLimit: 896 * 0.95 },
    });
    statistics.close();
  });

  test('show memory in MiB and the delay in ms, with alarms where there is a limit', async () => {
    const { signs, stateOf, look } = await makeShown(100 * MIB);
    await look();
    expect(stateOf('memory')).toMatchObject({ value: 50, display: { units: 'MiB' }, alarm: { severity: 0 } });
    expect(stateOf('loopDelay')).toMatchObject({ value: 2, display: { units: 'ms' }, alarm: { severity: 0 } });
    signs.now = { memoryBytes: 85 * MIB, loopDelayMs: 150 };
    await look();
    await look();
    expect(stateOf('memory')).toMatchObject({ value: 85, alarm: { severity: 1 } });
    expect(stateOf('loopDelay')).toMatchObject({ value: 150, alarm: { severity: 1 } });
    signs.now = { memoryBytes: 99 * MIB, loopDelayMs: 2_000 };
    await look();
    await look();
    expect(['memory', 'loopDelay'].map((name) => stateOf(name).alarm.severity)).toEqual([2, 2]);
  });

  test('are posted only when something has changed, and end with the rest', async () => {
    const { world, statistics, look } = await makeShown();
    const states = (): unknown[] => [...statistics.pvs.values()].map(({ state }) => state);
    await look();
    const before = states();
    await world.clock.advanceAsync(10_000);
    expect(states()).toEqual(before);
    for (const [index, state] of states().entries()) expect(state).toBe(before[index]);
    statistics.close();
    await world.clock.until(world.server.close());
    expect(world.clock.timerCount).toBe(0);
    expect([...statistics.pvs.values()].every(({ isClosed }) => isClosed)).toBe(true);
  });
});
