// Do the scenarios that try to break a server find out what it did wrong, and nothing else? In memory.

import { describe, expect, it } from 'vitest';

import { SharedPV } from '../../src/channels/shared-pv.ts';
import { BitSet } from '../../src/protocol/bit-set.ts';
import { DEFAULT_LIMITS } from '../../src/protocol/limits.ts';
import { ntScalar } from '../../src/protocol/normative/nt-scalar.ts';
import { OK } from '../../src/protocol/status.ts';
import { byte, double, int, string } from '../../src/protocol/types/type-desc.ts';
import { FAULTLESS, loadFake, loadPvkit, mailbox } from '../support/load-world.ts';

describe('connect-storm', () => {
  it('serves links that come all at once', async () => {
    const result = await loadPvkit({ a: mailbox(double, 1) }, 'connect-storm', { names: ['a'], clients: 40 });
    expect(result).toMatchObject({ ...FAULTLESS, operations: 40 });
    expect(result.figures).toEqual({ links: 40, refused: 0, timedOut: 0, held: 0 });
    expect(result.latencyUs.min).toBeGreaterThan(1_000);
  });

  it('comes at a rate, and every link ends when it has its value', async () => {
    let most = 0;
    const result = await loadPvkit(
      { a: mailbox(double, 1), b: mailbox(string, 'x') },
      'connect-storm',
      { names: ['a', 'b'], rate: 100, seconds: 0.5 },
      (_tick, { server }) => (most = Math.max(most, server.linkCount)),
    );
    expect(result).toMatchObject({ ...FAULTLESS, operations: 50 });
    expect(result.seconds).toBeGreaterThan(0.48);
    expect(most).toBeLessThan(20);
  });

  it('holds links with a monitor', async () => {
    let held = 0;
    const options = { names: ['a'], clients: 30, rate: 300, seconds: 0.5, isHeld: true };
    const result = await loadPvkit({ a: mailbox(double, 1) }, 'connect-storm', options, (tick, { server }) => {
      if (tick === 60) held = server.linkCount;
    });
    expect(result).toMatchObject({ ...FAULTLESS, operations: 30, figures: { held: 30 } });
    expect(held).toBe(30);
    expect(result.seconds).toBeGreaterThan(0.59);
  });

  it('counts links that are lost while they are held', async () => {
    const options = { names: ['a'], clients: 3, seconds: 0.5, isHeld: true };
    const closings: Promise<void>[] = [];
    const result = await loadPvkit({ a: mailbox(double, 1) }, 'connect-storm', options, (tick, { server }) => {
      if (tick === 60) closings.push(server.close());
    });
    await Promise.all(closings);
    expect(result).toMatchObject({ operations: 3, errors: 3, figures: { held: 0 } });
  });

  it('counts links that are refused', async () => {
    const config = { limits: { ...DEFAULT_LIMITS, maxLinks: 5, maxLinksPerHost: 5 } };
    const options = { names: ['a'], clients: 8, isHeld: true, seconds: 0.1 };
    const result = await loadPvkit({ a: mailbox(double, 1) }, 'connect-storm', options, undefined, config);
    expect(result).toMatchObject({ operations: 5, errors: 3, figures: { links: 8, refused: 3, held: 5 } });
  });

  it('counts links that get no value in time', async () => {
    const result = await loadFake(({ command }) => command === 'CREATE_CHANNEL', 'connect-storm', { clients: 3 });
    expect(result).toMatchObject({ operations: 0, lost: 3, errors: 0, figures: { timedOut: 3 } });
  });

  it('finds a value that is another under the same time stamp', async () => {
    let value = 0;
    const type = ntScalar(double);
    const timeStamp = { secondsPastEpoch: 5n, nanoseconds: 7, userTag: 0 };
    const alarm = { severity: 0, status: 0, message: '' };
    const result = await loadFake(
      (message, link) => {
        if (message.command !== 'GET') return false;
        const { ioid } = message;
        if (message.phase === 'init') {
          link.send({ command: 'GET', phase: 'init', ioid, subcommand: 0x08, status: OK, type });
        } else {
          const update = { type, changed: BitSet.of(0), value: { value: ++value < 3 ? 1 : 2, alarm, timeStamp } };
          link.send({ command: 'GET', phase: 'exec', ioid, subcommand: 0, status: OK, update });
        }
        return true;
      },
      'connect-storm',
      { clients: 4 },
    );
    expect(result).toMatchObject({ wrong: 1, problems: ['x: another value with the same time stamp 5.000000007'] });
  });
});

describe('slow-readers', () => {
  const options = { names: ['a', 'b'], clients: 3, stopped: 2, depth: 2, rate: 400, seconds: 0.3 };

  it('compares the delays alone and beside stopped readers, which have the last value in the end', async () => {
    const result = await loadPvkit({ a: mailbox(double, 1), b: mailbox(int, 1) }, 'slow-readers', options);
    expect(result).toMatchObject({ ...FAULTLESS, squashed: 0 });
    expect(result.figures).toMatchObject({ stoppedReaders: 2, stoppedClosedByServer: 0 });
    const { aloneP99Us = 0, besideP99Us = 0, ratioP99 = 0, putsPerSecond } = result.figures;
    expect(aloneP99Us).toBeGreaterThan(1_000);
    expect(ratioP99).toBeCloseTo(besideP99Us / aloneP99Us, 2);
    expect(putsPerSecond).toBeGreaterThan(350);
    // Each update to each of the fast ones, in all phases.
    expect(result.operations).toBeGreaterThan(0.6 * 400 * 3);
  });

  it('finds a last value that never comes', async () => {
    const silent = new SharedPV(ntScalar(double), {
      initial: { value: 0 },
      onPut: (request, pv) => {
        // All but the values that come last are posted.
        const { value } = request.value as { readonly value: number };
        if (value < 200) pv.post({ value });
      },
    });
    const result = await loadPvkit({ a: silent }, 'slow-readers', { ...options, names: ['a'], timeoutMs: 500 });
    expect(result.wrong).toBe(4);
    expect(result.problems).toEqual([
      '4 monitors of stopped readers do not have the last value 0.5 s after the last update',
    ]);
  });

  it('needs PVs whose values can be told apart', async () => {
    await expect(loadPvkit({ a: mailbox(byte, 1) }, 'slow-readers', { names: ['a'] })).rejects.toThrow(
      'a: its values are too small to be counted up',
    );
  });
});

describe('search-flood', () => {
  it('times searches beside a flood that nobody answers', async () => {
    const options = { names: ['a'], rate: 10_000, namesPerDatagram: 20, seconds: 0.5 };
    const result = await loadPvkit({ a: mailbox(double, 1) }, 'search-flood', options);
    expect(result).toMatchObject(FAULTLESS);
    expect(result.operations).toBeGreaterThan(45);
    expect(result.operations).toBeLessThan(55);
    expect(result.figures).toMatchObject({ floodAnswers: 0 });
    expect(result.figures['floodNamesPerSecond']).toBeGreaterThan(9_000);
  });
});

describe('churn', () => {
  const options = { names: ['a', 'b', 'r'], clients: 6, depth: 2, seconds: 1, seed: 3 };
  const readOnly = (): SharedPV => new SharedPV(ntScalar(double), { initial: { value: 4 } });

  it('finds nothing wrong with a server that is right', async () => {
    const pvs = { a: mailbox(double, 1), b: mailbox(string, ''), r: readOnly() };
    const result = await loadPvkit(pvs, 'churn', options);
    expect(result).toMatchObject({ ...FAULTLESS, figures: { seed: 3 } });
    expect(result.operations).toBeGreaterThan(300);
    expect(result.figures['clientsServed']).toBeGreaterThan(30);
  });

  it('keeps to a rate', async () => {
    const pvs = { a: mailbox(double, 1), b: mailbox(double, 1), r: readOnly() };
    const result = await loadPvkit(pvs, 'churn', { ...options, rate: 50 });
    expect(result).toMatchObject(FAULTLESS);
    // A step is one get, one put, or a monitor with a few of both.
    expect(result.operations).toBeLessThan(250);
  });

  it('finds a put that was acknowledged and is not there', async () => {
    let count = 0;
    const forgetful = new SharedPV(ntScalar(double), {
      initial: { value: 0 },
      onPut: ({ value }, pv) => void (++count % 20 === 0 || pv.post(value)),
    });
    const result = await loadPvkit({ a: forgetful }, 'churn', { ...options, names: ['a'], timeoutMs: 300 });
    expect(result.wrong + result.lost).toBeGreaterThan(0);
    expect(result.problems.join('\n')).toMatch(/a: (\d+ is read where \d+ |no update with \d+ within)/u);
  });

  it('gives up when the server is gone', async () => {
    const closings: Promise<void>[] = [];
    const gone = await loadPvkit(
      { a: mailbox(double, 1) },
      'churn',
      { ...options, names: ['a'], seconds: 600 },
      (tick, { server }) => {
        if (tick === 50) closings.push(server.close());
      },
    );
    await Promise.all(closings);
    expect(gone.seconds).toBeLessThan(60);
    expect(gone.errors).toBeGreaterThan(0);
  });
});

describe('soak', () => {
  const options = { names: ['a', 'b'], clients: 8, seconds: 5, seed: 5 };

  it('finds nothing wrong with a server that is right, garbage or not', async () => {
    const result = await loadPvkit({ a: mailbox(double, 1), b: mailbox(int, 1) }, 'soak', {
      ...options,
      udpPort: 5076,
    });
    expect(result).toMatchObject({ ...FAULTLESS, processes: null });
    const { garbageLinks, stayingLinks, searches, searchesUnanswered } = result.figures;
    expect({ stayingLinks, searchesUnanswered }).toEqual({ stayingLinks: 2, searchesUnanswered: 0 });
    expect(garbageLinks).toBeGreaterThanOrEqual(8);
    expect(searches).toBeGreaterThan(40);
    expect(result.operations).toBeGreaterThan(500);
  });

  it('finds monitors that go back', async () => {
    const backwards = new SharedPV(ntScalar(double), {
      initial: { value: 0 },
      onPut: ({ value }, pv) => {
        const put = (value as { readonly value: number }).value;
        pv.post({ value: put });
        if (put % 10 === 0 && put > 0) {
          pv.post({ value: put - 5 });
          pv.post({ value: put });
        }
      },
    });
    const result = await loadPvkit({ a: backwards }, 'soak', { ...options, names: ['a'] });
    expect(result.wrong).toBeGreaterThan(0);
    expect(result.problems.join('\n')).toMatch(/a: \d+ is read where \d+ /u);
  });

  it('tells when searches are not answered', async () => {
    const result = await loadPvkit({ a: mailbox(double, 1) }, 'soak', { ...options, names: ['a'], udpPort: 4 });
    expect(result.lost).toBeGreaterThan(0);
    expect(result.problems).toEqual(['names were not answered within 250 ms by UDP port 127.0.0.1:4']);
  });
});
