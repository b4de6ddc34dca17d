// A server of pvkit with what no configuration file can name: unions, any, structure arrays, table, image, services.
//
//   EPICS_PVAS_...=... node odd-server.mjs little|big
//
// The word is the byte order that clients are told to use. Prints one JSON line when it serves, ends with its input.

import { once } from 'node:events';
import process from 'node:process';

import { Server, SharedPV } from 'pvkit';
import {
  any,
  arrayOf,
  boolean,
  double,
  int,
  long,
  ntNameValue,
  ntNdArray,
  ntScalar,
  ntScalarArray,
  ntTable,
  ntUnion,
  string,
  structure,
  ubyte,
  ulong,
  union,
} from 'pvkit/protocol';

const [byteOrder] = process.argv.slice(2);
if (byteOrder !== 'little' && byteOrder !== 'big') throw new Error('odd-server.mjs: little or big is expected');

const oddType = structure('odd_t', {
  any,
  anys: arrayOf(any),
  choice: union({ number: double, text: string, list: arrayOf(int), inner: structure('inner_t', { x: int }) }),
  choices: arrayOf(union('choice_t', { number: double, text: string })),
  rows: arrayOf(structure('row_t', { x: int, label: string, nested: structure({ deep: ulong }) })),
  inner: structure('inner_t', { flag: boolean, deep: structure({ leaf: long, bytes: arrayOf(ubyte) }) }),
  empty: structure({}),
});

const odd = {
  any: { type: structure('inner_t', { x: int }), value: { x: 7 } },
  anys: [
    { type: double, value: 1.5 },
    { type: string, value: 'second' },
    { type: arrayOf(int), value: [1, 2, 3] },
  ],
  choice: { select: 'text', value: 'chosen' },
  choices: [
    { select: 'number', value: 0.5 },
    { select: 'text', value: 'half' },
  ],
  rows: [
    { x: 1, label: 'one', nested: { deep: 2n ** 64n - 1n } },
    { x: -2, label: '', nested: { deep: 0n } },
  ],
  inner: { flag: true, deep: { leaf: -(2n ** 62n), bytes: [0, 128, 255] } },
};

const table = {
  labels: ['Name', 'Value', 'On'],
  value: { name: ['a', 'b', 'c'], value: [1.5, -2.5, 0], on: [true, false, true] },
  descriptor: 'three rows',
};

const image = {
  value: { select: 'ubyteValue', value: Uint8Array.from({ length: 12 }, (_, index) => index) },
  dimension: [3, 4].map((size) => ({ size, offset: 0, fullSize: size, binning: 1, reverse: false })),
  uniqueId: 17,
  compressedSize: 12n,
  uncompressedSize: 12n,
};

const numberOrText = ntUnion(union({ number: double, text: string }));
const sum = ntScalar(double);
const bursty = new SharedPV(ntScalar(long), { initial: { value: 0n } });
let posted = 0n;

const pvs = {
  'odd:all': SharedPV.mailbox(oddType, { initial: odd }),
  'odd:union': SharedPV.mailbox(numberOrText, { initial: { value: { select: 'number', value: 2.5 } } }),
  // Nothing in it was ever set.
  'odd:unset': SharedPV.mailbox(oddType),
  'odd:table': SharedPV.mailbox(ntTable({ name: string, value: double, on: boolean }), { initial: table }),
  'odd:image': SharedPV.mailbox(ntNdArray, { initial: image }),
  'odd:namevalue': SharedPV.mailbox(ntNameValue(double), { initial: { name: ['a', 'b'], value: [1, 2] } }),
  'odd:double': SharedPV.mailbox(ntScalar(double, { display: true, control: true, valueAlarm: true }), {
    initial: { value: 6.02e23, display: { units: 'mm' } },
  }),
  'odd:doubles': SharedPV.mailbox(ntScalarArray(double), {
    initial: { value: Float64Array.from({ length: 5_000 }, (_, index) => index / 2) },
  }),
  'odd:readonly': new SharedPV(ntScalar(double), { initial: { value: 2.5 } }),
  'odd:picky': new SharedPV(ntScalar(double), {
    initial: { value: 1 },
    onPut: (put, pv) => {
      if (Number(put.value.value) > 100) throw new Error('more than 100 is too much');
      pv.post(put);
    },
  }),
  'odd:slow-put': new SharedPV(ntScalar(double), {
    initial: { value: 0 },
    onPut: async (put, pv) => {
      await new Promise((resolve) => {
        setTimeout(resolve, 200);
      });
      pv.post(put);
    },
  }),
  'odd:add': new SharedPV(sum, {
    onCall: ({ argument }) => {
      const { lhs, rhs } = queryOf(argument);
      if (lhs === undefined || rhs === undefined) throw new Error('lhs and rhs are expected');
      return { type: sum, value: { ...zero(sum), value: Number(lhs) + Number(rhs) } };
    },
  }),
  // Gives back what it got, whatever that is.
  'odd:echo': new SharedPV(sum, { onCall: ({ argument }) => argument }),
  'odd:hello': new SharedPV(sum, {
    onCall: () => {
      const type = ntScalar(string);
      return { type, value: new SharedPV(type, { initial: { value: 'hello' } }).value };
    },
  }),
  'odd:unset-scalar': SharedPV.mailbox(ntScalar(long)),
  'odd:void': new SharedPV(sum, { onCall: () => undefined }),
  'odd:fail': new SharedPV(sum, {
    onCall: async () => {
      await Promise.resolve();
      throw new Error('this service always fails');
    },
  }),
  'odd:bursty': bursty,
  // Posts as many values as it is told, all at once.
  'odd:burst': new SharedPV(sum, {
    onCall: ({ argument }) => {
      for (let left = Number(queryOf(argument).count); left > 0; left--) bursty.post({ value: ++posted });
    },
  }),
};

const server = new Server({ byteOrder, pvs });
await server.listen();
process.stdout.write(`${JSON.stringify({ ready: true, tcpPort: server.tcpPort, names: Object.keys(pvs) })}\n`);
// The test ends this process by closing its input.
process.stdin.resume();
await once(process.stdin, 'end');
await server.close();

/**
 * The arguments in an NTURI, or in a structure by itself.
 * @param {import('../../../src/protocol/types/value-of.ts').AnyValue} argument
 * @returns {Record<string, unknown>}
 */
function queryOf(argument) {
  const value = /** @type {Record<string, unknown>} */ (argument?.value ?? {});
  return /** @type {Record<string, unknown>} */ (value['query'] ?? value);
}

/** @param {typeof sum} type */
function zero(type) {
  return new SharedPV(type).value;
}
