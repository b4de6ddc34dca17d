// Does a server that takes too much memory close the links that hold most of it, say which, and recover?

import { describe, expect, test } from 'vitest';
import { SharedPV } from '../../src/channels/shared-pv.ts';
import { ntScalarArray } from '../../src/protocol/normative/nt-scalar.ts';
import { double } from '../../src/protocol/types/type-desc.ts';
import { Admission } from '../../src/server/admission.ts';
import { MemoryWatch, type ShedableLinks } from '../../src/server/memory-watch.ts';
import { NoticeBoard } from '../../src/server/notices.ts';
import type { VitalSigns } from '../../src/transport/vitals.ts';
import { makeWorld } from '../support/server-world.ts';

const MIB = 1024 * 1024;
const START = 0x44;

function makeWatch(heldMiB: readonly number[], maxMiB = 100, collect?: () => void) {
  const admission = new Admission({ maxLinks: 100, maxLinksPerHost: 100 });
  const reasons: string[] = [];
  const open = new Map(
    heldMiB.map((held, port) => [
      port,
      {
        remote: { address: '10.0.0.2', port },
        heldBytes: held * MIB,
        account: { queuedBytes: 0 },
        operations: new Map(),
        shed(reason: string): void {
          reasons.push(`${port}: ${reason}`);
          open.delete(port);
        },
      },
    ]),
  );
  const links: ShedableLinks = { admission, [Symbol.iterator]: () => open.values() };
  const board = new NoticeBoard();
  const notices: string[] = [];
  board.listen(({ text }) => notices.push(text));
  const watch = new MemoryWatch(maxMiB * MIB, board, collect);
  const look = (memoryMiB: number): void => watch.look(memoryMiB * MIB, links);
  return { look, open, reasons, notices, admission };
}

describe('a process past its memory', () => {
  test('closes the worst links first, until what they held brings it below', () => {
    const { look, open, reasons } = makeWatch([1, 12, 5, 30, 2]);
    look(100);
    expect(reasons).toEqual([]);
    look(130);
    expect(reasons).toEqual([
      '3: 130.0 MiB of memory are taken, 100.0 MiB are allowed, and this link holds 30.0 MiB',
      '1: 130.0 MiB of memory are taken, 100.0 MiB are allowed, and this link holds 12.0 MiB',
    ]);
    expect([...open.keys()]).toEqual([0, 2, 4]);
  });

  test('waits for the memory to come back before it closes more', () => {
    const { look, reasons } = makeWatch([50, 40, 30]);
    look(120);
    look(119);
    expect(reasons).toHaveLength(1);
    look(118);
    expect(reasons).toHaveLength(2);
  });

  test('closes nobody for what every link takes', () => {
    const { look, reasons, notices } = makeWatch([0.01, 0.05, 0]);
    look(500);
    look(500);
    expect(reasons).toEqual([]);
    expect(notices).toEqual(['500.0 MiB of memory are taken, 100.0 MiB are allowed: no more connections are taken']);
  });

  test('takes no connections until it is well below', () => {
    const { look, admission, notices } = makeWatch([]);
    look(101);
    expect(admission.admit('a')).toBe('101.0 MiB of memory are taken, 100.0 MiB are allowed');
    look(97);
    expect(admission.admit('a')).toBeDefined();
    look(94);
    expect(admission.admit('a')).toBeUndefined();
    expect(notices.at(-1)).toBe('94.0 MiB of memory are taken: connections are taken again');
  });

  test('without a limit is left alone', () => {
    const { look, reasons, notices } = makeWatch([50], 0);
    look(100_000);
    expect([...reasons, ...notices]).toEqual([]);
  });
});

describe('a process that can collect its garbage', () => {
  test('closes nobody for garbage, and takes connections again', () => {
    let usedMiB = 130;
    const { look, reasons, admission, notices } = makeWatch([50], 100, () => (usedMiB = 60));
    look(usedMiB);
    expect(admission.admit('a')).toBeDefined();
    look(usedMiB);
    expect([reasons, admission.admit('a')]).toEqual([[], undefined]);
    expect(notices.at(-1)).toBe('60.0 MiB of memory are taken: connections are taken again');
  });

  test('has it collected before it closes links, and again before it closes more', () => {
    let collectedCount = 0;
    const { look, reasons } = makeWatch([50, 40, 30], 100, () => collectedCount++);
    const seen = [120, 120, 119, 119, 118].map((memoryMiB) => {
      look(memoryMiB);
      return [collectedCount, reasons.length];
    });
    expect(seen).toEqual([
      [1, 0],
      [1, 1],
      [1, 1],
      [2, 1],
      [2, 2],
    ]);
  });

  test('does so ever more seldom where nobody is to blame', () => {
    let collectedCount = 0;
    const { look, reasons } = makeWatch([0.01], 100, () => collectedCount++);
    for (let second = 0; second < 600; second++) look(120);
    expect(reasons).toEqual([]);
    expect(collectedCount).toBeGreaterThan(10);
    expect(collectedCount).toBeLessThan(20);
  });

  test('does so while it takes no connections, though it is not past its memory any more', () => {
    let usedMiB = 130;
    const { look, admission } = makeWatch([50], 100, () => (usedMiB -= 33));
    look(usedMiB);
    // 97 %: without connections there is nothing that would bring on the next collection.
    for (let second = 0; second < 10; second++) look(usedMiB);
    expect(admission.admit('a')).toBeUndefined();
  });
});

describe('a server past its memory', () => {
  test('squashes updates that wait before it closes anybody, and the client reads the last with what it missed', async () => {
    const pv = new SharedPV(ntScalarArray(double), { initial: { value: new Float64Array(10_000) } });
    const signs: { now: VitalSigns } = { now: { memoryBytes: 0, loopDelayMs: 0 } };
    const world = await makeWorld({
      pvs: { w: pv },
      vitals: { take: () => signs.now },
      config: { maxMemoryBytes: 100 * MIB },
    });
    const client = await world.validated();
    const sid = await client.createChannel('w');
    // A window that is closed: updates wait in the queue, and nothing in the buffers of the connection.
    const ioid = await client.initMonitor(sid, 'record[pipeline=true,queueSize=100]', 0);
    await client.steer(sid, ioid, START);
    for (let index = 1; index <= 90; index++) pv.post({ value: new Float64Array(10_000).fill(index) });
    signs.now = { memoryBytes: 101 * MIB, loopDelayMs: 0 };
    await world.clock.advanceAsync(1_000);
    expect(world.server.linkCount).toBe(1);
    expect(world.server.counters).toMatchObject({ linksShed: 0, updatesSquashed: 90 });
    expect(world.notices.filter(({ kind }) => kind === 'memory').map(({ text }) => text)).toEqual([
      '101.0 MiB of memory are taken, 100.0 MiB are allowed: no more connections are taken',
      expect.stringMatching(/ are allowed: updates that wait for 1 link are squashed, 6\.\d MiB$/u),
    ]);
    client.heard.length = 0;
    await client.send({ command: 'MONITOR', phase: 'exec', sid, ioid, subcommand: 0x80, acknowledged: 10 });
    const updates = client.takeAll('MONITOR');
    expect(updates).toHaveLength(1);
    expect(updates[0]).toMatchObject({ update: { value: { value: new Float64Array(10_000).fill(90) } } });
    const [update] = updates;
    expect(update?.phase === 'update' && update.overrun.has(1)).toBe(true);
    await world.clock.until(world.server.close());
  });

  test('closes the client that does not read, and serves the one that does', async () => {
    const pv = new SharedPV(ntScalarArray(double), { initial: { value: new Float64Array(50_000) } });
    const signs: { now: VitalSigns } = { now: { memoryBytes: 0, loopDelayMs: 0 } };
    const world = await makeWorld({
      pvs: { w: pv },
      vitals: { take: () => signs.now },
      config: { maxMemoryBytes: 100 * MIB },
    });
    const clients = [await world.validated(), await world.validated()];
    for (const client of clients) {
      const sid = await client.createChannel('w');
      await client.steer(sid, await client.initMonitor(sid), START);
    }
    const [slow, quick] = clients;
    slow?.connection.pause();
    for (let index = 0; index < 10; index++) {
      pv.post({ value: new Float64Array(50_000).fill(index) });
      await world.clock.advanceAsync(50);
    }
    signs.now = { memoryBytes: 101 * MIB, loopDelayMs: 0 };
    await world.clock.advanceAsync(1_000);
    // Its updates are squashed first; what it was sent and does not take remains.
    expect([world.server.linkCount, world.server.counters.linksShed]).toEqual([2, 0]);
    await world.clock.advanceAsync(2_000);
    expect(world.server.linkCount).toBe(1);
    expect(quick?.isClosed).toBe(false);
    expect(world.server.counters.linksShed).toBe(1);
    const closed = world.notices.find(({ kind }) => kind === 'linkClosed');
    expect(closed?.level).toBe('warning');
    expect(closed?.text).toMatch(
      /^client 127\.0\.0\.1:\d+: 101\.0 MiB of memory are taken, 100\.0 MiB are allowed, and this link holds \d\.\d MiB$/u,
    );
    await world.clock.until(world.server.close());
    expect(world.clock.timerCount).toBe(0);
  });
});
