// What is put, so that half of it would show? Several leaves that agree: an array, its length and content following from
// who wrote it and which of his puts it is, the same two in the alarm, and again in the time stamp.

/** Which put a value is of. */
export interface Origin {
  readonly writer: number;
  /** Counted from 1 by each writer, for each PV; 0 for a PV that was never written. */
  readonly put: number;
}

export const UNWRITTEN: Origin = { writer: 0, put: 0 };

const MAX_LENGTH = 60;
const STATUS_COUNT = 8;

/** For a PV of int[]. */
export function payloadOf({ writer, put }: Origin): Readonly<Record<string, unknown>> {
  return {
    value: contentOf({ writer, put }),
    alarm: { message: `${writer} ${put}`, status: put % STATUS_COUNT },
    timeStamp: { userTag: put },
  };
}

/** @throws Error that says what does not agree */
export function originOf(value: unknown): Origin {
  const { value: array, alarm, timeStamp } = leavesOf(value);
  if (alarm.message === '' && array.length === 0 && timeStamp.userTag === 0) return UNWRITTEN;
  const [writer = Number.NaN, put = Number.NaN] = alarm.message.split(' ').map(Number);
  const expected = contentOf({ writer, put });
  const isWhole =
    array.length === expected.length &&
    array.every((element, index) => element === expected[index]) &&
    alarm.status === put % STATUS_COUNT &&
    timeStamp.userTag === put;
  if (isWhole) return { writer, put };
  throw new Error(
    `half of a put: '${alarm.message}' in the alarm, its status ${alarm.status}, user tag ${timeStamp.userTag}, ${array.length} elements [${array.slice(0, 3).join(', ')}, ...] where put ${put} has ${expected.length} [${expected.slice(0, 3).join(', ')}, ...]`,
  );
}

function contentOf({ writer, put }: Origin): Int32Array {
  const seed = Math.imul(put, 0x9e37_79b1) ^ Math.imul(writer + 1, 0x85eb_ca6b);
  return Int32Array.from({ length: 1 + ((seed >>> 8) % MAX_LENGTH) }, (_, index) =>
    Math.imul(seed + index, 0xc2b2_ae35),
  );
}

interface Leaves {
  readonly value: Int32Array;
  readonly alarm: { readonly message: string; readonly status: number };
  readonly timeStamp: { readonly userTag: number };
}

function leavesOf(value: unknown): Leaves {
  // The PV is an NTScalarArray of int.
  return value as Leaves;
}
