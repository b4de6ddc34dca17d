// `pvkit backup`: what is in a store, in one file?

import type { Command } from 'commander';

import { backupLines } from '../index.ts';
import { counted } from '../protocol/index.ts';
import { requireNoFile, STANDARD_OUTPUT, writeLines } from './backup-file.ts';
import { DONE, type ExitCode } from './exit-code.ts';
import { prose } from './help-text.ts';
import type { CliHost } from './host.ts';
import { withDebug, withJson, type DebugOptions, type JsonOptions } from './options.ts';
import { printable } from './printable.ts';
import { Progress } from './progress.ts';
import type { Act } from './run.ts';
import { withStoreOptions, withStoreToRead, type StoreOptions } from './store-options.ts';

type BackupOptions = DebugOptions & JsonOptions & StoreOptions & { readonly force?: true };

const ABOUT = `Write the channels of a store, definitions and last values, to FILE, or to standard output with -.

A backup is lines of JSON with checksums, which pvkit restore writes back into a store of any kind. FILE appears when it
is whole, and none is overwritten but with --force. A store of servers that run is backed up as well: each channel is as
it was at one moment.`;

const EXAMPLES = `
Examples:
  pvkit backup --workspace /var/lib/pvkit lab.backup
  pvkit backup --store redis://127.0.0.1:6379/0 - | gzip > lab.backup.gz
`;

/** The first and the last. */
const LINES_AROUND = 2;

export function addBackup(program: Command, host: CliHost, run: Act): Command {
  const command = program
    .command('backup')
    .summary('write the channels of a store to a file')
    .description(prose(ABOUT))
    .argument('<file>', 'what to write; - for standard output')
    .option('--force', 'overwrite the file');
  withDebug(withJson(withStoreOptions(command)), 'print which store is read, on stderr');
  return command
    .addHelpText('after', EXAMPLES)
    .action((file: string, options: BackupOptions) => run(() => backup(file, options, host)));
}

async function backup(file: string, options: BackupOptions, host: CliHost): Promise<ExitCode> {
  const isForced = options.force === true;
  await requireNoFile(file, host, isForced);
  return withStoreToRead(options, host, async (store): Promise<ExitCode> => {
    const progress = new Progress(host);
    let lineCount = 0;
    async function* lines(): AsyncGenerator<string, void, void> {
      for await (const line of backupLines(store, new Date(host.clock.wallTime()).toISOString())) {
        host.interrupt.throwIfAborted();
        // The first line is no channel.
        progress.show('backing up', lineCount++);
        yield line;
      }
    }
    const byteCount = await writeLines(file, lines(), host, isForced).finally(() => progress.end());
    const channelCount = lineCount - LINES_AROUND;
    const { kind, location } = store;
    const done =
      options.json === true
        ? `${JSON.stringify({ event: 'backedUp', store: kind, location, file, channelCount, byteCount })}\n`
        : printable(
            `${counted(channelCount, 'channel')} of ${location} written to ${file}, ${counted(byteCount, 'byte')}\n`,
          );
    // Where the backup goes to standard output there must be nothing else.
    (file === STANDARD_OUTPUT ? host.stderr : host.stdout).write(done);
    return DONE;
  });
}
