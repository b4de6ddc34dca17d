// Which of several servers with the same channels answers a search?
import { describe, expect, it } from 'vitest';
import type { StoreNode, StoreNodes } from '../../src/channels/stores/store-nodes.ts';
import { STORE_LIMITS } from '../../src/protocol/limits.ts';
import { SearchSpread } from '../../src/server/search-spread.ts';
import { ManualClock } from '../../src/transport/manual-clock.ts';
import { hitsLimit } from '../support/hits-limit.ts';

const CLIENT = { address: '127.0.0.1', port: 5_000 };

function nodesOf(own: string, ids: readonly string[]): StoreNodes & { alive: readonly StoreNode[] } {
  const alive = ids.map((id) => ({ id, address: '', sinceMs: 0, channelCount: 0, linkCount: 0 }));
  return { own, alive, join: async () => {}, leave: async () => {}, onChange: () => () => {} };
}

function spreads(ids: readonly string[], clock = new ManualClock()) {
  return ids.map((id) => new SearchSpread(nodesOf(id, ids), (pvName) => pvName.startsWith('pv'), clock));
}

describe('searches that several servers could answer', () => {
  it('are answered at once by exactly one of them, and all get a fair share', () => {
    const servers = spreads(['a', 'b', 'c']);
    const counts = [0, 0, 0];
    for (let index = 0; index < 3_000; index++) {
      const first = servers.map((server) => server.mayAnswer(`pv:${index}`, CLIENT));
      expect(first.filter(Boolean)).toHaveLength(1);
      const which = first.indexOf(true);
      counts[which] = (counts[which] ?? 0) + 1;
    }
    for (const count of counts) expect(count).toBeGreaterThan(850);
  });

  it('are answered by one server more each time that the client asks again', () => {
    const clock = new ManualClock();
    const servers = spreads(['a', 'b', 'c'], clock);
    const answering = (): number => servers.filter((server) => server.mayAnswer('pv:1', CLIENT)).length;
    expect(answering()).toBe(1);
    clock.advance(10);
    // The same search, which another server has passed on.
    expect(answering()).toBe(1);
    clock.advance(1_000);
    expect(answering()).toBe(2);
    clock.advance(1_000);
    expect(answering()).toBe(3);
    clock.advance(60_000);
    expect(answering()).toBe(1);
  });

  it('are counted for each client and PV', () => {
    const clock = new ManualClock();
    const last = spreads(['a', 'b', 'c'], clock).find((server) => server.rankOf('pv:1') === 1);
    expect(last?.mayAnswer('pv:1', CLIENT)).toBe(false);
    clock.advance(1_000);
    expect(last?.mayAnswer('pv:1', { ...CLIENT, port: 5_001 })).toBe(false);
    expect(last?.mayAnswer('pv:1', CLIENT)).toBe(true);
  });

  it.each([
    ['remembered', STORE_LIMITS.maxAskedSearches - 1, true],
    ['forgotten when there are too many', STORE_LIMITS.maxAskedSearches, false],
  ])('are %s: %i others between', (_what, othersCount, isRemembered) => {
    hitsLimit('maxAskedSearches');
    const clock = new ManualClock();
    const second = spreads(['a', 'b'], clock).find((server) => server.rankOf('pv:1') === 1);
    expect(second?.mayAnswer('pv:1', CLIENT)).toBe(false);
    for (let other = 0; other < othersCount; other++) second?.mayAnswer('pv:1', { address: '10.0.0.9', port: other });
    clock.advance(1_000);
    expect(second?.mayAnswer('pv:1', CLIENT)).toBe(isRemembered);
  });

  it('move only where the first server is gone', () => {
    const ids = ['a', 'b', 'c'];
    const nodes = ids.map((id) => nodesOf(id, ids));
    const servers = nodes.map((each) => new SearchSpread(each, () => true, new ManualClock()));
    const names = Array.from({ length: 300 }, (_, index) => `pv:${index}`);
    const ownersOf = () => names.map((name) => servers.findIndex((server) => server.rankOf(name) === 0));
    const before = ownersOf();
    for (const each of nodes) each.alive = each.alive.filter(({ id }) => id !== 'c');
    servers.pop();
    const after = ownersOf();
    for (const [index, owner] of before.entries()) if (owner !== 2) expect(after[index]).toBe(owner);
    expect(new Set(after)).toEqual(new Set([0, 1]));
  });

  it('are answered by everybody for PVs that the others do not have', () => {
    for (const server of spreads(['a', 'b', 'c'])) expect(server.mayAnswer('own', CLIENT)).toBe(true);
  });
});
