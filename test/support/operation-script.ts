// What does pvkit's client do in the recordings with a pvAccessCPP server (test/vectors/operations/pvkit-base-*)? The same
// calls made the recording and are made again by the tests, so that every byte can be held against the recorded one.

import type { Context } from '../../src/index.ts';

type Call = readonly [name: string, act: () => Promise<unknown>];

/** PUT_GET, PROCESS and ARRAY in all their forms; what each call gave or why it was refused. */
export function callEverything(context: Context, server: string): Promise<readonly (readonly [string, unknown])[]> {
  const wave = context.array('cpp:wave', { server });
  const names = context.array('cpp:wave', { server, field: 'names' });
  const bounded = context.array('cpp:wave', { server, field: 'bounded' });
  const request = 'putField(value)getField(value,processed)';
  return outcomesOf([
    ['put-get of one field', () => context.putGet('cpp:scalar', 21, { server, request })],
    ['put-get of several', () => context.putGet('cpp:scalar', { value: 4, descriptor: 'new' }, { server })],
    ['put-get of the present value', () => context.putGet('cpp:scalar', addOne, { server, request: 'field(value)' })],
    ['put-get that is refused', () => context.putGet('cpp:broken', 1, { server })],
    ['process', () => context.process('cpp:scalar', { server })],
    ['process that is refused', () => context.process('cpp:broken', { server })],
    ['process of what cannot', () => context.process('cpp:wave', { server })],
    ['all elements', () => wave.get()],
    ['a part', () => wave.get({ offset: 2, count: 3 })],
    ['every third', () => wave.get({ offset: 1, stride: 3 })],
    ['length', () => wave.getLength()],
    ['put past the end', () => wave.put([80, 90, 100], { offset: 8 })],
    ['put every other', () => wave.put([-1, -2, -3], { stride: 2 })],
    ['what is there then', () => wave.get()],
    ['shorter', () => wave.setLength(4)],
    ['what is left', () => wave.get()],
    ['too long', () => wave.setLength(5000)],
    ['beyond the end', () => wave.get({ offset: 9 })],
    ['three at once', () => Promise.all([wave.get({ count: 1 }), wave.getLength(), wave.get({ offset: 3 })])],
    ['strings', () => names.get({ offset: 1 })],
    ['put of a string', () => names.put(['z'], { offset: 4 })],
    ['strings then', () => names.get()],
    ['put into a bounded array', () => bounded.put([1, 2, 3])],
    ['put past its bound', () => bounded.put([4, 5, 6], { offset: 3 })],
    ['the bounded array', () => bounded.get()],
    ['no such array', () => context.array('cpp:wave', { server, field: 'nosuch' }).get()],
    ['close', () => Promise.all([wave.close(), names.close(), bounded.close()]).then(() => 'closed')],
  ]);
}

/** Values that take several segments when these are small. */
export function callInSegments(context: Context, server: string): Promise<readonly (readonly [string, unknown])[]> {
  const big = context.array('cpp:big', { server });
  return outcomesOf([
    ['put of ten elements', () => big.put([1, 2, 3, 4, 5, 6, 7, 8, 9, 10])],
    ['ten elements', () => big.get()],
    ['close', () => big.close()],
    ['put-get', () => context.putGet('cpp:scalar', { value: 4, descriptor: 'a text that takes segments' }, { server })],
  ]);
}

function addOne(current: { readonly [name: string]: unknown }): unknown {
  return { value: Number(current['value']) + 1 };
}

async function outcomesOf(calls: readonly Call[]): Promise<readonly (readonly [string, unknown])[]> {
  const outcomes: (readonly [string, unknown])[] = [];
  for (const [name, act] of calls) {
    try {
      outcomes.push([name, await act()]);
    } catch (error) {
      outcomes.push([name, error instanceof Error ? error.message : error]);
    }
  }
  return outcomes;
}
