// `pvkit types`: which TypeScript types do these PVs have?

import { readFileSync, writeFileSync } from 'node:fs';
import { resolve } from 'node:path';

import type { Command } from 'commander';

import { FAILED, type ExitCode } from './exit-code.ts';
import { UsageError } from './fault.ts';
import { prose } from './help-text.ts';
import type { CliHost } from './host.ts';
import {
  pvNamesOf,
  timeoutMsOf,
  withDebug,
  withServer,
  withTimeout,
  type DebugOptions,
  type ServerOptions,
  type TimeoutOptions,
} from './options.ts';
import { Outcome } from './outcome.ts';
import type { Act } from './run.ts';
import { withClient } from './session.ts';
import { declarationSource, FILE_HEAD, moduleSource, type TypedPv } from './types-module.ts';

type TypesOptions = DebugOptions & TimeoutOptions & ServerOptions & { readonly output?: string; readonly force?: true };

const ABOUT = `Write a TypeScript module with the types of PVs, as their servers describe them now: a constant for each,
and the type of its values. With it context.get('x', { type: x }) gives a typed value, and refuses a PV of another type.

FILE.d.ts gets the types of the values alone. Nothing is written unless every PV answers, and no file is overwritten that
was not written by this command, but with --force.`;

const EXAMPLES = `
Examples:
  pvkit types demo:setpoint
  pvkit types -o src/pv-types.ts demo:setpoint demo:struct
  pvkit types -o src/pv-values.d.ts $(pvkit list 127.0.0.1)
`;

export function addTypes(program: Command, host: CliHost, run: Act): Command {
  const command = program
    .command('types')
    .summary('write TypeScript types of PVs')
    .description(prose(ABOUT))
    .argument('<name...>', 'PV names', pvNamesOf)
    .option('-o, --output <file>', 'write to this file; .d.ts for declarations only (default: standard output)')
    .option('--force', 'overwrite the file, whoever wrote it');
  withDebug(
    withServer(withTimeout(command, 'give up after so long; 0 for never')),
    'print the configuration of the client on stderr',
  );
  return command
    .addHelpText('after', EXAMPLES)
    .action((names: string[], options: TypesOptions) => run(() => types(names, options, host)));
}

async function types(names: readonly string[], options: TypesOptions, host: CliHost): Promise<ExitCode> {
  const { output, force } = options;
  const file = output === undefined ? undefined : resolve(host.folder, output);
  if (file !== undefined && force !== true) refuseForeign(file, output ?? '');
  const outcome = new Outcome(host, options);
  const pvs: TypedPv[] = [];
  await withClient(host, options, async (context) => {
    const call = { server: options.server, timeoutMs: timeoutMsOf(options), signal: host.interrupt };
    const asked = [...new Set(names)].map((name) =>
      context.info(name, call).then(
        ({ type }) => ({ pvName: name, type }),
        (thrown: unknown) => outcome.fail(name, thrown),
      ),
    );
    for (const answer of await Promise.all(asked)) if (answer !== undefined) pvs.push(answer);
  });
  const exitCode = outcome.end();
  if (exitCode === FAILED) return FAILED;
  const source = output?.endsWith('.d.ts') === true ? declarationSource(pvs) : moduleSource(pvs);
  if (file === undefined) host.stdout.write(source);
  else writeFileSync(file, source);
  return exitCode;
}

/** @throws UsageError when the file is somebody's work */
function refuseForeign(file: string, shown: string): void {
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch {
    // It is not there, or cannot be read: then it cannot be written, and that is told.
    return;
  }
  if (text.trim() === '' || text.startsWith(FILE_HEAD)) return;
  throw new UsageError(`${shown} was not written by pvkit types; --force overwrites it`);
}
