// What does a server do with a source that has to ask somebody before it can open a PV?

import { describe, expect, test } from 'vitest';
import { AccessRules } from '../../src/channels/access/access-rules.ts';
import type { Channel } from '../../src/channels/channel.ts';
import { SharedPV } from '../../src/channels/shared-pv.ts';
import type { Source } from '../../src/channels/source.ts';
import { DEFAULT_LIMITS } from '../../src/protocol/limits.ts';
import { ntScalar } from '../../src/protocol/normative/nt-scalar.ts';
import { OK, STATUS_ERROR } from '../../src/protocol/status.ts';
import { double } from '../../src/protocol/types/type-desc.ts';
import { makeWorld } from '../support/server-world.ts';

/** Opens what the test says, when it says so. */
class SlowSource implements Source {
  readonly revision = 0;
  readonly asked: { readonly pvName: string; readonly answer: (channel: Channel | undefined | Error) => void }[] = [];

  has(): boolean {
    return true;
  }

  open(pvName: string): Promise<Channel | undefined> {
    return new Promise((resolve, reject) => {
      const answer = (channel: Channel | undefined | Error): void =>
        channel instanceof Error ? reject(channel) : resolve(channel);
      this.asked.push({ pvName, answer });
    });
  }

  names(): readonly string[] {
    return [];
  }
}

const pv = () => new SharedPV(ntScalar(double), { initial: { value: 1 } });

describe('a source that takes its time', () => {
  test('keeps its client waiting, and nobody else', async () => {
    const source = new SlowSource();
    const world = await makeWorld({ pvs: { quick: pv() }, sources: [source] });
    const client = await world.validated();
    await client.send({ command: 'CREATE_CHANNEL', channels: [{ cid: 1, pvName: 'slow' }] });
    await client.send({ command: 'CREATE_CHANNEL', channels: [{ cid: 2, pvName: 'quick' }] });
    expect(client.heard.filter(({ command }) => command === 'CREATE_CHANNEL')).toMatchObject([{ cid: 2, status: OK }]);
    source.asked[0]?.answer(pv());
    await world.settle();
    expect(client.heard.at(-1)).toMatchObject({ command: 'CREATE_CHANNEL', cid: 1, status: OK });
  });

  test('may have nothing, or refuse with a reason; the next source is asked where it has nothing', async () => {
    const source = new SlowSource();
    const last: Source = {
      has: () => true,
      open: (name) => (name === 'b' ? pv() : undefined),
      names: () => [],
      revision: 0,
    };
    const world = await makeWorld({ sources: [source, last] });
    const client = await world.validated();
    const channels = ['a', 'b', 'c'].map((pvName, cid) => ({ cid, pvName }));
    for (const channel of channels) await client.send({ command: 'CREATE_CHANNEL', channels: [channel] });
    source.asked[0]?.answer(undefined);
    source.asked[1]?.answer(undefined);
    source.asked[2]?.answer(new Error('out of order'));
    await world.settle();
    expect(client.heard.filter(({ command }) => command === 'CREATE_CHANNEL')).toMatchObject([
      { cid: 0, status: { type: STATUS_ERROR, message: "there is no PV 'a' here" } },
      { cid: 1, status: OK },
      { cid: 2, status: { type: STATUS_ERROR, message: 'out of order' } },
    ]);
  });

  test('answers nobody whose link or rights are gone, and channels under way count as channels', async () => {
    const source = new SlowSource();
    const limits = { ...DEFAULT_LIMITS, maxChannelsPerLink: 1 };
    const world = await makeWorld({ sources: [source], config: { limits } });
    const [gone, denied] = [await world.validated(), await world.validated()];
    const created = pv();
    await gone.send({ command: 'CREATE_CHANNEL', channels: [{ cid: 1, pvName: 'a' }] });
    await denied.send({ command: 'CREATE_CHANNEL', channels: [{ cid: 1, pvName: 'b' }] });
    await denied.send({ command: 'CREATE_CHANNEL', channels: [{ cid: 2, pvName: 'c' }] });
    expect(denied.heard.at(-1)).toMatchObject({ cid: 2, status: { type: STATUS_ERROR } });
    gone.connection.destroy();
    await world.settle();
    world.server.setAccess(new AccessRules([{ channel: 'none', allow: 'read' }]));
    for (const { answer } of source.asked) answer(created);
    await world.settle();
    expect(denied.heard.at(-1)).toMatchObject({ cid: 1, status: { type: STATUS_ERROR } });
    expect(source.asked.map(({ pvName }) => pvName)).toEqual(['a', 'b']);
    expect(created.subscriberCount).toBe(0);
  });
});
