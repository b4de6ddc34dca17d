// Every operation of client and server against each other: what it does, and what becomes of it when one side ends it in
// the middle.

import { describe, expect, it } from 'vitest';
import {
  Context,
  resolveClientConfig,
  resolveServerConfig,
  Server,
  SharedPV,
  type ClientNotice,
} from '../../src/index.ts';
import { DEFAULT_LIMITS } from '../../src/protocol/limits.ts';
import type { CodecName } from '../../src/protocol/messages/data.ts';
import { ntScalar, ntScalarArray } from '../../src/protocol/normative/nt-scalar.ts';
import { arrayOf, double, fixedArrayOf, int, string, structure } from '../../src/protocol/types/type-desc.ts';
import type { AnyValue } from '../../src/protocol/types/value-of.ts';
import { ManualClock } from '../../src/transport/manual-clock.ts';
import { MemoryNetwork, type MemoryNetworkOptions } from '../../src/transport/memory-network.ts';
import { MemoryProcesses } from '../support/memory-processes.ts';

const SCALAR = ntScalar(double);
const WAVE = ntScalarArray(double);
const SHAPES = structure('shapes_t', { fixed: fixedArrayOf(int, 4), names: arrayOf(string) });

interface Options {
  readonly network?: Omit<MemoryNetworkOptions, 'clock'>;
  readonly byteOrder?: 'big' | 'little';
  readonly maxSegmentBytes?: number;
  readonly workers?: number;
  readonly codec?: CodecName;
}

async function makeWorld(
  pvs: Readonly<Record<string, SharedPV>>,
  {
    network: wire,
    byteOrder = 'little',
    maxSegmentBytes = DEFAULT_LIMITS.maxSegmentBytes,
    workers = 1,
    codec,
  }: Options = {},
) {
  const clock = new ManualClock();
  const network = new MemoryNetwork({ clock, ...wire });
  const limits = { ...DEFAULT_LIMITS, maxSegmentBytes };
  const serverHost = network.host('server');
  const server = new Server({
    network: serverHost,
    processes: new MemoryProcesses(clock, serverHost, wire),
    clock,
    pvs,
    byteOrder,
    config: {
      ...resolveServerConfig({ processEnvironment: {} }),
      limits,
      workers,
      msgpackPort: codec === 'msgpack' ? 5080 : undefined,
    },
  });
  await clock.until(server.listen());
  const context = new Context({
    network: network.host('client'),
    clock,
    limits,
    codec,
    config: resolveClientConfig({ processEnvironment: {} }),
  });
  const notices: ClientNotice[] = [];
  context.onNotice((notice) => notices.push(notice));
  const end = async (): Promise<void> => {
    await context.close();
    await clock.until(server.close());
    await clock.advanceAsync(10_000);
    expect(clock.timerCount).toBe(0);
  };
  return { clock, network, server, context, notices, end };
}

const SETTINGS: readonly { readonly name: string; readonly options: Options }[] = [
  { name: 'a calm network', options: {} },
  { name: 'a calm network, big endian, segments of 50 bytes', options: { byteOrder: 'big', maxSegmentBytes: 50 } },
  { name: 'segments of 1 000 bytes', options: { maxSegmentBytes: 1_000 } },
  ...[1, 2, 3].map((seed) => ({
    name: `delays and pieces of seed ${seed}, segments of ${seed * 100} bytes`,
    options: {
      maxSegmentBytes: seed * 100,
      byteOrder: seed === 2 ? ('big' as const) : ('little' as const),
      network: { seed, delayMs: [0, 20] as const, chunkBytes: [1, 400] as const, datagramLoss: 0.2 },
    },
  })),
];

const NETWORKS = SETTINGS.flatMap(({ name, options }) => [
  { name, options },
  { name: `${name}, with two workers`, options: { ...options, workers: 2 } },
  { name: `${name}, as MessagePack`, options: { ...options, codec: 'msgpack' as const } },
]);

const PATIENT = { timeoutMs: 60_000 };

describe.each(NETWORKS)('over $name', ({ options }) => {
  it('puts and gets in one step, and processes', async () => {
    const counter = new SharedPV(SCALAR, {
      initial: { value: 1 },
      onPut: (put, pv) => pv.post(put),
      onProcess: async (_, pv) => pv.post({ value: pv.value.value + 1 }),
    });
    const { clock, context, end } = await makeWorld({ counter, fixed: new SharedPV(SCALAR) }, options);
    const got = await clock.until(
      context.putGet('counter', 41, { ...PATIENT, type: SCALAR, request: 'putField(value)getField(value)' }),
    );
    expect(got.value).toBe(42);
    const addOne = (current: { readonly [name: string]: unknown }) => ({ value: Number(current['value']) + 1 });
    const again = await clock.until(context.putGetUpdate('counter', addOne, { ...PATIENT, request: 'field(value)' }));
    expect([[...again.changed], again.value['value']]).toEqual([[1], 44]);
    await clock.until(context.process('counter', PATIENT));
    expect(counter.value.value).toBe(45);
    await expect(clock.until(context.putGet('fixed', 1, PATIENT))).rejects.toThrow(/^fixed: PUT_GET refused by /);
    await expect(clock.until(context.process('fixed', PATIENT))).rejects.toThrow(/^fixed: PROCESS INIT refused by /);
    await end();
  });

  it('reads and writes parts of arrays, large ones too', async () => {
    const wave = SharedPV.mailbox(WAVE, { initial: { value: Float64Array.from({ length: 20_000 }, (_, at) => at) } });
    const shapes = SharedPV.mailbox(SHAPES, { initial: { names: ['a', 'b'] } });
    const { clock, context, end } = await makeWorld({ wave, shapes }, options);
    const array = context.array('wave', { type: arrayOf(double) });
    expect(await clock.until(array.get({ offset: 5, count: 3, stride: 1_000, ...PATIENT }))).toEqual(
      Float64Array.of(5, 1_005, 2_005),
    );
    expect((await clock.until(array.get(PATIENT))).reduce((sum, each) => sum + each, 0)).toBe(199_990_000);
    await clock.until(
      array.put(
        Float64Array.from({ length: 5_000 }, () => 1),
        { offset: 17_500, ...PATIENT },
      ),
    );
    expect(await clock.until(array.getLength(PATIENT))).toBe(22_500);
    await clock.until(array.setLength(3, PATIENT));
    await clock.until(array.put([7, 8], { stride: 2, ...PATIENT }));
    expect(wave.value.value).toEqual(Float64Array.of(7, 1, 8));
    await expect(clock.until(array.get({ offset: 4, ...PATIENT }))).rejects.toThrow(
      'offset 4 of an array of 3 elements',
    );

    const fixed = context.array('shapes', { field: 'fixed' });
    await clock.until(fixed.put([1, 2], { offset: 2, ...PATIENT }));
    expect(await clock.until(fixed.get(PATIENT))).toEqual(Int32Array.of(0, 0, 1, 2));
    await expect(clock.until(fixed.setLength(5, PATIENT))).rejects.toThrow('5 elements, the array has 4 always');
    const names = context.array('shapes', { field: 'names' });
    await clock.until(names.put(['d'], { offset: 3, ...PATIENT }));
    expect(await clock.until(names.get(PATIENT))).toEqual(['a', 'b', '', 'd']);
    await expect(clock.until(context.array('shapes').get(PATIENT))).rejects.toThrow("there is no 'value'");
    await end();
  });
});

/** Handlers that stand still, and the signals that they were given. */
function standing() {
  const signals: AbortSignal[] = [];
  const stand = ({ signal }: { readonly signal: AbortSignal }): Promise<void> => {
    signals.push(signal);
    return new Promise(() => {});
  };
  const pvs = {
    x: new SharedPV(SCALAR, { initial: { value: 1 }, onPut: stand, onCall: stand, onProcess: stand }),
    wave: new SharedPV(WAVE, { initial: { value: [1, 2] }, onPut: stand }),
  };
  return { signals, pvs };
}

/** Processes that have the links. */
const WORKERS = [1, 2];

type Act = (context: Context, signal?: AbortSignal) => Promise<unknown>;

/** Every request whose handler may take time. */
const ACTS: readonly (readonly [string, Act])[] = [
  ['PUT', (context, signal) => context.put('x', 2, { signal, timeoutMs: 600_000 })],
  ['PUT_GET', (context, signal) => context.putGet('x', 2, { signal, timeoutMs: 600_000 })],
  ['RPC', (context, signal) => context.rpc('x', { a: 1 }, { signal, timeoutMs: 600_000 })],
  ['PROCESS', (context, signal) => context.process('x', { signal, timeoutMs: 600_000 })],
  ['ARRAY put', (context, signal) => context.array('wave').put([3], { signal, timeoutMs: 600_000 })],
  ['ARRAY set length', (context, signal) => context.array('wave').setLength(3, { signal, timeoutMs: 600_000 })],
];

describe.each(WORKERS.flatMap((workers) => ACTS.map(([name, act]) => ({ name, act, workers }))))(
  '$name, in the middle of it, links in $workers process(es)',
  ({ name, act, workers }) => {
    it('is given up by its caller: the handler is told, and nothing is left', async () => {
      const { signals, pvs } = standing();
      const { clock, context, server, end } = await makeWorld(pvs, { workers });
      const controller = new AbortController();
      const outcome = act(context, controller.signal);
      outcome.catch(() => {});
      await clock.advanceAsync(1_000);
      expect(signals.map(({ aborted }) => aborted)).toEqual([false]);
      controller.abort(new Error('enough'));
      await expect(outcome).rejects.toThrow('enough');
      await clock.advanceAsync(10);
      expect(signals.map(({ aborted }) => aborted)).toEqual([true]);
      // The link and the channel go on.
      expect(await clock.until(context.get('x', { type: SCALAR }))).toMatchObject({ value: 1 });
      expect(server.linkCount).toBe(1);
      await end();
    });

    it('loses its channel to the end of the PV: the caller hears that nobody knows what was done', async () => {
      const { signals, pvs } = standing();
      const { clock, context, end } = await makeWorld(pvs, { workers });
      const outcome = act(context);
      outcome.catch(() => {});
      await clock.advanceAsync(1_000);
      for (const pv of Object.values(pvs)) pv.close();
      await expect(clock.until(outcome)).rejects.toThrow(
        `whether ${name} was carried out is not known: ${name.startsWith('ARRAY') ? 'wave' : 'x'}: `,
      );
      expect(signals.map(({ aborted }) => aborted)).toEqual([true]);
      await end();
    });

    it('loses its context: the handler is told, and nothing is left', async () => {
      const { signals, pvs } = standing();
      const { clock, context, end } = await makeWorld(pvs, { workers });
      const outcome = act(context);
      outcome.catch(() => {});
      await clock.advanceAsync(1_000);
      await context.close();
      await expect(outcome).rejects.toThrow('the context is closed');
      await clock.advanceAsync(10);
      expect(signals.map(({ aborted }) => aborted)).toEqual([true]);
      await end();
    });

    it('loses its server: the caller hears that nobody knows what was done', async () => {
      const { signals, pvs } = standing();
      const { clock, context, server, end } = await makeWorld(pvs, { workers });
      const outcome = act(context);
      outcome.catch(() => {});
      await clock.advanceAsync(1_000);
      await clock.until(server.close());
      await expect(clock.until(outcome)).rejects.toThrow(`whether ${name} was carried out is not known: `);
      expect(signals.map(({ aborted }) => aborted)).toEqual([true]);
      await end();
    });
  },
);

describe.each(WORKERS)('an RPC, links in %i process(es)', (workers) => {
  it('may take minutes, its link kept alive by echoes', async () => {
    const call = ({ argument }: { readonly argument: AnyValue }) =>
      new Promise<AnyValue>((resolve) => world.clock.after(9 * 60_000, () => resolve(argument)));
    const world = await makeWorld({ slow: new SharedPV(SCALAR, { onCall: call }) }, { workers });
    const { clock, context, server, end } = world;
    const result = context.rpc('slow', { a: 7 }, { timeoutMs: Number.POSITIVE_INFINITY });
    await clock.advanceAsync(8 * 60_000);
    expect(server.counters.linksOpened).toBe(1);
    expect(await clock.until(result, 120_000)).toMatchObject({ value: { query: { a: 7 } } });
    await end();
  });

  it('that is never done ends with the deadline of its PV', async () => {
    const { pvs, signals } = standing();
    const { clock, context, end } = await makeWorld(
      { ...pvs, y: new SharedPV(SCALAR, { onCall: () => new Promise(() => {}), callTimeoutMs: 3_000 }) },
      { workers },
    );
    await expect(clock.until(context.rpc('y', {}))).rejects.toThrow(
      /RPC refused by .*: RPC did not finish within 3 s$/,
    );
    expect(signals).toEqual([]);
    await end();
  });

  it.each([
    [
      'throws',
      () => {
        throw new Error('no such magnet');
      },
    ],
    ['rejects', () => Promise.reject(new Error('no such magnet'))],
    [
      'rejects late',
      async () => {
        await Promise.resolve();
        throw new Error('no such magnet');
      },
    ],
  ])('whose handler %s is refused with its words', async (_, onCall: () => never | Promise<never>) => {
    const { clock, context, end } = await makeWorld({ f: new SharedPV(SCALAR, { onCall }) }, { workers });
    await expect(clock.until(context.rpc('f', {}))).rejects.toThrow(/^f: RPC refused by .*: no such magnet$/);
    await end();
  });
});

describe.each(WORKERS)('what a handler tells, links in %i process(es)', (workers) => {
  it('is a notice under the name of the PV, whatever comes of the request', async () => {
    const pv = new SharedPV(SCALAR, {
      onPut: ({ tell }) => tell('taken'),
      onCall: ({ tell }) => {
        tell('trying', 'warning');
        throw new Error('in vain');
      },
      onProcess: ({ tell }) => tell('broken', 'error'),
    });
    const { clock, context, notices, end } = await makeWorld({ x: pv }, { workers });
    await clock.until(context.put('x', 1));
    await expect(clock.until(context.rpc('x', {}))).rejects.toThrow('in vain');
    await clock.until(context.process('x'));
    expect(notices.filter(({ kind }) => kind === 'serverMessage')).toMatchObject([
      { level: 'info', pvName: 'x', text: 'x: taken' },
      { level: 'warning', pvName: 'x', text: 'x: trying' },
      { level: 'error', pvName: 'x', text: 'x: broken' },
    ]);
    await end();
  });
});

describe('the size of segments', () => {
  it('that makes no sense is refused when client or server is made', () => {
    const limits = { ...DEFAULT_LIMITS, maxSegmentBytes: 0 };
    expect(() => new Server({ config: { ...resolveServerConfig({ processEnvironment: {} }), limits } })).toThrow(
      'maxSegmentBytes is 0',
    );
    expect(() => new Context({ limits, config: resolveClientConfig({ processEnvironment: {} }) })).toThrow(
      'maxSegmentBytes is 0',
    );
  });
});
