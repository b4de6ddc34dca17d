// Reading and writing parts of an array, against a server that is told what to say: one operation for many requests, across
// lost connections, refusals and lies.

import { describe, expect, it } from 'vitest';
import { DisconnectedError, LocalProtocolError, StatusError } from '../../src/protocol/errors.ts';
import type { ArrayRequest } from '../../src/protocol/messages/array.ts';
import { error, OK } from '../../src/protocol/status.ts';
import { arrayOf, double, int, structure, type TypeDesc } from '../../src/protocol/types/type-desc.ts';
import { makeWorld } from '../support/client-world.ts';
import { FakeServer, type FakeLink } from '../support/fake-server.ts';

const DOUBLES = arrayOf(double);

type Answer = (message: ArrayRequest, link: FakeLink) => boolean;

/** Serves ten doubles under `x`; `answer` may deal with a request instead. */
async function makeArray(type: TypeDesc | null = DOUBLES) {
  const world = makeWorld();
  const server = await FakeServer.start(world.serverHost);
  server.pvNames.add('x');
  let answer: Answer = () => false;
  server.on((message, link) => {
    if (message.command !== 'ARRAY') return false;
    if (answer(message, link)) return true;
    const { ioid, subcommand } = message;
    const head = { command: 'ARRAY', ioid, subcommand, status: OK } as const;
    switch (message.phase) {
      case 'init':
        link.send({ ...head, phase: 'init', type });
        return true;
      case 'get': {
        const value = Float64Array.from({ length: message.count === 0 ? 10 : message.count }, (_, at) => at);
        link.send({ ...head, phase: 'get', array: { type: DOUBLES, value } });
        return true;
      }
      case 'getLength':
        link.send({ ...head, phase: 'getLength', length: 10 });
        return true;
      case 'put':
      case 'setLength':
        link.send({ ...head, phase: message.phase, status: OK });
        return true;
      case 'outOfScope':
        return false;
    }
  });
  const requests = (): readonly string[] =>
    server.links.flatMap(({ commands }) =>
      commands.filter((command) => /^(ARRAY|CANCEL|DESTROY_R)/.test(command)).map((text) => text.replace('ARRAY ', '')),
    );
  return { ...world, server, requests, answerWith: (given: Answer) => (answer = given) };
}

describe('an array access', () => {
  it('sends nothing before its first use, and one INIT for all of them', async () => {
    const { clock, context, server, requests } = await makeArray();
    const array = context.array('x');
    await clock.advanceAsync(10_000);
    expect(server.links).toEqual([]);
    expect(await clock.until(array.get({ offset: 2, count: 3, stride: 4 }))).toEqual(Float64Array.of(0, 1, 2));
    await clock.until(array.put([1, 2.5], { offset: 7 }));
    await clock.until(array.setLength(4));
    expect(await clock.until(array.getLength())).toBe(10);
    expect(await clock.until(array.type())).toBe(DOUBLES);
    expect(requests()).toEqual(['init', 'get', 'put', 'setLength', 'getLength']);
    const sent = server.link.received.filter(({ command }) => command === 'ARRAY');
    expect(sent).toMatchObject([
      { subcommand: 0x08, pvRequest: { value: { field: { value: {} } } } },
      { subcommand: 0x40, offset: 2, count: 3, stride: 4 },
      { subcommand: 0, offset: 7, stride: 1, array: { value: Float64Array.of(1, 2.5) } },
      { subcommand: 0x80, length: 4 },
      { subcommand: 0x04 },
    ]);
    await array.close();
    await array.close();
    await clock.advanceAsync(10);
    expect(requests().slice(-1)).toEqual(['DESTROY_REQUEST']);
    await expect(array.get()).rejects.toThrow('x: the array access is closed');
    await context.close();
  });

  it('asks for the field that it is told', async () => {
    const { clock, context, server } = await makeArray();
    await clock.until(context.array('x', { field: 'inner.wave' }).get());
    expect(server.link.received.find(({ command }) => command === 'ARRAY')).toMatchObject({
      pvRequest: { value: { field: { inner: { wave: {} } } } },
    });
    expect(() => context.array('x', { field: 'wave(' })).toThrow(LocalProtocolError);
    expect(() => context.array('')).toThrow('a PV name is empty');
    await context.close();
  });

  it('can be disposed of', async () => {
    const { clock, context, requests } = await makeArray();
    {
      await using array = context.array('x');
      await clock.until(array.get());
    }
    await clock.advanceAsync(10);
    expect(requests()).toEqual(['init', 'get', 'DESTROY_REQUEST']);
    await context.close();
  });

  it('runs one request after the other, whoever asks', async () => {
    const { clock, context, requests } = await makeArray();
    const array = context.array('x');
    const all = Promise.all([array.get({ count: 1 }), array.getLength(), array.put([1]), array.get({ count: 2 })]);
    expect(await clock.until(all)).toEqual([Float64Array.of(0), 10, undefined, Float64Array.of(0, 1)]);
    expect(requests()).toEqual(['init', 'get', 'getLength', 'put', 'get']);
    await context.close();
  });

  it('knows the type that it is to have', async () => {
    const { clock, context, requests } = await makeArray();
    const typed = await clock.until(context.array('x', { type: DOUBLES }).get());
    expect(typed.at(-1)).toBe(9);
    const other = context.array('x', { type: arrayOf(int) });
    await expect(clock.until(other.get())).rejects.toThrow('x: the array is double[], int[] expected');
    expect(requests().slice(-2)).toEqual(['init', 'DESTROY_REQUEST']);
    await context.close();
  });

  it.each([
    [{ offset: -1 }, 'x: offset is -1, a whole number from 0 to'],
    [{ offset: 0.5 }, 'x: offset is 0.5'],
    [{ stride: 0 }, 'x: stride is 0, a whole number from 1 to'],
    [{ count: 0 }, 'x: count is 0, a whole number from 1 to'],
    [{ count: Number.NaN }, 'x: count is NaN'],
    [{ offset: 2 ** 32 }, 'x: offset is 4294967296'],
  ])('refuses %j before anything is sent', async (options, reason) => {
    const { context, server } = await makeArray();
    await expect(context.array('x').get(options)).rejects.toThrow(reason);
    expect(server.links).toEqual([]);
    await context.close();
  });

  it('refuses elements that do not fit, and goes on', async () => {
    const { clock, context, requests } = await makeArray();
    const array = context.array('x');
    await expect(clock.until(array.put([1, 'two']))).rejects.toThrow(/^x\[1\]: /);
    await expect(clock.until(array.put('text'))).rejects.toThrow(/^x: a list/);
    await clock.until(array.put(Float64Array.of(3)));
    expect(requests().filter((request) => request === 'put')).toHaveLength(1);
    await context.close();
  });
});

describe('a request that is refused', () => {
  it('leaves the operation as it is', async () => {
    const { clock, context, requests, answerWith } = await makeArray();
    answerWith((message, link) => {
      if (message.phase !== 'get' || message.offset !== 99) return false;
      const { ioid, subcommand } = message;
      link.send({ command: 'ARRAY', phase: 'get', ioid, subcommand, status: error('past the end'), array: null });
      return true;
    });
    const array = context.array('x');
    const refused = clock.until(array.get({ offset: 99 }));
    await expect(refused).rejects.toThrow('x: ARRAY get refused by 10.0.0.2:5075: past the end');
    await expect(refused).rejects.toBeInstanceOf(StatusError);
    await clock.until(array.get());
    expect(requests()).toEqual(['init', 'get', 'get']);
    await context.close();
  });

  it('at INIT makes no operation; the next use asks anew', async () => {
    const { clock, context, requests, answerWith } = await makeArray();
    let isRefusing = true;
    answerWith((message, link) => {
      if (message.phase !== 'init' || !isRefusing) return false;
      const { ioid, subcommand } = message;
      link.send({ command: 'ARRAY', phase: 'init', ioid, subcommand, status: error('no array'), type: null });
      return true;
    });
    const array = context.array('x');
    await expect(clock.until(array.get())).rejects.toThrow('x: ARRAY INIT refused by 10.0.0.2:5075: no array');
    isRefusing = false;
    await clock.until(array.get());
    // What does not exist is not destroyed.
    expect(requests()).toEqual(['init', 'init', 'get']);
    await context.close();
  });
});

describe('a request that is given up', () => {
  it.each([
    ['an error', new Error('enough')],
    ['one of a server', new StatusError('enough')],
  ])('by %s takes its operation along, so that no late answer is taken for another', async (_name, reason) => {
    const { clock, context, server, requests, answerWith } = await makeArray();
    let late = (): void => {};
    answerWith((message, link) => {
      if (message.phase !== 'getLength') return false;
      const { ioid, subcommand } = message;
      late = () => link.send({ command: 'ARRAY', phase: 'getLength', ioid, subcommand, status: OK, length: 77 });
      return true;
    });
    const array = context.array('x');
    const controller = new AbortController();
    const given = array.getLength({ signal: controller.signal });
    given.catch(() => {});
    await clock.advanceAsync(100);
    controller.abort(reason);
    await expect(given).rejects.toThrow(reason);
    late();
    expect(await clock.until(array.get({ count: 1 }))).toEqual(Float64Array.of(0));
    expect(requests()).toEqual(['init', 'getLength', 'CANCEL_REQUEST', 'DESTROY_REQUEST', 'init', 'get']);
    expect(server.link.isClosed).toBe(false);
    await context.close();
  });

  it('while it waits its turn harms nobody', async () => {
    const { clock, context, requests, answerWith } = await makeArray();
    let release = (): void => {};
    answerWith((message, link) => {
      if (message.phase !== 'getLength') return false;
      const { ioid, subcommand } = message;
      release = () => link.send({ command: 'ARRAY', phase: 'getLength', ioid, subcommand, status: OK, length: 7 });
      return true;
    });
    const array = context.array('x');
    const first = array.getLength({ timeoutMs: 60_000 });
    await clock.advanceAsync(100);
    const second = array.get({ timeoutMs: 1_000 });
    await expect(clock.until(second)).rejects.toThrow('x: timed out after 1 s: an earlier ARRAY request is under way');
    release();
    expect(await clock.until(first)).toBe(7);
    expect(await clock.until(array.get({ count: 1 }))).toHaveLength(1);
    expect(requests()).toEqual(['init', 'getLength', 'get']);
    await context.close();
  });

  it('by close rejects, with those that wait', async () => {
    const { clock, context, answerWith, requests } = await makeArray();
    answerWith(({ phase }) => phase === 'getLength');
    const array = context.array('x');
    const outcomes = Promise.allSettled([array.getLength(), array.get(), array.put([1])]);
    await clock.advanceAsync(100);
    await array.close();
    const reasons = (await clock.until(outcomes)).map((outcome): unknown =>
      outcome.status === 'rejected' ? outcome.reason : outcome,
    );
    expect(reasons).toMatchObject(Array.from({ length: 3 }, () => ({ message: 'x: the array access is closed' })));
    await clock.advanceAsync(10);
    expect(requests()).toEqual(['init', 'getLength', 'CANCEL_REQUEST', 'DESTROY_REQUEST']);
    await context.close();
    await clock.advanceAsync(60_000);
    expect(clock.timerCount).toBe(0);
  });
});

describe('a lost connection', () => {
  it('repeats what only reads, with a new operation', async () => {
    const { clock, context, requests, answerWith } = await makeArray();
    let losses = 0;
    answerWith((message, link) => {
      if (message.phase !== 'get' || losses++ > 0) return false;
      link.tcp.destroy();
      return true;
    });
    const array = context.array('x');
    expect(await clock.until(array.get({ timeoutMs: 60_000 }))).toHaveLength(10);
    expect(requests()).toEqual(['init', 'get', 'init', 'get']);
    await context.close();
  });

  it('repeats an INIT that was under way', async () => {
    const { clock, context, requests, answerWith } = await makeArray();
    let losses = 0;
    answerWith((message, link) => {
      if (message.phase !== 'init' || losses++ > 0) return false;
      link.tcp.destroy();
      return true;
    });
    await clock.until(context.array('x').put([1], { timeoutMs: 60_000 }));
    expect(requests()).toEqual(['init', 'init', 'put']);
    await context.close();
  });

  it.each(['put', 'setLength'] as const)('does not repeat %s: nobody knows what it did', async (phase) => {
    const { clock, context, requests, answerWith } = await makeArray();
    let losses = 0;
    answerWith((message, link) => {
      if (message.phase !== phase || losses++ > 0) return false;
      link.tcp.destroy();
      return true;
    });
    const array = context.array('x');
    const act = () =>
      phase === 'put' ? array.put([1], { timeoutMs: 60_000 }) : array.setLength(1, { timeoutMs: 60_000 });
    const lost = clock.until(act());
    await expect(lost).rejects.toThrow(/^x: whether ARRAY (put|set length) was carried out is not known: /);
    await expect(lost).rejects.toBeInstanceOf(DisconnectedError);
    await clock.until(act());
    expect(requests()).toEqual(['init', phase, 'init', phase]);
    await context.close();
  });

  it('between two requests costs a new INIT and nothing else', async () => {
    const { clock, context, server, requests } = await makeArray();
    const array = context.array('x');
    await clock.until(array.get());
    server.link.tcp.destroy();
    await clock.advanceAsync(100);
    await clock.until(array.get({ timeoutMs: 60_000 }));
    expect(requests()).toEqual(['init', 'get', 'init', 'get']);
    await context.close();
  });

  it('of the channel alone does the same', async () => {
    const { clock, context, server, requests } = await makeArray();
    const array = context.array('x');
    await clock.until(array.get());
    const { link } = server;
    const [sid = 0] = link.pvNameBySid.keys();
    const create = link.received.find((message) => message.command === 'CREATE_CHANNEL');
    const cid = create?.command === 'CREATE_CHANNEL' ? (create.channels[0]?.cid ?? 0) : 0;
    link.send({ command: 'DESTROY_CHANNEL', sid, cid });
    await clock.advanceAsync(100);
    await clock.until(array.get({ timeoutMs: 60_000 }));
    expect(requests()).toEqual(['init', 'get', 'init', 'get']);
    await context.close();
  });
});

describe('a server that lies', () => {
  it('about the type is told so', async () => {
    const { clock, context } = await makeArray(structure({ n: int }));
    await expect(clock.until(context.array('x').get())).rejects.toThrow(
      'x: ARRAY INIT is answered with the type structure, an array expected',
    );
    await context.close();
  });

  it('with an answer out of turn loses its link', async () => {
    const { clock, context, server, answerWith } = await makeArray();
    let lies = 0;
    answerWith((message, link) => {
      if (message.phase !== 'get' || lies++ > 0) return false;
      link.send({ command: 'ARRAY', phase: 'setLength', ioid: message.ioid, subcommand: 0x80, status: OK });
      return true;
    });
    expect(await clock.until(context.array('x').get({ timeoutMs: 60_000 }))).toHaveLength(10);
    expect(server.links.map(({ isClosed }) => isClosed)).toEqual([true, false]);
    await context.close();
  });

  it('and answers twice loses its link, and the request before stays answered', async () => {
    const { clock, context, server, answerWith } = await makeArray();
    answerWith((message, link) => {
      if (message.phase !== 'getLength') return false;
      const { ioid, subcommand } = message;
      const answer = { command: 'ARRAY', phase: 'getLength', ioid, subcommand, status: OK, length: 3 } as const;
      link.send(answer, answer);
      return true;
    });
    expect(await clock.until(context.array('x').getLength())).toBe(3);
    await clock.advanceAsync(10);
    expect(server.links.map(({ isClosed }) => isClosed)).toEqual([true]);
    await context.close();
  });
});
