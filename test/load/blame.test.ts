// Does a load blame a server for what it has not done, or let it off with what it has? In memory.

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { describe, expect, it } from 'vitest';

import { SharedPV } from '../../src/channels/shared-pv.ts';
import { StatusError } from '../../src/protocol/errors.ts';
import { ntScalar } from '../../src/protocol/normative/nt-scalar.ts';
import { double } from '../../src/protocol/types/type-desc.ts';
import { measureLoad } from '../../src/load/measure-load.ts';
import { ManualClock } from '../../src/transport/manual-clock.ts';
import { MemoryNetwork } from '../../src/transport/memory-network.ts';
import type { Network } from '../../src/transport/network.ts';
import { FakeServer } from '../support/fake-server.ts';
import { FAULTLESS, loadPvkit, mailbox } from '../support/load-world.ts';
import { makeWorld } from '../support/server-world.ts';

const NO_PID = 0x7fff_fffe;

/** Takes values up to this. */
function limited(most: number): SharedPV {
  return new SharedPV(ntScalar(double), {
    initial: { value: 0 },
    onPut: ({ value }, pv) => {
      if ((value as { readonly value: number }).value > most) throw new StatusError('too high');
      pv.post(value);
    },
  });
}

describe('slow-readers', () => {
  const options = { names: ['a'], clients: 2, stopped: 2, rate: 400, seconds: 0.6, timeoutMs: 500 };

  it('count puts that are refused, and expect of readers the last value that was taken', async () => {
    const result = await loadPvkit({ a: limited(100) }, 'slow-readers', options);
    expect(result).toMatchObject({ wrong: 0, lost: 0, problems: ['a: PUT refused: too high'] });
    expect(result.errors).toBeGreaterThan(50);
  });

  it('count subscriptions of stopped readers that the server takes away', async () => {
    const removals: unknown[] = [];
    const result = await loadPvkit(
      { a: mailbox(double, 1) },
      'slow-readers',
      { ...options, clients: 1 },
      (tick, world) => {
        if (tick === 150) removals.push(world.server.remove('a'));
      },
    );
    expect(removals).toHaveLength(1);
    // Two stopped ones and the fast one.
    expect(result.problems).toContain('127.0.0.1:5075: the server ended a subscription');
    expect(result.errors).toBeGreaterThanOrEqual(3);
  });

  it('find a value that was refused and is there all the same', async () => {
    const twoFaced = new SharedPV(ntScalar(double), {
      initial: { value: 0 },
      onPut: ({ value }, pv) => {
        pv.post(value);
        if ((value as { readonly value: number }).value > 100) throw new StatusError('too high');
      },
    });
    const result = await loadPvkit({ a: twoFaced }, 'slow-readers', options);
    expect(result.wrong).toBe(2 * 2);
  });
});

describe('a request without the value', () => {
  it.each(['churn', 'soak', 'slow-readers'] as const)('is nothing to compare puts with: %s', async (scenario) => {
    const load = loadPvkit({ a: mailbox(double, 1) }, scenario, { names: ['a'], request: 'alarm' });
    await expect(load).rejects.toThrow(
      "a: the request 'alarm' has no field value, with which what was put is compared",
    );
  });

  it('does for a PV that is only read', async () => {
    const readOnly = new SharedPV(ntScalar(double), { initial: { value: 4 } });
    const result = await loadPvkit({ a: readOnly }, 'churn', { names: ['a'], request: 'alarm,timeStamp', seed: 1 });
    expect(result).toMatchObject(FAULTLESS);
    expect(result.operations).toBeGreaterThan(10);
  });
});

describe('search-flood', () => {
  it('finds a server that answers for names that nobody has', async () => {
    const clock = new ManualClock();
    const host = new MemoryNetwork({ clock, delayMs: [0.5, 1] }).host('server');
    const server = await clock.until(FakeServer.start(host));
    server.answer = (search, to) => {
      const instanceIds = search.names.map(({ instanceId }) => instanceId);
      server.sendDatagram(to, server.response(search, instanceIds, server.tcpPort));
    };
    const address = { address: '127.0.0.1', port: server.udp.local.port };
    const options = {
      names: ['x'],
      rate: 1_000,
      seconds: 0.2,
      warmupSeconds: 0,
      server: address,
      clock,
      network: host,
    };
    const { wrong, figures, problems } = await clock.until(measureLoad('search-flood', options));
    expect(wrong).toBeGreaterThan(1);
    expect(wrong).toBe(figures['floodAnswers']);
    expect(problems).toEqual([`${wrong} searches of the flood were answered, for names that nobody has`]);
  });
});

describe('soak', () => {
  it('waits once for the last values that do not come, not once for each', async () => {
    const count = 8;
    const names = Array.from({ length: count }, (_, index) => `p${index}`);
    // Nothing but the first value is ever told.
    const forgetful = (): SharedPV =>
      new SharedPV(ntScalar(double), {
        initial: { value: 0 },
        onPut: ({ value }, pv) => {
          if ((value as { readonly value: number }).value === 0) pv.post(value);
        },
      });
    const pvs = Object.fromEntries(names.map((name) => [name, forgetful()]));
    let ticks = 0;
    const options = { names, clients: 8, seconds: 1, warmupSeconds: 0, seed: 5, timeoutMs: 1_000 };
    const result = await loadPvkit(pvs, 'soak', options, (tick) => (ticks = tick));
    expect(result.lost).toBeGreaterThan(count);
    // One second of load, the time of one reply for the clients, and that of one more for the last values.
    expect((ticks * 5) / 1_000).toBeLessThan(1 + 1 + 1 + 0.5);
  });
});

describe('soak beside searches', () => {
  it('tells of a UDP socket that reports an error', async () => {
    const { server, clock, host } = await makeWorld({}, { delayMs: [0.5, 1] });
    server.add('a', mailbox(double, 1));
    const network: Network = {
      ...host,
      bindUdp: async (options, handlers) => {
        clock.after(100, () => handlers.error(new StatusError('no buffer space')));
        return host.bindUdp(options, handlers);
      },
    };
    const address = { address: '127.0.0.1', port: server.tcpPort };
    const options = { names: ['a'], seconds: 1, warmupSeconds: 0, udpPort: server.udpPort, server: address };
    const result = await clock.until(measureLoad('soak', { ...options, seed: 1, clock, network }));
    expect(result).toMatchObject({ errors: 1, problems: ['no buffer space'] });
    await clock.until(server.close());
  });
});

describe('connect-storm', () => {
  it('tells how many links a second were served, not how long they were held', async () => {
    const options = { names: ['a'], clients: 30, rate: 300, seconds: 2, isHeld: true };
    const result = await loadPvkit({ a: mailbox(double, 1) }, 'connect-storm', options);
    expect(result.seconds).toBeGreaterThan(2);
    expect(result.perSecond).toBeGreaterThan(200);
    expect(result.perSecond).toBeLessThan(301);
  });
});

describe('a process of the server', () => {
  it('that is not there is told before anything is sent', async () => {
    const load = loadPvkit({ a: mailbox(double, 1) }, 'get', { names: ['a'], serverPids: [process.pid, NO_PID] });
    await expect(load).rejects.toThrow(`no process ${NO_PID} on this machine`);
  });

  it('that ends meanwhile is an error', async () => {
    const child = spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)']);
    await once(child, 'spawn');
    const ended = once(child, 'exit');
    const options = { names: ['a'], seconds: 3, serverPids: [child.pid ?? 0] };
    let isOver = false;
    const result = loadPvkit({ a: mailbox(double, 1) }, 'get', options, (tick, { clock }) => {
      if (tick !== 100) return;
      child.kill('SIGKILL');
      // The clock stands still until it is gone.
      clock.after(0, () => (isOver = true));
    });
    await ended;
    expect(await result).toMatchObject({ errors: 1, problems: ['a process of the server is gone'] });
    expect(isOver).toBe(true);
  });
});
