// Is what this process knows of a channel believed only as long as every change of it can be heard?

import { expect, it } from 'vitest';
import { BitSet } from '../../../../src/protocol/bit-set.ts';
import { changeTo, hashAt, KEYS, makeReplicas, NO_CHANNEL, turn } from '../../../support/redis-by-hand.ts';

it('a channel whose answer comes while nobody listens is not believed, so that it is read again', async () => {
  const { asked, fake, replicas } = makeReplicas();
  const reading = replicas.read('pv');
  await turn();
  // The connection that hears of changes is lost; the one that was asked goes on.
  fake.isUp = false;
  replicas.doubtAll();
  asked.shift()?.answer(hashAt(3));
  await expect(reading).resolves.toMatchObject({ revision: 3 });
  fake.isUp = true;
  replicas.believe();
  expect(replicas.isFresh('pv')).toBe(false);
});

it('a channel that is asked for while nobody listens is not believed either', async () => {
  const { asked, fake, replicas } = makeReplicas();
  fake.isUp = false;
  replicas.doubtAll();
  const reading = replicas.read('pv');
  await turn();
  asked.shift()?.answer(hashAt(3));
  await reading;
  expect(replicas.isFresh('pv')).toBe(false);
});

it('a change whose leaves cannot be told apart is no change, but a reason to read the channel again', async () => {
  const { asked, replicas, told } = makeReplicas();
  const reading = replicas.read('pv');
  await turn();
  asked.shift()?.answer(hashAt(0));
  await reading;
  const text = Buffer.from(changeTo(1)).toString('latin1').replace(' 13 5 8', ' 13 5 9');
  replicas.receive(Buffer.from(text, 'latin1'));
  await turn();
  expect([asked.length, told.length]).toEqual([1, 0]);
  asked.shift()?.answer(hashAt(1));
  await turn();
  expect(told).toEqual([1]);
  expect(replicas.isFresh('pv')).toBe(true);
});

it.each([
  ['a value', hashAt(3)],
  ['that there is none', NO_CHANNEL],
])(
  'a channel that was asked for before the loss is asked for again after it, whoever waits, said it %s',
  async (_what, old) => {
    const { asked, fake, replicas, told } = makeReplicas();
    const reading = replicas.read('pv', true);
    await turn();
    fake.isUp = false;
    replicas.doubtAll();
    fake.isUp = true;
    replicas.believe();
    const again = replicas.readAll(['pv'], true);
    asked.shift()?.answer(old);
    await turn();
    expect(asked).toHaveLength(1);
    asked.shift()?.answer(hashAt(4));
    expect(await again).toEqual([]);
    await expect(reading).resolves.toMatchObject({ revision: 4 });
    expect(replicas.isFresh('pv')).toBe(true);
    expect(told).toEqual([]);
  },
);

/** That the channel was defined, as the script that makes it publishes it. */
const DEFINED = Buffer.from(`defined define:me:1 ${KEYS.channel('pv').length}\n${KEYS.channel('pv')}`);

it.each([0, 3])(
  'watchers hear of a channel that somebody here had read, and %d writes of it, before its message came',
  async (revision) => {
    const { asked, replicas, recorder } = makeReplicas();
    const reading = replicas.read('pv');
    await turn();
    asked.shift()?.answer(hashAt(revision));
    await reading;
    expect(recorder.events).toEqual([]);
    replicas.receive(DEFINED);
    await turn();
    asked.shift()?.answer([Buffer.from('same')]);
    await turn();
    replicas.receive(changeTo(revision + 1));
    // Once, however often that is said.
    replicas.receive(DEFINED);
    await turn();
    asked.shift()?.answer([Buffer.from('same')]);
    await turn();
    expect(recorder.events).toEqual([`defined pv ${revision}`, `changed pv ${revision + 1}`]);
  },
);

it('a channel is not forgotten before it is known that the store has not lost its data', async () => {
  const { asked, fake, replicas, recorder } = makeReplicas({
    checkStore: () => {
      fake.isUp = false;
      replicas.doubtAll();
      return Promise.resolve();
    },
  });
  const first = replicas.read('pv', true);
  await turn();
  asked.shift()?.answer(hashAt(4));
  await first;
  for (const answer of [NO_CHANNEL, hashAt(0, 'define:other:1')]) {
    fake.isUp = true;
    replicas.believe();
    const reading = replicas.read('pv', true);
    await turn();
    asked.shift()?.answer(answer);
    await expect(reading).resolves.toMatchObject({ revision: 4, made: 'define:me:1' });
    expect(replicas.isFresh('pv')).toBe(false);
  }
  expect(recorder.events).toEqual(['defined pv 4']);
});

it('a change by somebody else that has the revision of the last one is a reason to read the channel again', async () => {
  const { asked, replicas, recorder } = makeReplicas();
  const reading = replicas.read('pv', true);
  await turn();
  asked.shift()?.answer(hashAt(3));
  await reading;
  // The same message again is none, nor is an older one.
  replicas.receive(changeTo(3));
  replicas.receive(changeTo(2));
  await turn();
  expect(asked).toEqual([]);
  replicas.receive(changeTo(3, 'he'));
  await turn();
  expect(asked).toHaveLength(1);
  asked.shift()?.answer([Buffer.from('same')]);
  await turn();
  expect(recorder.events).toEqual(['defined pv 3']);
});

/** A change that is told without its value, as the script for writing publishes it. */
function large(revision: number): Buffer {
  const key = KEYS.channel('pv');
  return Buffer.from(`defined me:${revision} ${key.length} me:${revision - 1} ${revision} 0\n${key}`);
}

it('a change that is told without its value is not read by whoever made it', async () => {
  const own = { changed: BitSet.of(1), value: { value: 7 } };
  const { asked, replicas, recorder } = makeReplicas({ ownChange: (act) => (act === 'me:1' ? own : undefined) });
  const reading = replicas.read('pv', true);
  await turn();
  asked.shift()?.answer(hashAt(0));
  await reading;
  replicas.receive(large(1));
  await turn();
  expect(asked).toEqual([]);
  expect(recorder.events).toEqual(['defined pv 0', 'changed pv 1']);
  expect(recorder.valueOf('pv')).toEqual({ value: 7 });
});

it('a change that is told without its value is read, and those that come meanwhile do not make that begin anew', async () => {
  const { asked, replicas, recorder } = makeReplicas();
  const reading = replicas.read('pv', true);
  await turn();
  asked.shift()?.answer(hashAt(0));
  await reading;
  replicas.receive(large(1));
  await turn();
  replicas.receive(Buffer.concat([large(2), large(3)]));
  expect(asked).toHaveLength(1);
  asked.shift()?.answer(hashAt(2));
  await turn();
  expect(recorder.events).toEqual(['defined pv 0', 'changed pv 2']);
  expect(asked).toHaveLength(1);
  asked.shift()?.answer(hashAt(3));
  await turn();
  expect(recorder.events).toEqual(['defined pv 0', 'changed pv 2', 'changed pv 3']);
  expect(asked).toEqual([]);
});

it('watchers hear of a channel that somebody here had read, also where the connection is lost before its message comes', async () => {
  const { asked, replicas, recorder } = makeReplicas();
  const reading = replicas.readAll(['pv']);
  await turn();
  asked.shift()?.answer(hashAt(0));
  await reading;
  replicas.doubtAll();
  replicas.believe();
  const again = replicas.readAll(['pv'], true);
  await turn();
  asked.shift()?.answer(hashAt(2));
  await again;
  expect(recorder.events).toEqual(['defined pv 0', 'changed pv 2']);
});

it('watchers do not hear of what is found when all channels are gone through, unless its message comes', async () => {
  const { asked, replicas, recorder } = makeReplicas();
  const reading = replicas.readAll(['pv']);
  await turn();
  asked.shift()?.answer(hashAt(0));
  await reading;
  replicas.scanned(['pv']);
  replicas.doubtAll();
  replicas.believe();
  const again = replicas.readAll(['pv'], true);
  await turn();
  asked.shift()?.answer([Buffer.from('same')]);
  await again;
  expect(recorder.events).toEqual([]);
  replicas.receive(DEFINED);
  await turn();
  asked.shift()?.answer([Buffer.from('same')]);
  await turn();
  expect(recorder.events).toEqual(['defined pv 0']);
});
