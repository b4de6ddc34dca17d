// Does one server keep a hundred clients apart: is everything right, and nothing lost?

import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import type { Context } from '../../src/client/context.ts';
import { contextOf } from './support/library.ts';
import { endEverything, type Environment } from './support/line-process.ts';
import { clientEnvironment } from './support/loopback.ts';
import { P4pClient } from './support/p4p-client.ts';
import { startPvkit, type ServedAt } from './support/peers.ts';
import { fieldAt } from './support/tagged.ts';
import { nextUpdate } from './support/updates.ts';

const PVKIT_CLIENTS = 95;
const P4P_CLIENTS = 5;
const CLIENTS = PVKIT_CLIENTS + P4P_CLIENTS;
const PUTS_EACH = 20;

/** What a client did and saw. */
interface Account {
  /** The values of its own PV that its monitor brought. */
  readonly watched: readonly number[];
  /** After every put, what a get gave. */
  readonly read: readonly number[];
  /** The values of the shared PV that its monitor brought, up to the last. */
  readonly shared: readonly number[];
}

let server: ServedAt;
let environment: Environment;
const contexts: Context[] = [];
const p4ps: P4pClient[] = [];

beforeAll(async () => {
  const own = Array.from({ length: CLIENTS }, (_, client) => ['--pv', `${ownName(client)}=long:-1`]);
  const shared = ['--pv', 'hundred:shared=long:0'];
  server = await startPvkit([...own, shared].flat());
  environment = clientEnvironment(server.udpPort);
  for (let client = 0; client < PVKIT_CLIENTS; client++) contexts.push(contextOf(environment));
  for (let client = 0; client < P4P_CLIENTS; client++) p4ps.push(await P4pClient.start(environment));
});
afterAll(async () => {
  await Promise.all([...contexts.map((context) => context.close()), ...p4ps.map((p4p) => p4p.end())]);
  // It still ends in good order.
  expect(await server.process.end('SIGTERM')).toBe(0);
  await endEverything();
});

function ownName(client: number): string {
  return `hundred:${client}`;
}

/** What client number `client` puts into its own PV the `round`th time. */
function ownValue(client: number, round: number): number {
  return client * 1_000 + round;
}

/** The value of the shared PV with which everybody stops. */
const LAST = 1_000_000;

describe('a hundred clients at once', () => {
  it('each read, write and watch a PV of their own, and watch one that all share', { timeout: 120_000 }, async () => {
    const running = [
      ...contexts.map((context, index) => runPvkit(context, index)),
      ...p4ps.map((p4p, index) => runP4p(p4p, PVKIT_CLIENTS + index)),
    ];
    const accounts = Promise.all(running);
    // All write to the shared PV, too, at once; then one writes the last value.
    await Promise.all(contexts.map((context, client) => context.put('hundred:shared', client + 1)));
    await contexts[0]?.put('hundred:shared', LAST);
    for (const [client, { watched, read, shared }] of (await accounts).entries()) {
      const put = Array.from({ length: PUTS_EACH }, (_, round) => ownValue(client, round));
      expect(read, ownName(client)).toEqual(put);
      expectNothingLost(watched, [-1, ...put], client);
      expect(watched.at(-1), ownName(client)).toBe(put.at(-1));
      expect(shared.at(-1), ownName(client)).toBe(LAST);
      for (const value of shared.slice(0, -1)) expect(value).toBeLessThanOrEqual(CLIENTS);
    }
  });
});

/**
 * Each put is awaited before the next, and its update comes before its reply: pvkit's client misses none from the moment
 * at which its monitor began. p4p hands updates to another thread, which may be late; then they are squashed, but in order.
 */
function expectNothingLost(watched: readonly number[], put: readonly number[], client: number): void {
  const began = put.indexOf(watched[0] ?? Number.NaN);
  expect(began, ownName(client)).toBeGreaterThanOrEqual(0);
  const expected = put.slice(began);
  if (client < PVKIT_CLIENTS) expect(watched, ownName(client)).toEqual(expected);
  else expect(watched, ownName(client)).toEqual(expected.filter((value) => watched.includes(value)));
}

async function runPvkit(context: Context, client: number): Promise<Account> {
  const last = ownValue(client, PUTS_EACH - 1);
  const watching = collect(context, ownName(client), last);
  const sharing = collect(context, 'hundred:shared', LAST);
  const read: number[] = [];
  for (let round = 0; round < PUTS_EACH; round++) {
    await context.put(ownName(client), ownValue(client, round));
    read.push(Number((await context.get(ownName(client)))['value']));
  }
  return { watched: await watching, read, shared: await sharing };
}

async function collect(context: Context, pvName: string, last: number): Promise<readonly number[]> {
  const values: number[] = [];
  for await (const { value } of context.monitor(pvName)) {
    values.push(Number(value['value']));
    if (values.at(-1) === last) break;
  }
  return values;
}

async function runP4p(p4p: P4pClient, client: number): Promise<Account> {
  const last = ownValue(client, PUTS_EACH - 1);
  const watching = collectP4p(p4p, ownName(client), last);
  const sharing = collectP4p(p4p, 'hundred:shared', LAST);
  const read: number[] = [];
  for (let round = 0; round < PUTS_EACH; round++) {
    await p4p.put(ownName(client), { value: ownValue(client, round) });
    read.push(Number(fieldAt(await p4p.get(ownName(client)), 'value')));
  }
  return { watched: await watching, read, shared: await sharing };
}

async function collectP4p(p4p: P4pClient, pvName: string, last: number): Promise<readonly number[]> {
  const monitor = await p4p.monitor(pvName);
  const values: number[] = [];
  while (values.at(-1) !== last) values.push(Number(fieldAt(await nextUpdate(monitor, 30), 'value')));
  await monitor.stop();
  return values;
}
