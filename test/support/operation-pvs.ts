// What did the servers of test/vectors/operations serve? The same PVs of ours: `cpp:*` as the server on pvAccessCPP had
// them, `ops:*` as pvkit had when it was the server.

import { SharedPV } from '../../src/channels/shared-pv.ts';
import { ntScalar, ntScalarArray } from '../../src/protocol/normative/nt-scalar.ts';
import { alarmType, timeStampType } from '../../src/protocol/normative/substructures.ts';
import {
  arrayOf,
  boolean,
  boundedArrayOf,
  double,
  fixedArrayOf,
  int,
  long,
  string,
  structure,
} from '../../src/protocol/types/type-desc.ts';
import { codecOf } from '../../src/protocol/values/codec.ts';

const CPP_SCALAR = structure('epics:nt/NTScalar:1.0', {
  value: double,
  processed: int,
  descriptor: string,
  alarm: alarmType,
  timeStamp: timeStampType,
});
const CPP_WAVE = structure('epics:nt/NTScalarArray:1.0', {
  value: arrayOf(double),
  names: arrayOf(string),
  ints: arrayOf(int),
  bounded: boundedArrayOf(int, 5),
});

/** As the C++ server had them: it says of every field that it was set. */
export function cppPvs(): Readonly<Record<string, SharedPV>> {
  const scalar = new SharedPV(CPP_SCALAR, {
    initial: { ...codecOf(CPP_SCALAR).defaultValue(), value: 1.5, descriptor: 'a scalar' },
    onPut: (put, pv) => pv.post(put),
    onProcess: (_, pv) => pv.post({ value: pv.value.value * 2, processed: pv.value.processed + 1 }),
  });
  return {
    'cpp:scalar': scalar,
    'cpp:broken': new SharedPV(CPP_SCALAR, {
      onPut: () => {
        throw new Error('the device is broken');
      },
      onProcess: ({ tell }) => {
        tell('processed in vain', 'warning');
        throw new Error('the device is broken');
      },
    }),
    'cpp:wave': SharedPV.mailbox(CPP_WAVE, {
      initial: { value: [0, 1, 2, 3, 4, 5, 6, 7, 8, 9], names: ['a', 'b', 'c'], ints: [10, 20, 30, 40], bounded: [] },
    }),
  };
}

/** As pvkit had them. */
export function pvkitPvs(): Readonly<Record<string, SharedPV>> {
  const scalar = new SharedPV(ntScalar(double), {
    initial: { value: 1.5, alarm: { severity: 1, message: 'low' } },
    onPut: (put, pv) => pv.post(put),
    onProcess: (_, pv) => pv.post({ value: pv.value.value * 2 }),
  });
  return {
    'ops:scalar': scalar,
    'ops:plain': SharedPV.mailbox(structure('plain_t', { value: int, text: string, other: int }), {
      initial: { value: 3, text: 'three', other: 33 },
    }),
    'ops:wave': SharedPV.mailbox(ntScalarArray(double), { initial: { value: [0, 1, 2, 3, 4, 5, 6, 7, 8, 9] } }),
    'ops:longs': SharedPV.mailbox(ntScalarArray(long), { initial: { value: [1n, 2n, 3n, 4n] } }),
    'ops:names': SharedPV.mailbox(
      structure('names_t', {
        value: arrayOf(string),
        flags: arrayOf(boolean),
        bounded: boundedArrayOf(int, 5),
        fixed: fixedArrayOf(int, 4),
      }),
      { initial: { value: ['a', 'b', 'c'], flags: [true, false] } },
    ),
    'ops:readonly': new SharedPV(ntScalarArray(double), { initial: { value: [1, 2, 3] } }),
    'ops:slow': new SharedPV(ntScalar(double), {
      initial: { value: 1 },
      onProcess: ({ tell }) => {
        tell('working on it', 'warning');
        return new Promise(() => {});
      },
    }),
    'ops:refuses': new SharedPV(ntScalar(double), {
      initial: { value: 1 },
      onPut: () => {
        throw new Error('not now');
      },
      onProcess: () => Promise.reject(new Error('broken device')),
    }),
  };
}
