// Does a soak find a server that grows, and only that?

import { closeSync, openSync } from 'node:fs';
import { describe, expect, it } from 'vitest';

import { GROWTH_TOLERANCE, growthVerdict } from '../../src/load/growth-verdict.ts';
import type { ProcessUse } from '../../src/load/process-watch.ts';
import { double } from '../../src/protocol/types/type-desc.ts';
import { loadPvkit, mailbox } from '../support/load-world.ts';
import { start } from '../cli/support.ts';
import { makeWorld } from '../support/server-world.ts';

const { leastSeconds, memoryBytesPerHour, handlesPerHour } = GROWTH_TOLERANCE;

function use(seconds: number, memoryPerHour: number, handlesPerHourFound: number): ProcessUse {
  const growth = (perHour: number) => ({ first: 0, last: 0, max: 0, perHour });
  return { samples: 2, seconds, memoryBytes: growth(memoryPerHour), handles: growth(handlesPerHourFound) };
}

describe('the verdict on a server', () => {
  it.each([
    ['tooShort', leastSeconds - 1.5, 1e12, 1e6, []],
    ['steady', leastSeconds, memoryBytesPerHour, handlesPerHour, []],
    ['steady', 1e6, -1e12, -1e6, []],
    [
      'grows',
      leastSeconds,
      40 * 2 ** 20,
      0,
      ['the memory of the server grows by 40.0 MiB an hour, 16.0 are tolerated'],
    ],
    ['grows', leastSeconds, 0, 12.3, ['the handles of the server grow by 12.3 an hour, 12 are tolerated']],
  ] as const)(
    'is %s after %d s with %d bytes and %d handles an hour',
    (verdict, seconds, memory, handles, problems) => {
      expect(growthVerdict(use(seconds, memory, handles))).toEqual({ verdict, problems });
    },
  );

  it('is none where nothing was sampled', () => {
    expect(growthVerdict(null)).toBeNull();
  });
});

describe('a soak of half an hour', () => {
  const options = { names: ['a'], clients: 1, rate: 1, warmupSeconds: 0, seed: 1 };

  it('is judged for a soak alone, and not without a process', async () => {
    const load = { names: ['a'], seconds: 1, serverPids: [process.pid] };
    expect((await loadPvkit({ a: mailbox(double, 1) }, 'get', load)).growth).toBeNull();
    expect((await loadPvkit({ a: mailbox(double, 1) }, 'soak', { ...options, seconds: 1 })).growth).toBeNull();
  });

  it('ends `pvkit load soak` with 1 when a handle is left behind each two minutes', async () => {
    const { server, clock, host } = await makeWorld({}, { delayMs: [0.5, 1] });
    server.add('a', mailbox(double, 1));
    const left: number[] = [];
    const leak = clock.every(120_000, () => left.push(openSync('/dev/null', 'r')));
    const words = `load soak a --server 127.0.0.1:${server.tcpPort} --seconds ${leastSeconds} --warmup 0 --rate 1`;
    const running = start([...words.split(' '), '--pid', String(process.pid)], { network: host, clock });
    const ended = { is: false };
    running.exitCode.finally(() => (ended.is = true)).catch(() => {});
    while (!ended.is) {
      await clock.advanceAsync(1_000);
      // The command is loaded in real time.
      await new Promise(setImmediate);
    }
    expect(await running.exitCode).toBe(1);
    leak.cancel();
    for (const file of left) closeSync(file);
    expect(running.stderr.text).toMatch(/^the handles of the server grow by \d\d\.\d an hour, 12 are tolerated$/mu);
    expect(running.stdout.text).toMatch(/^faults +0 wrong, 0 lost, 0 errors$/mu);
    expect(running.stdout.text).toMatch(/^growth +past the 16\.0 MiB and 12 handles an hour that are tolerated$/mu);
    await clock.until(server.close());
    // Thousands of links in between take a slow machine its time.
  }, 60_000);
});
