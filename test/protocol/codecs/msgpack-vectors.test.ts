// Are our bytes those that Python's msgpack makes, and do we read them? See test/vectors/msgpack/make_vectors.py.

import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { msgpack } from '../../../src/protocol/codecs/msgpack.ts';
import { HEADER_BYTES } from '../../../src/protocol/header.ts';
import { decodeMessage } from '../../../src/protocol/messages/index.ts';
import { typeFromJson } from '../../../src/protocol/types/type-from-json.ts';
import { formatJson } from '../../../src/protocol/values/format-json.ts';
import { SAMPLES } from '../../support/message-samples.ts';
import { plain } from '../../support/plain.ts';
import { fromHex, toHex } from '../../support/vectors.ts';
import { contextWith, frameOf, leavesOnly, written } from './codec-suite.ts';

interface MessageVector {
  readonly name: string;
  readonly from: 'client' | 'server';
  readonly hex: string;
}

interface ValueVector {
  readonly type: unknown;
  readonly json: unknown;
  /** Of `[type, value]`. */
  readonly hex: string;
}

function vectors(name: string): unknown {
  return JSON.parse(readFileSync(new URL(`../../vectors/msgpack/${name}.json`, import.meta.url), 'utf8'));
}

const messages = vectors('messages') as readonly MessageVector[];
const values = vectors('values') as readonly ValueVector[];

describe("messages as Python's msgpack packs them", () => {
  test('are all that there are', () => {
    const names = SAMPLES.map(({ from, name }) => `${from} ${name}`);
    expect(messages.map(({ from, name }) => `${from} ${name}`).toSorted()).toEqual(names.toSorted());
  });

  test.each(SAMPLES.map((sample) => [sample.from, sample.name, sample] as const))(
    'are written and read: of a %s, %s',
    (from, name, sample) => {
      const hex = messages.find((each) => each.from === from && each.name === name)?.hex ?? '';
      expect(toHex(written(msgpack, sample))).toBe(hex);
      const read = decodeMessage(frameOf(fromHex(hex)), contextWith(sample.operation), msgpack);
      expect(plain(leavesOnly(read))).toEqual(plain(leavesOnly(sample.message)));
    },
  );
});

describe("values as Python's msgpack packs them", () => {
  test.each(values.map((vector, index) => [index, JSON.stringify(vector.type), vector] as const))(
    'are written and read: %i of type %s',
    (_index, _type, { type, json, hex }) => {
      // A value travels with its type in any message that has both: [type, value] is the whole of AUTHNZ's one field.
      const body = fromHex(`91 ${hex}`);
      const header = { ...frameOf(written(msgpack, { from: 'client', message: NOTHING })).header, size: body.length };
      const read = decodeMessage({ header, body }, contextWith(undefined), msgpack);
      if (read?.command !== 'AUTHNZ' || read.data === null) throw new Error('a value expected');
      expect(read.data.type).toBe(typeFromJson(type));
      expect(JSON.parse(formatJson(read.data.type, read.data.value))).toEqual(json);
      const bytes = written(msgpack, { from: 'client', message: { command: 'AUTHNZ', data: read.data } });
      expect(toHex(bytes.subarray(HEADER_BYTES))).toBe(toHex(body));
    },
  );
});

const NOTHING = { command: 'AUTHNZ', data: null } as const;
