// `pvkit load`: how much can a server do, and is every answer right?

import { Argument, Option, type Command } from 'commander';

import { LOAD_SCENARIOS, runLoad, type LoadResult, type LoadScenario } from '../index.ts';
import { DONE, FAILED, type ExitCode } from './exit-code.ts';
import { prose } from './help-text.ts';
import { UsageError } from './fault.ts';
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
import { endpointOf, searchEndpointOf } from './load-server.ts';

interface LoadCommandOptions extends DebugOptions, JsonOptions, TimeoutOptions, ServerOptions {
  readonly clients: number;
  readonly depth: number;
  readonly seconds: number;
  readonly warmup: number;
  readonly rate?: number;
  readonly request?: string;
  readonly pid?: readonly number[];
  readonly channels?: number;
  readonly names?: number;
  readonly udpPort?: number;
}

const ABOUT = `Load a server with requests, check every answer, and tell how much it can do.

What to do is one of: get; put, each with a new value, and the last one read back; monitor, whose counters must go up by
one; array, a get of which every byte is compared with the first; connect, a burst of --clients connections, or with
--channels many channels on one link again and again; search, by UDP.

Every server of pvAccess can be loaded. Each of --depth requests under way on each of --clients connections is sent again
when it is answered, or at --rate. All go to the server that has the first name, or to --server. A reply to a get that
differs from the one before is right when its time stamp differs, too, or was never set. A monitor misses updates without
a fault when the overrun mask says so: they are counted as squashed. The exit code is 1 when a value was wrong or lost, or
something was refused.`;

const EXAMPLES = `
Examples:
  pvkit load get demo:sine
  pvkit load get demo:sine demo:setpoint --clients 10 --depth 16 --seconds 10
  pvkit load put 'bench:put{0..99}' --clients 100 --rate 10000
  pvkit load monitor demo:counter --clients 100 --pid $(pgrep -f 'pvkit serve')
  pvkit load array demo:waveform --json | jq .bytesPerSecond
  pvkit load connect demo:sine --clients 1000
  pvkit load search demo:sine --server ioc1 --names 50 --depth 4
`;
/** Scenarios that can wait between requests. */
const PACED: ReadonlySet<LoadScenario> = new Set(['get', 'put', 'array']);
const MAX_CLIENTS = 10_000;
const MAX_DEPTH = 10_000;
const MAX_RATE = 100_000_000;
const MAX_SECONDS = 86_400;
const MAX_CHANNELS = 10_000;
const MAX_NAMES_PER_DATAGRAM = 1_000;
const MAX_PORT = 65_535;
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
  command
    .addOption(
      new Option(
        '--channels <count>',
        'connect: create so many channels on one link at once, again and again',
      ).argParser((text) => countOf(text, 1, MAX_CHANNELS)),
    )
    .addOption(
      new Option('--names <count>', 'search: names in each datagram (default: 1)').argParser((text) =>
        countOf(text, 1, MAX_NAMES_PER_DATAGRAM),
      ),
    )
    .addOption(
      new Option('--udp-port <port>', 'search: port of the server (default: 5076)').argParser((text) =>
        countOf(text, 1, MAX_PORT),
      ),
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
  requireFitting(scenario, options);
  const server =
    scenario === 'search' ? await searchEndpointOf(options, host) : await endpointOf(names[0] ?? '', options, host);
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
    channels: options.channels,
    namesPerDatagram: options.names,
    signal: host.interrupt,
    onProgress: (progress) => meter?.show(progress),
    network: host.network,
    clock: host.clock,
  });
  host.stdout.write(options.json === true ? `${JSON.stringify(result)}\n` : loadSummary(result));
  for (const problem of result.problems) host.stderr.write(`${printable(problem)}\n`);
  return isFaultless(result) ? DONE : FAILED;
}

/** Flags of another scenario would be ignored without a word. */
function requireFitting(scenario: LoadScenario, options: LoadCommandOptions): void {
  const owners = { channels: 'connect', names: 'search', udpPort: 'search' } as const;
  const flags = { channels: '--channels', names: '--names', udpPort: '--udp-port' } as const;
  for (const key of ['channels', 'names', 'udpPort'] as const) {
    if (options[key] !== undefined && scenario !== owners[key]) {
      throw new UsageError(`${flags[key]} is for \`pvkit load ${owners[key]}\` only`);
    }
  }
  if (options.rate !== undefined && !PACED.has(scenario)) {
    throw new UsageError(`--rate is for \`pvkit load ${[...PACED].join('|')}\` only`);
  }
}

/** A monitor of a PV that rests brings nothing, and that is right. */
function isFaultless({ scenario, wrong, lost, errors, operations }: LoadResult): boolean {
  return wrong === 0 && lost === 0 && errors === 0 && (operations > 0 || scenario === 'monitor');
}

function number(flags: string, meaning: string, byDefault: number, parse: (text: string) => number): Option {
  return new Option(flags, meaning).default(byDefault).argParser(parse);
}
