// `pvkit call`: what does a service answer?

import type { Command } from 'commander';

import { formatJson, type AnyValue } from '../protocol/index.ts';
import { argumentsOf } from './call-arguments.ts';
import type { ExitCode } from './exit-code.ts';
import { prose } from './help-text.ts';
import type { CliHost } from './host.ts';
import {
  timeoutMsOf,
  withCodec,
  withDebug,
  withServer,
  withTimeout,
  withView,
  type CodecOptions,
  type DebugOptions,
  type ServerOptions,
  type TimeoutOptions,
  type ViewOptions,
  pvNameOf,
} from './options.ts';
import { errorJson, Outcome } from './outcome.ts';
import { paintOf } from './paint.ts';
import type { Act } from './run.ts';
import { withClient } from './session.ts';
import { ValueView } from './value-view.ts';

type CallOptions = DebugOptions &
  CodecOptions &
  TimeoutOptions &
  ViewOptions &
  ServerOptions & { readonly string?: true };

const ABOUT = `Call a service (RPC) and print its answer as a tree.

The arguments are sent as an NTURI, as every pvAccess tool does. Numbers are sent as double, true and false as boolean,
JSON lists as arrays, the rest as text; FIELD:TYPE=VALUE sends another type, --string sends texts only, as pvxcall does.`;

const EXAMPLES = `
Examples:
  pvkit call demo:add lhs=2 rhs=3.5
  pvkit call --json demo:add lhs=2 rhs=3.5 | jq .value.value
  pvkit call lab:scan count:int=10 axes='["x", "y"]' dry=true
`;

export function addCall(program: Command, host: CliHost, run: Act): Command {
  const command = program
    .command('call')
    .summary('call a service')
    .description(prose(ABOUT))
    .usage('[options] NAME [FIELD=VALUE...]')
    .argument('<name>', 'name of the service', pvNameOf)
    .argument('[argument...]', 'FIELD=VALUE or FIELD:TYPE=VALUE')
    .option('--string', 'send every argument as text');
  withTimeout(withView(command, 'tree'), 'give up after so long; 0 for never');
  withDebug(withCodec(withServer(command)), 'print the configuration of the client on stderr');
  return command
    .addHelpText('after', EXAMPLES)
    .action((name: string, words: string[], options: CallOptions) => run(() => call(name, words, options, host)));
}

async function call(name: string, words: readonly string[], options: CallOptions, host: CliHost): Promise<ExitCode> {
  const args = argumentsOf(words, options.string === true);
  const view = new ValueView(options, host.stdout, paintOf(host.stdout, host.environment), 'tree');
  const outcome = new Outcome(host, options);
  await withClient(host, options, async (context) => {
    try {
      const answer = await context.rpc(name, args, {
        server: options.server,
        timeoutMs: timeoutMsOf(options),
        signal: host.interrupt,
      });
      if (view.format === 'json') host.stdout.write(`{"name":${JSON.stringify(name)},"value":${answerJson(answer)}}\n`);
      // A service may answer that it is done, and nothing else.
      else if (answer !== null) host.stdout.write(view.body(answer));
    } catch (thrown) {
      if (view.format === 'json') host.stdout.write(`${errorJson(name, thrown)}\n`);
      outcome.fail(name, thrown);
    }
  });
  return outcome.end();
}

function answerJson(answer: AnyValue): string {
  return answer === null ? 'null' : formatJson(answer.type, answer.value);
}
