// A server that answers another phase than was asked for, or success without what was asked for: the call ends with an
// error that names it, and others go on.

import { describe, expect, it } from 'vitest';
import type { Context } from '../../src/client/context.ts';
import { BitSet } from '../../src/protocol/bit-set.ts';
import { PvaError, RemoteProtocolError } from '../../src/protocol/errors.ts';
import type { ClientMessage, ServerMessageToSend } from '../../src/protocol/messages/index.ts';
import { OK } from '../../src/protocol/status.ts';
import { arrayOf, double, structure } from '../../src/protocol/types/type-desc.ts';
import { makeWorld } from '../support/client-world.ts';
import { FakeServer } from '../support/fake-server.ts';

const TYPE = structure({ value: double });
const ARRAY = arrayOf(double);
const UPDATE = { type: TYPE, changed: BitSet.of(1), value: { value: 1 } };

type Answer = (ioid: number) => ServerMessageToSend;

/** The right answers to INIT, and an answer of each command that comes later. */
const INIT: Readonly<Record<string, Answer>> = {
  GET: (ioid) => ({ command: 'GET', phase: 'init', ioid, subcommand: 8, status: OK, type: TYPE }),
  PUT: (ioid) => ({ command: 'PUT', phase: 'init', ioid, subcommand: 8, status: OK, type: TYPE }),
  PUT_GET: (ioid) => ({
    command: 'PUT_GET',
    phase: 'init',
    ioid,
    subcommand: 8,
    status: OK,
    putType: TYPE,
    getType: TYPE,
  }),
  PROCESS: (ioid) => ({ command: 'PROCESS', phase: 'init', ioid, subcommand: 8, status: OK }),
  RPC: (ioid) => ({ command: 'RPC', phase: 'init', ioid, subcommand: 8, status: OK }),
  ARRAY: (ioid) => ({ command: 'ARRAY', phase: 'init', ioid, subcommand: 8, status: OK, type: ARRAY }),
  MONITOR: (ioid) => ({ command: 'MONITOR', phase: 'init', ioid, subcommand: 8, status: OK, type: TYPE }),
};

const LATER: Readonly<Record<string, Answer>> = {
  GET: (ioid) => ({ command: 'GET', phase: 'exec', ioid, subcommand: 0, status: OK, update: UPDATE }),
  PUT: (ioid) => ({ command: 'PUT', phase: 'exec', ioid, subcommand: 0, status: OK }),
  PUT_GET: (ioid) => ({ command: 'PUT_GET', phase: 'exec', ioid, subcommand: 0, status: OK, update: UPDATE }),
  PROCESS: (ioid) => ({ command: 'PROCESS', phase: 'exec', ioid, subcommand: 0, status: OK }),
  RPC: (ioid) => ({ command: 'RPC', phase: 'exec', ioid, subcommand: 0, status: OK, result: null }),
  ARRAY: (ioid) => ({ command: 'ARRAY', phase: 'getLength', ioid, subcommand: 4, status: OK, length: 3 }),
};

const CALLS: Readonly<Record<string, (context: Context) => Promise<unknown>>> = {
  GET: (context) => context.get('x', { timeoutMs: 1_000 }),
  PUT: (context) => context.put('x', { value: 2 }, { timeoutMs: 1_000 }),
  PUT_GET: (context) => context.putGet('x', { value: 2 }, { timeoutMs: 1_000 }),
  PROCESS: (context) => context.process('x', { timeoutMs: 1_000 }),
  RPC: (context) => context.rpc('x', { a: 1 }, { timeoutMs: 1_000 }),
};

/** What becomes of a call, when the server answers as told; and whether another PV is still served afterwards. */
async function outcomeOf(
  call: (context: Context) => Promise<unknown>,
  answer: (message: ClientMessage & { readonly ioid: number }) => ServerMessageToSend | undefined,
): Promise<{ readonly error: unknown; readonly wasClosed: boolean | undefined }> {
  const world = makeWorld();
  const server = await FakeServer.start(world.serverHost);
  server.serve('y', TYPE, () => UPDATE);
  server.pvNames.add('x');
  server.on((message, link) => {
    if (!('sid' in message) || link.pvNameBySid.get(message.sid) !== 'x' || !('ioid' in message)) return false;
    const said = answer(message);
    if (said !== undefined) link.send(said);
    return true;
  });
  const error = await world.clock.until(
    call(world.context).then(
      (result) => result,
      (thrown: unknown) => thrown,
    ),
  );
  const wasClosed = server.links[0]?.isClosed;
  await expect(world.clock.until(world.context.get('y', { timeoutMs: 10_000 }))).resolves.toMatchObject({ value: 1 });
  await world.context.close();
  await world.clock.advanceAsync(10);
  expect(world.clock.timerCount).toBe(0);
  return { error, wasClosed };
}

describe.each(Object.keys(CALLS))('%s', (command) => {
  const call = (context: Context) => CALLS[command]?.(context) ?? Promise.reject(new Error(command));
  const others = Object.keys(LATER).filter((other) => other !== command);

  it('whose INIT is answered with a later phase closes the link', async () => {
    const { error, wasClosed } = await outcomeOf(call, ({ ioid }) => LATER[command]?.(ioid));
    expect(error).toBeInstanceOf(PvaError);
    expect(wasClosed).toBe(true);
  });

  it('whose request is answered with INIT again closes the link', async () => {
    const { error, wasClosed } = await outcomeOf(call, ({ ioid }) => INIT[command]?.(ioid));
    expect(error).toBeInstanceOf(PvaError);
    expect(wasClosed).toBe(true);
  });

  it.each(others)('that is answered with %s does not take it for its own', async (other) => {
    const { error } = await outcomeOf(call, ({ ioid }) => INIT[other]?.(ioid));
    expect(error).toBeInstanceOf(PvaError);
  });
});

describe('an array', () => {
  /** INIT is answered as it should be, what follows as told. */
  const asked = (act: (context: Context) => Promise<unknown>, later: Answer) =>
    outcomeOf(act, (message) => {
      if (message.command !== 'ARRAY') return undefined;
      return message.phase === 'init' ? INIT['ARRAY']?.(message.ioid) : later(message.ioid);
    });

  it('is not taken from an answer to something else', async () => {
    const { error } = await asked(
      (context) => context.array('x').get({ timeoutMs: 1_000 }),
      (ioid) => ({ command: 'ARRAY', phase: 'setLength', ioid, subcommand: 0x80, status: OK }),
    );
    expect(error).toBeInstanceOf(PvaError);
  });
});

describe('a monitor', () => {
  it.each([
    ['no type', null, 'null'],
    ['a double', double, 'scalar'],
    ['an array', ARRAY, 'scalarArray'],
  ])('of a channel that is %s ends alone, with an error that says so', async (_what, type, named) => {
    const asked: string[] = [];
    const { error, wasClosed } = await outcomeOf(
      (context) => context.monitor('x', { timeoutMs: 1_000 }).next(),
      (message) => {
        asked.push(message.command);
        if (message.command !== 'MONITOR') return undefined;
        return { command: 'MONITOR', phase: 'init', ioid: message.ioid, subcommand: 8, status: OK, type };
      },
    );
    expect(error).toEqual(
      new RemoteProtocolError(`x: MONITOR INIT is answered with the type ${named}, a structure expected`),
    );
    expect(wasClosed).toBe(false);
    expect(asked).toEqual(['MONITOR', 'DESTROY_REQUEST']);
  });
});
