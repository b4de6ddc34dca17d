// A queue of writes on a Redis that answers when the test says so.

import { RedisClock } from '../../src/channels/stores/redis/redis-clock.ts';
import { WriteQueue } from '../../src/channels/stores/redis/write-queue.ts';
import { StoreError } from '../../src/channels/stores/store-error.ts';
import { BitSet } from '../../src/protocol/bit-set.ts';
import { ManualClock } from '../../src/transport/manual-clock.ts';
import { channelAt, hashAt, KEYS, makeReplicas, turn } from './redis-by-hand.ts';

export const CHANGE = { changed: BitSet.of(1), value: { value: 7 } };

export async function makeQueue({ isKnown = true, askTime = () => Promise.resolve() } = {}) {
  const parts = makeReplicas();
  const { asked, client, replicas, warnings, fake } = parts;
  const clock = new ManualClock();
  const latencies: number[] = [];
  const queue = new WriteQueue({
    client,
    keys: KEYS,
    replicas,
    redisClock: new RedisClock(clock),
    clock,
    writer: 'me',
    warn: (text) => warnings.push(text),
    askTime,
    answered: (latencyMs) => latencies.push(latencyMs),
  });
  if (isKnown) {
    const reading = replicas.read('pv');
    await turn();
    asked.shift()?.answer(hashAt(0));
    await reading;
  }
  /** What came of a write so far. */
  const send = (signal?: AbortSignal) => {
    const outcome: { revision?: number; reason?: string; message?: string } = {};
    queue.send(channelAt(0), CHANGE, signal).then(
      (revision) => (outcome.revision = revision),
      (thrown: unknown) => {
        if (thrown instanceof StoreError) Object.assign(outcome, { reason: thrown.reason, message: thrown.message });
      },
    );
    return outcome;
  };
  /** Lets what is sent in a turn go, and what is answered be heard. */
  const settle = async (ms = 0): Promise<void> => {
    await clock.advanceAsync(ms);
    await turn();
  };
  /** The connection breaks while one question is under way. */
  const lose = async (): Promise<void> => {
    fake.isUp = false;
    asked.shift()?.refuse(new Error('connection lost'));
    await settle();
  };
  return { ...parts, queue, clock, latencies, send, settle, lose };
}

/** What Redis refuses has this name in ioredis. */
export function refusal(text: string): Error {
  return Object.assign(new Error(text), { name: 'ReplyError' });
}
