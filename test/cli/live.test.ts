// Do lines that change stay at the end of a terminal: the rates of a monitor, the table of servers?

import { afterEach, beforeAll, describe, expect, it } from 'vitest';

import { LiveLines } from '../../src/cli/live-lines.ts';
import { ageText } from '../../src/cli/live-table.ts';
import { Server, SharedPV, resolveServerConfig } from '../../src/index.ts';
import { int, ntScalar } from '../../src/protocol/index.ts';
import { ManualClock } from '../../src/transport/manual-clock.ts';
import { MemoryNetwork } from '../../src/transport/memory-network.ts';
import { MemoryOutput, run, start, type Run, type RunOptions } from './support.ts';

/** What a terminal shows once it has done what the escape sequences say; styles are left out. */
function screenOf(text: string): readonly string[] {
  const lines = [''];
  // oxlint-disable-next-line no-control-regex
  for (const [token] of text.matchAll(/\u001b\[\d+[AKm]|\u001b\[[AKm]|\n|[^\u001b\n]+/gu)) {
    if (token === '\n') lines.push('');
    else if (token.endsWith('A') && token.startsWith('\u001b')) lines.pop();
    else if (token.startsWith('\u001b[K')) lines[lines.length - 1] = '';
    else if (!token.startsWith('\u001b')) lines[lines.length - 1] += token;
  }
  return lines;
}

const clock = new ManualClock();
let network = new MemoryNetwork({ clock });
let closing: (() => Promise<unknown>)[] = [];

// Loaded before: time that is moved by hand does not wait for files.
beforeAll(async () => {
  await import('../../src/cli/monitor.ts');
  await import('../../src/cli/list.ts');
});

afterEach(async () => {
  for (const close of closing) await clock.until(close());
  closing = [];
  network = new MemoryNetwork({ clock });
});

async function serve(name = 'server', pvs: Record<string, SharedPV> = {}): Promise<Server> {
  const config = resolveServerConfig({ processEnvironment: {} });
  const server = new Server({ network: network.host(name), clock, pvs, config });
  await clock.until(server.listen());
  closing.push(() => server.close());
  return server;
}

async function started(words: readonly string[], options: RunOptions = {}): Promise<Run> {
  const running = start(words, { network: network.host('client'), clock, ...options });
  await clock.advanceAsync(500);
  return running;
}

async function stop(running: Run): Promise<number> {
  running.interrupt();
  return clock.until(running.exitCode);
}

describe('monitor --rate', () => {
  /** A PV that changes ten times a second, and a monitor of it. */
  async function watch(words: readonly string[], options: RunOptions = {}): Promise<Run> {
    const pv = new SharedPV(ntScalar(int), { initial: { value: 0 } });
    let value = 0;
    const timer = clock.every(100, () => pv.post({ value: ++value }));
    closing.push(async () => timer.cancel());
    await serve('server', { x: pv });
    return started(['monitor', '--rate', '-r', 'value', ...words, 'x'], options);
  }

  it('tells each second how many updates came, and at the end how many in all', async () => {
    const running = await watch([]);
    await clock.advanceAsync(2_000);
    expect(await stop(running)).toBe(0);
    const rates = running.stderr.lines.slice(1, 4).map((line) => line.replace(/^\S+ \S+ /u, ''));
    expect(rates).toEqual([
      expect.stringMatching(/^x \d+\.0 updates\/s \(\d+ so far\), 0 squashed here, 0 by the server$/u) as string,
      expect.stringMatching(/^x 10\.0 updates\/s \(\d+ so far\), 0 squashed here, 0 by the server$/u) as string,
      expect.stringMatching(
        /^x \d+\.\d updates\/s \(\d+ in 2\.\d{3} s\), 0 squashed here, 0 by the server$/u,
      ) as string,
    ]);
    expect(running.stdout.text).toContain('\n    value int32_t = 5\n');
  });

  it('is a line below the values on a terminal', async () => {
    const running = await watch([], { isTerminal: true });
    await clock.advanceAsync(1_000);
    // Both streams go to one terminal; what matters is what comes after the first rate.
    expect(screenOf(running.stderr.text).slice(1, 2)).toEqual([
      expect.stringMatching(/^x \d+\.0 updates\/s/u) as string,
    ]);
    const draws = running.stderr.text.split(' updates/s').length - 1;
    await clock.advanceAsync(1_000);
    // Drawn anew for each value and each second.
    expect(running.stderr.text.split(' updates/s').length - 1).toBe(draws + 11);
    expect(await stop(running)).toBe(0);
  });

  it('is JSON on stderr with --json', async () => {
    const running = await watch(['--json']);
    await clock.advanceAsync(1_000);
    await stop(running);
    const [, rate] = running.stderr.lines.map((line) => JSON.parse(line) as unknown);
    expect(rate).toEqual({
      name: 'x',
      event: 'rate',
      time: expect.stringMatching(/Z$/u) as string,
      updatesPerS: expect.any(Number) as number,
      squashed: 0,
      overrun: 0,
    });
  });

  it('leaves nothing running when the flags are wrong', async () => {
    const timers = clock.timerCount;
    const words = ['monitor', '--rate', '--json', '-#', '3', 'x'];
    const { exitCode } = await clock.until(run(words, { network: network.host('client'), clock }));
    expect([exitCode, clock.timerCount]).toEqual([2, timers]);
  });
});

describe('list -v -w 0 on a terminal', () => {
  it('is a table of servers whose ages go on', async () => {
    const server = await serve();
    const running = await started(['list', '-v', '-w', '0'], { isTerminal: true });
    expect(screenOf(running.stdout.text)).toEqual([
      'SERVER         GUID                        PROTO  VER  AGE  STATE',
      `10.0.0.1:5075  0x${server.guid}  tcp    2    0 s  online`,
      '',
    ]);
    await clock.advanceAsync(90_000);
    expect(screenOf(running.stdout.text)[1]).toMatch(/ 90 s +online$/u);
    expect(await stop(running)).toBe(0);
  });

  it('tells which server is gone, and which came in its place', async () => {
    const first = await serve();
    const running = await started(['list', '-v', '-w', '0'], { isTerminal: true });
    await clock.advanceAsync(10_000);
    await clock.until(first.close());
    const second = await serve('another');
    await clock.advanceAsync(500_000);
    const [, gone, here] = screenOf(running.stdout.text);
    expect(gone).toMatch(new RegExp(`^10\\.0\\.0\\.1:5075 +0x${first.guid} .* \\d+ min +gone for \\d+ (s|min)$`, 'u'));
    expect(here).toMatch(new RegExp(`^10\\.0\\.0\\.3:5075 +0x${second.guid} .* 8 min +online$`, 'u'));
    expect(await stop(running)).toBe(0);
  });

  it('is lines with ages elsewhere', async () => {
    const server = await serve();
    const running = await started(['list', '-v', '-w', '0']);
    await clock.advanceAsync(10_000);
    await clock.until(server.close());
    await clock.advanceAsync(500_000);
    await stop(running);
    expect(running.stdout.lines).toEqual([
      expect.stringMatching(/ ONLINE  guid: .* age: 0 s via: 10\.0\.0\.1:5076$/u) as string,
      expect.stringMatching(/ OFFLINE guid: .* age: \d min via: 10\.0\.0\.1:5076$/u) as string,
    ]);
  });

  it.each([
    [0, '0 s'],
    [119_999, '119 s'],
    [120_000, '2 min'],
    [7_200_000, '2 h'],
    [172_800_000, '2 d'],
    [Number.MAX_SAFE_INTEGER, '104249991 d'],
  ])('an age of %d ms is %s', (ms, text) => {
    expect(ageText(ms)).toBe(text);
  });
});

describe('live lines', () => {
  it('are cut to the width and height of the terminal', () => {
    const output = new MemoryOutput({ isTerminal: true, columns: 12 });
    const live = new LiveLines(output);
    live.show(['123456789012345', ...Array.from({ length: 30 }, (_, index) => `line ${index}`)]);
    const screen = screenOf(output.text);
    expect(screen).toHaveLength(24);
    expect(screen[0]).toBe('12345678...');
    expect(screen[22]).toBe('... and 9 more'.slice(0, 8) + '...');
  });

  it('stay below what is printed above them', () => {
    const output = new MemoryOutput({ isTerminal: true });
    const live = new LiveLines(output);
    const above = live.above(output);
    above.write('first\n');
    live.show(['a', 'b\u001b[2J']);
    above.write('second\n');
    live.show(['c']);
    expect(screenOf(output.text)).toEqual(['first', 'second', 'c', '']);
    expect(output.text).toContain('b\\u{1b}[2J');
    expect([above.columns, above.rows, above.isTerminal]).toEqual([100, 24, true]);
  });

  it('leave alone what goes elsewhere', () => {
    const file = new MemoryOutput();
    expect(new LiveLines(new MemoryOutput({ isTerminal: true })).above(file)).toBe(file);
  });
});
