// Does a server have a channel process when it is asked to, and say so of a channel that cannot?

import { describe, expect, test } from 'vitest';
import { SharedPV, type SharedPVOptions } from '../../src/channels/shared-pv.ts';
import { MESSAGE_ERROR, MESSAGE_INFO, MESSAGE_WARNING } from '../../src/protocol/messages/message.ts';
import { ntScalar } from '../../src/protocol/normative/nt-scalar.ts';
import { error, OK } from '../../src/protocol/status.ts';
import { double } from '../../src/protocol/types/type-desc.ts';
import { makeWorld } from '../support/server-world.ts';

const TYPE = ntScalar(double);
const LAST = 0x10;

async function makeProcess(options: SharedPVOptions<typeof TYPE>, request = '') {
  const pv = new SharedPV(TYPE, { initial: { value: 1 }, ...options });
  const world = await makeWorld({ pvs: { x: pv } });
  const client = await world.validated();
  const sid = await client.createChannel('x');
  const ioid = await client.init('PROCESS', sid, request);
  const process = (subcommand = 0) => client.send({ command: 'PROCESS', phase: 'exec', sid, ioid, subcommand });
  return { pv, world, client, sid, ioid, process };
}

describe('PROCESS', () => {
  test('is answered when the handler is done, with the subcommand of the request', async () => {
    const { pv, client, ioid, process } = await makeProcess({
      onProcess: (_, self) => self.post({ value: self.value.value * 2 }),
    });
    expect(client.take('PROCESS')).toEqual({ command: 'PROCESS', phase: 'init', ioid, subcommand: 0x08, status: OK });
    await process();
    await process(LAST);
    expect(client.takeAll('PROCESS')).toEqual([
      { command: 'PROCESS', phase: 'exec', ioid, subcommand: 0, status: OK },
      { command: 'PROCESS', phase: 'exec', ioid, subcommand: LAST, status: OK },
    ]);
    expect(pv.value.value).toBe(4);
    await process();
    expect([client.heard, pv.value.value]).toEqual([[], 4]);
  });

  test('tells the handler who asks, and how', async () => {
    const seen: unknown[] = [];
    const { process } = await makeProcess(
      { onProcess: ({ peer, pvRequest }) => void seen.push(peer.user, pvRequest?.value) },
      'record[process=true]field(value)',
    );
    await process();
    expect(seen).toEqual(['anonymous', { record: { _options: { process: 'true' } }, field: { value: {} } }]);
  });

  test('of a PV that does nothing then is refused at INIT', async () => {
    const { client, sid, ioid, process } = await makeProcess({});
    expect(client.take('PROCESS')).toMatchObject({
      phase: 'init',
      status: error('this PV does nothing when it is processed'),
    });
    // Nothing was made: what follows is late and ignored, and the id is free.
    await process();
    expect(client.heard).toEqual([]);
    await client.send({ command: 'GET', phase: 'init', sid, ioid, subcommand: 0x08, pvRequest: null });
    expect(client.take('GET')).toMatchObject({ status: OK });
  });

  test('that the handler refuses is an error with its reason', async () => {
    const { client, process } = await makeProcess({ onProcess: () => Promise.reject(new Error('no beam')) });
    client.take('PROCESS');
    await process();
    expect(client.take('PROCESS')).toMatchObject({ phase: 'exec', status: error('no beam') });
  });

  test('whose handler never returns ends at the deadline of puts', async () => {
    const { client, process, world } = await makeProcess({
      onProcess: () => new Promise(() => {}),
      putTimeoutMs: 2_000,
    });
    client.take('PROCESS');
    await process();
    await world.clock.advanceAsync(2_010);
    expect(client.take('PROCESS')).toMatchObject({ status: error('PROCESS did not finish within 2 s') });
  });

  test('that is cancelled is answered so; its handler is told', async () => {
    const signals: AbortSignal[] = [];
    const { client, process, sid, ioid } = await makeProcess({
      onProcess: ({ signal }) => {
        signals.push(signal);
        return new Promise(() => {});
      },
    });
    client.take('PROCESS');
    await process(LAST);
    await client.send({ command: 'CANCEL_REQUEST', sid, ioid });
    expect(client.take('PROCESS')).toMatchObject({
      phase: 'exec',
      subcommand: LAST,
      status: error('PROCESS was cancelled by its client'),
    });
    expect(signals.map(({ aborted }) => aborted)).toEqual([true]);
    // It was the last: a second cancel finds nothing.
    await client.send({ command: 'CANCEL_REQUEST', sid, ioid });
    expect(client.heard).toEqual([]);
  });

  test.each(['DESTROY_CHANNEL', 'DESTROY_REQUEST'] as const)(
    'that its client ends with %s is not answered; its handler is told',
    async (command) => {
      const signals: AbortSignal[] = [];
      const { client, process, sid, ioid, world } = await makeProcess({
        onProcess: ({ signal }) => {
          signals.push(signal);
          return new Promise((_, reject) => {
            signal.addEventListener('abort', () => reject(new Error('given up')));
          });
        },
      });
      client.take('PROCESS');
      const before = world.clock.timerCount;
      await process();
      await client.send(command === 'DESTROY_CHANNEL' ? { command, sid, cid: 1 } : { command, sid, ioid });
      expect(signals.map(({ aborted }) => aborted)).toEqual([true]);
      const expected = command === 'DESTROY_CHANNEL' ? ['DESTROY_CHANNEL'] : [];
      expect(client.heard.map((message) => message.command)).toEqual(expected);
      expect(world.clock.timerCount).toBe(before);
      expect(client.isClosed).toBe(false);
    },
  );

  test('that is not under way cannot be cancelled, which is an allowed race', async () => {
    const { client, process, sid, ioid } = await makeProcess({ onProcess: () => {} });
    client.take('PROCESS');
    await process();
    client.take('PROCESS');
    await client.send({ command: 'CANCEL_REQUEST', sid, ioid });
    expect(client.heard).toEqual([]);
    await process();
    expect(client.take('PROCESS')).toMatchObject({ status: OK });
  });
});

describe('a handler', () => {
  test('can tell its client a sentence, before the answer and after it', async () => {
    let tellLater = (): void => {};
    const { client, ioid, process, world } = await makeProcess({
      onProcess: ({ tell }) => {
        tell('warming up');
        tell('filter is old', 'warning');
        tell('one of two lamps is out', 'error');
        tellLater = () => tell('too late');
      },
    });
    client.take('PROCESS');
    await process();
    expect(client.heard).toMatchObject([
      { command: 'MESSAGE', ioid, severity: MESSAGE_INFO, text: 'warming up' },
      { command: 'MESSAGE', ioid, severity: MESSAGE_WARNING, text: 'filter is old' },
      { command: 'MESSAGE', ioid, severity: MESSAGE_ERROR, text: 'one of two lamps is out' },
      { command: 'PROCESS', status: OK },
    ]);
    client.heard.length = 0;
    client.connection.destroy();
    await world.settle();
    expect(tellLater).not.toThrow();
  });
});
