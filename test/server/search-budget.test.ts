// Does a flood of searches take no time from the others, is nothing queued for it, and does no answer go to a third party?

import { describe, expect, test } from 'vitest';
import { SharedPV } from '../../src/channels/shared-pv.ts';
import { DEFAULT_LIMITS } from '../../src/protocol/limits.ts';
import { encodeMessage } from '../../src/protocol/messages/index.ts';
import { SEARCH_REPLY_TO_SOURCE, SEARCH_UNICAST, type Search } from '../../src/protocol/messages/search.ts';
import { ntScalar } from '../../src/protocol/normative/nt-scalar.ts';
import { double } from '../../src/protocol/types/type-desc.ts';
import { Writer } from '../../src/protocol/writer.ts';
import { SearchBudget, type SearchLimits } from '../../src/server/search-budget.ts';
import { replyEndpoint } from '../../src/server/search-reply.ts';
import { makeWorld } from '../support/server-world.ts';
import { hitsLimit } from '../support/hits-limit.ts';

const LIMITS = { maxSearchRatePerSender: 100, maxSearchRate: 150, maxForwardRate: 10, maxSearchSenders: 3 };

/** Has heard of another sender a moment ago, as for as long as the tests take. */
function sharedBudget(limits: SearchLimits): SearchBudget {
  const budget = new SearchBudget(limits, 0);
  for (const sender of ['other', 'another']) budget.admits(sender, 0);
  return budget;
}

describe('the budget', () => {
  test('of a sender is what it may ask in a second, at once or spread', () => {
    const budget = sharedBudget(LIMITS);
    expect(budget.admits('a', 0)).toBe(true);
    budget.spend('a', 100);
    expect(budget.admits('a', 0)).toBe(false);
    expect(budget.admits('b', 0)).toBe(true);
    expect(budget.admits('a', 5)).toBe(false);
    expect(budget.admits('a', 10)).toBe(true);
    budget.spend('a', 1);
    expect(budget.admits('a', 10)).toBe(false);
  });

  test('has what one search took too much to fill again first', () => {
    const budget = sharedBudget({ ...LIMITS, maxSearchRate: 10_000 });
    expect(budget.admits('a', 0)).toBe(true);
    budget.spend('a', 400);
    const later = Array.from({ length: 16 }, (_, index) => {
      budget.admits('other', index * 202);
      return budget.admits('a', index * 202);
    });
    // What is missing are 300 of 100 a second.
    expect(later.indexOf(true) * 202).toBe(3_030);
  });

  test('does not bind a sender as long as no other is heard', () => {
    const budget = new SearchBudget(LIMITS, 0);
    for (let now = 0; now <= 2_000; now += 10) {
      expect(budget.admits('a', now)).toBe(true);
      budget.spend('a', 1_000);
    }
    // Another one comes: it is served at once, and the first has what it may have from now on, without a debt.
    expect(budget.admits('b', 2_000)).toBe(true);
    budget.spend('b', 1);
    expect(budget.admits('a', 2_000)).toBe(false);
    expect(budget.admits('a', 2_020)).toBe(true);
    budget.spend('a', 10);
    expect(budget.admits('a', 2_030)).toBe(false);
    // And alone again, half a second after it came back from the other.
    expect(budget.admits('a', 2_490)).toBe(true);
    budget.spend('a', 1_000);
    expect(budget.admits('a', 2_499)).toBe(false);
    expect(budget.admits('a', 2_520)).toBe(true);
  });

  test('of all together is no more than that, whoever asks', () => {
    hitsLimit('maxSearchRate');
    const budget = sharedBudget(LIMITS);
    budget.admits('a', 0);
    budget.spend('a', 100);
    budget.admits('b', 0);
    budget.spend('b', 50);
    expect(budget.admits('c', 0)).toBe(false);
    expect(budget.admits('c', 100)).toBe(true);
  });

  test('counts a search without names as one', () => {
    const budget = sharedBudget(LIMITS);
    let admitted = 0;
    while (budget.admits('a', 0)) {
      budget.spend('a', 0);
      admitted++;
    }
    expect(admitted).toBe(100);
  });

  test('forgets the sender that was silent longest', () => {
    hitsLimit('maxSearchSenders');
    const budget = new SearchBudget({ ...LIMITS, maxSearchRate: 10_000 }, 0);
    for (const sender of ['a', 'b', 'c']) {
      budget.admits(sender, 0);
      budget.spend(sender, 100);
    }
    expect(budget.admits('a', 0)).toBe(false);
    // 'b' is forgotten for 'd', and begins anew.
    expect(budget.admits('d', 0)).toBe(true);
    expect(budget.admits('a', 0)).toBe(false);
    expect(budget.admits('b', 0)).toBe(true);
  });

  test('of searches that are passed on is one of its own', () => {
    const budget = new SearchBudget(LIMITS, 0);
    const passed = Array.from({ length: 20 }, () => budget.mayForward(0)).filter(Boolean);
    expect(passed).toHaveLength(10);
    expect([budget.mayForward(50), budget.mayForward(100)]).toEqual([false, true]);
  });
});

describe('an answer', () => {
  const from = { address: '10.0.0.2', port: 700 };
  const rules = {
    isLocal: (address: string) => address.startsWith('127.') || address === '10.0.0.1',
    isRelay: (address: string) => address === '10.0.0.9',
  };
  const TO_SOURCE = SEARCH_REPLY_TO_SOURCE;

  test.each([
    ['nothing', '0.0.0.0', 55, 0, from, false, '10.0.0.2:55'],
    ['nothing, as pvxs writes it', '::', 55, 0, from, false, '10.0.0.2:55'],
    ['nothing, with 0x02', '0.0.0.0', 55, TO_SOURCE, from, false, '10.0.0.2:700'],
    ['the sender', '10.0.0.2', 55, 0, from, false, '10.0.0.2:55'],
    ['the sender, with 0x02', '10.0.0.2', 55, TO_SOURCE, from, false, '10.0.0.2:700'],
    ['another host', '10.0.0.3', 55, 0, from, false, '10.0.0.2:700'],
    ['another host, with 0x02', '10.0.0.3', 55, TO_SOURCE, from, false, '10.0.0.2:700'],
    ['this host, from another', '127.0.0.1', 55, 0, from, false, '10.0.0.2:700'],
    ['another host, from a relay', '10.0.0.3', 55, 0, { ...from, address: '10.0.0.9' }, false, '10.0.0.3:55'],
    ['this host, from this host', '10.0.0.1', 55, 0, { address: '127.0.0.1', port: 9 }, false, '10.0.0.1:55'],
    ['another host, from this host', '10.0.0.3', 55, 0, { address: '127.0.0.1', port: 9 }, false, '127.0.0.1:9'],
    ['another host, passed on', '10.0.0.3', 55, TO_SOURCE, { address: '127.0.0.1', port: 9 }, true, '10.0.0.3:55'],
  ])('to a search that names %s', (_, responseAddress, responsePort, flags, sender, isForwarded, expected) => {
    const { address, port } = replyEndpoint({ responseAddress, responsePort, flags }, sender, isForwarded, rules);
    expect(`${address}:${port}`).toBe(expected);
  });
});

describe('a flood', () => {
  async function makeFlood(limits: Partial<typeof DEFAULT_LIMITS>) {
    const pvs = { x: new SharedPV(ntScalar(double), { initial: { value: 1 } }) };
    const world = await makeWorld({ pvs, config: { limits: { ...DEFAULT_LIMITS, ...limits } } });
    const far = world.network.host('far');
    let answers = 0;
    const bind = () =>
      far.bindUdp({ address: '0.0.0.0', port: 0 }, { message: () => void answers++, error: () => undefined });
    const [flooding, honest] = [await bind(), await bind()];
    const searchFrom = (socket: typeof honest, names: number): void => {
      const search: Search = {
        command: 'SEARCH',
        sequenceId: 1,
        flags: SEARCH_UNICAST,
        responseAddress: '0.0.0.0',
        responsePort: honest.local.port,
        protocols: ['tcp'],
        names: Array.from({ length: names }, (_, index) => ({ instanceId: index, pvName: 'x' })),
      };
      const writer = new Writer(true);
      encodeMessage(writer, search, { fromServer: false });
      socket.send(writer.detach(0), { address: '10.0.0.1', port: 5076 });
    };
    return { world, flooding, honest, searchFrom, answersOf: () => answers };
  }

  test('is dropped past what its sender may ask, and everybody else is answered', async () => {
    hitsLimit('maxSearchRatePerSender');
    const { world, flooding, honest, searchFrom, answersOf } = await makeFlood({ maxSearchRatePerSender: 101 });
    searchFrom(flooding, 1);
    searchFrom(honest, 1);
    await world.settle();
    for (let index = 0; index < 50; index++) searchFrom(flooding, 10);
    await world.settle();
    // Ten searches of ten names take what there is for a second.
    expect(answersOf()).toBe(2 + 10);
    expect(world.server.counters.searchesDropped).toBe(40);
    searchFrom(honest, 1);
    await world.settle();
    expect(answersOf()).toBe(13);
    await world.clock.advanceAsync(1_000);
    searchFrom(honest, 1);
    searchFrom(flooding, 1);
    await world.settle();
    expect(answersOf()).toBe(15);
  });

  test('is told of once a second, with the sender', async () => {
    const { world, flooding, honest, searchFrom } = await makeFlood({ maxSearchRatePerSender: 10 });
    for (let second = 0; second < 3; second++) {
      searchFrom(honest, 1);
      for (let index = 0; index < 30; index++) searchFrom(flooding, 10);
      await world.clock.advanceAsync(1_000);
    }
    const told = world.notices.filter(({ kind }) => kind === 'searchesDropped');
    expect(told.length).toBeLessThanOrEqual(4);
    expect(told[0]?.text).toBe(
      `searches from 10.0.0.2:${flooding.local.port} are dropped: at most 10 names a second are looked up for one sender, 2000000 for all`,
    );
    expect(told[1]?.text).toMatch(/^\d+ more datagrams of searches were dropped$/u);
  });

  test('has its end told of as well', async () => {
    const { world, flooding, honest, searchFrom } = await makeFlood({ maxSearchRatePerSender: 10 });
    searchFrom(honest, 1);
    for (let index = 0; index < 30; index++) searchFrom(flooding, 10);
    await world.clock.advanceAsync(3_000);
    const textsOf = () => world.notices.filter(({ kind }) => kind === 'searchesDropped').map(({ text }) => text);
    expect(textsOf()).toEqual([expect.stringContaining('are dropped'), '28 more datagrams of searches were dropped']);
    searchFrom(honest, 1);
    for (let index = 0; index < 5; index++) searchFrom(flooding, 10);
    await world.settle();
    await world.clock.until(world.server.close());
    expect(textsOf().at(-1)).toMatch(/^\d more datagrams of searches were dropped$/u);
    expect(world.clock.timerCount).toBe(0);
  });

  test('is passed on to other servers only so often', async () => {
    hitsLimit('maxForwardRate');
    const { world, flooding, searchFrom, answersOf } = await makeFlood({ maxForwardRate: 5 });
    for (let index = 0; index < 50; index++) searchFrom(flooding, 1);
    await world.settle();
    expect(answersOf()).toBe(50);
    expect(world.server.counters.searchesForwarded).toBe(5);
  });
});
