// Does what a process measures of itself fall when it needs less, and does the measuring end?

import { describe, expect, test } from 'vitest';
import { processVitals } from '../../src/transport/vitals.ts';

const MIB = 1024 * 1024;

/** 100 MiB in pieces as small as those that are read from sockets: an allocator keeps them. */
function usedWhileHolding(used: () => number): number {
  const pieces = Array.from({ length: 1_600 }, () => Buffer.alloc(64 * 1024, 1));
  const usedMiB = used();
  expect(pieces).toHaveLength(1_600);
  return usedMiB;
}

describe('the memory of this process', () => {
  test('is what is in use: what was dropped is gone after a collection, though the system shows it still', async () => {
    const vitals = processVitals();
    try {
      const used = (): number => vitals.take().memoryBytes / MIB;
      const beforeMiB = used();
      const takenMiB = usedWhileHolding(used);
      expect(takenMiB - beforeMiB).toBeGreaterThan(90);
      let leftMiB = takenMiB;
      for (let turn = 0; turn < 100 && leftMiB > beforeMiB + 50; turn++) {
        vitals.collect?.();
        await new Promise((resolve) => setImmediate(resolve));
        leftMiB = used();
      }
      expect(leftMiB - beforeMiB).toBeLessThan(50);
    } finally {
      vitals.stop?.();
    }
  });

  test('does not have in it what the program had and dropped before it was measured', async () => {
    // An allocator keeps pieces of this size when they are dropped.
    const pieces = Array.from({ length: 12_800 }, () => Buffer.alloc(16 * 1024, 1));
    expect(pieces.splice(0)).toHaveLength(12_800);
    const early = processVitals();
    early.collect?.();
    early.stop?.();
    await new Promise((resolve) => setTimeout(resolve, 100));
    const vitals = processVitals();
    const { heapUsed, external } = process.memoryUsage();
    expect((vitals.take().memoryBytes - heapUsed - external) / MIB).toBeLessThan(70);
    vitals.stop?.();
  });

  test('is never more than the system has given', () => {
    const vitals = processVitals();
    expect(vitals.take().memoryBytes).toBeLessThanOrEqual(process.memoryUsage.rss());
    vitals.stop?.();
  });
});

describe('the delay of the event loop', () => {
  test('is measured until it is stopped', async () => {
    const vitals = processVitals();
    vitals.stop?.();
    vitals.take();
    const end = performance.now() + 80;
    while (performance.now() < end);
    await new Promise((resolve) => setTimeout(resolve, 30));
    expect(vitals.take().loopDelayMs).toBe(0);
  });
});
