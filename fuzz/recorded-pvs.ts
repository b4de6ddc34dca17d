// Which PVs do the recorded clients ask for? With them their conversations get somewhere.

import { SharedPV } from '../src/channels/shared-pv.ts';
import { ntEnum, enumValue } from '../src/protocol/normative/nt-enum.ts';
import { ntScalar, ntScalarArray } from '../src/protocol/normative/nt-scalar.ts';
import { boundedString, double, int, long, string, structure } from '../src/protocol/types/type-desc.ts';
import type { Clock } from '../src/transport/clocks.ts';

const SLOW_MS = 500;

/** `clock` is for those that take time. */
export function recordedPvs(clock: Clock): Readonly<Record<string, SharedPV>> {
  const onProcess = (): void => undefined;
  const mailbox = (type: Parameters<typeof ntScalar>[0]): SharedPV => SharedPV.mailbox(ntScalar(type), { onProcess });
  const bounded = (): SharedPV => SharedPV.mailbox(structure('', { value: boundedString(8) }));
  const array = (type: Parameters<typeof ntScalarArray>[0]): SharedPV =>
    SharedPV.mailbox(ntScalarArray(type), { initial: { value: type === string ? ['a', 'b', 'c'] : [1, 2, 3, 4, 5] } });
  const service = (): SharedPV => SharedPV.mailbox(ntScalar(double), { onCall: ({ argument }) => argument });
  const refusing = (): never => {
    throw new Error('not now');
  };
  return {
    'vec:double': mailbox(double),
    'vec:tick': mailbox(int),
    'vec:long': mailbox(long),
    'vec:string': mailbox(string),
    'vec:limited': bounded(),
    'vec:enum': SharedPV.mailbox(ntEnum, { initial: { value: enumValue(['Off', 'On'], 1) } }),
    'vec:array': array(double),
    'vec:get-array': array(double),
    'vec:ro': new SharedPV(ntScalar(double), { initial: 1 }),
    'vec:sum': service(),
    testCounter: mailbox(int),
    testSum: service(),
    testBoundedString: bounded(),
    testArray2600: array(double),
    'ops:scalar': mailbox(double),
    'ops:plain': mailbox(double),
    'ops:readonly': new SharedPV(ntScalar(double), { initial: 1 }),
    'ops:wave': array(double),
    'ops:longs': array(long),
    'ops:names': array(string),
    'ops:refuses': new SharedPV(ntScalar(double), {
      initial: 1,
      onPut: refusing,
      onCall: refusing,
      onProcess: refusing,
    }),
    'ops:slow': new SharedPV(ntScalar(double), {
      initial: 1,
      // Half a second, in which the client says other things, or leaves.
      onPut: async (put, pv) => {
        await new Promise<void>((resolve) => clock.after(SLOW_MS, resolve));
        pv.post(put);
      },
    }),
    'cpp:scalar': mailbox(double),
    'cpp:wave': array(double),
    'x:echo': service(),
    testValueOnly: mailbox(double),
  };
}
