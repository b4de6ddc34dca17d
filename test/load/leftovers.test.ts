// Does a load leave connections behind, on a server that is silent, refuses, or is given up? In memory.

import { describe, expect, it } from 'vitest';

import { LOAD_SCENARIOS, type LoadScenario, type RunLoadOptions } from '../../src/load/load.ts';
import { measureLoad } from '../../src/load/measure-load.ts';
import { DEFAULT_LIMITS } from '../../src/protocol/limits.ts';
import { error } from '../../src/protocol/status.ts';
import { double } from '../../src/protocol/types/type-desc.ts';
import { ManualClock } from '../../src/transport/manual-clock.ts';
import { MemoryNetwork } from '../../src/transport/memory-network.ts';
import { FakeServer, type FakeHandler } from '../support/fake-server.ts';
import { loadPvkit, mailbox } from '../support/load-world.ts';

const BY_TCP = LOAD_SCENARIOS.filter((scenario) => !scenario.startsWith('search'));

/** A load of a server that says only what it is told to; `during` runs once it is on its way. */
async function loadOf(
  scenario: LoadScenario,
  options: Partial<RunLoadOptions>,
  { greets = true, handle, during }: { greets?: boolean; handle?: FakeHandler; during?: () => void } = {},
) {
  const clock = new ManualClock();
  const host = new MemoryNetwork({ clock, delayMs: [0.5, 1] }).host('server');
  const server = await FakeServer.start(host);
  server.greets = greets;
  server.pvNames.add('x');
  if (handle !== undefined) server.on(handle);
  if (during !== undefined) clock.after(100, during);
  const result = await clock
    .until(
      measureLoad(scenario, {
        names: ['x'],
        clients: 3,
        seconds: 0.2,
        warmupSeconds: 0,
        timeoutMs: 1_000,
        ...options,
        server: { address: '127.0.0.1', port: server.tcpPort },
        clock,
        network: host,
      }),
    )
    .catch((thrown: unknown) => thrown);
  const endedAt = clock.now();
  await clock.advanceAsync(10);
  return { result, endedAt, server, open: server.links.filter(({ isClosed }) => !isClosed).length };
}

describe('a load leaves no connection behind', () => {
  it.each(BY_TCP)('%s, when the handshake is not answered', async (scenario) => {
    const { open, server } = await loadOf(scenario, {}, { greets: false });
    expect(server.links.length).toBeGreaterThan(0);
    expect(open).toBe(0);
  });

  it.each(BY_TCP)('%s, when the channel is refused', async (scenario) => {
    const { open, server } = await loadOf(scenario, { names: ['y'] });
    expect(server.links.length).toBeGreaterThan(0);
    expect(open).toBe(0);
  });

  it('when a reader that is to stop is refused', async () => {
    const config = { limits: { ...DEFAULT_LIMITS, maxOperationsPerLink: 2 } };
    const options = { names: ['a', 'b'], depth: 2, stopped: 2, timeoutMs: 500 };
    let most = 0;
    const result = await loadPvkit(
      { a: mailbox(double, 1), b: mailbox(double, 1) },
      'slow-readers',
      options,
      (_tick, { server }) => (most = Math.max(most, server.linkCount)),
      config,
    );
    expect(result).toMatchObject({ errors: 2, figures: { stoppedReaders: 0 } });
    // The one that puts, the one that reads, and the refused one.
    expect(most).toBe(3);
  });

  it('while it goes on for hours beside a server that stops answering now and then', async () => {
    let most = 0;
    let count = 0;
    const { server, open } = await loadOf(
      'churn',
      { seconds: 20, clients: 2, timeoutMs: 100 },
      {
        handle: (message, link) => {
          most = Math.max(most, link.server.links.filter(({ isClosed }) => !isClosed).length);
          if (message.command === 'CONNECTION_VALIDATION') return ++count > 1;
          if (message.command !== 'PUT') return false;
          const { ioid, subcommand } = message;
          link.send({ command: 'PUT', phase: 'init', ioid, subcommand, status: error('read only'), type: null });
          return true;
        },
      },
    );
    expect(server.links.length).toBeGreaterThan(20);
    expect(most).toBeLessThanOrEqual(2);
    expect(open).toBe(0);
  });
});

describe('a load that is given up before it has begun', () => {
  it.each(BY_TCP.filter((scenario) => !scenario.startsWith('connect')))(
    '%s ends at once with the reason, and leaves nothing',
    async (scenario) => {
      const abort = new AbortController();
      const reason = new Error('enough');
      const { result, endedAt, open } = await loadOf(
        scenario,
        { signal: abort.signal, timeoutMs: 60_000 },
        { greets: false, during: () => abort.abort(reason) },
      );
      expect(result).toBe(reason);
      expect(endedAt).toBeLessThan(1_000);
      expect(open).toBe(0);
    },
  );

  it('connects to nobody when the signal has aborted already', async () => {
    const reason = new Error('enough');
    const { result, server } = await loadOf('get', { signal: AbortSignal.abort(reason) });
    expect(result).toBe(reason);
    expect(server.links).toEqual([]);
  });
});
