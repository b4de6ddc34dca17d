// Reading a value, from the search to the reply, against a server that is told what to say.

import { describe, expect, expectTypeOf, it } from 'vitest';
import { BitSet } from '../../src/protocol/bit-set.ts';
import { CLIENT_LIMITS } from '../../src/protocol/limits.ts';
import { ntScalar } from '../../src/protocol/normative/nt-scalar.ts';
import { error } from '../../src/protocol/status.ts';
import { double, long, string, structure } from '../../src/protocol/types/type-desc.ts';
import type { StructureValue } from '../../src/protocol/types/value-of.ts';
import { codecOf } from '../../src/protocol/values/codec.ts';
import { makeWorld } from '../support/client-world.ts';
import { FakeServer } from '../support/fake-server.ts';
import { hitsLimit } from '../support/hits-limit.ts';

const TYPE = ntScalar(double);

function valueOf(value: number) {
  return { changed: BitSet.of(1), value: { ...codecOf(TYPE).defaultValue(), value } };
}

describe('get', () => {
  it('finds a PV by broadcast, connects, and reads it', async () => {
    const { clock, serverHost, context } = makeWorld();
    const server = await FakeServer.start(serverHost);
    server.serve('x', TYPE, () => valueOf(42.5));

    const value = await clock.until(context.get('x', { type: TYPE }));

    expect(value.value).toBe(42.5);
    expect(server.link.commands).toEqual([
      'CONNECTION_VALIDATION',
      'CREATE_CHANNEL',
      'GET init',
      'GET exec',
      'DESTROY_REQUEST',
    ]);
    expect(server.link.received[0]).toMatchObject({
      method: 'ca',
      credentials: { value: { user: 'tester', host: 'client' } },
    });
    await context.close();
  });

  it('is typed by the type that is expected, and so are monitors; without one a value is any structure', async () => {
    const { clock, serverHost, context } = makeWorld();
    const server = await FakeServer.start(serverHost);
    server.serve('x', TYPE, () => valueOf(1));
    const value = await clock.until(context.get('x', { type: TYPE }));
    expectTypeOf(value.value).toEqualTypeOf<number>();
    expectTypeOf(value.alarm.message).toEqualTypeOf<string>();
    expectTypeOf(value.timeStamp.secondsPastEpoch).toEqualTypeOf<bigint>();
    expectTypeOf(await clock.until(context.get('x'))).toEqualTypeOf<StructureValue>();

    const monitor = context.monitor('x', { type: TYPE });
    type Update = NonNullable<Awaited<ReturnType<typeof monitor.next>>['value']>;
    expectTypeOf<Update['value']['value']>().toEqualTypeOf<number>();
    await monitor.close();

    // A channel with more fields than expected will do; one with other fields will not.
    const part = structure({ value: double });
    await expect(clock.until(context.get('x', { type: part }))).resolves.toMatchObject({ value: 1 });
    const other = structure({ value: long });
    await expect(clock.until(context.get('x', { type: other }))).rejects.toThrow(
      'x: field value is double, long expected',
    );
    const missing = structure({ nothing: string });
    await expect(clock.until(context.get('x', { type: missing }))).rejects.toThrow(/^x: the channel has no nothing/);
    await context.close();
  });
});

describe('a PV that is read again and again', () => {
  const READ_ONCE = ['GET init', 'GET exec', 'DESTROY_REQUEST'];
  const FOUND = ['CONNECTION_VALIDATION', 'CREATE_CHANNEL'];

  async function served() {
    const world = makeWorld();
    const server = await FakeServer.start(world.serverHost);
    let count = 0;
    server.serve('x', TYPE, () => valueOf(++count));
    const read = async (request?: string): Promise<number> =>
      (await world.clock.until(world.context.get('x', { type: TYPE, ...(request !== undefined && { request }) })))
        .value;
    return { ...world, server, read };
  }

  it('costs one round trip from the third reading on, each with the value as it is then', async () => {
    const { context, server, read } = await served();
    expect([await read(), await read(), await read(), await read()]).toEqual([1, 2, 3, 4]);
    expect(server.link.commands).toEqual([...FOUND, ...READ_ONCE, 'GET init', 'GET exec', 'GET exec', 'GET exec']);
    await context.close();
  });

  it('has an operation for each of two readings at once, of which one is kept', async () => {
    const { clock, context, server, read } = await served();
    await read();
    await read();
    const both = await clock.until(Promise.all([context.get('x'), context.get('x')]));
    expect(both).toHaveLength(2);
    await read();
    const commands = server.link.commands.slice(FOUND.length + READ_ONCE.length);
    expect(commands.filter((command) => command === 'GET init')).toHaveLength(2);
    expect(commands.filter((command) => command === 'DESTROY_REQUEST')).toHaveLength(1);
    expect(commands.at(-1)).toBe('GET exec');
    await context.close();
  });

  it('is read anew with another request', async () => {
    const { context, server, read } = await served();
    for (const request of ['', '', 'field(value)', '']) await read(request);
    const commands = server.link.commands.slice(FOUND.length);
    expect(commands).toEqual([...READ_ONCE, 'GET init', 'GET exec', ...READ_ONCE, 'GET exec', 'DESTROY_REQUEST']);
    await context.close();
  });

  it('costs one round trip also where others are read with another request in between', async () => {
    const { clock, context, server, read } = await served();
    server.serve('y', TYPE, () => valueOf(0));
    const readBoth = async () => {
      await read();
      await clock.until(context.get('y', { request: 'field(value)' }));
    };
    await readBoth().then(readBoth);
    const sent = server.link.commands.length;
    await readBoth();
    expect(server.link.commands.slice(sent)).toEqual(['GET exec', 'GET exec']);
    await context.close();
  });

  it('is read anew after more requests than a context remembers', async () => {
    hitsLimit('maxParsedRequests');
    const { clock, context, server, read } = await served();
    await read().then(() => read());
    for (let count = 1; count <= CLIENT_LIMITS.maxParsedRequests; count++) {
      await clock.until(context.get('x', { request: `field(value)record[_=${count}]` }));
    }
    const sent = server.link.commands.length;
    await read();
    expect(server.link.commands.slice(sent)).toEqual(READ_ONCE);
    await context.close();
  });

  it('is read anew when its channel was lost meanwhile, or is lost during it', async () => {
    const { clock, context, server, read } = await served();
    await read();
    await read();
    server.link.tcp.destroy();
    await clock.advanceAsync(1);
    expect(await read()).toBe(3);
    await read();
    // The second link goes when the reading is on its way.
    let isCut = false;
    server.on((message, link) => {
      if (message.command !== 'GET' || message.phase !== 'exec' || isCut) return false;
      isCut = true;
      link.tcp.destroy();
      return true;
    });
    expect(await read()).toBe(5);
    expect(isCut).toBe(true);
    await context.close();
  });

  it('is cancelled when its caller gives up, and read anew after that', async () => {
    const { clock, context, server, read } = await served();
    await read();
    await read();
    let isSilent = true;
    server.on((message) => message.command === 'GET' && isSilent);
    const abort = new AbortController();
    const reading = context.get('x', { signal: abort.signal });
    reading.catch(() => undefined);
    await clock.advanceAsync(10);
    abort.abort(new Error('enough'));
    await expect(reading).rejects.toThrow('enough');
    await clock.advanceAsync(10);
    expect(server.link.commands.slice(-3)).toEqual(['GET exec', 'CANCEL_REQUEST', 'DESTROY_REQUEST']);
    isSilent = false;
    expect(await read()).toBe(3);
    await context.close();
  });

  it('is refused as any other, and has an operation of its own after that', async () => {
    const { context, server, read } = await served();
    await read();
    await read();
    let isRefusing = true;
    server.on((message, link) => {
      if (message.command !== 'GET' || message.phase !== 'exec' || !isRefusing) return false;
      const { ioid, subcommand } = message;
      link.send({ command: 'GET', phase: 'exec', ioid, subcommand, status: error('not now'), update: null });
      return true;
    });
    await expect(read()).rejects.toThrow('x: GET refused by');
    isRefusing = false;
    expect(await read()).toBe(3);
    expect(server.link.commands.slice(-4)).toEqual(['GET exec', 'DESTROY_REQUEST', 'GET init', 'GET exec']);
    await context.close();
  });
});
