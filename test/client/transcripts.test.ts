// Does our client understand what recorded servers sent, and report what the recorded tools printed?
//
// Each recorded connection is played to a client of ours that carries out the recorded operations in their order. What it
// reports is held against an independent reading of the bytes (support/conversations.ts), and against what the tool printed.

import { describe, expect, it } from 'vitest';
import { Context } from '../../src/client/context.ts';
import type { BitSet } from '../../src/protocol/bit-set.ts';
import { reasonOf } from '../../src/protocol/errors.ts';
import { isSuccess, type Status } from '../../src/protocol/status.ts';
import type { TypeDesc } from '../../src/protocol/types/type-desc.ts';
import type { AnyValue, PvValue } from '../../src/protocol/types/value-of.ts';
import { formatDelta } from '../../src/protocol/values/format-delta.ts';
import { shortestText } from '../../src/protocol/values/format-scalar.ts';
import { formatTree, formatType } from '../../src/protocol/values/format-tree.ts';
import { leafMask } from '../../src/protocol/values/leaf-mask.ts';
import { ManualClock } from '../../src/transport/manual-clock.ts';
import { MemoryNetwork } from '../../src/transport/memory-network.ts';
import { clientConfig } from '../support/client-world.ts';
import { seenIn, transcript, type Seen } from '../support/conversations.ts';
import { operationsOf, RecordedServer, type RecordedOperation } from '../support/recorded-server.ts';
import { loadTranscript, transcriptNames, type RecordedConversation } from '../support/transcript.ts';

/** What our client reported of one operation. */
interface Report {
  readonly command: RecordedOperation['command'];
  readonly pvName: string;
  readonly server: string;
  readonly type?: TypeDesc;
  readonly changed?: BitSet;
  readonly value?: PvValue;
  readonly error?: unknown;
}

const TIMEOUT_MS = 5_000;
const PASSIVE: ReadonlySet<string> = new Set(['ECHO']);

const CONNECTIONS = transcriptNames().flatMap((name) => {
  const recorded = loadTranscript(name);
  return recorded.connections
    .filter(({ conn }) => operationsOf(recorded, conn).length > 0)
    .map(({ conn }) => ({
      name,
      conn,
      title: recorded.connections.length > 1 ? `${name} (connection ${conn})` : name,
    }));
});

/** Plays one recorded connection; gives what our client reports, in the order of the recorded operations. */
async function play(recorded: RecordedConversation, conn: number): Promise<readonly (readonly Report[])[]> {
  const clock = new ManualClock();
  const network = new MemoryNetwork({ clock, seed: conn + 1, chunkBytes: [1, 50_000] });
  const host = network.host('host');
  const server = await RecordedServer.start(host, recorded, conn);
  const environment = recorded.udp.some(({ dir }) => dir === 's2c')
    ? { EPICS_PVA_ADDR_LIST: '127.0.0.1', EPICS_PVA_AUTO_ADDR_LIST: 'NO' }
    : { EPICS_PVA_NAME_SERVERS: `127.0.0.1:${portOf(recorded, conn)}`, EPICS_PVA_AUTO_ADDR_LIST: 'NO' };
  const context = new Context({ network: host, clock, config: clientConfig(environment), random: () => 0 });
  const operations = operationsOf(recorded, conn);
  const reports: Promise<readonly Report[]>[] = [];
  for (const [index, operation] of operations.entries()) {
    // What was over before this began is waited for: ids of types are defined in the recorded order.
    for (const [earlier, other] of operations.slice(0, index).entries()) {
      const report = reports[earlier];
      if (other.endedAt < operation.startedAt && report !== undefined) await clock.until(report);
    }
    reports.push(perform(context, operation));
    await clock.settle();
  }
  const all = await clock.until(Promise.all(reports), 10 * TIMEOUT_MS);
  await context.close();
  await server.stop();
  await clock.advanceAsync(100);
  expect(clock.timerCount).toBe(0);
  return all;
}

async function perform(context: Context, operation: RecordedOperation): Promise<readonly Report[]> {
  const { command, pvName } = operation;
  const common = { command, pvName };
  const server = { ...(pvName === 'server' ? { server: `127.0.0.1:${currentPort}` } : {}), timeoutMs: TIMEOUT_MS };
  try {
    switch (command) {
      case 'GET':
        return [{ ...common, ...(await context.getUpdate(pvName, server)) }];
      case 'GET_FIELD':
        return [{ ...common, ...(await context.info(pvName, server)) }];
      case 'RPC': {
        const result = await context.rpc(pvName, argumentOf(operation), server);
        return [{ ...common, server: '', ...result }];
      }
      case 'PUT':
        return await performPut(context, operation);
      case 'MONITOR': {
        const reports: Report[] = [];
        const count = updateCount(operation);
        if (count === 0) return reports;
        for await (const update of context.monitor(pvName, { queueSize: 1000, ...server })) {
          reports.push({ ...common, ...update });
          if (reports.length === count) break;
        }
        return reports;
      }
    }
  } catch (error) {
    return [{ ...common, server: '', error }];
  }
}

/** Put where the recorded client gave up after INIT, because what it was given did not fit. */
const UNFIT = { 'no such field': 1 };

function givesUp({ command, messages }: RecordedOperation): boolean {
  return (
    command === 'PUT' &&
    !messages.some(({ message }) => message?.command === 'PUT' && 'update' in message && message.phase === 'exec')
  );
}

/** Puts what the recorded client put; reports the value that was read first, if it read one. */
async function performPut(
  context: Context,
  { command, pvName, messages }: RecordedOperation,
): Promise<readonly Report[]> {
  const reports: Report[] = [];
  const exec = messages.find(
    ({ message }) => message?.command === 'PUT' && message.phase === 'exec' && 'update' in message,
  );
  const readsFirst = messages.some(({ message }) => message?.command === 'PUT' && message.phase === 'get');
  const patch = exec?.message?.command === 'PUT' && 'update' in exec.message ? exec.message.update?.value : UNFIT;
  const input = readsFirst
    ? (current: PvValue) => {
        reports.push({ command, pvName, server: '', value: current });
        return patch;
      }
    : patch;
  try {
    await context.put(pvName, input, { timeoutMs: TIMEOUT_MS });
  } catch (error) {
    reports.push({ command, pvName, server: '', error });
  }
  return reports;
}

function argumentOf({ messages }: RecordedOperation): AnyValue {
  for (const { message } of messages) if (message?.command === 'RPC' && 'argument' in message) return message.argument;
  return null;
}

function updateCount({ messages }: RecordedOperation): number {
  return messages.filter(
    ({ message }) => message?.command === 'MONITOR' && 'update' in message && message.update !== null,
  ).length;
}

/** The status that ended a recorded operation badly, if one did. */
function badStatus({ messages }: RecordedOperation): Status | undefined {
  return messages
    .flatMap(({ message }) => (message !== undefined && 'status' in message ? [message.status] : []))
    .find((status) => !isSuccess(status));
}

/** Whether the recorded client left before everything was answered that ours asks; pvxs cannot read bounded types. */
function isUnanswered({ command, messages }: RecordedOperation): boolean {
  const replyCount = messages.filter(({ dir }) => dir === 's2c').length;
  return replyCount < { GET: 2, RPC: 2, PUT: 2, GET_FIELD: 1, MONITOR: 0 }[command];
}

/** What our client says by itself. */
function ownError(operation: RecordedOperation): string | undefined {
  if (givesUp(operation)) return 'no such field';
  return isUnanswered(operation) ? 'timed out after 5 s: found at' : undefined;
}

function portOf(recorded: RecordedConversation, conn: number): number {
  return recorded.connections.find((each) => each.conn === conn)?.serverPort ?? 0;
}

let currentPort = 0;

describe('a recorded server is understood', () => {
  it('and there are many', () => {
    expect(CONNECTIONS.length).toBeGreaterThan(130);
  });

  it.each(CONNECTIONS)('$title', async ({ name, conn }) => {
    const recorded = loadTranscript(name);
    currentPort = portOf(recorded, conn);
    const reports = await play(recorded, conn);
    const port = currentPort;
    const operations = operationsOf(recorded, conn);

    // Errors: the recorded Status, under the PV's name. What was never answered times out.
    for (const [index, operation] of operations.entries()) {
      const errors = (reports[index] ?? []).flatMap(({ error }) => (error === undefined ? [] : [error]));
      const status = badStatus(operation);
      const expected = status?.message ?? ownError(operation);
      expect(
        errors.map(reasonOf).map((text) => [text.includes(operation.pvName), text.includes(expected ?? 'none')]),
      ).toEqual(expected === undefined ? [] : [[true, true]]);
    }

    // Values: what another reading of the same bytes gives.
    const seen = seenIn(onlyConnection(name, conn));
    const order = operations.flatMap((operation, index) =>
      (reports[index] ?? []).map((report) => ({ operation, report })),
    );
    for (const command of ['GET', 'MONITOR', 'RPC', 'GET_FIELD'] as const) {
      const ours = order.filter(({ report }) => report.command === command && report.error === undefined);
      const theirs = seen.filter((each) => each.command === command);
      expect(ours.map(({ report }) => essence(report)).toSorted(byText)).toEqual(theirs.map(essence).toSorted(byText));
    }

    // Text: what the tool printed, to the letter for pvxs; base prints its own way, its values are found in it.
    const { clients } = recorded;
    const [client] = clients;
    const tool = client?.args[0] ?? '';
    if (client === undefined || recorded.connections.length > 1 || clients.length > 1) return;
    const printed = reports.flat().filter(({ error }) => error === undefined);
    if (PRINTED_AS_PVXS.has(tool) && client.exitCode !== 1) {
      expect(printed.map((report) => asPvxs(report, port)).join('')).toBe(client.stdout);
    }
    if (tool === 'pvget' && client.exitCode === 0) {
      for (const report of printed) expect(client.stdout).toContain(asPvget(report));
    }
  });
});

function onlyConnection(name: string, conn: number) {
  const whole = transcript(name);
  return {
    ...whole,
    tcp: whole.tcp.filter((message) => message.conn === conn && !PASSIVE.has(message.header?.commandName ?? '')),
  };
}

function essence({ pvName, type, changed, value }: Report | Seen) {
  const leaves = type?.kind === 'structure' && changed !== undefined ? [...leafMask(type, changed)] : undefined;
  return { pvName, type, leaves, value };
}

function byText(a: object, b: object): number {
  const text = (each: object): string =>
    JSON.stringify(each, (_, item: unknown) => (typeof item === 'bigint' ? `${item}n` : item));
  return text(a).localeCompare(text(b));
}

const PRINTED_AS_PVXS = new Set(['pvxget', 'pvxmonitor', 'pvxcall', 'pvxinfo']);
const AS_PVXS = { digits: 6, asciiOnly: true } as const;

function asPvxs({ command, pvName, type, value, changed }: Report, port: number): string {
  if (type === undefined) return '';
  if (command === 'GET_FIELD') return `${pvName} from 127.0.0.1:${port}\n${formatType(type)}`;
  if (value === undefined) return '';
  if (command === 'RPC') return formatTree(type, value, AS_PVXS);
  return `${pvName}\n${formatDelta(type, value, changed, { ...AS_PVXS, indent: '    ' })}`;
}

/** A piece that pvget's output must contain: the value of a scalar, an array or an enum; the name for others. */
function asPvget({ pvName, type, value }: Report): string {
  const field = type?.kind === 'structure' ? type.fields.find(({ name }) => name === 'value')?.type : undefined;
  const content = (value as { value?: PvValue } | undefined)?.value;
  if (content === undefined || field === undefined) return pvName;
  if (field.kind === 'scalar' && typeof content === 'number') return ` ${shortestText(field.scalar, content)} `;
  if (field.kind === 'scalar' && typeof content === 'bigint') return ` ${content} `;
  if (field.kind === 'scalarArray' && content instanceof Int32Array) return `[${content.join(',')}]`;
  if (field.kind === 'scalarArray' && Array.isArray(content)) return `[${content.join(', ')}]`;
  const enumeration = content as { index?: number; choices?: readonly string[] };
  if (enumeration.choices !== undefined) return `(${enumeration.index}) ${enumeration.choices[enumeration.index ?? 0]}`;
  return pvName;
}
