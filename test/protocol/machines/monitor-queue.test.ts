// What waits for a slow subscriber, and which fields is it told that it missed?
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { BitSet } from '../../../src/protocol/bit-set.ts';
import { MonitorQueue } from '../../../src/protocol/machines/monitor-queue.ts';
import { MonitorWindow } from '../../../src/protocol/machines/monitor-window.ts';
import { any, arrayOf, double, int, string, structure, union } from '../../../src/protocol/types/type-desc.ts';
import { weightOf, weightWithTypes } from '../../../src/protocol/values/weight.ts';
import { allLeaves, leafMask } from '../../../src/protocol/values/leaf-mask.ts';

const update = (value: unknown, ...bits: number[]) => ({ changed: BitSet.of(...bits), value });

const sorted = (bits: readonly number[]): number[] => [...new Set(bits)].toSorted((a, b) => a - b);

function drained(queue: MonitorQueue<unknown>) {
  const entries: { changed: number[]; overrun: number[]; value: unknown }[] = [];
  for (let entry = queue.shift(); entry !== undefined; entry = queue.shift()) {
    const { changed, value } = entry.update;
    entries.push({ changed: [...changed], overrun: [...(entry.overrun ?? [])], value });
  }
  return entries;
}

describe('MonitorQueue', () => {
  test('keeps updates apart, and the very objects, while there is room', () => {
    const queue = new MonitorQueue<unknown>(2);
    const first = update('a', 1);
    const second = update('b', 2);
    expect(queue.push(first)).toBe(true);
    expect(queue.push(second)).toBe(true);
    expect(queue.oldest).toBe(first);
    expect(queue.shift()?.update).toBe(first);
    expect(queue.shift()?.update).toBe(second);
    expect([queue.oldest, queue.shift()]).toEqual([undefined, undefined]);
  });

  test('keeps what was squashed before it came here', () => {
    const queue = new MonitorQueue<unknown>(2);
    queue.push(update('a', 1));
    queue.push(update('b', 2, 3), BitSet.of(3));
    queue.push(update('c', 4), BitSet.of(4));
    expect(drained(queue)).toEqual([
      { changed: [1], overrun: [], value: 'a' },
      { changed: [2, 3, 4], overrun: [3, 4], value: 'c' },
    ]);
  });

  test('squashes the newest into the last: its value, the fields of both', () => {
    const queue = new MonitorQueue<unknown>(2);
    queue.push(update('a', 1));
    queue.push(update('b', 1, 3));
    expect(queue.push(update('c', 2))).toBe(false);
    expect(drained(queue)).toEqual([
      { changed: [1], overrun: [], value: 'a' },
      { changed: [1, 2, 3], overrun: [], value: 'c' },
    ]);
    expect(queue.squashCount).toBe(1);
  });

  test('makes one update of all that wait when it is told to, as a queue with room for one does', () => {
    const room = { held: 0, has: () => true, add: (bytes: number): void => void (room.held += bytes) };
    const queue = new MonitorQueue<unknown>(9, undefined, room);
    const narrow = new MonitorQueue<unknown>(1);
    const updates = [update('a', 1, 2), update('bb', 2), update('ccc', 3), update('dddd', 1, 3)];
    for (const each of updates) {
      queue.push(each, BitSet.of(4));
      narrow.push(each, BitSet.of(4));
    }
    expect(room.held).toBeGreaterThan(0);
    expect(queue.squash()).toBe(3);
    expect([queue.length, queue.squashCount, room.held]).toEqual([1, 3, 0]);
    const [squashed] = drained(queue);
    expect(squashed).toEqual({ changed: [1, 2, 3], overrun: [1, 2, 3, 4], value: 'dddd' });
    expect(drained(narrow)).toEqual([squashed]);
  });

  test('has nothing to squash where one waits, or none', () => {
    const queue = new MonitorQueue<unknown>(9);
    expect([queue.squash(), queue.length, queue.squashCount]).toEqual([0, 0, 0]);
    const only = update('a', 1);
    queue.push(only);
    expect([queue.squash(), queue.length, queue.squashCount]).toEqual([0, 1, 0]);
    expect(queue.shift()?.update).toBe(only);
  });

  test('overrun names what changed in both, and stays set', () => {
    const queue = new MonitorQueue<unknown>(1);
    queue.push(update(1, 1, 3));
    queue.push(update(2, 1));
    queue.push(update(3, 3, 5));
    queue.push(update(4, 6));
    expect(drained(queue)).toEqual([{ changed: [1, 3, 5, 6], overrun: [1, 3], value: 4 }]);
  });

  test('does not touch the masks it was given', () => {
    const queue = new MonitorQueue<unknown>(1);
    const first = update(1, 1);
    queue.push(first);
    queue.push(update(2, 1, 2));
    expect([...first.changed]).toEqual([1]);
  });

  test('is a list of lists of posts, of which the last takes what has no room', () => {
    const step = fc.oneof(
      fc.constant('take' as const),
      fc.uniqueArray(fc.integer({ min: 1, max: 70 }), { minLength: 1 }),
    );
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 5 }), fc.array(step), (limit, steps) => {
        const queue = new MonitorQueue<unknown>(limit);
        // The plain twin: every entry is the posts it stands for.
        const twin: { readonly bits: readonly number[]; readonly value: number }[][] = [];
        let newest = 0;
        const take = (): void => {
          const posts = twin.shift() ?? [];
          const bits = posts.flatMap((post) => post.bits);
          const twice = bits.filter((bit, index) => bits.indexOf(bit) !== index);
          const entry = queue.shift();
          expect([...(entry?.update.changed ?? [])]).toEqual(sorted(bits));
          expect([...(entry?.overrun ?? [])]).toEqual(sorted(twice));
          expect(entry?.update.value).toBe(posts.at(-1)?.value);
        };
        for (const bits of steps) {
          if (bits === 'take') take();
          else {
            queue.push(update(++newest, ...bits));
            if (twin.length < limit) twin.push([]);
            twin.at(-1)?.push({ bits, value: newest });
          }
          expect(queue.length).toBe(twin.length);
        }
        while (twin.length > 0) take();
      }),
    );
  });
});

describe('MonitorQueue with a bound on bytes', () => {
  /** Weighs 1016 with the 16 of a part. */
  const kilo = () => new Uint8Array(1000);

  test('squashes what would make the queued values weigh more', () => {
    const queue = new MonitorQueue<unknown>(10, 3 * 1016);
    const values = [kilo(), kilo(), kilo(), kilo(), kilo()];
    expect(values.map((value) => queue.push(update(value, 1)))).toEqual([true, true, true, false, false]);
    expect(drained(queue)).toEqual([
      { changed: [1], overrun: [], value: values[0] },
      { changed: [1], overrun: [], value: values[1] },
      { changed: [1], overrun: [1], value: values[4] },
    ]);
  });

  test('keeps one, however heavy', () => {
    const queue = new MonitorQueue<unknown>(10, 0);
    expect(queue.push(update(kilo(), 1))).toBe(true);
    expect(queue.push(update('b', 2))).toBe(false);
    expect(drained(queue)).toEqual([{ changed: [1, 2], overrun: [], value: 'b' }]);
  });

  test('squashes where the room that it shares with others is taken, and asks it for each value behind the first', () => {
    const asked: number[] = [];
    const room = { isFree: true, has: (bytes: number) => (asked.push(bytes), room.isFree), add: () => {} };
    const queue = new MonitorQueue<unknown>(10, undefined, room);
    expect([queue.push(update('a', 1)), queue.push(update(kilo(), 2))]).toEqual([true, true]);
    room.isFree = false;
    expect(queue.push(update(kilo(), 3))).toBe(false);
    expect(asked).toEqual([1016, 1016]);
    expect(drained(queue).map(({ changed }) => changed)).toEqual([[1], [2, 3]]);
  });

  test('has room again when entries are taken or cleared', () => {
    const queue = new MonitorQueue<unknown>(10, 2 * 1016);
    for (let post = 0; post < 3; post++) queue.push(update(kilo(), 1));
    queue.shift();
    expect(queue.push(update(kilo(), 1))).toBe(true);
    expect(queue.push(update(kilo(), 1))).toBe(false);
    queue.clear();
    expect([queue.push(update(kilo(), 1)), queue.push(update(kilo(), 1))]).toEqual([true, true]);
  });

  test('weighs no more than its bound and one value, loses no last value and no change, and says what overran', () => {
    const step = fc.oneof(
      { weight: 1, arbitrary: fc.constant('take' as const) },
      { weight: 4, arbitrary: fc.record({ size: fc.nat(300), bits: fc.uniqueArray(fc.nat(9), { minLength: 1 }) }) },
    );
    const bounds = fc.record({ limit: fc.integer({ min: 1, max: 8 }), maxBytes: fc.nat(1000) });
    fc.assert(
      fc.property(bounds, fc.array(step, { maxLength: 60 }), ({ limit, maxBytes }, steps) => {
        const queue = new MonitorQueue<unknown>(limit, maxBytes);
        // The plain twin: every entry is the posts it stands for, and all is weighed anew each time.
        const twin: { readonly bits: readonly number[]; readonly value: Uint8Array }[][] = [];
        const take = (): void => {
          const posts = twin.shift() ?? [];
          const bits = posts.flatMap((post) => post.bits);
          const twice = bits.filter((bit, index) => bits.indexOf(bit) !== index);
          const entry = queue.shift();
          expect(entry?.update.value).toBe(posts.at(-1)?.value);
          expect([...(entry?.update.changed ?? [])]).toEqual(sorted(bits));
          expect([...(entry?.overrun ?? [])]).toEqual(sorted(twice));
        };
        for (const given of steps) {
          if (given === 'take') {
            take();
            continue;
          }
          const value = new Uint8Array(given.size);
          const waiting = twin.reduce((sum, posts) => sum + 16 + (posts.at(-1)?.value.length ?? 0), 0);
          const hasRoom = twin.length === 0 || (twin.length < limit && waiting + 16 + given.size <= maxBytes);
          expect(queue.push(update(value, ...given.bits))).toBe(hasRoom);
          if (hasRoom) twin.push([]);
          twin.at(-1)?.push({ bits: given.bits, value });
          expect(queue.length).toBe(twin.length);
          const before = twin.slice(0, -1).reduce((sum, posts) => sum + 16 + (posts.at(-1)?.value.length ?? 0), 0);
          expect(before).toBeLessThanOrEqual(maxBytes);
        }
        while (twin.length > 0) take();
        expect(queue.shift()).toBeUndefined();
      }),
    );
  });
});

describe('the weight of a value', () => {
  test.each([
    ['a number', 7, 16],
    ['nothing', null, 16],
    ['a text', 'abc', 19],
    ['an array of numbers', new Float64Array(10), 96],
    ['a list of texts', ['ab', 'c'], 16 + 18 + 17],
    ['a structure', { value: new Int16Array(5), alarm: { severity: 1, message: 'low' } }, 16 + 26 + 16 + 16 + 19],
    ['an any, without its type', { type: structure({ much: string, more: string }), value: 'abc' }, 16 + 16 + 19],
    ['a list of structures, some of them missing', [{ n: 1n }, null], 16 + 32 + 16],
  ])('of %s', (_what, value, weight) => {
    expect(weightOf(value)).toBe(weight);
    expect(weightOf(value)).toBe(weight);
  });

  test('with its types counts their names and nodes, of each any that has them', () => {
    const type = union('id', [
      { name: 'abc', type: arrayOf(structure({ de: any })) },
      { name: 'f', type: string },
    ]);
    const weight = 16 + 2 + (3 + 16 + (16 + 2 + 16)) + (1 + 16);
    expect(weightWithTypes({ type, value: null })).toBe(16 + weight + 16);
    expect(weightWithTypes([{ type, value: null }, null])).toBe(16 + (16 + weight + 16) + 16);
  });
});

describe('MonitorWindow', () => {
  test('without pipelining everything may go, and acknowledgements mean nothing', () => {
    const window = new MonitorWindow(false, 0);
    window.acknowledge(3);
    expect(Array.from({ length: 5 }, () => window.take(false))).toEqual([true, true, true, true, true]);
    expect(window.credit).toBe(0xffff_ffff);
  });

  test('lets as many go as the client has room for', () => {
    const window = new MonitorWindow(true, 2);
    expect([window.take(false), window.take(false), window.take(false)]).toEqual([true, true, false]);
    window.acknowledge(1);
    expect([window.take(false), window.take(false)]).toEqual([true, false]);
  });

  test('after finish the rest goes whatever the window', () => {
    const window = new MonitorWindow(true, 0);
    expect([window.take(false), window.take(true), window.take(true)]).toEqual([false, true, true]);
  });

  test('acknowledging without end does not overflow', () => {
    const window = new MonitorWindow(true, 0xffff_ffff);
    window.acknowledge(0xffff_ffff);
    expect(window.credit).toBe(0xffff_ffff);
  });
});

describe('leafMask', () => {
  const type = structure({
    a: double,
    b: structure({ c: int, d: structure({ e: int, f: string }) }),
    g: structure({}),
  });
  // Bits: 0 all, 1 a, 2 b, 3 b.c, 4 b.d, 5 b.d.e, 6 b.d.f, 7 g (without fields, so a leaf)

  test('a structure stands for the leaves below it', () => {
    expect([...leafMask(type, BitSet.of(2))]).toEqual([3, 5, 6]);
    expect([...leafMask(type, BitSet.of(4, 1))]).toEqual([1, 5, 6]);
    expect([...allLeaves(type)]).toEqual([1, 3, 5, 6, 7]);
  });

  test('bits below a set structure add nothing, bits past the type are dropped', () => {
    expect([...leafMask(type, BitSet.of(2, 3, 64))]).toEqual([3, 5, 6]);
  });

  test('gives a set of its own', () => {
    const mask = BitSet.of(2);
    leafMask(type, mask).add(1);
    expect([...mask]).toEqual([2]);
  });
});
