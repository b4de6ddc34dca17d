// `pvkit restore`: how does a backup get back into a store?

import type { Command } from 'commander';

import {
  readBackup,
  requireSameDefinition,
  restoreChannel,
  StoreError,
  type ChannelStore,
  type Restored,
  type StoredChannel,
} from '../index.ts';
import { counted } from '../protocol/index.ts';
import { withChunks } from './backup-file.ts';
import { DONE, FAILED, type ExitCode } from './exit-code.ts';
import { prose } from './help-text.ts';
import type { CliHost } from './host.ts';
import { withDebug, withJson, type DebugOptions, type JsonOptions } from './options.ts';
import { printable } from './printable.ts';
import { Progress } from './progress.ts';
import type { Act } from './run.ts';
import { withStoreOptions, withStoreToWrite, type StoreOptions } from './store-options.ts';

type RestoreCommandOptions = DebugOptions & JsonOptions & StoreOptions & { readonly replace?: true };

const ABOUT = `Write the channels of a backup, definitions and last values, into a store of any kind. FILE is a backup by
pvkit backup; - is standard input.

The whole file is checked before anything is written: one that was changed, cut short, or is of a newer version is refused
with the line. A channel that is there with the same definition gets the values of the backup, one that is defined
otherwise is refused, and then nothing is written, unless --replace lets the backup's definition take its place. Channels
that are not in the backup stay as they are.`;

const EXAMPLES = `
Examples:
  pvkit restore --workspace /var/lib/pvkit lab.backup
  gunzip < lab.backup.gz | pvkit restore --store redis://127.0.0.1:6379/0 -
`;

/** Reads and writes that are under way at once: a shared store answers them together. */
const AT_ONCE = 128;
/** Conflicts that are told one by one. */
const SHOWN_CONFLICTS = 10;

export function addRestore(program: Command, host: CliHost, run: Act): Command {
  const command = program
    .command('restore')
    .summary('write a backup into a store')
    .description(prose(ABOUT))
    .argument('<file>', 'the backup; - for standard input')
    .option('--replace', "let the backup's definitions take the place of different ones");
  withDebug(withJson(withStoreOptions(command)), 'print which store is written, on stderr');
  return command
    .addHelpText('after', EXAMPLES)
    .action((file: string, options: RestoreCommandOptions) => run(() => restore(file, options, host)));
}

async function restore(file: string, options: RestoreCommandOptions, host: CliHost): Promise<ExitCode> {
  const progress = new Progress(host);
  try {
    return await withChunks(file, host, async (chunks) => {
      // Before there is a store: one that is made for a file that is no backup would be a surprise.
      const total = await countOf(readBackup(chunks()), { host, progress });
      return withStoreToWrite(options, host, async (store): Promise<ExitCode> => {
        const around = { host, progress, total };
        const fits = options.replace === true || (await isTaken(readBackup(chunks()), store, around));
        if (!fits) return FAILED;
        const counts = await write(readBackup(chunks()), store, options, around);
        progress.end();
        host.stdout.write(doneText(file, store, counts, options));
        return DONE;
      });
    });
  } finally {
    progress.end();
  }
}

interface Around {
  readonly host: CliHost;
  readonly progress: Progress;
  /** Channels in the backup. */
  readonly total: number;
}

/** How many channels the backup has, once all of it was read. */
async function countOf(
  channels: AsyncIterable<StoredChannel>,
  { host, progress }: Pick<Around, 'host' | 'progress'>,
): Promise<number> {
  let count = 0;
  for await (const _ of channels) {
    host.interrupt.throwIfAborted();
    progress.show('checking the file', ++count);
  }
  return count;
}

/** Whether the store defines none of the channels otherwise; those it does are told. */
async function isTaken(
  channels: AsyncIterable<StoredChannel>,
  store: ChannelStore,
  { host, progress, total }: Around,
): Promise<boolean> {
  let count = 0;
  const conflicts: string[] = [];
  await eachAtOnce(channels, host, async (channel) => {
    try {
      await requireSameDefinition(store, channel);
    } catch (thrown) {
      if (!(thrown instanceof StoreError) || thrown.reason !== 'DEFINITION_CONFLICT') throw thrown;
      conflicts.push(thrown.message);
    }
    progress.show('comparing definitions', ++count, total);
  });
  if (conflicts.length === 0) return true;
  progress.end();
  const shown = conflicts.slice(0, SHOWN_CONFLICTS).map((conflict) => `pvkit: ${conflict}\n`);
  const more = conflicts.length - shown.length;
  if (more > 0) shown.push(`pvkit: and ${more} more\n`);
  shown.push("pvkit: nothing was written; --replace lets the backup's definitions take their place\n");
  host.stderr.write(printable(shown.join('')));
  return false;
}

async function write(
  channels: AsyncIterable<StoredChannel>,
  store: ChannelStore,
  { replace }: RestoreCommandOptions,
  { host, progress, total }: Around,
): Promise<Readonly<Record<Restored, number>>> {
  const counts: Record<Restored, number> = { created: 0, updated: 0, replaced: 0 };
  let count = 0;
  try {
    await eachAtOnce(channels, host, async (channel) => {
      counts[await restoreChannel(store, channel, { replace })]++;
      progress.show('restoring', ++count, total);
    });
  } catch (thrown) {
    progress.end();
    host.stderr.write(
      `pvkit: ${count} of ${counted(total, 'channel')} written; to restore all of it again does no harm\n`,
    );
    throw thrown;
  }
  return counts;
}

function doneText(
  file: string,
  { kind, location }: ChannelStore,
  counts: Readonly<Record<Restored, number>>,
  { json }: RestoreCommandOptions,
): string {
  if (json === true) return `${JSON.stringify({ event: 'restored', store: kind, location, file, ...counts })}\n`;
  const { created, updated, replaced } = counts;
  return printable(`${file} written into ${location}: ${created} created, ${updated} updated, ${replaced} replaced\n`);
}

/** Acts on every item, on some at once. What goes wrong with one ends it, once those under way have ended. */
async function eachAtOnce<T>(
  items: AsyncIterable<T>,
  { interrupt }: CliHost,
  act: (item: T) => Promise<void>,
): Promise<void> {
  const underWay = new Set<Promise<void>>();
  const faults: unknown[] = [];
  try {
    for await (const item of items) {
      interrupt.throwIfAborted();
      const acted: Promise<void> = act(item).then(
        () => void underWay.delete(acted),
        (thrown: unknown) => {
          underWay.delete(acted);
          faults.push(thrown);
        },
      );
      underWay.add(acted);
      if (underWay.size >= AT_ONCE) await Promise.race(underWay);
      if (faults.length > 0) break;
    }
  } finally {
    await Promise.all(underWay);
  }
  if (faults.length > 0) throw faults[0];
}
