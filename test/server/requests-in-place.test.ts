// Do the requests that are carried out where they lie get the answers of the plain way? A stream that comes byte by byte
// never has a whole message in a chunk, so it takes the plain way from end to end.
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Access } from '../../src/channels/access/access.ts';
import { ALL_RIGHTS } from '../../src/channels/access/rights.ts';
import { SharedPV } from '../../src/channels/shared-pv.ts';
import { ntEnum } from '../../src/protocol/normative/nt-enum.ts';
import { ntScalar } from '../../src/protocol/normative/nt-scalar.ts';
import { any, arrayOf, double, string, structure, type StructureType } from '../../src/protocol/types/type-desc.ts';
import { coercePartial } from '../../src/protocol/values/coerce.ts';
import { encodeMessage, type ClientMessageToSend } from '../../src/protocol/messages/index.ts';
import { Writer } from '../../src/protocol/writer.ts';
import { ManualClock } from '../../src/transport/manual-clock.ts';
import { makeWorld } from '../support/server-world.ts';

const SCALAR = ntScalar(double, { display: true });
const MIXED = structure({ value: arrayOf(double), names: arrayOf(string), inner: structure({ a: any, b: double }) });
const ENUM = ntEnum;
const CLAMPED = ntScalar(double, { display: true, control: true });

/** Time stands still, so that time stamps are alike. */
const clock = new ManualClock();

interface Served {
  readonly type: StructureType;
  readonly patches: readonly unknown[];
  readonly make: () => SharedPV;
}

/** PVs that take puts, refuse them, refuse some, or never finish one. */
const PVS: { readonly [pvName: string]: Served } = {
  scalar: {
    type: SCALAR,
    patches: [{ value: 1.5 }, { value: -0 }, { value: 2, alarm: { severity: 1 } }, {}, { display: { units: 'mm' } }],
    make: () => SharedPV.mailbox(SCALAR, { initial: { value: 1 }, clock }),
  },
  mixed: {
    type: MIXED,
    patches: [{ value: [1, 2, 3] }, { names: ['a', 'é'] }, { 'inner.a': 5 }, { inner: { a: null, b: 4 } }],
    make: () => SharedPV.mailbox(MIXED),
  },
  choice: {
    type: ENUM,
    patches: [{ value: { index: 1 } }, { value: { index: 7 } }],
    make: () => SharedPV.mailbox(ENUM, { initial: { value: { index: 0, choices: ['off', 'on'] } }, clock }),
  },
  fixed: { type: SCALAR, patches: [{ value: 3 }], make: () => new SharedPV(SCALAR, { initial: { value: 7 } }) },
  slow: {
    type: SCALAR,
    patches: [{ value: 3 }],
    make: () => new SharedPV(SCALAR, { initial: { value: 7 }, onPut: () => new Promise<void>(() => undefined) }),
  },
  clamped: {
    type: CLAMPED,
    patches: [{ value: 3 }, { value: 300, alarm: { severity: 2 } }],
    make: () =>
      SharedPV.mailbox(CLAMPED, {
        initial: { value: 1, control: { limitLow: 0, limitHigh: 10 } },
        control: 'clip',
        clock,
      }),
  },
  posting: {
    type: MIXED,
    patches: [{ value: [1, 2, 3] }, { names: ['a'], 'inner.b': 2 }, { inner: { a: null, b: 4 } }, {}],
    make: () => new SharedPV(MIXED, { onPut: (put, pv) => pv.post(put) }),
  },
  stamping: {
    type: SCALAR,
    patches: [{ value: 1.5 }, { 'timeStamp.userTag': 3 }, { timeStamp: { nanoseconds: 7 } }],
    make: () => new SharedPV(SCALAR, { onPut: (put, pv) => pv.post(put), timeStamps: 'auto', clock }),
  },
  // Posts something of its own first: what was put is over the value before.
  overtaken: {
    type: SCALAR,
    patches: [{ value: 3, alarm: { severity: 1 } }, { value: 4 }],
    make: () =>
      new SharedPV(SCALAR, {
        onPut: (put, pv) => {
          pv.post({ display: { description: `after ${Number(put.value['value'])}` } });
          pv.post(put);
        },
      }),
  },
  // Posts all but the value of what is put.
  picky: {
    type: SCALAR,
    patches: [{ value: 3, alarm: { severity: 1 } }, { value: 4 }, { display: { units: 'mm' } }],
    make: () =>
      new SharedPV(SCALAR, {
        onPut: (put, pv) => {
          put.changed.delete(1);
          pv.post(put);
        },
      }),
  },
  throwing: {
    type: SCALAR,
    patches: [{ value: 3 }, { value: 4 }],
    make: () =>
      new SharedPV(SCALAR, {
        onPut: (put, pv) => {
          put.tell('so it goes');
          pv.post(put);
          throw new Error('not today');
        },
      }),
  },
  late: {
    type: SCALAR,
    patches: [{ value: 3 }, { value: -4 }],
    make: () =>
      new SharedPV<typeof SCALAR>(SCALAR, {
        onPut: async (put, pv) => {
          await Promise.resolve();
          if (Number(put.value['value']) < 0) throw new Error('too low');
          pv.post(put);
        },
      }),
  },
  ending: {
    type: SCALAR,
    patches: [{ value: 3 }],
    make: () =>
      new SharedPV(SCALAR, {
        onPut: (put, pv) => {
          pv.close();
          put.tell(`aborted: ${put.signal.aborted}`);
        },
      }),
  },
  leaving: {
    type: SCALAR,
    patches: [{ value: 3 }],
    make: () =>
      new SharedPV(SCALAR, {
        onPut: async (_, pv) => {
          pv.close();
          await Promise.reject(new Error('nobody hears this'));
        },
      }),
  },
  forbidden: { type: SCALAR, patches: [{ value: 3 }], make: () => SharedPV.mailbox(SCALAR, { clock }) },
};
const NAMES = Object.keys(PVS);
const access: Access = (_, pvName) => (pvName === 'forbidden' ? { read: true, write: false, call: false } : ALL_RIGHTS);

/** What a client does to one of the PVs; ids that are wrong, and bits that are unusual, among it. */
interface Step {
  readonly pvName: string;
  readonly kind: 'get' | 'put' | 'readBack' | 'echo' | 'post' | 'damaged';
  readonly subcommand: number;
  readonly patch: number;
  readonly wrongId: 'none' | 'sid' | 'ioid' | 'other';
  readonly bigEndian: boolean;
}

const STEP: fc.Arbitrary<Step> = fc.record({
  pvName: fc.constantFrom(...NAMES),
  kind: fc.constantFrom('get', 'get', 'get', 'put', 'put', 'put', 'readBack', 'echo', 'post', 'damaged'),
  subcommand: fc.oneof({ weight: 9, arbitrary: fc.constant(0) }, fc.constantFrom(0x10, 0x40, 0x50, 0x02, 0x80)),
  patch: fc.nat(4),
  wrongId: fc.oneof({ weight: 15, arbitrary: fc.constant('none' as const) }, fc.constantFrom('sid', 'ioid', 'other')),
  bigEndian: fc.boolean(),
});

/** Ids that both servers gave out alike. */
interface Ids {
  readonly sid: number;
  readonly get: number;
  readonly put: number;
}

function messageOf(step: Step, ids: ReadonlyMap<string, Ids>): ClientMessageToSend {
  const own = ids.get(step.pvName) ?? { sid: 0, get: 0, put: 0 };
  const sid = step.wrongId === 'sid' ? own.sid + 1 : own.sid;
  const idOf = (right: number, other: number): number => {
    if (step.wrongId === 'ioid') return 99_999;
    return step.wrongId === 'other' ? other : right;
  };
  const { subcommand } = step;
  switch (step.kind) {
    case 'get':
      return { command: 'GET', phase: 'exec', sid, ioid: idOf(own.get, own.put), subcommand };
    case 'readBack':
      return { command: 'PUT', phase: 'get', sid, ioid: own.put, subcommand: 0x40 };
    case 'put':
    case 'damaged': {
      const { type, patches } = PVS[step.pvName] ?? { type: SCALAR, patches: [] };
      const update = { type, ...coercePartial(type, patches[step.patch % patches.length] ?? {}) };
      const ioid = idOf(own.put, own.get);
      return { command: 'PUT', phase: 'exec', sid, ioid, subcommand: subcommand & ~0x40, update };
    }
    case 'echo':
    case 'post':
      return { command: 'ECHO', payload: Uint8Array.of(1, 2, 3) };
  }
}

function bytesOf(steps: readonly Step[], ids: ReadonlyMap<string, Ids>): Uint8Array {
  const parts = steps.map((step) => {
    const writer = new Writer(step.bigEndian);
    encodeMessage(writer, messageOf(step, ids), { fromServer: false });
    const bytes = writer.detach(0);
    // A mask of a size that is not there, or a body that ends before its ids.
    if (step.kind === 'damaged' && bytes.length > 17) bytes[17] = 0x70;
    return bytes;
  });
  const stream = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    stream.set(part, at);
    at += part.length;
  }
  return stream;
}

/** Everything that a server says to a stream that arrives in pieces of certain sizes, what it noticed and logged, and its values afterwards. */
async function answers(
  steps: readonly Step[],
  chunkBytes: readonly [number, number],
  { byteOrder, isLogged }: { readonly byteOrder: 'little' | 'big'; readonly isLogged: boolean },
) {
  const pvs = Object.fromEntries(NAMES.map((name) => [name, PVS[name]?.make() ?? SharedPV.mailbox(SCALAR)]));
  const log: unknown[] = [];
  const world = await makeWorld(
    { pvs, access, byteOrder, ...(isLogged && { onPutLog: (entry) => log.push(entry) }) },
    { chunkBytes },
  );
  const client = await world.validated();
  const ids = new Map<string, Ids>();
  for (const name of NAMES) {
    const sid = await client.createChannel(name);
    const get = await client.init('GET', sid, 'field(value)');
    ids.set(name, { sid, get, put: await client.init('PUT', sid, '') });
    await client.steer(sid, await client.initMonitor(sid, ''), 0x44);
  }
  client.heard.length = 0;
  client.chunks.length = 0;
  client.connection.write(bytesOf(steps, ids));
  await world.clock.advanceAsync(1);
  const said = Buffer.concat(client.chunks).toString('hex');
  // The first one tells the server's GUID.
  const notices = world.notices.slice(1).map(({ kind, text }) => `${kind} ${text}`);
  const { counters } = world.server;
  const { isClosed } = client;
  await world.clock.until(world.server.close());
  const values = NAMES.map((name) => pvs[name]?.value);
  return { said, isClosed, notices, log, counters, values };
}

describe('requests that are carried out in place', () => {
  test.each(['little', 'big'] as const)('get the bytes that the plain way gives them, %s endian', async (byteOrder) => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(STEP, { maxLength: 40 }),
        fc.integer({ min: 20, max: 4_000 }),
        fc.boolean(),
        async (steps, most, isLogged) => {
          const server = { byteOrder, isLogged };
          const plain = await answers(steps, [1, 1], server);
          expect(await answers(steps, [65_536, 65_536], server)).toEqual(plain);
          expect(await answers(steps, [1, most], server)).toEqual(plain);
        },
      ),
      { numRuns: 25 },
    );
  });
});
