// Does a backup hold all that a store held, and is nothing else taken for one?

import { constants } from 'node:buffer';
import { createHash } from 'node:crypto';

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import type { ChannelUpdate } from '../../../src/channels/channel.ts';
import {
  backupLines,
  readBackup,
  requireSameDefinition,
  restoreChannel,
  type RestoreOptions,
} from '../../../src/channels/stores/backup.ts';
import type { ChannelStore, StoredChannel, StoredDefinition } from '../../../src/channels/stores/channel-store.ts';
import { MemoryStore } from '../../../src/channels/stores/memory-store.ts';
import { ntScalar } from '../../../src/protocol/normative/nt-scalar.ts';
import type { BitSet } from '../../../src/protocol/bit-set.ts';
import { DEFAULT_LIMITS } from '../../../src/protocol/limits.ts';
import {
  arrayOf as arrayType,
  double,
  int,
  structure,
  type StructureType,
} from '../../../src/protocol/types/type-desc.ts';
import type { StructureValue } from '../../../src/protocol/types/value-of.ts';
import { codecOf } from '../../../src/protocol/values/codec.ts';
import { coercePartial } from '../../../src/protocol/values/coerce.ts';
import { leafMask } from '../../../src/protocol/values/leaf-mask.ts';
import { isSameValue, masksOf, structureTypes, valuesOf } from '../../support/arbitraries.ts';
import { hitsLimit } from '../../support/hits-limit.ts';

const WRITTEN = '2026-01-31T12:00:00.000Z';
const SCALAR = ntScalar(double, { display: true });

describe('a backup', () => {
  it('has room for the largest array or text that a client may put by default', () => {
    const { maxBackupLineBytes, maxBodyBytes, maxDefinitionCharacters, maxNameBytes } = DEFAULT_LIMITS;
    const mostForOneByte = Math.max('false,'.length, '-128,'.length, JSON.stringify('\u0001').length - '""'.length);
    const room = maxBackupLineBytes - maxDefinitionCharacters - maxNameBytes;
    expect(room / maxBodyBytes).toBeGreaterThanOrEqual(mostForOneByte);
    expect(maxBackupLineBytes).toBeLessThan(constants.MAX_STRING_LENGTH);
  });

  it('is not written, and says which channel, where one is too large to be read back', async () => {
    const store = await storeWith('a', 'b');
    const lines = (await backupOf(store)).split('\n');
    const lineBytes = Buffer.byteLength(`${lines[1]}\n`);
    const limits = (maxBackupLineBytes: number) => ({ ...DEFAULT_LIMITS, maxBackupLineBytes });
    expect(await arrayOf(backupLines(store, WRITTEN, limits(lineBytes)))).toHaveLength(4);
    await expect(arrayOf(backupLines(store, WRITTEN, limits(lineBytes - 1)))).rejects.toThrow(
      `channel 'a': ${lineBytes} asked, maxBackupLineBytes allows ${lineBytes - 1}`,
    );
  });

  it('is not written, and says which channel, where one is longer than any text', async () => {
    const fieldName = 'n'.repeat(1_000_000);
    const type = structure('', { rows: arrayType(structure('', { [fieldName]: int })) });
    const store = new MemoryStore();
    await store.define(
      { name: 'a', type, settings: {} },
      update(type, { rows: Array.from({ length: 600 }, () => ({ [fieldName]: 1 })) }),
    );
    await expect(backupOf(store)).rejects.toThrow(/^channel 'a': \d+ asked, maxBackupLineBytes allows/u);
  });

  it('brings back every channel with its definition and every leaf that was set, whatever its type', async () => {
    const states = structureTypes()
      .filter((type) => type.fields.length > 0)
      .chain((type) => fc.tuple(fc.constant(type), valuesOf(type), masksOf(type)));
    await fc.assert(
      fc.asyncProperty(fc.array(states, { maxLength: 5 }), async (given) => {
        const store = new MemoryStore();
        for (const [index, [type, value, bits]] of given.entries()) {
          await store.define(
            { name: `pv:${index}`, type, settings: { index, nested: { list: [1, 'zwei', null] } } },
            stateOf(type, value as StructureValue, leafMask(type, bits)),
          );
        }
        const back = new MemoryStore();
        for await (const channel of readBackup(chunksOf(await backupOf(store)))) await restoreChannel(back, channel);
        const [before, after] = [await channelsOf(store), await channelsOf(back)];
        expect(after.map(({ definition }) => definition)).toEqual(before.map(({ definition }) => definition));
        for (const [index, { definition, state }] of before.entries()) {
          expect(after[index]?.definition.type).toBe(definition.type);
          expect(after[index]?.state.changed.equals(state.changed)).toBe(true);
          expect(isSameValue(after[index]?.state.value ?? null, state.value)).toBe(true);
        }
      }),
      { numRuns: 60 },
    );
  });

  it('of an empty store is one, too', async () => {
    const text = await backupOf(new MemoryStore());
    expect(text.split('\n')).toHaveLength(3);
    expect(await arrayOf(readBackup(chunksOf(text)))).toEqual([]);
  });

  it('has lines that every JSON reader takes, each with the beginning of its SHA-256', async () => {
    const lines = (await backupOf(await storeWith('lab:b', 'lab:a'))).trimEnd().split('\n');
    expect(lines.map((line): unknown => JSON.parse(line))).toMatchObject([
      { format: 'pvkit-backup', version: 1, written: WRITTEN, store: 'memory' },
      { name: 'lab:b', revision: 1, settings: { units: 'V' }, value: { value: 21.5 } },
      { name: 'lab:a', revision: 1, settings: { units: 'V' }, value: { value: 21.5 } },
      { channels: 2, sha256: sha256(`${lines.slice(0, 3).join('\n')}\n`) },
    ]);
    for (const line of lines) {
      const body = line.replace(/,"sum":"[0-9a-f]{16}"\}$/u, '');
      expect(line).toBe(`${body},"sum":"${sha256(body).slice(0, 16)}"}`);
    }
  });

  it('is read in pieces of any size', async () => {
    const text = await backupOf(await storeWith('grün', 'b', 'c'));
    for (const size of [1, 7, 100, 100_000]) {
      const channels = await arrayOf(readBackup(chunksOf(text, size)));
      expect(channels.map(({ definition }) => definition.name)).toEqual(['grün', 'b', 'c']);
    }
  });
});

describe('what is no whole backup is refused by line', () => {
  it('wherever it is cut short', async () => {
    const text = await backupOf(await storeWith('a', 'b'));
    // Without its last newline it is whole.
    for (let length = 0; length < text.length - 1; length++) {
      // Where only its newline is missing, a line is whole and the next one is not there.
      const line = text.slice(0, length + 1).split('\n').length;
      await expect(arrayOf(readBackup(chunksOf(text.slice(0, length))))).rejects.toThrow(
        new RegExp(`^line ${line}: `, 'u'),
      );
    }
    expect(await arrayOf(readBackup(chunksOf(text.slice(0, -1))))).toHaveLength(2);
  });

  it('whichever of its bytes is another', async () => {
    const text = Buffer.from(await backupOf(await storeWith('a', 'b')));
    for (let at = 0; at < text.length; at++) {
      const changed = Buffer.from(text);
      changed[at] = (changed[at] ?? 0) ^ 0x01;
      await expect(arrayOf(readBackup(chunksOf(changed)))).rejects.toMatchObject({ code: 'BACKUP' });
    }
  });

  it.each<[what: string, change: (lines: string[]) => readonly string[], reason: string]>([
    ['a line is missing', ([head = '', , ...rest]) => [head, ...rest], 'line 3: 1 channel came before, 2 were written'],
    [
      'a line is there twice',
      ([head = '', a = '', ...rest]) => [head, a, a, ...rest],
      'line 5: 3 channels came before',
    ],
    ['lines are in another order', ([head = '', a = '', b = '', end = '']) => [head, b, a, end], 'line 4: SHA-256'],
    ['something follows', (lines) => [...lines, lines[1] ?? ''], 'line 5: something follows'],
    ['the first line is missing', ([, ...rest]) => rest, 'line 1: this is no backup of pvkit'],
    ['line ends were changed', (lines) => lines.map((line) => `${line}\r`), 'line 1: this is no backup of pvkit'],
    ['it has empty lines', ([head = '', ...rest]) => [head, '', ...rest], 'line 2: there is no checksum at its end'],
  ])('when %s', async (_, change, reason) => {
    const lines = (await backupOf(await storeWith('a', 'b'))).trimEnd().split('\n');
    await expect(arrayOf(readBackup(chunksOf(`${change(lines).join('\n')}\n`)))).rejects.toThrow(reason);
  });

  it.each([
    ['', 'line 1: the file ends here'],
    ['{"format":"other"}', 'line 1: this is no backup of pvkit'],
    [summed('{"format":"other","version":1'), 'line 1: this is no backup of pvkit'],
    [
      summed('{"format":"pvkit-backup","version":2,"novelty":1'),
      'line 1: the backup is of version 2 of the format, this version of pvkit reads up to 1',
    ],
    [summed('{"format":"pvkit-backup","version":"1"'), 'line 1: version "1" of the format cannot be'],
    [summed('{"format":"pvkit-backup","version":1,"written":"today","store":"memory"'), 'written is "today"'],
    [summed(`{"format":"pvkit-backup","version":1,"written":"${WRITTEN}","store":7`), 'store is 7'],
    [summed(`{"format":"pvkit-backup","version":1,"written":"${WRITTEN}"`), 'store is missing'],
    [
      summed(`{"format":"pvkit-backup","version":1,"written":"${WRITTEN}","store":"memory","by":1`),
      'the key "by" has no meaning here',
    ],
    [summed('{"format":"pvkit-backup",'), 'line 1: it is no JSON'],
    ['\u001f\u008b\u0008', 'line 1: this is no backup of pvkit'],
  ])('where the first line is %j', async (text, reason) => {
    await expect(arrayOf(readBackup(chunksOf(text)))).rejects.toThrow(reason);
  });

  const type = '{"kind":"structure","id":"","fields":[{"name":"value","type":"int"}]}';
  it.each([
    [`{"name":"","revision":0,"settings":{},"type":${type},"value":{}`, 'a name of 1 to 500 bytes expected'],
    [`{"name":"a","revision":-1,"settings":{},"type":${type},"value":{}`, "channel 'a': revision -1 cannot be"],
    [`{"name":"a","revision":0,"settings":[],"type":${type},"value":{}`, "channel 'a': settings is no JSON object"],
    [`{"name":"a","revision":0,"settings":{"__proto__":1},"type":${type},"value":{}`, "has the key '__proto__'"],
    [`{"name":"a","revision":0,"settings":{},"type":"int","value":{}`, 'a structure expected'],
    [`{"name":"a","revision":0,"settings":{},"type":"imt","value":{}`, `channel 'a': "imt" is no type`],
    [
      `{"name":"a","revision":0,"settings":{},"type":${type},"value":{"value":0.5}`,
      "channel 'a': value: number 0.5 does not fit int",
    ],
    [`{"name":"a","revision":0,"settings":{},"type":${type}`, 'value is missing'],
    [`{"name":"a","revision":0,"settings":{},"type":${type},"value":{},"more":1`, 'the key "more" has no meaning here'],
    ['[1', 'it is no JSON'],
  ])('where a channel is %s', async (body, reason) => {
    const head = summed(`{"format":"pvkit-backup","version":1,"written":"${WRITTEN}","store":"memory"`);
    await expect(arrayOf(readBackup(chunksOf(`${head}\n${summed(body)}\n`)))).rejects.toThrow('line 2: ');
    await expect(arrayOf(readBackup(chunksOf(`${head}\n${summed(body)}\n`)))).rejects.toThrow(reason);
  });

  it('where it is no text at all', async () => {
    await expect(arrayOf(readBackup(chunksOf(Buffer.from([0x7b, 0xff, 0x0a]))))).rejects.toThrow(
      'line 1: it is no UTF-8 text',
    );
  });

  it('where a line is longer than fits memory', async () => {
    hitsLimit('maxBackupLineBytes');
    const limits = { ...DEFAULT_LIMITS, maxBackupLineBytes: 1_000 };
    const endless = async function* (): AsyncGenerator<Uint8Array> {
      for (;;) yield Buffer.alloc(100, '7');
    };
    await expect(arrayOf(readBackup(endless(), limits))).rejects.toThrow(
      'line 1: 1100 asked, maxBackupLineBytes allows 1000',
    );
  });
});

describe('restoring', () => {
  it('sets the value of a channel that is there with the same definition, and leaves other leaves alone', async () => {
    const store = await storeWith('a');
    const [channel] = await channelsOf(store);
    await store.write('a', update(SCALAR, { value: 3, alarm: { message: 'kept' } }));
    expect(await restoreOf(store, channel)).toBe('updated');
    expect((await store.read('a'))?.state.value).toMatchObject({ value: 21.5, alarm: { message: 'kept' } });
  });

  it('creates one that is not there', async () => {
    const [channel] = await channelsOf(await storeWith('a'));
    const store = new MemoryStore();
    expect(await restoreOf(store, channel)).toBe('created');
    expect((await store.read('a'))?.state.value).toMatchObject({ value: 21.5 });
  });

  it('refuses one that is defined otherwise, unless it may replace it', async () => {
    const [channel] = await channelsOf(await storeWith('a'));
    const store = new MemoryStore();
    const other: StoredDefinition = { name: 'a', type: structure({ value: int }), settings: { units: 'A' } };
    await store.define(other, update(other.type, { value: 7 }));
    const conflict = {
      code: 'DEFINITION_CONFLICT',
    };
    await expect(restoreOf(store, channel)).rejects.toMatchObject(conflict);
    await expect(check(store, channel)).rejects.toMatchObject(conflict);
    expect((await store.read('a'))?.state.value).toEqual({ value: 7 });

    expect(await restoreOf(store, channel, { replace: true })).toBe('replaced');
    expect(await store.read('a')).toMatchObject({
      definition: { settings: { units: 'V' } },
      state: { value: { value: 21.5 } },
    });
    await expect(check(store, channel)).resolves.toBeUndefined();
  });

  it('replaces settings alone, and sets the value, where the type is the same', async () => {
    const [channel] = await channelsOf(await storeWith('a'));
    const store = new MemoryStore();
    await store.define({ name: 'a', type: SCALAR, settings: { units: 'A' } }, update(SCALAR, { value: 7 }));
    expect(await restoreOf(store, channel, { replace: true })).toBe('replaced');
    expect(await store.read('a')).toMatchObject({
      definition: { settings: { units: 'V' } },
      state: { value: { value: 21.5 } },
    });
  });
});

// --- helpers ---------------------------------------------------------------------------------------------------

async function storeWith(...names: readonly string[]): Promise<ChannelStore> {
  const store = new MemoryStore();
  for (const name of names) {
    await store.define({ name, type: SCALAR, settings: { units: 'V' } });
    await store.write(name, update(SCALAR, { value: 21.5 }));
  }
  return store;
}

function stateOf(type: StructureType, value: StructureValue, changed: BitSet): ChannelUpdate {
  const codec = codecOf<StructureType>(type);
  return { changed, value: codec.merge(codec.defaultValue(), value, changed) };
}

function update(type: StructureType, patch: unknown): ChannelUpdate {
  const { changed, value } = coercePartial(type, patch);
  return { changed, value: value as StructureValue };
}

async function backupOf(store: ChannelStore): Promise<string> {
  return (await arrayOf(backupLines(store, WRITTEN))).join('');
}

async function* chunksOf(text: string | Uint8Array, size = 64): AsyncGenerator<Uint8Array> {
  const bytes = Buffer.from(text);
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
}

async function arrayOf<T>(items: AsyncIterable<T>): Promise<T[]> {
  const list: T[] = [];
  for await (const item of items) list.push(item);
  return list;
}

function channelsOf(store: ChannelStore): Promise<StoredChannel[]> {
  return arrayOf(store.scan());
}

function restoreOf(store: ChannelStore, channel: StoredChannel | undefined, options?: RestoreOptions) {
  if (channel === undefined) throw new Error('no channel to restore');
  return restoreChannel(store, channel, options);
}

function check(store: ChannelStore, channel: StoredChannel | undefined): Promise<void> {
  if (channel === undefined) throw new Error('no channel to check');
  return requireSameDefinition(store, channel);
}

function sha256(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}

/** A line whose checksum is right, whatever stands in it. */
function summed(body: string): string {
  return `${body},"sum":"${sha256(body).slice(0, 16)}"}`;
}
