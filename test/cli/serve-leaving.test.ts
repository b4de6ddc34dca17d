// Does a server that is told to end leave searches to the others of its store at once, while it finishes what is under way?

import { afterEach, expect, it } from 'vitest';
import { eventually } from '../../src/channels/stores/suite/suite-support.ts';
import { OK } from '../../src/protocol/status.ts';
import { systemClock, type Clock } from '../../src/transport/clocks.ts';
import { nodeNetwork } from '../../src/transport/node-network.ts';
import { RedisServer } from '../support/redis-server.ts';
import { WireClient } from '../support/wire-client.ts';
import { serve } from './support.ts';

/** Timers go on, and no time passes: what is waited for so long and no longer is waited for. */
const STANDING: Clock = { ...systemClock, now: () => 0 };

let redis: RedisServer | undefined;
afterEach(() => redis?.close());

it('is no more among the nodes when it begins to end', async () => {
  redis = await RedisServer.start();
  const nodeCount = () => redis?.cli('hlen', 'pvkit:nodes');
  const serving = await serve(['--store', redis.url, '--pv', 'lab:x=double'], { clock: STANDING });
  await eventually('it has joined', () => nodeCount() === '1');
  const settle = (isAnswered: () => boolean) => eventually('an answer', isAnswered);
  const client = await WireClient.connect(nodeNetwork, serving.tcpPort, { settle });
  await eventually('it is greeted', () => client.heardCount === 2);
  await client.validate();
  const sid = await client.createChannel('lab:x');
  const ioid = await client.init('PUT', sid);
  serving.interrupt();
  await eventually('it has left', () => nodeCount() === '0');
  expect(client.isClosed).toBe(false);
  client.take('PUT');
  await client.put(sid, ioid, { value: 2 });
  expect(client.take('PUT')).toMatchObject({ status: OK });
  await client.send({ command: 'DESTROY_REQUEST', sid, ioid });
  expect(await serving.exitCode).toBe(0);
});
