// Do types, values, masks and status that break the rules end in an error, without the memory that they claim?

import { describe, expect, test } from 'vitest';

import { BitSet } from '../../src/protocol/bit-set.ts';
import { PvaError } from '../../src/protocol/errors.ts';
import { Reader } from '../../src/protocol/reader.ts';
import { decodeStatus } from '../../src/protocol/status.ts';
import type { TypeDesc } from '../../src/protocol/types/type-desc.ts';
import { decodeType, TypeReceiver } from '../../src/protocol/types/wire.ts';
import { anyCodecOf } from '../../src/protocol/values/codec.ts';
import { fromHex, malformedCases, typeOf, type MalformedCase } from '../support/vectors.ts';

function decode(one: MalformedCase): void {
  const reader = new Reader(fromHex(one.hex), one.byteOrder === 'BE');
  switch (one.kind) {
    case 'type':
      decodeType(reader);
      return;
    case 'value':
      anyCodecOf(declared(one)).decode(reader, new TypeReceiver());
      return;
    case 'partial': {
      const mask = BitSet.decode(reader);
      anyCodecOf(declared(one)).decodeMasked(reader, mask, new TypeReceiver());
      return;
    }
    case 'status':
      decodeStatus(reader);
      return;
    case 'message':
      throw new Error('messages are tested with the framer, the server and the client');
  }
}

function declared(one: MalformedCase): TypeDesc {
  if (one.type === undefined || one.type === null) throw new Error(`vector ${one.name} lacks its type`);
  return typeOf(one.type);
}

const MEMORY_ALLOWED_BYTES = 16 * 1024 * 1024;

function memory(): number {
  const { heapUsed, external, arrayBuffers } = process.memoryUsage();
  return heapUsed + external + arrayBuffers;
}

const cases = malformedCases().filter((one) => one.kind !== 'message');

describe('malformed types and values', () => {
  test.each(cases.map((one) => [one.name, one] as const))('%s', (_, one) => {
    const before = memory();
    let thrown: unknown;
    try {
      decode(one);
    } catch (error) {
      thrown = error;
    }
    expect(memory() - before).toBeLessThan(MEMORY_ALLOWED_BYTES);
    if (one.expect === 'reject') expect(thrown).toBeInstanceOf(PvaError);
    else if (thrown !== undefined) expect(thrown).toBeInstanceOf(PvaError);
  });
});
