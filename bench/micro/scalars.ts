// How fast do values of fixed shape become bytes and back? Beside code written by hand for the one type, on a DataView:
// the compiled codecs know every type, and this is what that costs.

import { BitSet } from '#src/protocol/bit-set.js';
import { ntScalar } from '#src/protocol/normative/nt-scalar.js';
import { timeStampOfNanoseconds } from '#src/protocol/normative/time-stamp.js';
import { Reader } from '#src/protocol/reader.js';
import { double } from '#src/protocol/types/type-desc.js';
import { encodeType, TypeReceiver } from '#src/protocol/types/wire.js';
import { codecOf } from '#src/protocol/values/codec.js';
import { Writer } from '#src/protocol/writer.js';
import { times, type Line } from './subject.ts';

const OPERATIONS = 1_000;

export function scalars(): readonly Line[] {
  const type = ntScalar(double);
  const codec = codecOf(type);
  const value = {
    value: 1.5,
    alarm: { severity: 0, status: 0, message: '' },
    timeStamp: timeStampOfNanoseconds(1_767_225_600_123_456_789n),
  };
  const valueBit = BitSet.of(1);
  const scalar = codecOf(double);
  const writer = new Writer(false);
  const types = new TypeReceiver();
  const whole = encoded((each) => codec.encode(each, value, encodeType));
  const masked = encoded((each) => codec.encodeMasked(each, value, valueBit, encodeType));
  const one = encoded((each) => scalar.encode(each, 1.5, encodeType));
  const view = new DataView(new ArrayBuffer(64));

  const encode = (write: () => void): (() => unknown) =>
    times(OPERATIONS, () => {
      writer.truncate(0);
      write();
      return writer.length;
    });
  return [
    {
      name: 'double: encode',
      operations: OPERATIONS,
      run: encode(() => scalar.encode(writer, 1.5, encodeType)),
      plain: times(OPERATIONS, () => (view.setFloat64(0, 1.5, true), 8)),
    },
    {
      name: 'double: decode',
      operations: OPERATIONS,
      run: times(OPERATIONS, () => scalar.decode(new Reader(one, false), types)),
      plain: times(OPERATIONS, () => new DataView(one.buffer, one.byteOffset, one.length).getFloat64(0, true)),
    },
    {
      name: 'NTScalar: encode whole',
      fastPath: 'codecOf: compiled once per type',
      operations: OPERATIONS,
      run: encode(() => codec.encode(writer, value, encodeType)),
      plain: times(OPERATIONS, () => encodeByHand(view, value)),
    },
    {
      name: 'NTScalar: decode whole',
      fastPath: 'codecOf: compiled once per type',
      operations: OPERATIONS,
      run: times(OPERATIONS, () => codec.decode(new Reader(whole, false), types)),
      plain: times(OPERATIONS, () => decodeByHand(whole)),
    },
    {
      name: 'NTScalar: encode the value alone',
      operations: OPERATIONS,
      run: encode(() => codec.encodeMasked(writer, value, valueBit, encodeType)),
      plain: times(OPERATIONS, () => (view.setFloat64(0, value.value, true), 8)),
    },
    {
      name: 'NTScalar: decode the value alone',
      operations: OPERATIONS,
      run: times(OPERATIONS, () => codec.decodeMasked(new Reader(masked, false), valueBit, types, value)),
      plain: times(OPERATIONS, () => {
        const bytes = new DataView(masked.buffer, masked.byteOffset, masked.length);
        return { ...value, value: bytes.getFloat64(0, true) };
      }),
    },
  ];

  function encoded(write: (each: Writer) => void): Uint8Array {
    const each = new Writer(false);
    write(each);
    return each.copy();
  }
}

type Value = ReturnType<typeof decodeByHand>;

function encodeByHand(view: DataView, { value, alarm, timeStamp }: Value): number {
  view.setFloat64(0, value, true);
  view.setInt32(8, alarm.severity, true);
  view.setInt32(12, alarm.status, true);
  const { length } = alarm.message;
  view.setUint8(16, length);
  for (let index = 0; index < length; index++) view.setUint8(17 + index, alarm.message.charCodeAt(index));
  view.setBigInt64(17 + length, timeStamp.secondsPastEpoch, true);
  view.setInt32(25 + length, timeStamp.nanoseconds, true);
  view.setInt32(29 + length, timeStamp.userTag, true);
  return 33 + length;
}

function decodeByHand(bytes: Uint8Array) {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const length = view.getUint8(16);
  const message = length === 0 ? '' : Buffer.from(bytes.subarray(17, 17 + length)).toString();
  return {
    value: view.getFloat64(0, true),
    alarm: { severity: view.getInt32(8, true), status: view.getInt32(12, true), message },
    timeStamp: {
      secondsPastEpoch: view.getBigInt64(17 + length, true),
      nanoseconds: view.getInt32(25 + length, true),
      userTag: view.getInt32(29 + length, true),
    },
  };
}
