// How do the channels of a store become a backup, and a backup the channels of a store? As streams: neither is ever held
// in memory as a whole.

import { LimitError } from '../../protocol/errors.ts';
import { DEFAULT_LIMITS, type Limits } from '../../protocol/limits.ts';
import { BackupError, BackupReader, BackupWriter } from './backup-format.ts';
import type { ChannelStore, StoredChannel } from './channel-store.ts';
import { definitionConflict } from './definition-difference.ts';
import { isSameDefinition } from './stored-definition.ts';

const NEWLINE = 0x0a;

/** What became of a channel of a backup. */
export type Restored = 'created' | 'updated' | 'replaced';

/** What `restoreChannel` may do to a channel that is there already. */
export interface RestoreOptions {
  /** Lets the definition of the backup take the place of a different one. */
  readonly replace?: boolean | undefined;
}

/**
 * The lines of a backup of every channel of a store (backup-format.ts); `written` is the time of day, in the form of
 * `Date.toISOString`. Channels that come and go meanwhile may or may not be in it; each is as it was at one moment.
 * @throws StoreError when the store cannot be read; LimitError that names a channel which `readBackup` would refuse
 */
export async function* backupLines(
  store: ChannelStore,
  written: string,
  limits: Limits = DEFAULT_LIMITS,
): AsyncGenerator<string, void, void> {
  const writer = new BackupWriter(limits);
  yield writer.header({ written, store: store.kind });
  for await (const channel of store.scan()) yield writer.channel(channel);
  yield writer.end();
}

/**
 * The channels of a backup. Only when it has come to its end is the backup known to be whole: whoever writes the
 * channels somewhere reads it twice.
 * @throws BackupError that names the line where the backup is damaged, cut short, foreign, or of a newer version
 */
export async function* readBackup(
  chunks: AsyncIterable<Uint8Array>,
  limits: Limits = DEFAULT_LIMITS,
): AsyncGenerator<StoredChannel, void, void> {
  const reader = new BackupReader(limits);
  for await (const line of linesOf(chunks, reader, limits)) {
    const channel = reader.line(line);
    if (channel !== undefined) yield channel;
  }
  reader.end();
}

/** Refuses a channel of a backup that is defined otherwise in the store. @throws StoreError DEFINITION_CONFLICT */
export async function requireSameDefinition(store: ChannelStore, { definition }: StoredChannel): Promise<void> {
  const stored = await store.read(definition.name);
  if (stored === undefined || isSameDefinition(stored.definition, definition)) return;
  throw definitionConflict(stored.definition, definition);
}

/**
 * Writes a channel of a backup into a store: one that is not there is created; where it is, the leaves of the backup are
 * set, and others stay as they are.
 * @throws StoreError DEFINITION_CONFLICT when it is defined otherwise and may not be replaced
 */
export async function restoreChannel(
  store: ChannelStore,
  { definition, state }: StoredChannel,
  options: RestoreOptions = {},
): Promise<Restored> {
  const outcome = await store.define(definition, state, { replace: options.replace });
  if (outcome === 'created') return 'created';
  // A store that replaces a definition keeps the state where the type is the same.
  if (!state.changed.isEmpty()) await store.write(definition.name, state, { definition });
  return outcome === 'same' ? 'updated' : 'replaced';
}

/** Text line by line; what stands after the last newline is a line, too. */
async function* linesOf(
  chunks: AsyncIterable<Uint8Array>,
  reader: BackupReader,
  { maxBackupLineBytes: most }: Limits,
): AsyncGenerator<string, void, void> {
  let pieces: Uint8Array[] = [];
  let waiting = 0;
  for await (const chunk of chunks) {
    let start = 0;
    for (let end = chunk.indexOf(NEWLINE); end !== -1; end = chunk.indexOf(NEWLINE, start)) {
      yield textOf([...pieces, chunk.subarray(start, end)], reader);
      pieces = [];
      waiting = 0;
      start = end + 1;
    }
    waiting += chunk.length - start;
    if (waiting > most) throw new LimitError('maxBackupLineBytes', waiting, most, `line ${reader.lineCount + 1}`);
    if (start < chunk.length) pieces.push(chunk.subarray(start));
  }
  if (waiting > 0) yield textOf(pieces, reader);
}

function textOf(pieces: readonly Uint8Array[], { lineCount }: BackupReader): string {
  const [first = new Uint8Array(), ...rest] = pieces;
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(
      rest.length === 0 ? first : Buffer.concat(pieces),
    );
  } catch (thrown) {
    throw new BackupError(lineCount + 1, 'it is no UTF-8 text', { cause: thrown });
  }
}
