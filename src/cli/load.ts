// `pvkit load`: how much can a server do, and is every answer right?

import { Argument, Option, type Command } from 'commander';

import { LOAD_SCENARIOS, runLoad, type LoadResult, type LoadScenario } from '../index.ts';
import { DONE, FAILED, type ExitCode } from './exit-code.ts';
import { prose } from './help-text.ts';
import type { CliHost } from './host.ts';
import { loadNamesOf } from './load-names.ts';
import { LoadMeter, loadSummary } from './load-view.ts';
import {
  countOf,
  secondsOf,
  timeoutMsOf,
  withDebug,
  withJson,
  withRequest,
  withServer,
  withTimeout,
  type DebugOptions,
  type JsonOptions,
  type ServerOptions,
  type TimeoutOptions,
} from './options.ts';
import { printable } from './printable.ts';
import type { Act } from './run.ts';
import { endpointOf } from './load-server.ts';

interface LoadCommandOptions extends DebugOptions, JsonOptions, TimeoutOptions, ServerOptions {
  readonly clients: number;
  readonly depth: number;
  readonly seconds: number;
  readonly warmup: number;
  readonly rate?: number;
  readonly request?: string;
  readonly pid?: readonly number[];
}

const ABOUT = `Load a server with many requests, check every answer, and tell how many it can do.`;

const EXAMPLES = `
Examples:
  pvkit load get demo:sine
`;
const MAX_CLIENTS = 10_000;
const MAX_DEPTH = 10_000;
const MAX_RATE = 100_000_000;
const MAX_SECONDS = 86_400;
const MAX_PID = 0x7fff_ffff;

export function addLoad(program: Command, host: CliHost, run: Act): Command {
  const command = program
    .command('load')
    .summary('measure how much a server can do')
    .description(prose(ABOUT))
    .addArgument(new Argument('<scenario>', 'what to do').choices(LOAD_SCENARIOS))
    .argument('<name...>', 'PV names; name{0..99} stands for a hundred', loadNamesOf)
    .addOption(number('-c, --clients <count>', 'connections', 1, (text) => countOf(text, 1, MAX_CLIENTS)))
    .addOption(
      number('--depth <count>', 'requests under way on each connection', 1, (text) => countOf(text, 1, MAX_DEPTH)),
    )
    .addOption(number('--seconds <seconds>', 'how long to measure', 5, (text) => secondsOf(text, MAX_SECONDS)))
    .addOption(
      number('--warmup <seconds>', 'time before that is not counted', 1, (text) => secondsOf(text, MAX_SECONDS)),
    )
    .addOption(
      new Option(
        '--rate <perSecond>',
        'requests a second of all connections together (default: as fast as it goes)',
      ).argParser((text) => countOf(text, 1, MAX_RATE)),
    )
    .addOption(
      new Option(
        '--pid <pid>',
        'process of the server on this machine, to tell its processor time; may come several times',
      ).argParser((text, before: readonly number[] | undefined) => [...(before ?? []), countOf(text, 1, MAX_PID)]),
    );
  withDebug(
    withRequest(withServer(withTimeout(withJson(command), 'what a connection or a reply may take'))),
    'print the configuration of the client on stderr',
  );
  return command
    .addHelpText('after', EXAMPLES)
    .action((scenario: LoadScenario, names: string[], options: LoadCommandOptions) =>
      run(() => load(scenario, names, options, host)),
    );
}

async function load(
  scenario: LoadScenario,
  names: readonly string[],
  options: LoadCommandOptions,
  host: CliHost,
): Promise<ExitCode> {
  const server = await endpointOf(names[0] ?? '', options, host);
  const meter = options.json === true ? undefined : new LoadMeter(host, scenario);
  const result = await runLoad(scenario, {
    server,
    names,
    clients: options.clients,
    depth: options.depth,
    seconds: options.seconds,
    warmupSeconds: options.warmup,
    rate: options.rate,
    request: options.request,
    timeoutMs: timeoutMsOf(options),
    serverPids: options.pid,
    signal: host.interrupt,
    onProgress: (progress) => meter?.show(progress),
    network: host.network,
    clock: host.clock,
  });
  host.stdout.write(options.json === true ? `${JSON.stringify(result)}\n` : loadSummary(result));
  for (const problem of result.problems) host.stderr.write(`${printable(problem)}\n`);
  return isFaultless(result) ? DONE : FAILED;
}

function isFaultless({ wrong, lost, errors, operations }: LoadResult): boolean {
  return wrong === 0 && lost === 0 && errors === 0 && operations > 0;
}

function number(flags: string, meaning: string, byDefault: number, parse: (text: string) => number): Option {
  return new Option(flags, meaning).default(byDefault).argParser(parse);
}
