// `pvkit get`: what are the values of these PVs?

import type { Command } from 'commander';

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
  withView,
  type CodecOptions,
  type DebugOptions,
  type ServerOptions,
  type TimeoutOptions,
  type ViewOptions,
  pvNamesOf,
} from './options.ts';
import { errorJson, Outcome } from './outcome.ts';
import { paintOf } from './paint.ts';
import type { Act } from './run.ts';
import { withClient } from './session.ts';
import { ValueView } from './value-view.ts';

type GetOptions = DebugOptions & CodecOptions & TimeoutOptions & ViewOptions & ServerOptions;

const ABOUT = `Read PVs, all at once, and print their values in the order in which they were named.

The default form, delta, has a line for each field that the server sent: its path, its type, its value. JSON is strict:
NaN and the infinities, and whole numbers past 2^53, are strings; a union is {"select", "value"}, an any {"type", "value"}.
A PV that fails says so on stderr, and the exit code is 1.`;

const EXAMPLES = `
Examples:
  pvkit get demo:sine
  pvkit get -r value,alarm.severity demo:sine demo:setpoint
  pvkit get -F tree demo:struct
  pvkit get -# 5 demo:waveform
  pvkit get --json demo:table | jq .value.value
`;

export function addGet(program: Command, host: CliHost, run: Act): Command {
  const command = program
    .command('get')
    .summary('read PVs')
    .description(prose(ABOUT))
    .argument('<name...>', 'PV names', pvNamesOf);
  withDebug(
    withCodec(withServer(withTimeout(withView(withRequest(command)), 'give up after so long; 0 for never'))),
    'print the configuration of the client on stderr',
  );
  return command
    .addHelpText('after', EXAMPLES)
    .action((names: string[], options: GetOptions) => run(() => get(names, options, host)));
}

async function get(names: readonly string[], options: GetOptions, host: CliHost): Promise<ExitCode> {
  const view = new ValueView(options, host.stdout, paintOf(host.stdout, host.environment));
  const outcome = new Outcome(host, options);
  await withClient(host, options, async (context) => {
    const asked = names.map((name) =>
      context
        .getUpdate(name, {
          request: options.request,
          server: options.server,
          timeoutMs: timeoutMsOf(options),
          signal: host.interrupt,
        })
        // Kept as a value: one that fails must not go unhandled while an earlier one is waited for.
        .then(
          (update) => ({ update }),
          (thrown: unknown) => ({ thrown }),
        ),
    );
    for (const [index, name] of names.entries()) {
      const answer = await asked[index];
      if (answer === undefined) continue;
      if ('update' in answer) host.stdout.write(view.text(view.name(name), { ...answer.update, pvName: name }));
      else {
        if (view.format === 'json') host.stdout.write(`${errorJson(name, answer.thrown)}\n`);
        outcome.fail(name, answer.thrown);
      }
    }
  });
  return outcome.end();
}
