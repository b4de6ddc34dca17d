// What must every codec do? One suite: all messages there and back, any type and value, and nothing but a PvaError for
// bytes that are wrong.

import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { BitSet } from '../../../src/protocol/bit-set.ts';
import type { Codec } from '../../../src/protocol/codecs/codec.ts';
import { LocalProtocolError, PvaError } from '../../../src/protocol/errors.ts';
import type { Frame } from '../../../src/protocol/framer.ts';
import { HEADER_BYTES, readHeader } from '../../../src/protocol/header.ts';
import {
  decodeMessage,
  encodeMessage,
  type ClientMessageToSend,
  type ServerMessageToSend,
} from '../../../src/protocol/messages/index.ts';
import type { DecodeContext, OperationTypes } from '../../../src/protocol/messages/message-module.ts';
import { OK } from '../../../src/protocol/status.ts';
import { any, int, type StructureType, type TypeDesc } from '../../../src/protocol/types/type-desc.ts';
import type { AnyValue, PvValue } from '../../../src/protocol/types/value-of.ts';
import { TypeReceiver } from '../../../src/protocol/types/wire.ts';
import { anyCodecOf } from '../../../src/protocol/values/codec.ts';
import { leafMask } from '../../../src/protocol/values/leaf-mask.ts';
import { Writer } from '../../../src/protocol/writer.ts';
import { isSameValue, masksOf, structureTypes, typedValues, valuesOf } from '../../support/arbitraries.ts';
import { SAMPLES, type Sample } from '../../support/message-samples.ts';
import { plain } from '../../support/plain.ts';

/** That of the samples. */
export const IOID = 0x1020_3040;

type Sent =
  | { readonly from: 'client'; readonly message: ClientMessageToSend }
  | { readonly from: 'server'; readonly message: ServerMessageToSend };

/** The whole message as bytes. */
export function written(codec: Codec, sent: Sent, bigEndian = true): Uint8Array {
  const writer = new Writer(codec.orderOf(bigEndian));
  if (sent.from === 'client') encodeMessage(writer, sent.message, { fromServer: false, codec });
  else encodeMessage(writer, sent.message, { fromServer: true, codec });
  return writer.copy();
}

export function frameOf(bytes: Uint8Array): Frame {
  return { header: readHeader(bytes, 0), body: bytes.subarray(HEADER_BYTES) };
}

export function contextWith(operation: OperationTypes | undefined): DecodeContext {
  return { types: new TypeReceiver(), typeOf: (ioid) => (ioid === IOID ? operation : undefined) };
}

export function runCodecSuite(codec: Codec): void {
  describe(`the codec ${codec.name}`, () => {
    test.each(SAMPLES.map((sample) => [sample.from, sample.name, sample] as const))(
      'gives back the message of a %s: %s',
      (_from, _name, sample) => {
        const frame = frameOf(written(codec, sample));
        const read = decodeMessage(frame, contextWith(sample.operation), codec);
        expect(plain(leavesOnly(read))).toEqual(plain(leavesOnly(sample.message)));
      },
    );

    test.each(SAMPLES.map((sample) => [sample.from, sample.name, sample] as const))(
      'refuses the message of a %s when it is cut: %s',
      (_from, _name, sample) => {
        const { header, body } = frameOf(written(codec, sample));
        for (let length = 0; length < body.length; length++) {
          const cut = { header, body: body.subarray(0, length) };
          const decode = (): unknown => decodeMessage(cut, contextWith(sample.operation), codec);
          if (isLegalCut(codec, sample, length)) expect(decode).not.toThrow();
          else expect(decode, `cut at ${length}`).toThrow(PvaError);
        }
      },
    );

    test('gives back any type and value', () => {
      fc.assert(
        fc.property(typedValues(), fc.boolean(), (any, bigEndian) => {
          const message = { command: 'RPC', phase: 'exec', sid: 1, ioid: IOID, subcommand: 0, argument: any } as const;
          const frame = frameOf(written(codec, { from: 'client', message }, bigEndian));
          const read = decodeMessage(frame, contextWith(undefined), codec);
          const found = read?.command === 'RPC' && 'argument' in read ? read.argument : null;
          expect(found?.type === any.type).toBe(true);
          expect(isSameValue(found?.value ?? null, any.value)).toBe(true);
        }),
        { numRuns: 1_000 },
      );
    });

    test('reads any inside any 20 levels deep, that of the message included, and refuses 21', () => {
      const nested = (levels: number): AnyValue =>
        levels === 1 ? { type: int, value: 7 } : { type: any, value: nested(levels - 1) };
      const read = (levels: number): unknown =>
        decodeMessage(
          frameOf(written(codec, { from: 'client', message: { command: 'AUTHNZ', data: nested(levels) } })),
          contextWith(undefined),
          codec,
        );
      expect(read(20)).toEqual({ command: 'AUTHNZ', data: nested(20) });
      expect(() => read(21)).toThrow('maxTypeNesting allows 20');
    });

    test('carries the fields of an update that changed, over what was there, and those that changed twice', () => {
      fc.assert(
        fc.property(updates(), fc.boolean(), fc.boolean(), (update, bigEndian, isEncoded) => {
          const { type, value, base, changed, overrun } = update;
          const read = throughMonitor(codec, { type, value, changed, overrun, base }, bigEndian, isEncoded);
          expect(read.command === 'MONITOR' && read.phase).toBe('update');
          if (read.command !== 'MONITOR' || read.phase !== 'update' || !('update' in read)) return;
          expect([...leafMask(type, read.update.changed)]).toEqual([...leafMask(type, changed)]);
          expect([...leafMask(type, read.overrun)]).toEqual([...leafMask(type, overrun)]);
          const merged = anyCodecOf(type).merge(base, value, changed);
          expect(isSameValue(read.update.value, merged)).toBe(true);
        }),
        { numRuns: 1_000 },
      );
    });

    test('carries an update of what is no structure', () => {
      fc.assert(
        fc.property(typedValues({ depth: 1 }), fc.boolean(), ({ type, value }, isChanged) => {
          fc.pre(type.kind !== 'structure');
          const changed = isChanged ? BitSet.of(0) : BitSet.empty();
          const message = {
            ...({ command: 'GET', phase: 'exec', ioid: IOID, subcommand: 0, status: OK } as const),
            update: { type, value, changed },
          };
          const frame = frameOf(written(codec, { from: 'server', message }));
          const read = decodeMessage(frame, contextWith({ command: 'GET', type }), codec);
          const update = read?.command === 'GET' && 'update' in read ? read.update : null;
          expect(update?.changed.has(0)).toBe(isChanged);
          const expected = isChanged ? value : anyCodecOf(type).defaultValue();
          expect(isSameValue(update?.value ?? null, expected)).toBe(true);
        }),
        { numRuns: 300 },
      );
    });

    test('refuses damaged messages with a PvaError that is no LocalProtocolError, or reads them', () => {
      const damage = fc.array(fc.tuple(fc.nat(), fc.nat(255)), { minLength: 1, maxLength: 4 });
      fc.assert(
        fc.property(fc.constantFrom(...SAMPLES), damage, (sample, changes) => {
          const { header, body } = frameOf(written(codec, sample));
          for (const [at, byte] of changes) body[at % body.length] = byte;
          expectReadOrRefused(() => decodeMessage({ header, body }, contextWith(sample.operation), codec));
        }),
        { numRuns: 5_000 },
      );
    });

    test('refuses an update that another codec encoded', () => {
      const other = codec.name === 'pva' ? 'msgpack' : 'pva';
      const message = { command: 'GET', phase: 'exec', ioid: IOID, subcommand: 0, status: OK } as const;
      const update = { bytes: Uint8Array.of(0), codec: other, bigEndian: true, type: UPDATE_TYPE } as const;
      const names = { pva: 'big-endian pvAccess', msgpack: 'MessagePack' };
      expect(() => written(codec, { from: 'server', message: { ...message, update } })).toThrow(
        `update encoded in ${names[other]} for a link that speaks ${names[codec.name]}`,
      );
    });
  });
}

const UPDATE_TYPE: TypeDesc = (() => {
  const type = SAMPLES.find(({ operation }) => operation?.type != null)?.operation?.type;
  if (type == null) throw new Error('a sample with a type expected');
  return type;
})();

/** In pvAccess a body may end early at some places; in MessagePack the array says how many fields there are. */
function isLegalCut(codec: Codec, { mayEndAt }: Sample, length: number): boolean {
  return codec.name === 'pva' && mayEndAt?.includes(length) === true;
}

export function expectReadOrRefused(decode: () => unknown): void {
  try {
    decode();
  } catch (thrown) {
    expect(thrown).toBeInstanceOf(PvaError);
    expect(thrown).not.toBeInstanceOf(LocalProtocolError);
  }
}

interface Change {
  readonly type: StructureType;
  readonly value: PvValue;
  readonly base: PvValue;
  readonly changed: BitSet;
  readonly overrun: BitSet;
}

function updates(): fc.Arbitrary<Change> {
  // A structure without fields has nothing that could change: whether its own bit is set says nothing.
  const withFields = structureTypes().filter(({ fields }) => fields.length > 0);
  return withFields.chain((type) =>
    fc.record({
      type: fc.constant(type),
      value: valuesOf(type),
      base: valuesOf(type),
      changed: masksOf(type),
      overrun: masksOf(type),
    }),
  );
}

function throughMonitor(codec: Codec, change: Change, bigEndian: boolean, isEncoded: boolean) {
  const { type, value, changed, overrun, base } = change;
  const update = { type, value, changed };
  const sent = isEncoded ? codec.encodeUpdate(update, codec.orderOf(bigEndian)) : update;
  const message = { command: 'MONITOR', phase: 'update', ioid: IOID, subcommand: 0, update: sent, overrun } as const;
  const frame = frameOf(written(codec, { from: 'server', message }, bigEndian));
  const read = decodeMessage(frame, contextWith({ command: 'MONITOR', type, base }), codec);
  if (read === undefined) throw new Error('a message expected');
  return read;
}

/** The message with its masks in the one form that names leaves only: what MessagePack carries. */
export function leavesOnly(data: unknown): unknown {
  if (data === null || typeof data !== 'object') return data;
  if (data instanceof BitSet || ArrayBuffer.isView(data) || Array.isArray(data)) return data;
  if (!('update' in data) || data.update === null || typeof data.update !== 'object') return data;
  const { update } = data;
  if (!('type' in update) || !('changed' in update)) return data;
  // The two stand beside each other in updates only.
  const type = update.type as TypeDesc;
  const inLeaves = (mask: unknown): unknown =>
    type.kind === 'structure' && mask instanceof BitSet ? leafMask(type, mask) : mask;
  const overrun = 'overrun' in data ? { overrun: inLeaves(data.overrun) } : {};
  return { ...data, ...overrun, update: { ...update, changed: inLeaves(update.changed) } };
}
