// Do types and values that decode encode to bytes that decode to the same?

import { isDeepStrictEqual } from 'node:util';

import { Reader } from '../../src/protocol/reader.ts';
import type { TypeDesc } from '../../src/protocol/types/type-desc.ts';
import { decodeType, encodeType, TypeReceiver } from '../../src/protocol/types/wire.ts';
import { jsonSchema } from '../../src/protocol/types/json-schema.ts';
import { typeFromJsonSchema } from '../../src/protocol/types/json-schema-type.ts';
import { typeFromJson } from '../../src/protocol/types/type-from-json.ts';
import { anyCodecOf } from '../../src/protocol/values/codec.ts';
import { formatJson, typeJson } from '../../src/protocol/values/format-json.ts';
import { formatTree, formatType } from '../../src/protocol/values/format-tree.ts';
import { Writer } from '../../src/protocol/writer.ts';

import { longValue } from '../long-values.ts';
import { mayRefuse, requireThat, type Target } from '../target.ts';
import { dataHex, malformed } from '../vectors.ts';

const ORDERS = [
  ['typeHexBE', 'valueHexBE'],
  ['typeHexLE', 'valueHexLE'],
] as const;

/** The first byte says the byte order, the rest is a type. */
export const types: Target = {
  name: 'types',
  // Written and read in four ways, one of them text that shows each character of a name by itself.
  usPerByte: 4,
  seeds: () => [
    ...inOrder(true, dataHex('typeHexBE')),
    ...inOrder(false, dataHex('typeHexLE')),
    ...inOrder(false, malformed('type')),
  ],
  run(input) {
    const bigEndian = input[0] === 1;
    const type = mayRefuse(() => decodeType(new Reader(input.subarray(1), bigEndian)));
    if (type === undefined || type === null) return;
    const writer = new Writer(bigEndian);
    encodeType(writer, type);
    requireThat(decodeType(new Reader(writer.view(), bigEndian)) === type, 'a type comes back as the same type');
    requireThat(typeFromJson(JSON.parse(typeJson(type))) === type, 'a type comes back from its JSON');
    requireThat(typeFromJsonSchema(JSON.parse(jsonSchema(type))) === type, 'a type comes back from its JSON Schema');
    formatType(type);
  },
};

/** The first byte says the byte order; then a type, then a whole value of it. */
export const values: Target = {
  name: 'values',
  // A byte may become several objects, which are made, encoded and compared three times.
  usPerByte: 48,
  seeds: () => ORDERS.flatMap((keys, index) => typedValues(index === 0, keys)),
  long: (bytes, random) => {
    const bigEndian = random.chance(2);
    return Buffer.concat([Uint8Array.of(bigEndian ? 1 : 0), longValue(bytes, random, bigEndian)]);
  },
  run(input) {
    const bigEndian = input[0] === 1;
    const reader = new Reader(input.subarray(1), bigEndian);
    const types = new TypeReceiver();
    types.beginMessage(input.length);
    const decoded = mayRefuse(() => {
      const type = types.decode(reader);
      return type === null ? undefined : { type, value: anyCodecOf(type).decode(reader, types) };
    });
    if (decoded === undefined) return;
    const { type, value } = decoded;
    requireThat(isDeepStrictEqual(recoded(type, value, bigEndian), value), 'a value comes back as it was');
    requireThat(
      isDeepStrictEqual(recoded(type, value, !bigEndian), value),
      'a value comes back in the other byte order',
    );
    JSON.parse(formatJson(type, value));
    formatTree(type, value);
  },
};

function recoded(type: TypeDesc, value: ReturnType<ReturnType<typeof anyCodecOf>['defaultValue']>, bigEndian: boolean) {
  const writer = new Writer(bigEndian);
  const codec = anyCodecOf(type);
  codec.encode(writer, value, encodeType);
  const types = new TypeReceiver();
  types.beginMessage();
  return codec.decode(new Reader(writer.view(), bigEndian), types);
}

function inOrder(bigEndian: boolean, inputs: readonly Uint8Array[]): readonly Uint8Array[] {
  return inputs.map((input) => new Uint8Array([bigEndian ? 1 : 0, ...input]));
}

function typedValues(bigEndian: boolean, [typeKey, valueKey]: (typeof ORDERS)[number]): readonly Uint8Array[] {
  const [typeBytes, valueBytes] = [dataHex(typeKey), dataHex(valueKey)];
  return inOrder(
    bigEndian,
    typeBytes.map((bytes, index) => new Uint8Array([...bytes, ...(valueBytes[index % valueBytes.length] ?? [])])),
  );
}
