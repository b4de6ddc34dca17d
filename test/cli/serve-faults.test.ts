// Does `pvkit serve` outlive an error that nobody caught, and end in good order when there are too many?

import { describe, expect, test } from 'vitest';
import type { CliHost } from '../../src/cli/host.ts';
import { Log } from '../../src/cli/log.ts';
import { ServeFaults } from '../../src/cli/serve-faults.ts';
import { ManualClock } from '../../src/transport/manual-clock.ts';
import { nodeNetwork } from '../../src/index.ts';
import { MemoryOutput, nothing } from './support.ts';

function makeFaults() {
  const clock = new ManualClock();
  const stderr = new MemoryOutput();
  const listeners = new Set<(thrown: unknown) => void>();
  const host: CliHost = {
    stdin: nothing,
    stdout: new MemoryOutput(),
    stderr,
    environment: {},
    folder: '.',
    interrupt: new AbortController().signal,
    clock,
    network: nodeNetwork,
    onFault: (listener) => {
      listeners.add(listener);
      return () => void listeners.delete(listener);
    },
  };
  const faults = new ServeFaults(host, new Log('test', 'warn', host));
  const happen = (thrown: unknown): void => {
    for (const listener of listeners) listener(thrown);
  };
  return { clock, stderr, listeners, faults, happen };
}

describe('errors that nobody caught', () => {
  test('are logged with their stack, and the server goes on', () => {
    const { faults, stderr, happen } = makeFaults();
    happen(new Error('a slip'));
    happen('no error at all');
    const [first, second] = stderr.lines.map(
      (line) => JSON.parse(line) as { readonly level: number; readonly msg: string },
    );
    expect(first?.level).toBe(50);
    expect(first?.msg).toMatch(/^fault of this program, please report it: Error: a slip\n +at /u);
    expect(second?.msg).toBe('fault of this program, please report it: no error at all');
    expect(faults.areTooMany).toBe(false);
  });

  test('end it when there are ten within a minute, and not when they are rare', async () => {
    const { clock, faults, stderr, happen } = makeFaults();
    for (let count = 0; count < 30; count++) {
      happen(new Error('rare'));
      clock.advance(7_000);
    }
    expect(faults.areTooMany).toBe(false);
    for (let count = 0; count < 12; count++) happen(new Error('often'));
    await faults.tooMany;
    expect(faults.areTooMany).toBe(true);
    const ends = stderr.lines.filter((line) => line.includes('10 faults within 60 s: ending'));
    expect(ends).toHaveLength(1);
  });

  test('are not its business any more once it has stopped', () => {
    const { faults, listeners } = makeFaults();
    expect(listeners.size).toBe(1);
    faults.stop();
    expect(listeners.size).toBe(0);
  });
});
