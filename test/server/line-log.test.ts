// Do lines get to a disk that is slow, full or gone without holding anybody up, and is it said which do not?
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { DEFAULT_LIMITS } from '../../src/protocol/limits.ts';
import { LineLog, type LineLogOptions } from '../../src/server/line-log.ts';
import { ManualClock } from '../../src/transport/manual-clock.ts';
import { hitsLimit } from '../support/hits-limit.ts';

const SOME_TIME: unknown = expect.stringMatching(/^\d{4}-.*Z$/u);

/** A disk in the test's hands. */
function makeDisk() {
  const written: string[] = [];
  const pending: { readonly text: string; readonly settle: (error?: Error) => void }[] = [];
  let isClosed = false;
  const sink = {
    write: (text: string) =>
      new Promise<void>((resolve, reject) => {
        pending.push({
          text,
          settle: (error) => {
            if (error !== undefined) return reject(error);
            written.push(text);
            resolve();
          },
        });
      }),
    close: () => {
      isClosed = true;
      return Promise.resolve();
    },
  };
  /** Lets the write that is under way end, and what follows from that happen. */
  async function finish(error?: Error): Promise<void> {
    pending.shift()?.settle(error);
    await new Promise((resolve) => {
      setImmediate(resolve);
    });
  }
  return {
    sink,
    finish,
    pendingCount: () => pending.length,
    isClosed: () => isClosed,
    lines: () =>
      written
        .join('')
        .split('\n')
        .slice(0, -1)
        .map((line): unknown => JSON.parse(line)),
  };
}

function makeLog(options: LineLogOptions = {}) {
  const disk = makeDisk();
  const troubles: string[] = [];
  const clock = new ManualClock();
  const log = new LineLog(disk.sink, { clock, onTrouble: (text) => troubles.push(text), ...options });
  return { disk, troubles, clock, log };
}

describe('a log of lines', () => {
  test('writes one line for each entry, one write at a time, what waits together', async () => {
    const { disk, log } = makeLog();
    for (let number = 1; number <= 3; number++) log.add({ number });
    expect(disk.pendingCount()).toBe(1);
    await disk.finish();
    expect(disk.lines()).toEqual([{ number: 1 }]);
    expect(disk.pendingCount()).toBe(1);
    await disk.finish();
    expect(disk.lines()).toEqual([{ number: 1 }, { number: 2 }, { number: 3 }]);
    expect(disk.pendingCount()).toBe(0);
  });

  test('drops what does not fit while the disk is slow, tells of it once, and counts it in the log', async () => {
    const { disk, troubles, log } = makeLog({ maxWaitingCharacters: 40 });
    for (let number = 1; number <= 9; number++) log.add({ number });
    expect(troubles).toEqual(['lines of the log get lost: 39 characters wait to be written']);
    await disk.finish();
    await disk.finish();
    await disk.finish();
    expect(disk.lines()).toEqual([{ number: 1 }, { number: 2 }, { number: 3 }, { time: SOME_TIME, lost: 6 }]);
    log.add({ number: 10 });
    await disk.finish();
    expect(disk.lines().at(-1)).toEqual({ number: 10 });
    expect(troubles).toHaveLength(1);
  });

  test('lets four million characters wait, however slow the disk is, and no more', async () => {
    hitsLimit('maxPutLogCharacters');
    const { disk, troubles, log } = makeLog();
    const line = `"${'x'.repeat(1024 * 1024 - 3)}"\n`;
    for (let number = 0; number < 4; number++) log.addLine(line);
    expect(troubles).toEqual([]);
    log.addLine('1\n');
    expect(troubles).toEqual([
      `lines of the log get lost: ${DEFAULT_LIMITS.maxPutLogCharacters} characters wait to be written`,
    ]);
    await disk.finish();
    await disk.finish();
    await disk.finish();
    expect(disk.lines().slice(4)).toEqual([{ time: SOME_TIME, lost: 1 }]);
  });

  test('goes on when a write fails, and tells of it once until one goes well', async () => {
    const { disk, troubles, log } = makeLog();
    log.add({ number: 1 });
    await disk.finish(new Error('ENOSPC: no space left on device'));
    log.add({ number: 2 });
    await disk.finish(new Error('ENOSPC: no space left on device'));
    expect(troubles).toEqual(['lines of the log get lost: ENOSPC: no space left on device']);
    log.add({ number: 3 });
    await disk.finish();
    await disk.finish();
    expect(disk.lines()).toEqual([{ number: 3 }, { time: SOME_TIME, lost: 2 }]);
    log.add({ number: 4 });
    await disk.finish(new Error('EIO'));
    expect(troubles).toHaveLength(2);
  });

  test('writes what waits before it closes, and nothing after', async () => {
    const { disk, log } = makeLog();
    log.add({ number: 1 });
    log.add({ number: 2 });
    const closed = log.close();
    log.add({ number: 3 });
    await disk.finish();
    await disk.finish();
    await closed;
    expect(disk.lines()).toEqual([{ number: 1 }, { number: 2 }]);
    expect(disk.isClosed()).toBe(true);
    expect(log.close()).toBe(log.close());
  });

  test('does not wait for ever for a disk that takes nothing', async () => {
    const { disk, troubles, clock, log } = makeLog();
    log.add({ number: 1 });
    await clock.until(log.close());
    expect(troubles).toEqual(['lines of the log get lost: not written within 5 s']);
    expect(disk.isClosed()).toBe(false);
    expect(clock.timerCount).toBe(0);
  });

  test('tells when the sink cannot be closed', async () => {
    const troubles: string[] = [];
    const sink = { write: () => Promise.resolve(), close: () => Promise.reject(new Error('EIO')) };
    await new LineLog(sink, { clock: new ManualClock(), onTrouble: (text) => troubles.push(text) }).close();
    expect(troubles).toEqual(['closing the log: EIO']);
  });
});

describe('a file', () => {
  let folder = '';
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'pvkit-log-'));
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  test('is made, and appended to when it is there', async () => {
    const path = join(folder, 'puts.log');
    for (const run of [1, 2]) {
      const log = await LineLog.append(path);
      for (let number = 0; number < 1_000; number++) log.add({ run, number });
      await log.close();
    }
    const lines = readFileSync(path, 'utf8').split('\n').slice(0, -1);
    expect(lines).toHaveLength(2_000);
    expect(lines[1_999]).toBe('{"run":2,"number":999}');
  });

  test('that cannot be opened rejects', async () => {
    await expect(LineLog.append(join(folder, 'no', 'such', 'folder'))).rejects.toThrow('ENOENT');
  });
});
