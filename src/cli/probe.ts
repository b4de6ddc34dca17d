// `pvkit probe`: is a server alive? For health checks: the exit code is the answer.

import type { Command } from 'commander';

import type { ExitCode } from './exit-code.ts';
import { prose } from './help-text.ts';
import type { CliHost } from './host.ts';
import {
  serverOf,
  timeoutMsOf,
  withDebug,
  withJson,
  withTimeout,
  type DebugOptions,
  type JsonOptions,
  type TimeoutOptions,
} from './options.ts';
import { errorJson, Outcome } from './outcome.ts';
import { printable } from './printable.ts';
import type { Act } from './run.ts';
import { withClient } from './session.ts';

type ProbeOptions = DebugOptions & TimeoutOptions & JsonOptions;

const ABOUT = `Ask by UDP whether a server is alive: exit code 0 if one answers in time, 1 if none does.

The question is a search for no PV at all, which every pvAccess server answers. HOST is this one by default, PORT the UDP port
of searches (EPICS_PVA_BROADCAST_PORT, 5076).`;

const EXAMPLES = `
Examples:
  pvkit probe
  pvkit probe -w 3 ioc1:5076
  pvkit probe > /dev/null && echo alive
`;

const DEFAULT_SERVER = '127.0.0.1';
/** Long enough for any network that searches work in. */
const DEFAULT_TIMEOUT_S = 1;

export function addProbe(program: Command, host: CliHost, run: Act): Command {
  const command = program
    .command('probe')
    .summary('ask whether a server is alive')
    .description(prose(ABOUT))
    .argument('[server]', 'HOST[:PORT]', serverOf, DEFAULT_SERVER);
  withDebug(
    withTimeout(withJson(command), 'wait so long for an answer; 0 for ever', DEFAULT_TIMEOUT_S),
    'print the configuration of the client on stderr',
  );
  return command
    .addHelpText('after', EXAMPLES)
    .action((server: string, options: ProbeOptions) => run(() => probe(server, options, host)));
}

async function probe(asked: string, options: ProbeOptions, host: CliHost): Promise<ExitCode> {
  const outcome = new Outcome(host, options);
  await withClient(host, options, async (context) => {
    try {
      const reply = await context.probe(asked, { timeoutMs: timeoutMsOf(options), signal: host.interrupt });
      const guid = `0x${reply.guid}`;
      const { via, server, protocol, version, roundTripMs } = reply;
      const sentence = `${via} answers in ${roundTripMs.toFixed(3)} ms: ${protocol} ${server} version ${version} guid ${guid}\n`;
      host.stdout.write(options.json === true ? `${JSON.stringify({ ...reply, guid })}\n` : printable(sentence));
    } catch (thrown) {
      if (options.json === true) host.stdout.write(`${errorJson(asked, thrown)}\n`);
      outcome.fail(asked, thrown);
    }
  });
  return outcome.end();
}
