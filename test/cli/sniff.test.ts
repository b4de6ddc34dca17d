// What does `pvkit sniff` print, and what does it sum up?

import { afterEach, beforeAll, describe, expect, it } from 'vitest';

import { Context, Server, resolveClientConfig, resolveServerConfig } from '../../src/index.ts';
import { SniffTally } from '../../src/cli/sniff-tally.ts';
import { ManualClock } from '../../src/transport/manual-clock.ts';
import { MemoryNetwork } from '../../src/transport/memory-network.ts';
import { start, type Run, type RunOptions } from './support.ts';

const clock = new ManualClock();
let network = new MemoryNetwork({ clock });

// Loaded before: time that is moved by hand does not wait for files.
beforeAll(() => import('../../src/cli/sniff.ts'));

afterEach(() => {
  network = new MemoryNetwork({ clock });
});

async function sniffing(words: readonly string[] = [], options: RunOptions = {}): Promise<Run> {
  const running = start(['sniff', ...words], { network: network.host('here'), clock, ...options });
  await clock.advanceAsync(1);
  return running;
}

/** A server is started, and started again; a client looks for two PVs that nobody has. */
async function traffic(): Promise<void> {
  const serverHost = network.host('server');
  for (let starts = 0; starts < 2; starts++) {
    const config = resolveServerConfig({ processEnvironment: {} });
    const server = new Server({ network: serverHost, clock, config });
    await clock.until(server.listen());
    await clock.advanceAsync(100);
    await clock.until(server.close());
  }
  const config = resolveClientConfig({
    processEnvironment: { EPICS_PVA_AUTO_ADDR_LIST: 'NO', EPICS_PVA_ADDR_LIST: '10.0.0.255' },
  });
  const context = new Context({ config, network: network.host('client'), clock, random: () => 0 });
  const many = Array.from({ length: 12 }, (_, index) => `lab:${index}`);
  await clock.until(context.getMany(many, { timeoutMs: 4_000 }));
  await context.close();
}

function steady(text: string): string {
  return text
    .replaceAll(/\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{3}/gu, 'TIME')
    .replaceAll(/0x[\da-f]{24}/gu, 'GUID')
    .replaceAll(/(10\.0\.0\.3):\d+/gu, '$1:PORT')
    .replaceAll(/\d+\.\d{3} s/gu, 'N s');
}

describe('sniff', () => {
  it('prints searches and beacons, and sums them up at ^C', async () => {
    const running = await sniffing();
    await traffic();
    running.interrupt();
    expect(await clock.until(running.exitCode)).toBe(0);
    const lines = steady(running.stdout.text).trimEnd().split('\n');
    const names = 'lab:0 lab:1 lab:2 lab:3 lab:4 lab:5 lab:6 lab:7 lab:8 lab:9';
    expect(lines.slice(0, 3)).toEqual([
      'TIME beacon 10.0.0.2:5075 guid GUID proto tcp version 2 seq 0 new',
      'TIME beacon 10.0.0.2:5075 guid GUID proto tcp version 2 seq 0 restarted',
      `TIME search 10.0.0.3:PORT ${names} and 2 more`,
    ]);
    const at = lines.findIndex((line) => line.startsWith('---'));
    expect(lines[at]).toMatch(/^--- \d searches, 2 beacons in N s$/u);
    expect(lines.slice(at + 1)).toEqual(
      expect.arrayContaining([
        expect.stringMatching(/^10\.0\.0\.3:PORT +lab:11 +\d times, every N s$/u) as string,
        expect.stringMatching(/^10\.0\.0\.2:5075 +beacon +2 times, every N s$/u) as string,
      ]),
    );
    expect(running.stderr.text).toBe('');
  });

  it('stops after -n, and prints all names with -v', async () => {
    const running = await sniffing(['-v', '-n', '3']);
    await traffic();
    expect(await clock.until(running.exitCode)).toBe(0);
    expect(running.stdout.text).toContain(' lab:9 lab:10 lab:11\n');
    expect(running.stdout.text).toMatch(/^--- 1 search, 2 beacons in /mu);
  });

  it('prints one JSON object a line with --json, and no sum', async () => {
    const running = await sniffing(['--json', '-w', '5']);
    await traffic();
    expect(await clock.until(running.exitCode)).toBe(0);
    const entries = running.stdout.lines.map((line) => JSON.parse(line) as unknown);
    expect(entries.slice(0, 3)).toMatchObject([
      { kind: 'beacon', change: 'new', guid: expect.stringMatching(/^0x[\da-f]{24}$/u) as string },
      { kind: 'beacon', change: 'restarted', server: '10.0.0.2:5075' },
      { kind: 'search', time: expect.stringMatching(/^\d{4}-.*Z$/u) as string, protocols: ['tcp'] },
    ]);
  });

  it('ends with 1 when the port is taken', async () => {
    const host = network.host('here');
    const socket = await host.bindUdp({ address: '0.0.0.0', port: 5076 }, { message: () => {}, error: () => {} });
    const running = start(['sniff'], { network: host, clock });
    expect(await clock.until(running.exitCode)).toBe(1);
    socket.close();
    expect(running.stderr.text).toMatch(/^pvkit: UDP port 0\.0\.0\.0:5076 cannot be opened: .*EADDRINUSE/u);
  });

  it('shows no text of a peer that could steer a terminal', async () => {
    const running = await sniffing([], { isTerminal: true });
    const config = resolveClientConfig({ processEnvironment: {} });
    const context = new Context({ config, network: network.host('client'), clock });
    await clock.until(context.getMany(['evil\u001b[2J'], { timeoutMs: 300 }));
    await context.close();
    running.interrupt();
    await clock.until(running.exitCode);
    expect(running.stdout.text).toContain('evil\\u{1b}[2J');
    expect(running.stdout.text).not.toContain('evil\u001b');
  });
});

describe('the sum', () => {
  it('is bounded: names past 10 000 are only counted', () => {
    const tally = new SniffTally(clock);
    for (let count = 0; count < 10_005; count++) {
      const search = { client: '10.0.0.1:1', protocols: [], isUnicast: false, isForwarded: false };
      tally.add({ kind: 'search', pvNames: [`x${count}`], ...search });
    }
    expect(tally.rows).toHaveLength(10_000);
    expect([tally.searchCount, tally.unlistedCount]).toEqual([10_005, 5]);
  });
});
