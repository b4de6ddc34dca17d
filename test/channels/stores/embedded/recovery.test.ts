// Does an embedded store, with its real files, have what was acknowledged after a kill at the worst moments, after a loss of
// power, and for somebody who reads it meanwhile?

import {
  copyFileSync,
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { open } from 'lmdb';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { ChannelStore } from '../../../../src/channels/stores/channel-store.ts';
import {
  openEmbeddedStore,
  type EmbeddedStoreOptions,
} from '../../../../src/channels/stores/embedded/embedded-store.ts';
import { journalFolder, type JournalFolder } from '../../../../src/channels/stores/embedded/journal-files.ts';
import { SEGMENT_HEAD_BYTES } from '../../../../src/channels/stores/embedded/journal-format.ts';
import { StoreError } from '../../../../src/channels/stores/store-error.ts';
import { eventually, POINT, pointOf, scanned, updateOf } from '../../../../src/channels/stores/suite/suite-support.ts';
import { arrayOf, double, structure } from '../../../../src/protocol/types/type-desc.ts';
import { ManualClock } from '../../../../src/transport/manual-clock.ts';
import { stateOf } from '../../../support/journal-world.ts';

const CHECKPOINT_MS = 5_000;
const BOOT = new Uint8Array(16).fill(1);
const NEXT_BOOT = new Uint8Array(16).fill(2);

let root = '';
let folder = '';
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'pvkit-recovery-'));
  folder = mkdtempSync(join(root, 'state-'));
});
afterEach(() => rmSync(root, { recursive: true }));

/** What a kill leaves at this moment. LMDB must not be writing. */
function killed(from = folder): string {
  const copy = mkdtempSync(join(root, 'copy-'));
  for (const name of readdirSync(from)) if (!name.endsWith('-lock')) copyFileSync(join(from, name), join(copy, name));
  return copy;
}

const journals = (path: string): readonly string[] => readdirSync(path).filter((name) => name.includes('.journal'));

function openStore(path = folder, options: EmbeddedStoreOptions = {}): Promise<ChannelStore> {
  return openEmbeddedStore(path, { journal: { bootId: BOOT }, ...options });
}

async function stateAt(path: string, options: EmbeddedStoreOptions = {}): Promise<Readonly<Record<string, string>>> {
  const store = await openStore(path, options);
  try {
    return stateOf(await scanned(store));
  } finally {
    await store.close();
  }
}

async function put(store: ChannelStore, name: string, x: number): Promise<void> {
  await store.define({ name, type: POINT, settings: {} });
  await store.write(name, pointOf({ x }));
}

/** The real files, and a look at them in between. */
function watched(before: (act: string, name: string) => void): JournalFolder {
  const real = journalFolder(folder);
  return {
    ...real,
    create: (name, isFlushed) => {
      before('create', name);
      return real.create(name, isFlushed);
    },
    remove: (name) => {
      before('remove', name);
      return real.remove(name);
    },
  };
}

describe('an embedded store that was killed', () => {
  it('has all that was acknowledged, and takes its journal away', async () => {
    const store = await openStore();
    await put(store, 'a', 1);
    await put(store, 'b', 2);
    await store.destroy('b');
    const copy = killed();
    expect(journals(copy)).toEqual(['channels.1.journal']);
    const again = await openStore(copy);
    expect(stateOf(await scanned(again))).toEqual({ a: 'demo:point/1.0 1: 1' });
    await again.write('a', pointOf({ x: 3 }));
    await again.close();
    expect(journals(copy)).toEqual([]);
    expect(await stateAt(copy)).toEqual({ a: 'demo:point/1.0 2: 3' });
    await store.close();
    expect(journals(folder)).toEqual([]);
  });

  it('has all that was acknowledged at every moment of a checkpoint', async () => {
    const copies = new Map<string, string>();
    const clock = new ManualClock();
    const files = watched((act, name) => copies.set(`${act} ${name}`, killed()));
    const store = await openStore(folder, { clock, journal: { bootId: BOOT, folder: files } });
    await put(store, 'a', 1);
    await put(store, 'b', 2);
    clock.advance(CHECKPOINT_MS);
    await eventually('the checkpoint is made', () => copies.has('remove channels.1.journal'));
    await put(store, 'c', 3);
    const done = { a: 'demo:point/1.0 1: 1', b: 'demo:point/1.0 1: 2' };
    // The new segment is begun; the database has all, and the old segment is there yet.
    expect(await stateAt(copies.get('create channels.2.journal') ?? '')).toEqual(done);
    const committed = copies.get('remove channels.1.journal') ?? '';
    expect(journals(committed)).toEqual(['channels.1.journal', 'channels.2.journal']);
    // What is in the database already is not even read.
    writeFileSync(join(committed, 'channels.1.journal'), 'something else');
    expect(await stateAt(committed)).toEqual(done);
    expect(await stateAt(killed())).toEqual({ ...done, c: 'demo:point/1.0 1: 3' });
    await store.close();
  });

  it('has what was acknowledged, though the program that gave it has changed its array since', async () => {
    const clock = new ManualClock();
    const store = await openStore(folder, { clock });
    const type = structure('demo:wave/1.0', { value: arrayOf(double) });
    await store.define({ name: 'wave', type, settings: {} });
    const wave = Float64Array.of(1, 2, 3);
    await store.write('wave', updateOf(type, { value: wave }));
    wave[0] = 999;
    clock.advance(CHECKPOINT_MS);
    await eventually('the checkpoint is made', () => journals(folder).join(' ') === 'channels.2.journal');
    const found = await openStore(killed());
    expect((await found.read('wave'))?.state.value['value']).toEqual(Float64Array.of(1, 2, 3));
    await found.close();
    await store.close();
  });

  it('has a large value, which is not in the journal', async () => {
    const store = await openStore();
    const type = structure('demo:image/1.0', { value: arrayOf(double) });
    await store.define({ name: 'image', type, settings: {} });
    await put(store, 'a', 1);
    await store.write(
      'image',
      updateOf(type, { value: Float64Array.from({ length: 1_000_000 }, (_, index) => index) }),
    );
    await put(store, 'b', 2);
    const copy = killed();
    expect(journals(copy)).toEqual(['channels.2.journal']);
    expect(readFileSync(join(copy, 'channels.2.journal')).length).toBeLessThan(1_000);
    const found = await openStore(copy);
    const image = await found.read('image');
    expect(image?.revision).toBe(1);
    expect(Array.from(image?.state.value['value'] as Float64Array).at(-1)).toBe(999_999);
    expect((await found.read('b'))?.revision).toBe(1);
    await found.close();
    await store.close();
  });
});

type Step =
  | readonly ['define' | 'write' | 'destroy', name: string, x: number]
  | readonly ['checkpoint' | 'kill' | 'restart'];

const named = fc.tuple(fc.constantFrom('define', 'write', 'destroy'), fc.constantFrom('a', 'b', 'c'), fc.nat(99));
const steps: fc.Arbitrary<readonly Step[]> = fc.array(
  fc.oneof(
    { weight: 5, arbitrary: named },
    { weight: 1, arbitrary: fc.tuple(fc.constantFrom('checkpoint', 'kill', 'restart')) },
  ),
  { minLength: 5, maxLength: 30 },
);

it('is what a plain table would be, whatever is defined, written and destroyed, and however often it is killed', async () => {
  await fc.assert(
    fc.asyncProperty(steps, async (steps) => {
      const table = new Map<string, number>();
      const clock = new ManualClock();
      let path = mkdtempSync(join(root, 'random-'));
      let store = await openStore(path, { clock });
      for (const [does, name = '', x = 0] of [...steps, ['kill'] as const]) {
        if (does === 'define') {
          const made = await store.define({ name, type: POINT, settings: {} }, pointOf({ x }));
          expect(made).toBe(table.has(name) ? 'same' : 'created');
          if (made === 'created') table.set(name, x);
        } else if (does === 'write') {
          const written = store.write(name, pointOf({ x }));
          if (!table.has(name)) await expect(written).rejects.toMatchObject({ reason: 'NO_SUCH_CHANNEL' });
          else await written.then(() => table.set(name, x));
        } else if (does === 'destroy') expect(await store.destroy(name)).toBe(table.delete(name));
        else if (does === 'checkpoint') {
          const before = journals(path).join(' ');
          const { length } = readFileSync(join(path, before));
          clock.advance(CHECKPOINT_MS);
          if (length > SEGMENT_HEAD_BYTES) await eventually('a checkpoint', () => !journals(path).includes(before));
          await eventually('one file is left', () => journals(path).length === 1);
        } else {
          const left = does === 'kill' ? killed(path) : path;
          await store.close();
          path = left;
          store = await openStore(path, { clock });
          const found = [...(await scanned(store)).values()];
          expect(new Map(found.map(({ definition, state }) => [definition.name, state.value['x']]))).toEqual(table);
        }
      }
      await store.close();
    }),
    { numRuns: 5 },
  );
}, 60_000);

/** A store with three puts in its journal, killed. */
async function withJournal(): Promise<{ readonly path: string; readonly file: string; readonly bytes: Buffer }> {
  const store = await openStore();
  await put(store, 'a', 1);
  await store.write('a', pointOf({ x: 2 }));
  await store.write('a', pointOf({ x: 3 }));
  const path = killed();
  await store.close();
  const file = join(path, 'channels.1.journal');
  return { path, file, bytes: readFileSync(file) };
}

/** Why the files are refused, which are not touched by that. */
async function refusal(path: string, options: EmbeddedStoreOptions = {}): Promise<string> {
  const contents = (): ReadonlyMap<string, string> =>
    new Map(
      readdirSync(path)
        .filter((name) => !name.endsWith('-lock'))
        .map((name) => [name, readFileSync(join(path, name), 'hex')]),
    );
  const before = contents();
  const thrown: unknown = await openStore(path, options).catch((error: unknown) => error);
  if (!(thrown instanceof StoreError)) throw new Error('it was not refused', { cause: thrown });
  expect(thrown.reason).toBe('STORE_FORMAT');
  expect(contents()).toEqual(before);
  return thrown.message;
}

describe('a journal that is damaged', () => {
  it('is refused with file and place while the machine runs, and taken up to there when it was restarted', async () => {
    const { path, file, bytes } = await withJournal();
    const place = bytes.length - 10;
    bytes[place] = (bytes[place] ?? 0) ^ 1;
    writeFileSync(file, bytes);
    expect(await refusal(path)).toMatch(/channels\.1\.journal, byte \d+: the checksum of a group does not fit/u);
    expect(await refusal(path, { readOnly: true })).toContain(file);
    const warnings: string[] = [];
    const options = { journal: { bootId: NEXT_BOOT }, onWarning: (text: string) => void warnings.push(text) };
    expect(await stateAt(path, { ...options, readOnly: true })).toEqual({ a: 'demo:point/1.0 2: 2' });
    expect(existsSync(`${file}.damaged`)).toBe(false);
    expect(await stateAt(path, options)).toEqual({ a: 'demo:point/1.0 2: 2' });
    expect(warnings).toHaveLength(2);
    expect(warnings[1]).toMatch(
      /channels\.1\.journal, byte \d+: .*; the machine was restarted since: \d+ bytes are left out, and kept in channels\.1\.journal\.damaged$/u,
    );
    expect(readFileSync(`${file}.damaged`).equals(bytes)).toBe(true);
    // And that was that.
    expect(await stateAt(path)).toEqual({ a: 'demo:point/1.0 2: 2' });
  });

  it('is taken up to where its zeros begin after a loss of power', async () => {
    const { path, file, bytes } = await withJournal();
    bytes.fill(0, bytes.length - 60);
    writeFileSync(file, bytes);
    const warnings: string[] = [];
    const options = { journal: { bootId: NEXT_BOOT }, onWarning: (text: string) => void warnings.push(text) };
    expect(await stateAt(path, options)).toEqual({ a: 'demo:point/1.0 1: 1' });
    expect(warnings).toHaveLength(1);
  });

  it.each([
    ['is refused where the one before says that the machine runs since', BOOT, 'refused'],
    [
      'is left out where the one before says that the machine was restarted',
      NEXT_BOOT,
      'the machine was restarted since',
    ],
    ['is left out where nobody can know', new Uint8Array(16), 'nobody knows whether the machine was restarted since'],
  ])('that is zeros from its beginning %s', async (_, bootId, outcome) => {
    let isCommitted = false;
    // The older file stays, as where the server is killed before it is in the database.
    const kept = { ...journalFolder(folder), remove: async (): Promise<void> => void (isCommitted = true) };
    const clock = new ManualClock();
    const store = await openStore(folder, { clock, journal: { bootId: BOOT, folder: kept } });
    const before = killed();
    await put(store, 'a', 1);
    clock.advance(CHECKPOINT_MS);
    await eventually('the checkpoint is made', () => isCommitted);
    await store.write('a', pointOf({ x: 2 }));
    const path = killed();
    await store.close();
    copyFileSync(join(before, 'channels.mdb'), join(path, 'channels.mdb'));
    const file = join(path, 'channels.2.journal');
    writeFileSync(file, readFileSync(file).fill(0));
    const place = `${file}, byte 0: its beginning was never written`;
    if (outcome === 'refused') return expect(await refusal(path, { journal: { bootId } })).toBe(place);
    const warnings: string[] = [];
    const onWarning = (text: string): void => void warnings.push(text);
    expect(await stateAt(path, { journal: { bootId }, onWarning })).toEqual({ a: 'demo:point/1.0 1: 1' });
    expect(warnings).toEqual([expect.stringContaining(`${place}; ${outcome}: `)]);
  });

  it('is left out, without a word of a restart, where the only file of it is zeros from its beginning', async () => {
    const { path, file, bytes } = await withJournal();
    writeFileSync(file, bytes.fill(0));
    const warnings: string[] = [];
    const onWarning = (text: string): void => void warnings.push(text);
    expect(await stateAt(path, { onWarning })).toEqual({});
    expect(warnings).toEqual([
      `${file}, byte 0: its beginning was never written; nobody knows whether the machine was restarted since: ${bytes.length} bytes are left out, and kept in channels.1.journal.damaged`,
    ]);
  });

  it('is told apart from one that was cut, or not written to its end, of which it is said how much is left out', async () => {
    const { path, file, bytes } = await withJournal();
    truncateSync(file, bytes.length - 3);
    const infos: string[] = [];
    const options = { onInfo: (text: string): void => void infos.push(text) };
    // A server may be writing it just now.
    expect(await stateAt(path, { ...options, readOnly: true })).toEqual({ a: 'demo:point/1.0 2: 2' });
    expect(infos).toEqual([]);
    expect(await stateAt(path, options)).toEqual({ a: 'demo:point/1.0 2: 2' });
    expect(infos).toEqual([
      expect.stringMatching(
        new RegExp(
          `^${file}: the last \\d+ of ${bytes.length - 3} bytes are no whole group, .*; they are left out$`,
          'u',
        ),
      ),
    ]);
    infos.length = 0;
    expect(await stateAt(path, options)).toEqual({ a: 'demo:point/1.0 2: 2' });
    expect(infos).toEqual([]);
  });

  it('is refused where nobody knows the machine by its start only if it is foreign', async () => {
    const { path, file, bytes } = await withJournal();
    const unknown = { journal: { bootId: new Uint8Array(16) } };
    writeFileSync(file, 'no journal at all, by any means, not in the least');
    expect(await refusal(path, unknown)).toContain(`${file}: it is no journal of pvkit`);
    bytes[4] = 9;
    writeFileSync(file, bytes);
    expect(await refusal(path, { journal: { bootId: NEXT_BOOT } })).toContain(`${file}: it is of format 9`);
  });

  it('is refused where a file of it, or the database, is missing', async () => {
    const clock = new ManualClock();
    const store = await openStore(folder, { clock });
    await put(store, 'a', 1);
    const before = killed();
    clock.advance(CHECKPOINT_MS);
    await eventually('the checkpoint is made', () => journals(folder).join(' ') === 'channels.2.journal');
    await store.write('a', pointOf({ x: 2 }));
    const path = killed();
    await store.close();
    copyFileSync(join(before, 'channels.mdb'), join(path, 'channels.mdb'));
    expect(await refusal(path)).toContain('channels.2.journal, byte 0: channels.1.journal is missing');
    const warnings: string[] = [];
    const options = { journal: { bootId: NEXT_BOOT }, onWarning: (text: string) => void warnings.push(text) };
    expect(await stateAt(path, options)).toEqual({});
    expect(warnings).toEqual([expect.stringContaining('channels.1.journal is missing')]);
    rmSync(join(before, 'channels.mdb'));
    expect(await refusal(before)).toContain('is missing, but not its journal, channels.1.journal');
  });

  it('is refused where it is larger than a journal gets, before it is read', async () => {
    const { path, file } = await withJournal();
    truncateSync(file, 2 ** 32);
    const thrown: unknown = await openStore(path).catch((error: unknown) => error);
    expect(String(thrown)).toMatch(/has 4294967296 bytes, no journal has more than \d+/u);
  });
});

describe('a store file of the first format', () => {
  async function old(): Promise<string> {
    const store = await openStore();
    await put(store, 'a', 1);
    await store.close();
    const path = join(folder, 'channels.mdb');
    const database = open<Uint8Array, Uint8Array>({ path, encoding: 'binary', keyEncoding: 'binary' });
    database.putSync(Buffer.from('pvkit'), Buffer.from('channel store format 1'));
    database.removeSync(Buffer.from('journal'));
    await database.close();
    return path;
  }

  async function formatOf(path: string): Promise<string> {
    const database = open<Uint8Array, Uint8Array>({ path, encoding: 'binary', keyEncoding: 'binary', readOnly: true });
    try {
      return Buffer.from(database.get(Buffer.from('pvkit')) ?? []).toString();
    } finally {
      await database.close();
    }
  }

  it('is read, and made one of this before a journal is begun, so that older versions refuse it', async () => {
    const path = await old();
    expect(await stateAt(folder, { readOnly: true })).toEqual({ a: 'demo:point/1.0 1: 1' });
    expect(await formatOf(path)).toBe('channel store format 1');
    const store = await openStore();
    expect(stateOf(await scanned(store))).toEqual({ a: 'demo:point/1.0 1: 1' });
    // Of a copy: LMDB wants a file to be opened once in a process.
    expect(await formatOf(join(killed(), 'channels.mdb'))).toBe('channel store format 2');
    await store.write('a', pointOf({ x: 2 }));
    expect(await stateAt(killed())).toEqual({ a: 'demo:point/1.0 2: 2' });
    await store.close();
  });
});

describe('a store that is only read', () => {
  it('shows one moment of a store that is written, whose checkpoints come and go', async () => {
    const clock = new ManualClock();
    // Time is moved faster than a disk flushes: nothing is left to be flushed later.
    const writer = await openStore(folder, { clock, flushMs: 0 });
    const names = ['a', 'b', 'c'];
    for (const name of names) await put(writer, name, 0);
    let acknowledged = 0;
    const done = new AbortController();
    const writing = (async () => {
      for (let number = 1; !done.signal.aborted; number++) {
        for (const name of names) await writer.write(name, pointOf({ x: number }));
        acknowledged = number;
        clock.advance(CHECKPOINT_MS);
      }
    })();
    for (let count = 0; count < 10; count++) {
      const before = acknowledged;
      const reader = await openStore(folder, { readOnly: true });
      const [a, b, c] = await Promise.all(names.map(async (name) => (await reader.read(name))?.state.value['x']));
      await reader.close();
      const [first, second, third] = [a, b, c].map(Number);
      expect(third).toBeGreaterThanOrEqual(before);
      // Written in this order, each after the one before was acknowledged.
      expect([first, Number(first) - 1]).toContain(second);
      expect([second, Number(second) - 1]).toContain(third);
      expect(Number(first) - Number(third)).toBeLessThanOrEqual(1);
    }
    done.abort();
    await writing;
    await writer.close();
    expect(acknowledged).toBeGreaterThan(10);
  }, 30_000);

  it('has all that was acknowledged where the journal goes on while it is read, also where nobody knows the machine', async () => {
    const clock = new ManualClock();
    let begun = '';
    const files = watched((act, name) => {
      if (`${act} ${name}` === 'create channels.2.journal') begun = killed();
    });
    const writer = await openStore(folder, { clock, journal: { bootId: BOOT, folder: files } });
    await put(writer, 'a', 1);
    clock.advance(CHECKPOINT_MS);
    await eventually('the checkpoint is made', () => journals(folder).join(' ') === 'channels.2.journal');
    await writer.write('a', pointOf({ x: 2 }));
    copyFileSync(join(folder, 'channels.2.journal'), join(begun, 'channels.2.journal'));
    await writer.close();
    // The first segment is read before its last group, and the second one is there when it is read.
    let isFirst = true;
    const real = journalFolder(begun);
    const read: JournalFolder['read'] = async (name, maxBytes) => {
      const bytes = await real.read(name, maxBytes);
      const isEarly = isFirst;
      isFirst = false;
      return isEarly ? bytes?.subarray(0, -1) : bytes;
    };
    const warnings: string[] = [];
    const state = await stateAt(begun, {
      readOnly: true,
      journal: { bootId: new Uint8Array(16), folder: { ...real, read } },
      onWarning: (text) => void warnings.push(text),
    });
    expect(state).toEqual({ a: 'demo:point/1.0 2: 2' });
    expect(warnings).toEqual([]);
  });

  it('takes no puts and leaves all files as they are', async () => {
    const { path, bytes, file } = await withJournal();
    const reader = await openStore(path, { readOnly: true });
    await expect(reader.write('a', pointOf({ x: 9 }))).rejects.toMatchObject({ reason: 'STORE_AWAY' });
    expect((await reader.read('a'))?.revision).toBe(3);
    await reader.close();
    expect(readFileSync(file).equals(bytes)).toBe(true);
  });
});
