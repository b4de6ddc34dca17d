// `pvkit put`: how is a PV given a new value?

import type { Command } from 'commander';

import type { Context } from '../index.ts';
import { coercePartial } from '../protocol/index.ts';
import { patchOf } from './assignments.ts';
import type { ExitCode } from './exit-code.ts';
import { prose } from './help-text.ts';
import type { CliHost } from './host.ts';
import {
  timeoutMsOf,
  withCodec,
  withDebug,
  withRequest,
  withServer,
  withTimeout,
  withElements,
  type CodecOptions,
  type DebugOptions,
  type ServerOptions,
  type TimeoutOptions,
  type ViewOptions,
  pvNameOf,
} from './options.ts';
import { Outcome } from './outcome.ts';
import { paintOf } from './paint.ts';
import type { Act } from './run.ts';
import { withClient } from './session.ts';
import { ValueView } from './value-view.ts';

type PutOptions = DebugOptions &
  CodecOptions &
  TimeoutOptions &
  ServerOptions &
  Pick<ViewOptions, 'request' | 'elements' | 'precision'>;

const ABOUT = `Write a PV: its value, or the fields that are named. Nothing is printed when it worked.

A single VALUE goes to the field value. What it means, the type of the PV says: a number, a text, true or false, the label
or the index of an enum's choice. An array is one word in JSON, "[1, 2, 3]". Several FIELD=VALUE set several fields at
once, JSON such as {"value": 3} does the same. What does not fit the type is refused before anything is sent.
A text that itself looks like FIELD=VALUE or JSON is written as value=TEXT or {"value": "TEXT"}, and so is one that begins
with - and is no number, such as value=-Infinity.`;

const EXAMPLES = `
Examples:
  pvkit put demo:setpoint 42.5
  pvkit put demo:enum Standby
  pvkit put -v demo:int64 -9007199254740993
  pvkit put lab:wave '[1, 2.5, 4]'
  pvkit put lab:x value=3 alarm.severity=1 'alarm.message=by hand'
`;

export function addPut(program: Command, host: CliHost, run: Act): Command {
  const command = program
    .command('put')
    .summary('write a PV')
    .description(prose(ABOUT))
    .usage('[options] NAME VALUE | FIELD=VALUE... | JSON')
    .argument('<name>', 'PV name', pvNameOf)
    .argument('<value...>', 'a value, FIELD=VALUE ..., or JSON');
  withTimeout(withRequest(command), 'give up after so long; 0 for never');
  withDebug(withElements(withCodec(withServer(command))), 'print what the fields were before and what they are now');
  return command
    .addHelpText('after', EXAMPLES)
    .action((name: string, words: string[], options: PutOptions) => run(() => put(name, words, options, host)));
}

async function put(name: string, words: readonly string[], options: PutOptions, host: CliHost): Promise<ExitCode> {
  const patch = patchOf(words);
  const outcome = new Outcome(host, options);
  const call = { server: options.server, timeoutMs: timeoutMsOf(options), signal: host.interrupt };
  const { debug, codec, server } = options;
  await withClient(
    host,
    { ...(debug && { debug }), ...(codec && { codec }), ...(server && { server }) },
    async (context) => {
      try {
        const show = options.verbose === true ? await watch(name, patch, context, call, options, host) : undefined;
        await context.put(name, patch, { ...call, request: options.request });
        await show?.();
      } catch (thrown) {
        outcome.fail(name, thrown);
      }
    },
  );
  return outcome.end();
}

/** Prints the fields that the patch names as they are now, and gives a way to do so again. */
async function watch(
  name: string,
  patch: unknown,
  context: Context,
  call: Parameters<Context['getUpdate']>[1],
  options: PutOptions,
  host: CliHost,
): Promise<() => Promise<void>> {
  const view = new ValueView(
    { ...options, format: 'delta', remarks: true },
    host.stdout,
    paintOf(host.stdout, host.environment),
  );
  const before = await context.getUpdate(name, call);
  const { changed } = coercePartial(before.type, patch, before.value);
  host.stdout.write(view.block('Old:', { ...before, changed }));
  return async () => {
    const after = await context.getUpdate(name, call);
    host.stdout.write(view.block('New:', { ...after, changed }));
  };
}
