// What is a writer told, whatever becomes of its write and of the connection? Against a Redis in the test's hands.

import { expect, describe, it } from 'vitest';
import { changeTo, channelAt, hashAt, KEYS, NO_CHANNEL, numberOf } from '../../../support/redis-by-hand.ts';
import { CHANGE, makeQueue, refusal } from '../../../support/write-queue-by-hand.ts';

/** Where the number of a write stands in what is asked of `settle`. */
const LATEST = 1;

describe('a write', () => {
  it('is acknowledged when Redis has answered and watchers have been told, not before', async () => {
    const { asked, queue, send, settle, latencies } = await makeQueue();
    const outcome = send();
    await settle(5);
    asked[0]?.answer([1]);
    await settle();
    expect(outcome).toEqual({});
    expect(latencies).toEqual([5]);
    queue.told('pv', 1);
    await settle();
    expect(outcome).toEqual({ revision: 1 });
    expect(queue.length).toBe(0);
    queue.close();
  });

  it('whose message comes before its answer is acknowledged by the answer', async () => {
    const { asked, replicas, queue, send, settle } = await makeQueue();
    const outcome = send();
    await settle();
    replicas.receive(changeTo(1));
    asked[0]?.answer([1]);
    await settle();
    expect(outcome).toEqual({ revision: 1 });
    queue.close();
  });

  it('is told of up to its own revision', async () => {
    const { asked, queue, send, settle } = await makeQueue();
    const [one, two] = [send(), send()];
    await settle();
    asked[0]?.answer([1, 2]);
    await settle();
    queue.told('pv', 1);
    queue.told('other', 9);
    await settle();
    expect([one, two]).toEqual([{ revision: 1 }, {}]);
    queue.told('pv', 2);
    await settle();
    expect(two).toEqual({ revision: 2 });
    queue.close();
  });

  it('whose message is lost is acknowledged when the channel has been read', async () => {
    const { asked, queue, send, settle } = await makeQueue();
    const outcome = send();
    await settle();
    asked.shift()?.answer([1]);
    await settle(350);
    expect(asked.map(({ key }) => key)).toEqual([KEYS.channel('pv')]);
    expect(outcome).toEqual({});
    asked[0]?.answer(hashAt(1));
    await settle();
    expect(outcome).toEqual({ revision: 1 });
    queue.close();
  });

  it('whose message is lost is not acknowledged by what was being read before it', async () => {
    const { asked, replicas, queue, send, settle } = await makeQueue();
    const reading = replicas.read('pv');
    await settle();
    const outcome = send();
    await settle();
    asked[1]?.answer([1]);
    await settle(350);
    asked[0]?.answer(hashAt(0));
    await reading;
    await settle();
    expect(outcome).toEqual({});
    expect(asked).toHaveLength(3);
    asked[2]?.answer(hashAt(1));
    await settle();
    expect(outcome).toEqual({ revision: 1 });
    queue.close();
  });

  it('waits for its own message, also where one before it is told of no more', async () => {
    const { asked, queue, send, settle } = await makeQueue();
    const lost = send();
    await settle();
    asked.shift()?.answer([9]);
    await settle(350);
    const late = send();
    await settle();
    asked.pop()?.answer([1]);
    // The channel was made anew, twice said: what is read first may have been under way.
    for (let read = 0; read < 2; read++) {
      asked.shift()?.answer([Buffer.from('same')]);
      await settle();
    }
    expect([lost, late]).toEqual([{ revision: 9 }, {}]);
    queue.told('pv', 1);
    await settle();
    expect(late).toEqual({ revision: 1 });
    queue.close();
  });

  it('that took effect is acknowledged in time, even when the store is away meanwhile', async () => {
    const { asked, fake, queue, send, settle } = await makeQueue();
    const outcome = send();
    await settle();
    asked.shift()?.answer([1]);
    await settle();
    fake.isUp = false;
    await settle(1_900);
    expect(outcome).toEqual({});
    expect(asked).toEqual([]);
    await settle(200);
    expect(outcome).toEqual({ revision: 1 });
    queue.close();
  });

  it('is refused at once when the store is away, and nothing is sent', async () => {
    const { asked, fake, queue, settle } = await makeQueue();
    fake.isUp = false;
    expect(() => queue.send(channelAt(0), CHANGE, undefined)).toThrow('the store cannot be reached: it was cut off');
    await settle(100);
    expect(asked).toEqual([]);
    queue.close();
  });

  it('that is not answered has an uncertain end before clients give up', async () => {
    const { queue, send, settle } = await makeQueue();
    const outcome = send();
    await settle(1_950);
    expect(outcome).toEqual({});
    await settle(150);
    expect(outcome).toMatchObject({ reason: 'STORE_UNCERTAIN', message: expect.stringContaining('for 2 s') as string });
    expect(queue.length).toBe(0);
    queue.close();
  });

  it('that is given up is uncertain at once, and its late answer does nothing', async () => {
    const { asked, queue, send, settle } = await makeQueue();
    const abort = new AbortController();
    const outcome = send(abort.signal);
    await settle();
    abort.abort();
    await settle();
    expect(outcome).toMatchObject({
      reason: 'STORE_UNCERTAIN',
      message: expect.stringContaining('given up') as string,
    });
    asked[0]?.answer([1]);
    await settle();
    expect(queue.length).toBe(0);
    queue.close();
  });

  it('that is acknowledged lets go of its signal', async () => {
    const { asked, replicas, queue, send, settle } = await makeQueue();
    const abort = new AbortController();
    const outcome = send(abort.signal);
    await settle();
    replicas.receive(changeTo(1));
    asked[0]?.answer([1]);
    await settle();
    abort.abort();
    await settle();
    expect(outcome).toEqual({ revision: 1 });
    queue.close();
  });
});

describe('a write that Redis does not carry out', () => {
  it('because the channel is gone says so, after watchers have heard', async () => {
    const { asked, replicas, queue, send, settle } = await makeQueue();
    const outcome = send();
    await settle();
    asked.shift()?.answer([Buffer.from('missing')]);
    await settle();
    expect(outcome).toEqual({});
    asked.shift()?.answer(NO_CHANNEL);
    await settle();
    expect(outcome).toMatchObject({ reason: 'NO_SUCH_CHANNEL' });
    expect(replicas.get('pv')).toBeUndefined();
    queue.close();
  });

  it('because it was defined anew says so', async () => {
    const { asked, queue, send, settle } = await makeQueue();
    const outcome = send();
    await settle();
    asked.shift()?.answer([Buffer.from('definition')]);
    await settle();
    asked.shift()?.answer(hashAt(0));
    await settle();
    expect(outcome).toMatchObject({ reason: 'DEFINITION_CONFLICT' });
    queue.close();
  });

  it('because it was overtaken is sent again with a higher number, three times in all', async () => {
    const { asked, queue, send, settle } = await makeQueue();
    const outcome = send();
    const numbers: unknown[] = [];
    for (let attempt = 0; attempt < 3; attempt++) {
      await settle();
      const question = asked.shift();
      numbers.push(numberOf(question));
      question?.answer([Buffer.from('late')]);
    }
    await settle();
    expect(asked).toEqual([]);
    expect(outcome).toMatchObject({ reason: 'STORE_AWAY', message: expect.stringContaining('too late') as string });
    expect(new Set(numbers).size).toBe(3);
    expect(numbers.toSorted((one, other) => Number(one) - Number(other))).toEqual(numbers);
    queue.close();
  });

  it('because it came too late is sent again when Redis has been asked for its time, once for all', async () => {
    const told: (() => void)[] = [];
    const { asked, queue, send, settle } = await makeQueue({
      askTime: () => new Promise((resolve) => told.push(resolve)),
    });
    const outcomes = [send(), send()];
    await settle();
    asked.shift()?.answer([Buffer.from('late'), Buffer.from('late')]);
    await settle();
    expect([asked.length, told.length]).toEqual([0, 1]);
    told[0]?.();
    await settle();
    asked.shift()?.answer([1, 2]);
    await settle();
    queue.told('pv', 2);
    await settle();
    expect(outcomes).toEqual([{ revision: 1 }, { revision: 2 }]);
    queue.close();
  });

  it('because it came too late changed nothing, also when the connection is lost before it could be sent again', async () => {
    const { asked, queue, send, settle } = await makeQueue({ askTime: () => Promise.reject(new Error('lost')) });
    const outcome = send();
    await settle();
    asked.shift()?.answer([Buffer.from('late')]);
    await settle();
    expect(outcome).toMatchObject({
      reason: 'STORE_AWAY',
      message: expect.stringContaining('nothing was written') as string,
    });
    queue.close();
  });

  it('because it came too late is not sent again when its time is over', async () => {
    const { asked, queue, send, settle } = await makeQueue();
    const outcome = send();
    await settle(1_600);
    asked.shift()?.answer([Buffer.from('late')]);
    await settle();
    expect(asked).toEqual([]);
    expect(outcome).toMatchObject({ reason: 'STORE_AWAY' });
    queue.close();
  });

  it.each([
    ['OOM command not allowed', 'STORE_AWAY', 'it answered: OOM'],
    ['ERR -READONLY You can not write', 'STORE_AWAY', 'it answered: ERR -READONLY'],
    ['ERR something else', 'STORE_FORMAT', 'Redis refused the key'],
  ])('because it answered %j', async (text, reason, said) => {
    const { asked, queue, send, settle } = await makeQueue();
    const one = send();
    await settle();
    asked.shift()?.answer([Buffer.from(text)]);
    await settle();
    // The same when the script as a whole was refused.
    const other = send();
    await settle();
    asked.shift()?.refuse(refusal(text));
    await settle();
    for (const outcome of [one, other]) {
      expect(outcome).toMatchObject({ reason, message: expect.stringContaining(said) as string });
    }
    queue.close();
  });

  it('because the connection had ended when it was to be sent is refused at once: nothing was written', async () => {
    const { asked, queue, send, settle } = await makeQueue();
    const outcome = send();
    await settle();
    asked.shift()?.refuse(new Error("Stream isn't writeable and enableOfflineQueue options is false"));
    await settle();
    expect(outcome).toMatchObject({ reason: 'STORE_AWAY' });
    queue.close();
  });

  it('because its key is of another type names that type', async () => {
    const { asked, queue, send, settle } = await makeQueue();
    const outcome = send();
    await settle();
    asked.shift()?.answer([Buffer.from('WRONGTYPE Operation against a key')]);
    await settle();
    expect(asked[0]?.key).toBe(`type ${KEYS.channel('pv')}`);
    asked.shift()?.answer(Buffer.from('list'));
    await settle();
    expect(outcome).toMatchObject({ reason: 'STORE_FORMAT', message: expect.stringContaining('is a list') as string });
    queue.close();
  });
});

describe('a write under way when the connection is lost', () => {
  it('is asked for when it is back: it took effect', async () => {
    const { asked, fake, queue, send, settle, lose } = await makeQueue();
    const outcome = send();
    await settle();
    const number = numberOf(asked[0]);
    await lose();
    await settle(100);
    expect(asked).toEqual([]);
    fake.isUp = true;
    await settle(50);
    expect(asked[0]).toMatchObject({ key: KEYS.channel('pv'), args: ['me', number] });
    asked.shift()?.answer([number, 4]);
    await settle();
    queue.told('pv', 4);
    await settle();
    expect(outcome).toEqual({ revision: 4 });
    queue.close();
  });

  it('is asked for with the others of its channel, and each hears what became of it', async () => {
    const { asked, fake, queue, send, settle, lose } = await makeQueue();
    const outcomes = [send(), send(), send()];
    await settle();
    const numbers = [0, 1, 2].map((index) => numberOf(asked[0], index));
    await lose();
    fake.isUp = true;
    await settle(50);
    expect(asked).toHaveLength(1);
    expect(asked[0]?.args[LATEST]).toBe(numbers[2]);
    asked.shift()?.answer([numbers[1], 9]);
    await settle();
    queue.told('pv', 9);
    await settle();
    expect(outcomes).toMatchObject([
      { reason: 'STORE_UNCERTAIN', message: expect.stringContaining('the connection was lost') as string },
      { revision: 9 },
      { reason: 'STORE_AWAY', message: expect.stringContaining("before 'pv' was written") as string },
    ]);
    expect(queue.length).toBe(0);
    queue.close();
  });

  it('is asked for again when that question is lost, too', async () => {
    const { asked, fake, queue, send, settle, lose } = await makeQueue();
    const outcome = send();
    await settle();
    const number = numberOf(asked[0]);
    await lose();
    fake.isUp = true;
    await settle(50);
    await lose();
    fake.isUp = true;
    await settle(50);
    asked.shift()?.answer([number, 1]);
    await settle();
    queue.told('pv', 1);
    await settle();
    expect(outcome).toEqual({ revision: 1 });
    queue.close();
  });

  it('has an uncertain end when it does not come back in time', async () => {
    const { queue, send, settle, lose } = await makeQueue();
    const outcome = send();
    await settle();
    await lose();
    await settle(2_100);
    expect(outcome).toMatchObject({ reason: 'STORE_UNCERTAIN' });
    queue.close();
  });
});

describe('closing', () => {
  it('acknowledges what took effect, and says of the rest that nobody knows', async () => {
    const { asked, queue, send, settle } = await makeQueue();
    const one = send();
    await settle();
    asked.shift()?.answer([1]);
    await settle();
    const two = send();
    await settle();
    queue.close();
    await settle(5_000);
    expect(one).toEqual({ revision: 1 });
    expect(two).toMatchObject({ reason: 'STORE_UNCERTAIN', message: expect.stringContaining('was closed') as string });
    expect(asked).toHaveLength(1);
  });
});
