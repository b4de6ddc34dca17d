// Is what this process knows of a channel believed only as long as every change of it can be heard?

import { expect, it } from 'vitest';
import { changeTo, hashAt, makeReplicas, NO_CHANNEL, turn } from '../../../support/redis-by-hand.ts';

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
