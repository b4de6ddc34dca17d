// Can a database file be read from one end to the other? LMDB believes what the pages of its index say, and ends the
// process where they are damaged; so another process reads them first.

import { createRequire } from 'node:module';
import { whyScriptEnds } from '../../../transport/script-process.ts';
import { StoreError } from '../store-error.ts';

/** Reads all keys and values. Plain JavaScript, and no file of its own: it runs where TypeScript does not. */
const SCRIPT = `
const { open } = require(process.argv[1]);
const database = open({ path: process.argv[2], readOnly: true, encoding: 'binary', keyEncoding: 'binary' });
for (const { value } of database.getRange()) value.at(-1);
database.close();
`;

/** As long as a slow disk takes. */
const TIMEOUT_MS = 120_000;

/** @throws StoreError STORE_FORMAT when reading the file ends the process that does it */
export async function requireReadable(path: string): Promise<void> {
  const why = await whyScriptEnds(SCRIPT, [createRequire(import.meta.url).resolve('lmdb'), path], TIMEOUT_MS);
  if (why === undefined) return;
  throw new StoreError('STORE_FORMAT', `${path} is damaged: it cannot be read to its end`, { cause: new Error(why) });
}
