// Which channels do the files of the embedded store hold? The database, and over it what is in the journal that had not
// come into it when the process was killed.

import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { Limits } from '../../../protocol/limits.ts';
import type { StoredChannel, StoredDefinition } from '../channel-store.ts';
import { StoreError } from '../store-error.ts';
import { decodeDefinitionRecord, decodeValueRecord } from './channel-records.ts';
import { RecordDatabase } from './database.ts';
import { segmentName, segmentNumbers, type JournalFolder } from './journal-files.ts';
import type { BootId } from './journal-format.ts';
import {
  changesOf,
  keepDamaged,
  readJournal,
  recordsWith,
  removeJournal,
  type JournalContent,
} from './journal-replay.ts';
import type { ChannelRecord, JournalPosition, RecordKind } from './record.ts';

/** The database in the folder that is given. */
export const FILE = 'channels.mdb';
/** A server that takes puts moves on every second; reading takes milliseconds. */
const MAX_TRIES = 10;

export interface FilesOptions {
  readonly folder: JournalFolder;
  readonly bootId: BootId;
  readonly limits: Limits;
  readonly onWarning: (text: string) => void;
  readonly onInfo: (text: string) => void;
}

export interface StoredFiles {
  readonly database: RecordDatabase;
  readonly channels: Map<string, StoredChannel>;
  /** Up to where the journal is in the database. */
  readonly end: JournalPosition;
}

/**
 * Opens the files to write: afterwards there is no journal, and all is in the database.
 * @throws StoreError STORE_FORMAT that says what is wrong with a file; all stay as they are
 */
export async function openFiles(options: FilesOptions): Promise<StoredFiles> {
  const { folder } = options;
  const path = join(folder.path, FILE);
  const [first] = segmentNumbers(await folder.names());
  if (first !== undefined && !existsSync(path))
    throw new StoreError('STORE_FORMAT', `${path} is missing, but not its journal, ${segmentName(first)}`);
  const database = await RecordDatabase.open(path, { wasKilled: first !== undefined });
  try {
    return { database, ...(await recover(database, options)) };
  } catch (thrown) {
    await database.close();
    throw thrown;
  }
}

/** Brings all of the journal into the database, and takes its files away. */
export async function recover(
  database: Pick<RecordDatabase, 'position' | 'read' | 'isOld' | 'commit'>,
  { folder, bootId, limits, onWarning, onInfo }: FilesOptions,
): Promise<Omit<StoredFiles, 'database'>> {
  const path = join(folder.path, FILE);
  const journal = await readJournal(folder, database.position, bootId);
  const channels = database.read((records) => channelsOf(path, records, journal, limits));
  for (const text of journal.torn) onInfo(text);
  if (journal.warning !== undefined) onWarning(journal.warning);
  await keepDamaged(folder, journal);
  if (journal.names.length > 0 || database.isOld) await database.commit(changesOf(journal), journal.end);
  await removeJournal(folder, journal);
  return { channels, end: journal.end };
}

/**
 * Reads the files as they are at one moment, also while another process writes them; nothing is written.
 * @throws StoreError as `openFiles`; STORE_AWAY when there is no file
 */
export async function readFiles({ folder, bootId, limits, onWarning }: FilesOptions): Promise<StoredFiles> {
  const path = join(folder.path, FILE);
  const database = await RecordDatabase.open(path, { readOnly: true });
  try {
    for (let tries = 1; ; tries++) {
      const before = database.position;
      const journal = await readJournal(folder, before, bootId).catch((thrown: unknown) => {
        // Segments come and go while they are read: what seems to be missing may be in the database by now.
        if (tries < MAX_TRIES && thrown instanceof StoreError) return undefined;
        throw thrown;
      });
      // Where nobody knows whether the machine was restarted, a segment that was begun meanwhile looks like damage.
      if (journal === undefined || (journal.warning !== undefined && tries < MAX_TRIES)) continue;
      const channels = database.read((records, { segment }) =>
        segment === before.segment ? channelsOf(path, records, journal, limits) : undefined,
      );
      if (channels !== undefined) {
        if (journal.warning !== undefined) onWarning(journal.warning);
        return { database, channels, end: journal.end };
      }
      if (tries === MAX_TRIES)
        throw new StoreError('STORE_AWAY', `${path} changes faster than it can be read, ${tries} times in a row`);
    }
  } catch (thrown) {
    await database.close();
    throw thrown;
  }
}

/** @throws StoreError STORE_FORMAT that names the first channel that cannot be read */
function channelsOf(
  path: string,
  records: (kind: RecordKind) => Iterable<ChannelRecord>,
  journal: JournalContent,
  limits: Limits,
): Map<string, StoredChannel> {
  const definitions = new Map<string, StoredDefinition>();
  const channels = new Map<string, StoredChannel>();
  for (const { name, bytes } of recordsWith(journal, 'definition', records('definition')))
    definitions.set(
      name,
      inFile(path, () => decodeDefinitionRecord(name, bytes, limits)),
    );
  for (const { name, bytes } of recordsWith(journal, 'value', records('value'))) {
    const definition = definitions.get(name);
    if (definition === undefined)
      throw new StoreError('STORE_FORMAT', `${path}: channel '${name}' has a value, but no definition`);
    channels.set(
      name,
      inFile(path, () => decodeValueRecord(definition, bytes, limits)),
    );
  }
  for (const name of definitions.keys()) {
    if (!channels.has(name)) throw new StoreError('STORE_FORMAT', `${path}: channel '${name}' has no value`);
  }
  return channels;
}

function inFile<T>(path: string, act: () => T): T {
  try {
    return act();
  } catch (thrown) {
    if (!(thrown instanceof StoreError)) throw thrown;
    throw new StoreError('STORE_FORMAT', `${path}: ${thrown.message}`, { cause: thrown });
  }
}
