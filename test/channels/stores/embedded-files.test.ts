// Does the embedded store refuse what it cannot read, name it, and leave it as it is?

import { mkdtempSync, readdirSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { open } from 'lmdb';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { encodeDefinitionRecord } from '../../../src/channels/stores/embedded/channel-records.ts';
import { openEmbeddedStore } from '../../../src/channels/stores/embedded/embedded-store.ts';
import { StoreError } from '../../../src/channels/stores/store-error.ts';
import { POINT, pointOf } from '../../../src/channels/stores/suite/suite-support.ts';
import { int, structure } from '../../../src/protocol/types/type-desc.ts';

const PAGE_BYTES = 4_096;
const META_OFFSET = 24;

let folder = '';
let path = '';
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'pvkit-files-'));
  path = join(folder, 'channels.mdb');
});
afterEach(() => rmSync(folder, { recursive: true }));

async function fill(): Promise<void> {
  const store = await openEmbeddedStore(folder);
  await store.define({ name: 'lab:x', type: POINT, settings: {} }, pointOf({ note: 'a note that is easily found' }));
  await store.write('lab:x', pointOf({ x: 1 }));
  await store.close();
}

/** Changes records as a foreign program could. */
async function tamper(change: (put: (key: string, value: Uint8Array) => void, get: (key: string) => Buffer) => void) {
  const database = open<Uint8Array, Uint8Array>({ path, encoding: 'binary', keyEncoding: 'binary' });
  change(
    (key, value) => database.putSync(Buffer.from(key), value),
    (key) => Buffer.from(database.get(Buffer.from(key)) ?? []),
  );
  await database.close();
}

/** What matters after a kill. */
function files(): readonly string[] {
  return readdirSync(folder).filter((name) => !name.endsWith('-lock'));
}

/** The number of the page where the newest of the two descriptions of the database has its list of free pages. */
function freeListPage(bytes: Buffer): number {
  const metas = [0, PAGE_BYTES].map((page) => page + META_OFFSET);
  const [newest = 0] = metas.toSorted((one, other) =>
    Number(bytes.readBigUInt64LE(other + 128) - bytes.readBigUInt64LE(one + 128)),
  );
  return Number(bytes.readBigUInt64LE(newest + 64));
}

/** Why the file is refused; it is not touched by that. */
async function refusal(): Promise<string> {
  const before = readFileSync(path);
  const thrown: unknown = await openEmbeddedStore(folder).catch((error: unknown) => error);
  expect(readFileSync(path).equals(before)).toBe(true);
  if (!(thrown instanceof StoreError)) throw new Error('it was not refused', { cause: thrown });
  expect(thrown.code).toBe('STORE_FORMAT');
  expect(thrown.message).toContain(path);
  return thrown.message;
}

describe('the embedded store refuses', () => {
  it.each([
    ['an empty file', Buffer.alloc(0)],
    ['a text', Buffer.from('[channels]\nname = "lab:x"\n'.repeat(400))],
    ['zeros', Buffer.alloc(65_536)],
  ])('%s', async (_, bytes) => {
    writeFileSync(path, bytes);
    expect(await refusal()).toMatch(/is damaged, or no database of pvkit/u);
  });

  it('a file that was cut short', async () => {
    await fill();
    truncateSync(path, readFileSync(path).length - 4_096);
    expect(await refusal()).toMatch(/is cut short: it has \d+ bytes and should have \d+/u);
  });

  it('a database of another program', async () => {
    await tamper((put) => put('key', Buffer.from('value')));
    expect(await refusal()).toMatch(/is a database, but not one of pvkit/u);
  });

  it('a newer format', async () => {
    await fill();
    await tamper((put) => put('pvkit', Buffer.from('channel store format 3')));
    expect(await refusal()).toMatch(/is of format 3; this version of pvkit reads up to 2/u);
  });

  it('a value with a bit that flipped', async () => {
    await fill();
    const bytes = readFileSync(path);
    // Old copies of the page may lie about: every one is damaged.
    for (let at = bytes.indexOf('easily'); at !== -1; at = bytes.indexOf('easily', at + 1)) {
      bytes[at] = (bytes[at] ?? 0) ^ 1;
    }
    writeFileSync(path, bytes);
    expect(await refusal()).toMatch(/the stored value of channel 'lab:x': it is damaged, its checksum does not fit/u);
  });

  it.each([
    ['which would end the process at each start', 24, 64, 0xff],
    ['which no commit gets past', 0, 64, 0],
  ])(
    'after a kill, a file whose list of free pages is damaged, %s, and says what saves it',
    async (_, from, to, fillByte) => {
      for (let round = 0; round < 3; round++) await fill();
      const store = await openEmbeddedStore(folder);
      await store.write('lab:x', pointOf({ x: 2 }));
      const killed = new Map(files().map((name) => [name, readFileSync(join(folder, name))]));
      await store.close();
      for (const [name, bytes] of killed) writeFileSync(join(folder, name), bytes);
      const bytes = readFileSync(path);
      const page = freeListPage(bytes) * PAGE_BYTES;
      writeFileSync(path, bytes.fill(fillByte, page + from, page + to));
      expect(await refusal()).toMatch(/is damaged: it can be read, but not written; pvkit backup saves/u);
      const found = await openEmbeddedStore(folder, { readOnly: true });
      expect((await found.read('lab:x'))?.state.value['x']).toBe(2);
      await found.close();
      expect(files()).toEqual([...killed.keys()]);
    },
  );

  it('a file with damaged pages of the index, which would end the process', async () => {
    const store = await openEmbeddedStore(folder);
    const names = Array.from({ length: 300 }, (_, index) => `lab:x${index}`);
    await Promise.all(names.map((name) => store.define({ name, type: POINT, settings: {} })));
    await store.close();
    const bytes = readFileSync(path);
    // The first two pages describe the database, and stay.
    for (let page = 2 * PAGE_BYTES; page < bytes.length; page += 3 * PAGE_BYTES) bytes.fill(7, page, page + PAGE_BYTES);
    writeFileSync(path, bytes);
    expect(await refusal()).toMatch(/is damaged: it cannot be read to its end/u);
  });

  it('a definition that is damaged', async () => {
    await fill();
    await tamper((put, get) => put('dlab:x', get('dlab:x').subarray(0, 20)));
    expect(await refusal()).toMatch(/the stored definition of channel 'lab:x': it is damaged/u);
  });

  it('a value that does not match its definition', async () => {
    await fill();
    const definition = { name: 'lab:x', type: structure({ count: int }), settings: {} };
    await tamper((put) => put('dlab:x', encodeDefinitionRecord(definition)));
    expect(await refusal()).toMatch(
      /the stored value of channel 'lab:x': it has fields that its definition does not have/u,
    );
  });

  it('a value without a definition, and the other way round', async () => {
    await fill();
    await tamper((put, get) => put('vlab:y', get('vlab:x')));
    expect(await refusal()).toMatch(/channel 'lab:y' has a value, but no definition/u);
    await tamper((put, get) => put('dlab:z', get('dlab:x')));
    expect(await refusal()).toMatch(/lab:/u);
  });
});
