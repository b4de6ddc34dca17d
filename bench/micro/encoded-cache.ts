// What does it save to keep the bytes of an update? A GET of a PV that nobody posts, a post to many who select the same.

import { Selection } from '#src/channels/encoded-cache.js';
import { SharedPV } from '#src/channels/shared-pv.js';
import { BitSet } from '#src/protocol/bit-set.js';
import { preEncodeUpdate } from '#src/protocol/messages/data.js';
import { ntScalar, ntScalarArray } from '#src/protocol/normative/nt-scalar.js';
import { timeStamp } from '#src/protocol/normative/time-stamp.js';
import { double, type StructureType } from '#src/protocol/types/type-desc.js';
import { times, type Line } from './subject.ts';

const OPERATIONS = 100;
const NO_ALARM = { severity: 0, status: 0, message: '' };

export function encodedCache(): readonly Line[] {
  const stamp = timeStamp(Date.now());
  return [
    lineOf('an NTScalar', ntScalar(double), { value: 1.5, alarm: NO_ALARM, timeStamp: stamp }),
    lineOf('10 000 doubles', ntScalarArray(double), {
      value: new Float64Array(10_000).fill(1.5),
      alarm: NO_ALARM,
      timeStamp: stamp,
    }),
  ];
}

function lineOf(what: string, type: StructureType, initial: unknown): Line {
  const { state } = new SharedPV(type, { initial });
  const selection = new Selection(type, BitSet.of(0));
  return {
    name: `encoded cache: ${what}`,
    fastPath: 'Selection.encode: once for each byte order and selection',
    operations: OPERATIONS,
    run: times(OPERATIONS, () => selection.encode(state, false).bytes),
    plain: times(OPERATIONS, () => preEncodeUpdate({ type, changed: state.changed, value: state.value }, false).bytes),
  };
}
