// Do encodings agree with the bytes recorded from pvxs and pvAccessCPP (test/vectors/data.json), in both byte orders?

import { describe, expect, test } from 'vitest';

import { BitSet } from '../../src/protocol/bit-set.ts';
import { Reader } from '../../src/protocol/reader.ts';
import { decodeStatus, encodeStatus } from '../../src/protocol/status.ts';
import type { TypeDesc } from '../../src/protocol/types/type-desc.ts';
import { decodeType, encodeType, TypeReceiver } from '../../src/protocol/types/wire.ts';
import { anyCodecOf } from '../../src/protocol/values/codec.ts';
import { Writer } from '../../src/protocol/writer.ts';
import { dataCases, fromHex, toHex, typeOf, valueOf, type DataCase } from '../support/vectors.ts';

const ORDERS = [
  { order: 'BE', bigEndian: true },
  { order: 'LE', bigEndian: false },
] as const;

const cases = dataCases();
const ofKind = (kind: DataCase['kind']): readonly DataCase[] => cases.filter((one) => one.kind === kind);

function written(bigEndian: boolean, write: (writer: Writer) => void): string {
  const writer = new Writer(bigEndian, 1);
  write(writer);
  return toHex(writer.view());
}

function hexOf(one: object, name: string): string {
  const hex = (one as Readonly<Record<string, unknown>>)[name];
  if (typeof hex !== 'string') throw new Error(`vector lacks ${name}`);
  return hex;
}

describe.each(ORDERS)('recorded encodings, $order', ({ order, bigEndian }) => {
  const read = <T>(hex: string, decode: (reader: Reader) => T): T => {
    const reader = new Reader(fromHex(hex), bigEndian);
    const result = decode(reader);
    expect(reader.remaining).toBe(0);
    return result;
  };

  test.each(ofKind('value').map((one) => [one.name, one] as const))('%s', (_, one) => {
    const type = typeOf(one.type ?? { kind: 'none' });
    const value = valueOf(type, one.value);
    const codec = anyCodecOf(type);
    const typeHex = hexOf(one, `typeHex${order}`);
    const valueHex = hexOf(one, `valueHex${order}`);

    expect(read(typeHex, (reader) => decodeType(reader))).toBe(type);
    expect(read(valueHex, (reader) => codec.decode(reader, new TypeReceiver()))).toStrictEqual(value);
    if (one.decodeOnly !== true) {
      expect(written(bigEndian, (writer) => encodeType(writer, type))).toBe(typeHex);
      expect(written(bigEndian, (writer) => codec.encode(writer, value, encodeType))).toBe(valueHex);
    }
    for (const partial of one.partials ?? []) {
      const bitsetHex = hexOf(partial, `bitsetHex${order}`);
      const partialHex = hexOf(partial, `partialHex${order}`);
      const mask = read(bitsetHex, (reader) => BitSet.decode(reader));
      expect([...mask]).toEqual(partial.bitset);
      const decoded = read(partialHex, (reader) => codec.decodeMasked(reader, mask, new TypeReceiver(), undefined));
      expect(decoded).toStrictEqual(codec.merge(codec.defaultValue(), value, mask));
      // Read over the value itself, nothing changes: what the bits select is there, the rest is kept.
      expect(read(partialHex, (reader) => codec.decodeMasked(reader, mask, new TypeReceiver(), value))).toStrictEqual(
        value,
      );
      if (partial.decodeOnly === true) continue;
      expect(written(bigEndian, (writer) => BitSet.from(partial.bitset).encode(writer))).toBe(bitsetHex);
      expect(written(bigEndian, (writer) => codec.encodeMasked(writer, value, mask, encodeType))).toBe(partialHex);
    }
  });

  test.each(ofKind('bitset').map((one) => [one.name, one] as const))('%s', (_, one) => {
    const hex = hexOf(one, `hex${order}`);
    const bits = read(hex, (reader) => BitSet.decode(reader));
    expect([...bits]).toEqual(one.bitset);
    if (one.decodeOnly !== true)
      expect(written(bigEndian, (writer) => BitSet.from(one.bitset ?? []).encode(writer))).toBe(hex);
  });

  test.each(ofKind('size').map((one) => [one.name, one] as const))('%s', (_, one) => {
    const hex = hexOf(one, `hex${order}`);
    expect(read(hex, (reader) => reader.sizeOrNull())).toBe(one.size);
    if (one.decodeOnly !== true) expect(written(bigEndian, (writer) => writer.size(one.size ?? null))).toBe(hex);
  });

  test.each(ofKind('status').map((one) => [one.name, one] as const))('%s', (_, one) => {
    const hex = hexOf(one, `hex${order}`);
    const status = one.status;
    if (status === undefined) throw new Error('vector lacks its status');
    expect(read(hex, decodeStatus)).toStrictEqual(status);
    if (one.decodeOnly !== true) expect(written(bigEndian, (writer) => encodeStatus(writer, status))).toBe(hex);
  });

  test.each(ofKind('typeSequence').map((one) => [one.name, one] as const))('%s', (_, one) => {
    const types = new TypeReceiver();
    for (const step of one.steps ?? []) {
      const hex = hexOf(step, `hex${order}`);
      const type: TypeDesc | null = step.type === null ? null : typeOf(step.type);
      if (step.value === undefined) {
        expect(read(hex, (reader) => types.decode(reader))).toBe(type);
      } else {
        if (type === null) throw new Error('vector gives a value of the null type');
        expect(read(hex, (reader) => anyCodecOf(type).decode(reader, types))).toStrictEqual(valueOf(type, step.value));
      }
    }
  });
});
