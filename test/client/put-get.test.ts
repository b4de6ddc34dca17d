// Putting and getting in one step, and processing, against a server that is told what to say.

import { describe, expect, it } from 'vitest';
import { DisconnectedError, LocalProtocolError, StatusError, TimeoutError } from '../../src/protocol/errors.ts';
import type { ClientMessage } from '../../src/protocol/messages/index.ts';
import { error, OK } from '../../src/protocol/status.ts';
import { double, int, string, structure, type TypeDesc } from '../../src/protocol/types/type-desc.ts';
import { coercePartial } from '../../src/protocol/values/coerce.ts';
import { makeWorld } from '../support/client-world.ts';
import { FakeServer, type FakeLink } from '../support/fake-server.ts';

const PUT = structure('put_t', { value: double, text: string });
const GET = structure('get_t', { value: double, count: int });

interface Behaviour {
  readonly putType?: TypeDesc;
  readonly getType?: TypeDesc;
  /** What an exec is answered with; nothing when it returns false. */
  readonly exec?: (message: ClientMessage, link: FakeLink) => boolean;
}

/** Serves `x`; by default the get half shows twice what was put. */
async function makePutGet({ putType = PUT, getType = GET, exec }: Behaviour = {}) {
  const world = makeWorld();
  const server = await FakeServer.start(world.serverHost);
  server.pvNames.add('x');
  server.on((message, link) => {
    if (message.command !== 'PUT_GET') return false;
    const { ioid, subcommand } = message;
    const head = { command: 'PUT_GET', ioid, subcommand, status: OK } as const;
    switch (message.phase) {
      case 'init':
        link.send({ ...head, phase: 'init', putType, getType });
        return true;
      case 'getPut': {
        const update = { type: PUT, ...coercePartial(PUT, { value: 20, text: 'before' }) };
        link.send({ ...head, phase: 'getPut', update });
        return true;
      }
      case 'exec': {
        if (exec?.(message, link) === true) return true;
        const put = message.update.value as { value: number };
        const update = { type: GET, ...coercePartial(GET, { value: put.value * 2 }) };
        link.send({ ...head, phase: 'exec', update });
        return true;
      }
      default:
        return false;
    }
  });
  return { ...world, server };
}

describe('putGet', () => {
  it('sends what the patch names and gives what the server answers', async () => {
    const { clock, context, server } = await makePutGet();
    expect(await clock.until(context.putGet('x', { value: 21 }))).toEqual({ value: 42, count: 0 });
    expect(server.link.commands).toEqual([
      'CONNECTION_VALIDATION',
      'CREATE_CHANNEL',
      'PUT_GET init',
      'PUT_GET exec',
      'DESTROY_REQUEST',
    ]);
    const exec = server.link.received.find((message) => message.command === 'PUT_GET' && message.phase === 'exec');
    expect(exec).toMatchObject({ subcommand: 0, update: { type: PUT, value: { value: 21 } } });
    await context.close();
  });

  it('gives the fields that changed and the server with putGetUpdate', async () => {
    const { clock, context } = await makePutGet();
    const reading = await clock.until(context.putGetUpdate('x', { value: 1 }));
    expect([...reading.changed]).toEqual([1]);
    expect(reading).toMatchObject({ pvName: 'x', type: GET, server: '10.0.0.2:5075', value: { value: 2 } });
    await context.close();
  });

  it('reads the put half first for a function of the present value', async () => {
    const { clock, context, server } = await makePutGet();
    const seen: unknown[] = [];
    const value = await clock.until(
      context.putGet('x', (current: { readonly [name: string]: unknown }) => {
        seen.push(current);
        return { value: Number(current['value']) + 1 };
      }),
    );
    expect(value).toMatchObject({ value: 42 });
    expect(seen).toEqual([{ value: 20, text: 'before' }]);
    expect(server.link.commands.slice(2)).toEqual([
      'PUT_GET init',
      'PUT_GET getPut',
      'PUT_GET exec',
      'DESTROY_REQUEST',
    ]);
    await context.close();
  });

  it('takes a bare value for a put structure that has no id', async () => {
    const { clock, context } = await makePutGet({ putType: structure({ value: double }) });
    expect(await clock.until(context.putGet('x', 3))).toMatchObject({ value: 6 });
    await expect(clock.until(context.putGet('x', 'three'))).rejects.toThrow(/^x: value: /);
    await context.close();
  });

  it('writes nothing when the input does not fit, or what would be read is of another type', async () => {
    const { clock, context, server } = await makePutGet();
    await expect(clock.until(context.putGet('x', { nosuch: 1 }))).rejects.toThrow(/^x: nosuch: no such field/);
    const type = structure({ value: string });
    await expect(clock.until(context.putGet('x', { value: 1 }, { type }))).rejects.toThrow(
      'x: field value is double, string expected',
    );
    expect(server.link.commands).not.toContain('PUT_GET exec');
    const typed = await clock.until(context.putGet('x', { value: 1 }, { type: structure({ value: double }) }));
    expect(typed.value).toBe(2);
    await context.close();
  });

  it('is refused at INIT or at the put, under the name of the PV', async () => {
    const { clock, context, server } = await makePutGet({
      exec: ({ ...message }, link) => {
        if (message.command !== 'PUT_GET') return false;
        const { ioid, subcommand } = message;
        link.send({ command: 'PUT_GET', phase: 'exec', ioid, subcommand, status: error('too hot'), update: null });
        return true;
      },
    });
    const refused = clock.until(context.putGet('x', { value: 1 }));
    await expect(refused).rejects.toThrow('x: PUT_GET refused by 10.0.0.2:5075: too hot');
    await expect(refused).rejects.toBeInstanceOf(StatusError);
    server.on((message, link) => {
      if (message.command !== 'PUT_GET') return false;
      const { ioid, subcommand } = message;
      const status = error('no put-get here');
      link.send({ command: 'PUT_GET', phase: 'init', ioid, subcommand, status, putType: null, getType: null });
      return true;
    });
    await expect(clock.until(context.putGet('x', { value: 1 }))).rejects.toThrow(
      'x: PUT_GET INIT refused by 10.0.0.2:5075: no put-get here',
    );
    await context.close();
  });

  it.each(['putType', 'getType'] as const)('survives a server whose %s is no structure', async (half) => {
    const { clock, context } = await makePutGet({ [half]: double });
    await expect(clock.until(context.putGet('x', { value: 1 }))).rejects.toThrow(
      'x: PUT_GET INIT is answered with the type scalar, a structure expected',
    );
    await context.close();
  });

  it('that was under way when its link was lost is not repeated: nobody knows what it did', async () => {
    const { clock, context, server } = await makePutGet({
      exec: (_, link) => {
        link.tcp.destroy();
        return true;
      },
    });
    const lost = clock.until(context.putGet('x', { value: 1 }));
    await expect(lost).rejects.toThrow(/^x: whether PUT_GET was carried out is not known: /);
    await expect(lost).rejects.toBeInstanceOf(DisconnectedError);
    const execs = server.links.flatMap(({ commands }) => commands.filter((command) => command === 'PUT_GET exec'));
    expect(execs).toHaveLength(1);
    await context.close();
  });

  it('names the servers that never answer it, when it waits in vain', async () => {
    const world = makeWorld();
    const server = await FakeServer.start(world.serverHost);
    server.pvNames.add('x');
    const { clock, context } = world;
    const late = clock.until(context.putGet('x', { value: 1 }, { timeoutMs: 1_000 }));
    await expect(late).rejects.toThrow(
      'x: timed out after 1 s: found at 10.0.0.2:5075, no reply to PUT_GET INIT (servers made with pvxs have no PUT_GET and do not say so)',
    );
    await expect(late).rejects.toBeInstanceOf(TimeoutError);
    await context.close();
  });

  it('that its caller gives up is cancelled on the server, then destroyed', async () => {
    const { clock, context, server } = await makePutGet({ exec: () => true });
    const controller = new AbortController();
    const given = context.putGet('x', { value: 1 }, { signal: controller.signal });
    given.catch(() => {});
    await clock.advanceAsync(100);
    controller.abort(new Error('enough'));
    await expect(given).rejects.toThrow('enough');
    await clock.advanceAsync(10);
    expect(server.link.commands.slice(-3)).toEqual(['PUT_GET exec', 'CANCEL_REQUEST', 'DESTROY_REQUEST']);
    await context.close();
  });
});

describe('process', () => {
  async function makeProcess(answer: (link: FakeLink, ioid: number) => void) {
    const world = makeWorld();
    const server = await FakeServer.start(world.serverHost);
    server.pvNames.add('x');
    server.on((message, link) => {
      if (message.command !== 'PROCESS') return false;
      const { ioid, subcommand } = message;
      if (message.phase === 'init') link.send({ command: 'PROCESS', phase: 'init', ioid, subcommand, status: OK });
      else answer(link, ioid);
      return true;
    });
    return { ...world, server };
  }

  it('is done when the server says so', async () => {
    const { clock, context, server } = await makeProcess((link, ioid) =>
      link.send({ command: 'PROCESS', phase: 'exec', ioid, subcommand: 0, status: OK }),
    );
    await clock.until(context.process('x', { request: 'record[process=true]' }));
    expect(server.link.commands.slice(2)).toEqual(['PROCESS init', 'PROCESS exec', 'DESTROY_REQUEST']);
    await context.close();
  });

  it('is refused with a reason, and a message beside it is a notice', async () => {
    const { clock, context, notices } = await makeProcess((link, ioid) =>
      link.send(
        { command: 'MESSAGE', ioid, severity: 1, text: 'the pump is off' },
        { command: 'PROCESS', phase: 'exec', ioid, subcommand: 0, status: error('no flow') },
      ),
    );
    await expect(clock.until(context.process('x'))).rejects.toThrow('x: PROCESS refused by 10.0.0.2:5075: no flow');
    expect(notices.filter(({ kind }) => kind === 'serverMessage')).toMatchObject([
      { level: 'warning', pvName: 'x', text: 'x: the pump is off' },
    ]);
    await context.close();
  });

  it('is not repeated when its link is lost', async () => {
    const { clock, context } = await makeProcess((link) => link.tcp.destroy());
    await expect(clock.until(context.process('x'))).rejects.toThrow(/^x: whether PROCESS was carried out is not known/);
    await context.close();
  });

  it('needs a name', async () => {
    const { context } = makeWorld();
    await expect(context.process('')).rejects.toBeInstanceOf(LocalProtocolError);
    await context.close();
  });
});
