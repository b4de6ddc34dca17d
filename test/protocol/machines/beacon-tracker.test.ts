// What a client makes of beacons: new, restarted and forgotten servers.

import { describe, expect, it } from 'vitest';
import { BeaconTracker, FORGET_AFTER_MS, type SeenServer } from '../../../src/protocol/machines/beacon-tracker.ts';
import { hitsLimit } from '../../support/hits-limit.ts';

const SERVER: SeenServer = {
  guid: '00112233445566778899aabb',
  server: '10.0.0.1:5075',
  protocol: 'tcp',
  version: 2,
  via: '10.0.0.1',
};

describe('BeaconTracker', () => {
  it('tells a new server from a known one', () => {
    const tracker = new BeaconTracker();
    expect(tracker.see(SERVER, 0).verdict).toBe('new');
    expect(tracker.see(SERVER, 15_000).verdict).toBe('known');
    expect(tracker.see({ ...SERVER, protocol: 'tls' }, 15_000).verdict).toBe('new');
  });

  it('takes another guid or version at the same address for a restart', () => {
    const tracker = new BeaconTracker();
    tracker.see(SERVER, 0);
    const restarted = { ...SERVER, guid: 'ffffffffffffffffffffffff' };
    expect(tracker.see(restarted, 1)).toEqual({ verdict: 'restarted', before: SERVER });
    expect(tracker.see({ ...restarted, version: 3 }, 2).verdict).toBe('restarted');
  });

  it('knows by the change count that a server has other names, and believes only beacons', () => {
    const tracker = new BeaconTracker();
    expect(tracker.see(SERVER, 0).verdict).toBe('new');
    expect(tracker.see(SERVER, 1, 7).verdict).toBe('known');
    expect(tracker.see(SERVER, 2).verdict).toBe('known');
    expect(tracker.see(SERVER, 3, 8).verdict).toBe('changed');
    expect(tracker.see(SERVER, 4, 8).verdict).toBe('known');
    expect(tracker.see({ ...SERVER, guid: 'ffffffffffffffffffffffff' }, 5, 9).verdict).toBe('restarted');
  });

  it('does not care by which way the beacon of a known server came', () => {
    const tracker = new BeaconTracker();
    tracker.see(SERVER, 0);
    expect(tracker.see({ ...SERVER, via: '192.168.0.1' }, 1).verdict).toBe('known');
  });

  it('forgets servers that have been silent, and those only', () => {
    const tracker = new BeaconTracker();
    const other = { ...SERVER, server: '10.0.0.2:5075' };
    tracker.see(SERVER, 0);
    tracker.see(other, 0);
    tracker.see(SERVER, 1000);
    expect(tracker.forget(FORGET_AFTER_MS)).toEqual([]);
    expect(tracker.forget(FORGET_AFTER_MS + 1)).toEqual([other]);
    expect(tracker.servers()).toEqual([SERVER]);
    expect(tracker.see(other, FORGET_AFTER_MS + 2).verdict).toBe('new');
  });

  it('tracks no more servers than its limit and goes on with those it knows', () => {
    hitsLimit('maxTrackedServers');
    const tracker = new BeaconTracker(2);
    for (const port of [1, 2, 3]) tracker.see({ ...SERVER, server: `10.0.0.1:${port}` }, port);
    expect(tracker.servers()).toHaveLength(2);
    expect(tracker.see({ ...SERVER, server: '10.0.0.1:4' }, 4).verdict).toBe('ignored');
    expect(tracker.see({ ...SERVER, server: '10.0.0.1:1' }, 5).verdict).toBe('known');
  });
});
