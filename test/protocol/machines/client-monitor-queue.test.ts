// What a monitor's reader gets when it is fast, slow, or the connection comes and goes.

import { describe, expect, it } from 'vitest';
import { BitSet } from '../../../src/protocol/bit-set.ts';
import { LocalProtocolError } from '../../../src/protocol/errors.ts';
import { ClientMonitorQueue, type QueuedEvent } from '../../../src/protocol/machines/client-monitor-queue.ts';
import { double, int, structure } from '../../../src/protocol/types/type-desc.ts';

// bits: 0 all, 1 value, 2 alarm, 3 alarm.severity, 4 alarm.status
const TYPE = structure({ value: double, alarm: structure({ severity: int, status: int }) });
const SERVER = '10.0.0.2:5075';
const NONE = BitSet.empty();
const CONNECTED: QueuedEvent = { kind: 'connected' };
const DISCONNECTED: QueuedEvent = { kind: 'disconnected' };

function queueOf(queueSize: number, acknowledgeAt?: number): ClientMonitorQueue {
  const queue = new ClientMonitorQueue(acknowledgeAt === undefined ? { queueSize } : { queueSize, acknowledgeAt });
  queue.begin(TYPE, SERVER);
  return queue;
}

function push(queue: ClientMonitorQueue, value: number, changed: BitSet = BitSet.of(1), overrun: BitSet = NONE): void {
  queue.push(changed, { value, alarm: { severity: value, status: 0 } }, overrun);
}

function drain(queue: ClientMonitorQueue): unknown[] {
  const seen: unknown[] = [];
  for (let entry = queue.shift(); entry !== undefined; entry = queue.shift()) {
    seen.push('value' in entry ? [entry.value['value'], [...entry.changed], [...entry.overrun]] : entry.kind);
  }
  return seen;
}

describe('updates', () => {
  it('come out as they came while the reader keeps up', () => {
    const queue = queueOf(4);
    push(queue, 1, BitSet.of(0));
    push(queue, 2, BitSet.of(1), BitSet.of(1));
    expect(drain(queue)).toEqual([
      [1, [0], []],
      [2, [1], [1]],
    ]);
  });

  it('squash into the last one waiting when the queue is full', () => {
    const queue = queueOf(2);
    push(queue, 1);
    push(queue, 2);
    push(queue, 3, BitSet.of(3));
    push(queue, 4, BitSet.of(1));
    expect(drain(queue)).toEqual([
      [1, [1], []],
      [4, [1, 3], [1]],
    ]);
    expect(queue.counters).toMatchObject({
      receivedCount: 4,
      deliveredCount: 2,
      clientSquashCount: 2,
      highWaterCount: 2,
      waitingCount: 0,
    });
  });

  it('squash into the last one however many wait before it', () => {
    const queue = queueOf(3);
    for (const value of [1, 2, 3, 4]) push(queue, value);
    expect(drain(queue)).toEqual([
      [1, [1], []],
      [2, [1], []],
      [4, [1], [1]],
    ]);
  });

  it('do not squash into one of an earlier subscription, after which the server sent everything again', () => {
    const queue = queueOf(1);
    push(queue, 1);
    queue.begin(TYPE, SERVER);
    push(queue, 2);
    expect(queue.counters).toMatchObject({ clientSquashCount: 1, waitingCount: 1, highWaterCount: 1 });
    expect(drain(queue)).toEqual([[2, [1], []]]);
  });

  it('tell who sent them, and that they are updates', () => {
    const queue = queueOf(4);
    push(queue, 1);
    queue.begin(TYPE, '10.0.0.3:5075');
    push(queue, 2);
    const first = {
      kind: 'update',
      server: SERVER,
      type: TYPE,
      value: { value: 1, alarm: { severity: 1, status: 0 } },
    };
    expect(queue.shift()).toMatchObject(first);
    expect(queue.shift()).toMatchObject({ kind: 'update', server: '10.0.0.3:5075' });
  });

  it('mark what a whole structure and a field of it have in common', () => {
    const queue = queueOf(1);
    push(queue, 1, BitSet.of(2));
    push(queue, 2, BitSet.of(4));
    expect(drain(queue)).toEqual([[2, [3, 4], [4]]]);
    push(queue, 1, BitSet.of(0));
    push(queue, 2, BitSet.of(2));
    expect(drain(queue)).toEqual([[2, [1, 3, 4], [3, 4]]]);
  });

  it('that the server squashed are counted', () => {
    const queue = queueOf(4);
    push(queue, 1, BitSet.of(1), BitSet.of(1));
    for (const value of [2, 3]) push(queue, value);
    expect(queue.counters.serverSquashCount).toBe(1);
  });

  it('are read over the last full value, which starts from defaults at each subscription', () => {
    const queue = new ClientMonitorQueue({ queueSize: 1 });
    expect(queue.base).toBeUndefined();
    expect(() => push(queue, 1)).toThrow(new LocalProtocolError('an update came in before the subscription began'));
    queue.begin(TYPE, SERVER);
    expect(queue.base).toEqual({ value: 0, alarm: { severity: 0, status: 0 } });
    push(queue, 5);
    expect(queue.base).toEqual({ value: 5, alarm: { severity: 5, status: 0 } });
    queue.begin(TYPE, SERVER);
    expect(queue.base).toEqual({ value: 0, alarm: { severity: 0, status: 0 } });
  });

  it('are forgotten by clear', () => {
    const queue = queueOf(4);
    push(queue, 1);
    queue.clear();
    expect(queue.length).toBe(0);
    expect(queue.shift()).toBeUndefined();
  });
});

describe('events', () => {
  it('stay in order with the updates', () => {
    const queue = queueOf(4);
    queue.pushEvent(CONNECTED);
    push(queue, 1);
    queue.pushEvent(DISCONNECTED);
    queue.pushEvent(CONNECTED);
    push(queue, 2);
    expect(drain(queue)).toEqual(['connected', [1, [1], []], 'disconnected', 'connected', [2, [1], []]]);
  });

  it('of one kind that follow each other are one: the last', () => {
    const queue = new ClientMonitorQueue<QueuedEvent & { readonly time: number }>({ queueSize: 4 });
    for (const [time, kind] of ['connected', 'connected', 'disconnected', 'disconnected'].entries())
      queue.pushEvent({ kind, time });
    expect([queue.shift(), queue.shift(), queue.shift()]).toEqual([
      { kind: 'connected', time: 1 },
      { kind: 'disconnected', time: 3 },
      undefined,
    ]);
  });

  it('of a flapping server do not pile up', () => {
    const queue = queueOf(4);
    push(queue, 1);
    for (let time = 0; time < 1000; time++) {
      queue.pushEvent(DISCONNECTED);
      queue.pushEvent(CONNECTED);
    }
    expect(drain(queue)).toEqual([[1, [1], []], 'disconnected', 'connected']);
  });

  it('leave room for the newest value, at the cost of the oldest', () => {
    const queue = queueOf(2);
    for (let time = 1; time <= 5; time++) {
      queue.pushEvent(CONNECTED);
      push(queue, time);
      queue.pushEvent(DISCONNECTED);
      queue.begin(TYPE, SERVER);
    }
    expect(queue.length).toBeLessThanOrEqual(8);
    const seen = drain(queue);
    expect(seen.filter((entry) => Array.isArray(entry))).toEqual([
      [4, [1], []],
      [5, [1], []],
    ]);
    expect(seen.at(-1)).toBe('disconnected');
    expect(queue.counters.clientSquashCount).toBe(3);
  });

  it('between two updates of one subscription do not keep them from squashing', () => {
    const queue = queueOf(1);
    push(queue, 1);
    queue.pushEvent(CONNECTED);
    push(queue, 2);
    expect(queue.counters).toMatchObject({ clientSquashCount: 1, waitingCount: 1 });
    expect(drain(queue)).toEqual(['connected', [2, [1], [1]]]);
  });

  it('between two updates of two subscriptions leave the older to be forgotten', () => {
    const queue = queueOf(1, 1);
    push(queue, 1);
    queue.pushEvent(DISCONNECTED);
    queue.begin(TYPE, SERVER);
    push(queue, 2);
    expect(drain(queue)).toEqual(['disconnected', [2, [1], []]]);
    expect(queue.takeAcknowledgement()).toBe(1);
  });
});

describe('acknowledgements', () => {
  it('are due when enough was read, not before', () => {
    const queue = queueOf(4, 2);
    for (const value of [1, 2, 3]) push(queue, value);
    queue.shift();
    expect(queue.takeAcknowledgement()).toBe(0);
    queue.shift();
    expect(queue.takeAcknowledgement()).toBe(2);
    expect(queue.takeAcknowledgement()).toBe(0);
    queue.shift();
    expect(queue.takeAcknowledgement()).toBe(0);
  });

  it('are never due without a pipeline', () => {
    const queue = queueOf(4);
    push(queue, 1);
    queue.shift();
    expect(queue.takeAcknowledgement()).toBe(0);
  });

  it('of an earlier subscription are not sent to the next server', () => {
    const queue = queueOf(4, 1);
    push(queue, 1);
    queue.begin(TYPE, SERVER);
    queue.shift();
    expect(queue.takeAcknowledgement()).toBe(0);
  });

  it('count an update that was squashed with the one that it became part of', () => {
    const queue = queueOf(1, 1);
    push(queue, 1);
    queue.pushEvent(CONNECTED);
    push(queue, 2);
    push(queue, 3);
    expect(drain(queue)).toEqual(['connected', [3, [1], [1]]]);
    expect(queue.takeAcknowledgement()).toBe(3);
  });

  it('open the window again', () => {
    const queue = queueOf(2, 2);
    for (let round = 0; round < 3; round++) {
      push(queue, 1);
      push(queue, 2);
      expect(queue.counters.windowExcessCount).toBe(0);
      drain(queue);
      expect(queue.takeAcknowledgement()).toBe(2);
    }
    for (const value of [1, 2, 3]) push(queue, value);
    expect(queue.counters.windowExcessCount).toBe(1);
  });

  it('are no matter of a subscription without a pipeline, which has no window', () => {
    const queue = queueOf(2);
    for (const value of [1, 2, 3, 4]) push(queue, value);
    expect(queue.counters.windowExcessCount).toBe(0);
  });

  it('count what a server sent beyond its window, which is squashed', () => {
    const queue = queueOf(2, 1);
    for (const value of [1, 2, 3, 4]) push(queue, value);
    expect(queue.counters).toMatchObject({ windowExcessCount: 2, clientSquashCount: 2, waitingCount: 2 });
    queue.shift();
    queue.shift();
    expect(queue.takeAcknowledgement()).toBe(4);
  });
});
