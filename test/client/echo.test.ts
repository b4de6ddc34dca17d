// Round trips over TCP.

import { describe, expect, it } from 'vitest';
import type { EchoReply } from '../../src/client/echo.ts';
import { makeWorld } from '../support/client-world.ts';
import { FakeServer } from '../support/fake-server.ts';

async function take(replies: AsyncIterable<EchoReply>, count = Number.POSITIVE_INFINITY): Promise<EchoReply[]> {
  const taken: EchoReply[] = [];
  for await (const reply of replies) {
    taken.push(reply);
    if (taken.length === count) break;
  }
  return taken;
}

describe('echo', () => {
  it('measures each round trip and sees that the bytes come back', async () => {
    const world = makeWorld();
    const server = await FakeServer.start(world.serverHost);
    const replies = await world.clock.until(take(world.context.echo('server', { count: 3, sizeBytes: 100 })));
    expect(replies.map(({ sequence, sizeBytes, isIntact }) => [sequence, sizeBytes, isIntact])).toEqual([
      [0, 100, true],
      [1, 100, true],
      [2, 100, true],
    ]);
    expect(replies[0]?.server).toBe('10.0.0.2:5075');
    expect(replies.every(({ roundTripMs }) => roundTripMs >= 0)).toBe(true);
    // One a second, and none after the last.
    expect(world.clock.now()).toBeLessThan(2100);
    expect(server.links).toHaveLength(1);
    await world.clock.advanceAsync(10);
    expect(server.links[0]?.isClosed).toBe(true);
    await world.context.close();
    expect(world.clock.timerCount).toBe(0);
  });

  it('ends its connection when the loop is left', async () => {
    const world = makeWorld();
    const server = await FakeServer.start(world.serverHost);
    await expect(world.clock.until(take(world.context.echo('10.0.0.2'), 2))).resolves.toHaveLength(2);
    await world.clock.advanceAsync(10);
    expect(server.links[0]?.isClosed).toBe(true);
    expect(world.clock.timerCount).toBe(0);
  });

  it('notices other bytes than were sent', async () => {
    const world = makeWorld();
    const server = await FakeServer.start(world.serverHost);
    server.on((message, link) => {
      if (message.command !== 'ECHO') return false;
      link.send({ command: 'ECHO', payload: new Uint8Array(3) });
      return true;
    });
    const replies = await world.clock.until(take(world.context.echo('server', { count: 1, sizeBytes: 4 })));
    expect(replies).toMatchObject([{ sizeBytes: 3, isIntact: false }]);
    await world.context.close();
  });

  it('says what it waited for', async () => {
    const world = makeWorld();
    const server = await FakeServer.start(world.serverHost);
    server.on((message) => message.command === 'ECHO');
    const silent = take(world.context.echo('server', { timeoutMs: 1500 }));
    await expect(world.clock.until(silent)).rejects.toThrow('server: timed out after 1.5 s: no reply to ECHO 0');
    server.greets = false;
    const mute = take(world.context.echo('server', { timeoutMs: 1500 }));
    await expect(world.clock.until(mute)).rejects.toThrow('10.0.0.2:5075 does not let us in (awaitingValidation)');
    await expect(world.clock.until(take(world.context.echo('server:1')))).rejects.toThrow(
      /no connection to 10\.0\.0\.2:1: connection refused \(ECONNREFUSED\)$/,
    );
    await world.context.close();
    expect(world.clock.timerCount).toBe(0);
  });

  it('fails when the connection is lost in between, or the caller gives up', async () => {
    const world = makeWorld();
    const server = await FakeServer.start(world.serverHost);
    const lost = take(world.context.echo('server'));
    lost.catch(() => {});
    await world.clock.advanceAsync(500);
    server.link.tcp.destroy();
    await expect(world.clock.until(lost)).rejects.toThrow(/connection to 10\.0\.0\.2:5075 lost/);
    const abort = new AbortController();
    const aborted = take(world.context.echo('server', { signal: abort.signal }));
    aborted.catch(() => {});
    await world.clock.advanceAsync(500);
    abort.abort(new Error('no longer'));
    await expect(world.clock.until(aborted)).rejects.toThrow('no longer');
    await world.context.close();
    expect(world.clock.timerCount).toBe(0);
  });
});
