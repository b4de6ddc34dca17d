// What does a Status mean, and how does it look on the wire? Bytes as the specification has them (Encoding, Status).
import { describe, expect, test } from 'vitest';
import { StatusError } from '../../src/protocol/errors.ts';
import { Reader } from '../../src/protocol/reader.ts';
import {
  decodeStatus,
  encodeStatus,
  error,
  isSuccess,
  OK,
  requireSuccess,
  STATUS_ERROR,
  STATUS_FATAL,
  STATUS_OK,
  STATUS_WARNING,
  statusName,
  type Status,
  warning,
} from '../../src/protocol/status.ts';
import { Writer } from '../../src/protocol/writer.ts';
import { fromHex, toHex } from '../support/vectors.ts';

const FATAL: Status = { type: STATUS_FATAL, message: 'gone', callTree: 'here' };

describe.each([false, true])('on the wire, big endian %s', (bigEndian) => {
  test.each<[Status, string]>([
    [OK, 'ff'],
    [{ type: STATUS_OK, message: 'a', callTree: '' }, '00 01 61 00'],
    [{ type: STATUS_OK, message: '', callTree: 'b' }, '00 00 01 62'],
    [{ type: STATUS_WARNING, message: '', callTree: '' }, '01 00 00'],
    [{ type: STATUS_ERROR, message: 'no', callTree: '' }, '02 02 6e 6f 00'],
    [FATAL, '03 04 67 6f 6e 65 04 68 65 72 65'],
  ])('%j is %s', (status, hex) => {
    const writer = new Writer(bigEndian);
    encodeStatus(writer, status);
    expect(toHex(writer.view())).toBe(hex.replaceAll(' ', ''));
    expect(decodeStatus(new Reader(fromHex(hex.replaceAll(' ', '')), bigEndian))).toEqual(status);
  });
});

test.each([4, 0x7f, 0xfe])('of type %i is refused, with its place', (type) => {
  const reader = new Reader(Uint8Array.of(0xff, type, 0, 0), false);
  expect(decodeStatus(reader)).toBe(OK);
  expect(() => decodeStatus(reader)).toThrow(`status type ${type} at offset 1, 0 to 3 or 255 expected`);
});

describe('a success', () => {
  test.each([OK, warning('mind the gap')])('is %j', (status) => {
    expect(isSuccess(status)).toBe(true);
    expect(() => requireSuccess(status)).not.toThrow();
  });

  test.each<[Status, boolean]>([
    [error('no'), false],
    [FATAL, true],
  ])('is not %j', (status, isFatal) => {
    expect(isSuccess(status)).toBe(false);
    expect(() => requireSuccess(status)).toThrow(StatusError);
    try {
      requireSuccess(status);
    } catch (thrown) {
      expect(thrown).toMatchObject({ message: status.message, callTree: status.callTree, isFatal });
    }
  });
});

test('each type has the name of the specification', () => {
  expect(([STATUS_OK, STATUS_WARNING, STATUS_ERROR, STATUS_FATAL] as const).map(statusName)).toEqual([
    'OK',
    'WARNING',
    'ERROR',
    'FATAL',
  ]);
});
