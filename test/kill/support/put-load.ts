// How are puts kept coming from several clients while a server or the store behind it is killed?

import { Context, resolveClientConfig } from '../../../src/index.ts';
import { DisconnectedError, StatusError, TimeoutError } from '../../../src/protocol/errors.ts';
import { pause } from './kill-rounds.ts';
import type { Ledger } from './ledger.ts';
import { originOf, payloadOf, UNWRITTEN, type Origin } from './payload.ts';

/** Each with connections of its own. */
export interface Client {
  readonly writer: number;
  readonly context: Context;
}

const PUT_TIMEOUT_MS = 10_000;
const GET_TIMEOUT_MS = 10_000;
const AGREE_MS = 5_000;
const RECOVERY_MS = 10_000;
/** After a refusal, before the next try. */
const RETRY_MS = 3;

export function client(writer: number): Client {
  // Servers are named in each call: nothing is searched.
  const processEnvironment = { EPICS_PVA_AUTO_ADDR_LIST: 'NO', EPICS_PVA_ADDR_LIST: '127.0.0.1:1' };
  return { writer, context: new Context({ config: resolveClientConfig({ processEnvironment }) }) };
}

/** A client that searches: every server that listens to this UDP port of loopback may answer. */
export function searchingClient(writer: number, udpPort: number): Client {
  const processEnvironment = { EPICS_PVA_AUTO_ADDR_LIST: 'NO', EPICS_PVA_ADDR_LIST: `127.0.0.1:${udpPort}` };
  return { writer, context: new Context({ config: resolveClientConfig({ processEnvironment }) }) };
}

export interface LoadOptions {
  /** HOST:PORT; whichever answers a search where it is left out. */
  readonly server?: string | undefined;
  readonly ledger: Ledger;
  /** No put is begun after it; those under way come to their end. */
  readonly stop: AbortSignal;
  /** The server is gone: those under way end, too, and do not wait for it to come back. */
  readonly gone: AbortSignal;
  /** Whether to go on when a put did not succeed. */
  readonly goOn: boolean;
}

/** Puts to every PV at once, to each one after the other. Resolves with what went wrong, once nothing is under way. */
export async function load(
  { writer, context }: Client,
  pvNames: readonly string[],
  { server, ledger, stop, gone, goOn }: LoadOptions,
): Promise<readonly unknown[]> {
  const faults: unknown[] = [];
  const puts = pvNames.map(async (pvName) => {
    while (!stop.aborted && !gone.aborted) {
      const origin: Origin = { writer, put: ledger.begin(pvName, writer) };
      try {
        await context.put(pvName, payloadOf(origin), {
          timeoutMs: PUT_TIMEOUT_MS,
          signal: gone,
          ...(server !== undefined && { server }),
        });
        ledger.acknowledge(pvName, origin);
      } catch (thrown) {
        faults.push(thrown);
        if (!gone.aborted && isRefusal(thrown)) ledger.refuse(pvName, origin, String(thrown));
        else ledger.doubt(pvName, origin, String(thrown));
        if (!goOn) return;
        await pause(RETRY_MS);
      }
    }
  });
  await Promise.all(puts);
  return faults;
}

/** The server has said that nothing was written. Whatever else went wrong, the put may have taken effect. */
function isRefusal(thrown: unknown): boolean {
  if (thrown instanceof StatusError) return !/uncertain|may have been|not known/iu.test(thrown.message);
  if (thrown instanceof DisconnectedError || thrown instanceof TimeoutError) return false;
  throw thrown;
}

/** Resolves when each of the clients has had a put acknowledged from now on. */
export async function untilAcknowledged(ledger: Ledger, clients: readonly Client[]): Promise<void> {
  const before = clients.map(({ writer }) => ledger.acknowledgedBy(writer));
  const deadline = performance.now() + RECOVERY_MS;
  while (clients.some(({ writer }, index) => ledger.acknowledgedBy(writer) === before[index])) {
    if (performance.now() > deadline)
      throw new Error(`a node takes no puts ${RECOVERY_MS} ms after its store is back:\n${ledger.lastFaults}`);
    await pause(RETRY_MS);
  }
}

/** What every PV holds at a server. @throws Error for half of a put, and for what the ledger knows cannot be */
export async function checkAll(
  { context }: Client,
  server: string,
  pvNames: readonly string[],
  ledger: Ledger,
): Promise<readonly Origin[]> {
  return Promise.all(
    pvNames.map(async (pvName) => {
      const origin = originOf(await context.get(pvName, { server, timeoutMs: GET_TIMEOUT_MS }));
      ledger.check(pvName, origin);
      return origin;
    }),
  );
}

/** Changes travel: waits until two servers show the same, each of it possible. */
export async function checkAgreement(
  reader: Client,
  servers: readonly [string, string],
  pvNames: readonly string[],
  ledger: Ledger,
): Promise<void> {
  const deadline = performance.now() + AGREE_MS;
  for (;;) {
    const [ones, others] = await Promise.all(servers.map((server) => originsAt(reader, server, pvNames)));
    const apart = pvNames.filter((_, index) => JSON.stringify(ones?.[index]) !== JSON.stringify(others?.[index]));
    try {
      if (apart.length > 0) throw new Error(`the nodes do not agree on ${apart.join(', ')}`);
      for (const [index, pvName] of pvNames.entries()) ledger.check(pvName, ones?.[index] ?? UNWRITTEN);
      return;
    } catch (thrown) {
      if (performance.now() > deadline) throw thrown;
    }
    await pause(RETRY_MS);
  }
}

function originsAt({ context }: Client, server: string, pvNames: readonly string[]): Promise<readonly Origin[]> {
  return Promise.all(
    pvNames.map(async (pvName) => originOf(await context.get(pvName, { server, timeoutMs: GET_TIMEOUT_MS }))),
  );
}
