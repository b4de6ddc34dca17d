// What becomes of a put or an RPC whose handler never returns, or returns too late?

import { describe, expect, it } from 'vitest';
import { SharedPV, type SharedPVOptions } from '../../src/channels/shared-pv.ts';
import { DEFAULT_LIMITS } from '../../src/protocol/limits.ts';
import { ntScalar } from '../../src/protocol/normative/nt-scalar.ts';
import { error, OK } from '../../src/protocol/status.ts';
import { double } from '../../src/protocol/types/type-desc.ts';
import { hitsLimit } from '../support/hits-limit.ts';
import { makeWorld } from '../support/server-world.ts';

const TYPE = ntScalar(double);

/** A handler that stands still until `release`, and the signals it was given. */
function standing() {
  const signals: AbortSignal[] = [];
  let release = (): void => undefined;
  const stand = ({ signal }: { readonly signal: AbortSignal }): Promise<void> => {
    signals.push(signal);
    return new Promise((resolve) => (release = resolve));
  };
  return { signals, stand, release: () => release() };
}

async function worldWith(options: SharedPVOptions<typeof TYPE>, limits = DEFAULT_LIMITS) {
  const pv = new SharedPV(TYPE, { initial: { value: 1 }, ...options });
  const world = await makeWorld({ pvs: { x: pv }, config: { limits } });
  const client = await world.validated();
  const sid = await client.createChannel('x');
  return { ...world, pv, client, sid };
}

describe('a put whose handler never returns', () => {
  it('is answered when its deadline passes, and the handler is told', async () => {
    const { stand, signals } = standing();
    const { client, sid, clock } = await worldWith({ onPut: stand, putTimeoutMs: 1_500 });
    const ioid = await client.init('PUT', sid);
    client.take('PUT');
    await client.put(sid, ioid, { value: 2 });
    await clock.advanceAsync(1_490);
    expect(client.takeAll('PUT')).toEqual([]);
    expect(signals[0]?.aborted).toBe(false);
    await clock.advanceAsync(20);
    expect(client.take('PUT')).toMatchObject({
      ioid,
      status: error('PUT did not finish within 1.5 s'),
    });
    expect(signals[0]?.aborted).toBe(true);
    expect(signals[0]?.reason).toMatchObject({ code: 'TIMEOUT' });
  });

  it('has the deadline of the limits where its PV names none', async () => {
    hitsLimit('putTimeoutMs');
    const { stand } = standing();
    const { client, sid, clock } = await worldWith({ onPut: stand }, { ...DEFAULT_LIMITS, putTimeoutMs: 2_000 });
    const ioid = await client.init('PUT', sid);
    client.take('PUT');
    await client.put(sid, ioid, { value: 2 });
    await clock.advanceAsync(2_010);
    expect(client.take('PUT')).toMatchObject({ status: error('PUT did not finish within 2 s') });
  });

  it('does not stand in the way of the next, and what it does too late is not answered', async () => {
    const first = standing();
    let puts = 0;
    const { client, sid, clock, pv } = await worldWith({
      putTimeoutMs: 1_000,
      onPut: (put, self) => (puts++ === 0 ? first.stand(put) : self.post(put)),
    });
    const ioid = await client.init('PUT', sid);
    client.take('PUT');
    await client.put(sid, ioid, { value: 2 });
    await clock.advanceAsync(1_010);
    client.take('PUT');
    await client.put(sid, ioid, { value: 3 });
    expect(client.take('PUT')).toMatchObject({ status: OK });
    first.release();
    await clock.advanceAsync(1_000);
    expect(client.takeAll('PUT')).toEqual([]);
    expect(pv.value.value).toBe(3);
  });

  it('leaves no timer behind when it returns in time, is cancelled, or loses its link', async () => {
    const { stand, release, signals } = standing();
    const { client, sid, clock, server } = await worldWith({ onPut: stand });
    const before = clock.timerCount;
    const ioid = await client.init('PUT', sid);
    for (const end of [
      async () => release(),
      () => client.send({ command: 'CANCEL_REQUEST', sid, ioid }),
      async () => client.connection.destroy(),
    ]) {
      await client.put(sid, ioid, { value: 2 });
      expect(clock.timerCount).toBe(before + 1);
      await end();
      await clock.settle();
      await clock.advanceAsync(2);
      expect(clock.timerCount).toBe(before);
    }
    expect(signals.map((signal) => signal.aborted)).toEqual([false, true, true]);
    await clock.until(server.close());
    expect(clock.timerCount).toBe(0);
  });
});

describe('an RPC whose handler never returns', () => {
  it('is answered when its deadline passes, and the handler is told', async () => {
    const { stand, signals } = standing();
    const { client, sid, clock } = await worldWith({ onCall: stand, callTimeoutMs: 90_000 });
    const ioid = await client.init('RPC', sid);
    client.take('RPC');
    await client.send({ command: 'RPC', phase: 'exec', sid, ioid, subcommand: 0, argument: null });
    // The client of a link must not be silent, or the link ends before the handler's time does.
    for (let minute = 0; minute < 5; minute++) {
      await clock.advanceAsync(18_000);
      await client.send({ command: 'ECHO', payload: new Uint8Array() });
    }
    expect(client.take('RPC')).toMatchObject({ status: error('RPC did not finish within 90 s') });
    expect(signals[0]?.aborted).toBe(true);
  });

  it('has the deadline of the limits where its PV names none', async () => {
    hitsLimit('callTimeoutMs');
    const { stand } = standing();
    const { client, sid, clock } = await worldWith({ onCall: stand }, { ...DEFAULT_LIMITS, callTimeoutMs: 2_000 });
    const ioid = await client.init('RPC', sid);
    client.take('RPC');
    await client.send({ command: 'RPC', phase: 'exec', sid, ioid, subcommand: 0, argument: null });
    await clock.advanceAsync(1_990);
    expect(client.takeAll('RPC')).toEqual([]);
    await clock.advanceAsync(20);
    expect(client.take('RPC')).toMatchObject({ status: error('RPC did not finish within 2 s') });
  });
});
