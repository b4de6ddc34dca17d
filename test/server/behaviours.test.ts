// Do clients see the behaviours of a configuration file's channels, over the wire?

import { describe, expect, it } from 'vitest';

import { SharedPV } from '../../src/channels/shared-pv.ts';
import { resolveServerConfig } from '../../src/config/effective.ts';
import { parseTomlFile } from '../../src/config/toml-file.ts';
import { ntScalar } from '../../src/protocol/normative/nt-scalar.ts';
import { error, OK, type Status } from '../../src/protocol/status.ts';
import { double } from '../../src/protocol/types/type-desc.ts';
import { configuredPvs } from '../../src/server/configured-pv.ts';
import { makeWorld, type World } from '../support/server-world.ts';
import type { WireClient } from '../support/wire-client.ts';

const CONFIG = `
[[channels]]
name = "clip"
type = "double"
value = 20
control = { low = 0, high = 100, min_step = 0.5, mode = "clip" }
alarm = { low_warning = 10, high_warning = 60, high = 80, hysteresis = 5, severities = { high = "INVALID" } }

[[channels]]
name = "reject"
type = "long"
control = { low = 0, high = 9007199254740993 }

[[channels]]
name = "noise"
type = "double"
alarm = { high = 10 }
deadband = 1

[[channels]]
name = "mode"
type = "enum(Off|On)"

[[channels]]
name = "fixed"
type = "int"
value = 7
read_only = true

[[channels]]
name = "sum"
type = "double"
computed = "clip + 2 * noise"
inputs = { clip = "clip", noise = "noise" }
alarm = { high = 1000 }

[[channels]]
name = "isHot"
type = "boolean"
computed = "sum > 50 && mode"
inputs = { sum = "sum", mode = "mode" }
maximize_severity = false
`;

class Session {
  readonly world: World;
  readonly client: WireClient;

  constructor(world: World, client: WireClient) {
    this.world = world;
    this.client = client;
  }

  static async begin(config = CONFIG): Promise<Session> {
    const world = await makeWorld();
    const { channels } = resolveServerConfig({
      processEnvironment: {},
      toml: { file: 'lab.toml', text: config, parse: parseTomlFile },
    });
    for (const [name, pv] of configuredPvs(channels, world.clock)) world.server.add(name, pv);
    return new Session(world, await world.validated());
  }

  /** The status of a put. */
  async put(pvName: string, patch: unknown): Promise<Status | undefined> {
    const sid = await this.client.createChannel(pvName);
    const ioid = await this.client.init('PUT', sid);
    this.client.take('PUT');
    await this.client.put(sid, ioid, patch);
    const reply = this.client.take('PUT');
    return 'status' in reply ? reply.status : undefined;
  }

  /** The whole value. */
  async get(pvName: string): Promise<unknown> {
    const sid = await this.client.createChannel(pvName);
    const ioid = await this.client.init('GET', sid);
    this.client.take('GET');
    const reply = await this.client.get(sid, ioid);
    return 'update' in reply ? reply.update?.value : undefined;
  }

  /** Begins to watch; the function gives value and alarm of the updates since it was called last. */
  async monitor(pvName: string): Promise<() => unknown[]> {
    const client = await this.world.validated();
    const sid = await client.createChannel(pvName);
    const ioid = await client.initMonitor(sid, 'record[queueSize=20]');
    client.take('MONITOR');
    await client.steer(sid, ioid, 0x44);
    const current: Record<string, unknown> = {};
    const updates = () =>
      client.updates(ioid).map(({ changed, value }) => {
        // A client keeps the fields that an update leaves out.
        const { value: now, alarm } = value as { value: unknown; alarm: { message: string } };
        if (changed.includes(1)) current['value'] = now;
        if (changed.includes(5)) current['alarm'] = alarm.message;
        return [current['value'], current['alarm']];
      });
    updates();
    return updates;
  }
}

describe('a put', () => {
  it('outside of limits that clip counts as one of the limit, and sets alarm and time', async () => {
    const session = await Session.begin();
    expect(await session.put('clip', { value: 150 })).toEqual(OK);
    expect(await session.get('clip')).toMatchObject({
      value: 100,
      alarm: { severity: 3, status: 1, message: 'HIHI' },
      timeStamp: { secondsPastEpoch: BigInt(Math.floor(session.world.clock.wallTime() / 1000)) },
    });
  });

  it('of less than a step is taken and changes nothing', async () => {
    const session = await Session.begin();
    expect(await session.put('clip', { value: 20.25 })).toEqual(OK);
    expect(await session.get('clip')).toMatchObject({ value: 20 });
  });

  it('outside of limits that reject is refused with a sentence, to the last digit of 64 bits', async () => {
    const session = await Session.begin();
    expect(await session.put('reject', { value: 9_007_199_254_740_993n })).toEqual(OK);
    expect(await session.put('reject', { value: 9_007_199_254_740_994n })).toEqual(
      error('value 9007199254740994 is outside of the limits 0 to 9007199254740993'),
    );
    expect(await session.get('reject')).toMatchObject({ value: 9_007_199_254_740_993n });
  });

  it('of a choice that there is not, of other choices, or to who takes none is refused', async () => {
    const session = await Session.begin();
    expect(await session.put('mode', { value: { index: 1 } })).toEqual(OK);
    expect((await session.put('mode', { value: { index: 2 } }))?.message).toContain(
      "one of 'Off', 'On', or an index from 0 to 1 expected",
    );
    expect((await session.put('mode', { value: { index: 0, choices: ['x'] } }))?.message).toContain(
      'the choices cannot be written',
    );
    expect((await session.put('fixed', { value: 1 }))?.message).toContain('read-only');
    expect((await session.put('sum', { value: 1 }))?.message).toContain('read-only');
    expect(await session.get('mode')).toMatchObject({ value: { index: 1, choices: ['Off', 'On'] } });
  });
});

describe('a monitor', () => {
  it('sees alarms come and go with their hysteresis', async () => {
    const session = await Session.begin();
    const updates = await session.monitor('clip');
    for (const value of [61, 57, 54, 90, 76, 74, 9, 14, 16]) await session.put('clip', { value });
    expect(updates()).toEqual([
      [61, 'HIGH'],
      [57, 'HIGH'],
      [54, ''],
      [90, 'HIHI'],
      [76, 'HIHI'],
      [74, 'HIGH'],
      [9, 'LOW'],
      [14, 'LOW'],
      [16, ''],
    ]);
  });

  it('does not see what moved by no more than the deadband, unless the alarm changed', async () => {
    const session = await Session.begin();
    const updates = await session.monitor('noise');
    for (const value of [0.5, 1, 1.5, 9.5, 9.9, 10, 10.5, 9.99]) await session.put('noise', { value });
    expect(updates()).toEqual([
      [1.5, ''],
      [9.5, ''],
      [10, 'HIHI'],
      [9.99, ''],
    ]);
    await session.put('noise', { value: 9 });
    expect(updates()).toEqual([]);
    expect(await session.get('noise')).toMatchObject({ value: 9 });
  });

  it('sees a computed channel follow its inputs, with the worst of their alarms', async () => {
    const session = await Session.begin();
    const [sums, hots] = [await session.monitor('sum'), await session.monitor('isHot')];
    await session.put('clip', { value: 30 });
    await session.put('noise', { value: 12 });
    await session.put('mode', { value: { index: 1 } });
    await session.put('noise', { value: 0 });
    expect(sums()).toEqual([
      [30, ''],
      [54, 'noise: HIHI'],
      [30, ''],
    ]);
    expect(hots().map((update) => (update as unknown[])[0])).toEqual([false, false, true, false]);
    expect(await session.get('isHot')).toMatchObject({ value: false, alarm: { severity: 0 } });
  });
});

describe('subscribers', () => {
  it('are told to a PV when the first comes and the last goes, also by losing its link', async () => {
    const events: string[] = [];
    const pv = new SharedPV(ntScalar(double), {
      initial: { value: 1 },
      onFirstSubscriber: () => events.push('first'),
      onLastUnsubscribe: () => events.push('last'),
    });
    const world = await makeWorld({ pvs: { x: pv } });
    const [one, other] = [await world.validated(), await world.validated()];
    const [oneSid, otherSid] = [await one.createChannel('x'), await other.createChannel('x')];
    const ioid = await one.initMonitor(oneSid);
    await other.initMonitor(otherSid);
    expect(events).toEqual(['first']);
    await one.send({ command: 'DESTROY_REQUEST', sid: oneSid, ioid });
    expect(events).toEqual(['first']);
    other.connection.destroy();
    await world.settle();
    expect(events).toEqual(['first', 'last']);
    await one.initMonitor(oneSid);
    expect(events).toEqual(['first', 'last', 'first']);
    await world.clock.until(world.server.close());
    expect(events).toEqual(['first', 'last', 'first', 'last']);
    expect(world.clock.timerCount).toBe(0);
  });
});
