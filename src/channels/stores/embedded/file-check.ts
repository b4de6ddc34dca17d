// Is a file whole enough to be mapped into memory? LMDB believes what its pages say: a file that was cut short, or is no
// database at all, would end the process instead of being refused.

import { open } from 'node:fs/promises';
import { reasonOf } from '../../../protocol/errors.ts';
import { Reader } from '../../../protocol/reader.ts';
import { StoreError } from '../store-error.ts';

const MAGIC = 0xbeef_c0de;
const DATA_VERSION = 2;
/** Where in each of the first two pages a description of the database begins, and how long it is. */
const META_OFFSET = 24;
const META_BYTES = 136;
/** From the beginning of the description. */
const PAGE_BYTES_OFFSET = 24;
const LAST_PAGE_OFFSET = 120;
const MIN_PAGE_BYTES = 256;
const MAX_PAGE_BYTES = 65_536;

/** @throws StoreError STORE_FORMAT when it is not a database file, or shorter than it says */
export async function requireWholeFile(path: string): Promise<void> {
  const file = await open(path, 'r').catch((thrown: unknown) => {
    throw new StoreError('STORE_AWAY', `${path} cannot be read: ${reasonOf(thrown)}`, { cause: thrown });
  });
  try {
    const first = await metaAt(0);
    const second = await metaAt(first.pageBytes);
    // Behind what it says of itself: a server may let it grow meanwhile.
    const { size } = await file.stat();
    const claimed = (Math.max(first.lastPage, second.lastPage) + 1) * first.pageBytes;
    if (claimed > size)
      throw new StoreError('STORE_FORMAT', `${path} is cut short: it has ${size} bytes and should have ${claimed}`);

    async function metaAt(page: number): Promise<{ readonly pageBytes: number; readonly lastPage: number }> {
      const bytes = new Uint8Array(META_BYTES);
      const { bytesRead } = await file.read(bytes, 0, META_BYTES, page + META_OFFSET);
      const reader = new Reader(bytes, false);
      const isDatabase = bytesRead === META_BYTES && reader.u32() === MAGIC;
      if (!isDatabase) throw new StoreError('STORE_FORMAT', `${path} is damaged, or no database of pvkit`);
      const version = reader.u32() & 0xffff;
      if (version !== DATA_VERSION)
        throw new StoreError('STORE_FORMAT', `${path} is of LMDB's format ${version}; ${DATA_VERSION} is expected`);
      reader.offset = PAGE_BYTES_OFFSET;
      const pageBytes = reader.u32();
      if (pageBytes < MIN_PAGE_BYTES || pageBytes > MAX_PAGE_BYTES)
        throw new StoreError('STORE_FORMAT', `${path} is damaged: pages of ${pageBytes} bytes`);
      reader.offset = LAST_PAGE_OFFSET;
      return { pageBytes, lastPage: Number(reader.u64()) };
    }
  } finally {
    await file.close();
  }
}
