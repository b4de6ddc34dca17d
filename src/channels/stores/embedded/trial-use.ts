// Can a database file be read from one end to the other, and written? LMDB believes what the pages of its index and of its free
// pages say, and ends the process where they are damaged; so another process does it first.

import { constants } from 'node:fs';
import { copyFile, rm } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { whyScriptEnds } from '../../../transport/script-process.ts';
import { StoreError } from '../store-error.ts';

/**
 * Reads all keys and values; where there is a copy, writes some of them there, so that it looks for free pages. What the disk
 * has against that is no damage. Plain JavaScript, and no file of its own: it runs where TypeScript does not.
 */
const SCRIPT = `
const { open } = require(process.argv[1]);
const [path, copy] = process.argv.slice(2);
const options = { encoding: 'binary', keyEncoding: 'binary' };
const database = open({ path, readOnly: true, ...options });
const records = [];
let room = 4 * 1024 * 1024;
for (const { key, value } of database.getRange()) {
  value.at(-1);
  if (copy !== undefined && (room -= value.length) > 0) records.push([key, value]);
}
database.close();
if (copy !== undefined) {
  try {
    const written = open({ path: copy, noSync: true, ...options });
    for (let round = 0; round < 2; round++)
      written.transactionSync(() => records.forEach(([key, value]) => written.putSync(key, value)));
    written.close();
  } catch (error) {
    if (/MDB_(BAD_TXN|CORRUPTED|PAGE_NOTFOUND|PROBLEM|PANIC)|Invalid argument/.test(error.message)) throw error;
  }
}
`;

/** As long as a slow disk takes. */
const TIMEOUT_MS = 120_000;

/**
 * Tries a file; how it is written only after a process was killed, perhaps by this file.
 * @throws StoreError STORE_FORMAT when reading or writing the file ends the process that does it
 */
export async function requireUsable(path: string, wasKilled: boolean): Promise<void> {
  const copy = wasKilled ? await copyOf(path) : undefined;
  try {
    const why = await whyEnds(path, copy);
    if (why === undefined) return;
    const whyUnread = copy === undefined ? why : await whyEnds(path);
    const damage =
      whyUnread === undefined
        ? 'it can be read, but not written; pvkit backup saves what is in it and in its journal, for pvkit restore into a new workspace'
        : 'it cannot be read to its end';
    throw new StoreError('STORE_FORMAT', `${path} is damaged: ${damage}`, { cause: new Error(why) });
  } finally {
    if (copy !== undefined) await removeCopy(copy);
  }
}

function whyEnds(...paths: readonly (string | undefined)[]): Promise<string | undefined> {
  const given = paths.filter((path) => path !== undefined);
  return whyScriptEnds(SCRIPT, [createRequire(import.meta.url).resolve('lmdb'), ...given], TIMEOUT_MS);
}

/** Undefined where there is no room for it. */
async function copyOf(path: string): Promise<string | undefined> {
  const copy = `${path}.trial`;
  try {
    await removeCopy(copy);
    await copyFile(path, copy, constants.COPYFILE_FICLONE);
    return copy;
  } catch {
    await removeCopy(copy).catch(() => {});
    return undefined;
  }
}

async function removeCopy(copy: string): Promise<void> {
  for (const name of [copy, `${copy}-lock`]) await rm(name, { force: true });
}
