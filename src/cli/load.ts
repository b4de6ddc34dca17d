// `pvkit load`: how much can a server do, and is every answer right?

import { Argument, Option, type Command } from 'commander';

import { GROWTH_TOLERANCE, LOAD_SCENARIOS, runLoad, type LoadResult, type LoadScenario } from '../index.ts';
import { DONE, FAILED, type ExitCode } from './exit-code.ts';
import { prose } from './help-text.ts';
import { UsageError } from './fault.ts';
import type { CliHost } from './host.ts';
import { BY_UDP, requireFitting, type ScenarioFlags } from './load-flags.ts';
import { loadNamesOf } from './load-names.ts';
import { LoadMeter, loadSummary } from './load-view.ts';
import {
  countOf,
  secondsOf,
  timeoutMsOf,
  withCodec,
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

interface LoadCommandOptions extends DebugOptions, JsonOptions, TimeoutOptions, ServerOptions, ScenarioFlags {
  readonly clients?: number;
  readonly seconds?: number;
  readonly warmup?: number;
  readonly pid?: readonly number[];
}

const LEAST_MINUTES = GROWTH_TOLERANCE.leastSeconds / 60;
const MOST_MIB = GROWTH_TOLERANCE.memoryBytesPerHour / (1024 * 1024);
const MOST_HANDLES = GROWTH_TOLERANCE.handlesPerHour;

const ABOUT = `Load a server with requests, check every answer, and tell how much it can do.

What to do is one of: get; put, each with a new value, and the last one read back; monitor, whose counters must go up by
one; array, a get of which every byte is compared with the first; connect, a burst of --clients connections, or with
--channels many channels on one link again and again; search, by UDP.

To find out what a server bears there are: connect-storm, links that each want a channel and a value, --clients at once or
--rate a second, and with --hold stay with a monitor; slow-readers, how late the updates of --clients monitors are, first
alone and then beside --stopped links that have stopped reading, which must have the last value when they read on;
search-flood, searches timed while --rate names a second that nobody has are searched for; churn, clients that come, do
something at random, and leave; soak, all of it together for hours, with links that bring garbage. They put ascending
numbers to the PVs, which nobody else may write meanwhile, and hold every value to what was put; a PV that takes no puts
is only read.

Every server of pvAccess can be loaded, and with --codec msgpack what speaks MessagePack, with all that does not go to its
UDP port. Each of --depth requests under way on each of --clients connections is sent again
when it is answered, or at --rate. All go to the server that has the first name, or to --server. A reply to a get that
differs from the one before is right when its time stamp differs, too, or was never set. A monitor misses updates without
a fault when the overrun mask says so: they are counted as squashed. The exit code is 1 when a value was wrong or lost, or
something was refused, and when a server that is soaked grows: with --pid and from ${LEAST_MINUTES} minutes on, when the straight line
through the samples of its memory rises by more than ${MOST_MIB} MiB an hour, or that of its handles by more than ${MOST_HANDLES}.`;

const EXAMPLES = `
Examples:
  pvkit load get demo:sine
  pvkit load get demo:sine demo:setpoint --clients 10 --depth 16 --seconds 10
  pvkit load put 'bench:put{0..99}' --clients 100 --rate 10000
  pvkit load monitor demo:counter --clients 100 --pid $(pgrep -d, -f 'pvkit serve')
  pvkit load array demo:waveform --json | jq .bytesPerSecond
  pvkit load connect demo:sine --clients 1000
  pvkit load get demo:sine --codec msgpack
  pvkit load search demo:sine --server ioc1 --names 50 --depth 4
  pvkit load connect-storm demo:sine --clients 5000 --rate 1000 --hold --pid 1234
  pvkit load slow-readers 'bench:put{0..3}' --clients 100 --stopped 20 --rate 1000
  pvkit load soak 'bench:put{0..9}' --clients 20 --seconds 1800 --warmup 60 --pid 1234
`;
const MAX_SEED = 0xffff_ffff;
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
    .addOption(
      new Option('-c, --clients <count>', 'connections (default: 1)').argParser((text) =>
        countOf(text, 1, MAX_CLIENTS),
      ),
    )
    .addOption(
      new Option('--depth <count>', 'requests under way on each connection (default: 1)').argParser((text) =>
        countOf(text, 1, MAX_DEPTH),
      ),
    )
    .addOption(
      new Option(
        '--seconds <seconds>',
        'how long to measure (default: 5); links that come all at once end when all are served',
      ).argParser((text) => secondsOf(text, MAX_SECONDS)),
    )
    .addOption(
      new Option('--warmup <seconds>', 'time before that is not counted (default: 1)').argParser((text) =>
        secondsOf(text, MAX_SECONDS),
      ),
    )
    .addOption(
      new Option(
        '--rate <perSecond>',
        'requests a second of all connections together; links, puts, names, steps a second ' +
          '(default: as fast as it goes; slow-readers 1000, search-flood 50000, soak 200)',
      ).argParser((text) => countOf(text, 1, MAX_RATE)),
    )
    .addOption(
      new Option(
        '--pid <pid,...>',
        'processes of the server on this machine, whose processor time, memory and handles are told',
      ).argParser(pidsOf),
    );
  command
    .addOption(
      new Option(
        '--channels <count>',
        'connect: create so many channels on one link at once, again and again',
      ).argParser((text) => countOf(text, 1, MAX_CHANNELS)),
    )
    .addOption(
      new Option('--names <count>', 'search, search-flood: names in each datagram (default: 1, 50)').argParser((text) =>
        countOf(text, 1, MAX_NAMES_PER_DATAGRAM),
      ),
    )
    .addOption(
      new Option(
        '--udp-port <port>',
        'search, search-flood: port of the server (default: that of searches, 5076); soak: search there, too',
      ).argParser((text) => countOf(text, 1, MAX_PORT)),
    )
    .addOption(
      new Option('--stopped <count>', 'slow-readers: links that stop reading (default: 1)').argParser((text) =>
        countOf(text, 1, MAX_CLIENTS),
      ),
    )
    .option('--hold', 'connect-storm: links stay open with a monitor, for --seconds after the last has its value')
    .addOption(
      new Option('--seed <number>', 'churn, soak: of what happens at random (default: another each time)').argParser(
        (text) => countOf(text, 0, MAX_SEED),
      ),
    );
  withDebug(
    withRequest(
      withCodec(withServer(withTimeout(withJson(command), 'what a connection or a reply may take, more than 0'))),
    ),
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
  if (options.timeout === 0) throw new UsageError('-w 0: without a limit no reply would ever be lost');
  const server = BY_UDP.has(scenario)
    ? await searchEndpointOf(options, host)
    : await endpointOf(names[0] ?? '', options, host);
  const meter = options.json === true ? undefined : new LoadMeter(host, scenario);
  const result = await runLoad(scenario, {
    server,
    names,
    codec: options.codec,
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
    stopped: options.stopped,
    isHeld: options.hold,
    udpPort: options.udpPort,
    seed: options.seed,
    signal: host.interrupt,
    onProgress: (progress) => meter?.show(progress),
    network: host.network,
    clock: host.clock,
  });
  host.stdout.write(options.json === true ? `${JSON.stringify(result)}\n` : loadSummary(result));
  for (const problem of result.problems) host.stderr.write(`${printable(problem)}\n`);
  return isFaultless(result) ? DONE : FAILED;
}

/** A monitor of a PV that rests brings nothing, and that is right. */
function isFaultless({ scenario, wrong, lost, errors, operations, growth }: LoadResult): boolean {
  const isRight = wrong === 0 && lost === 0 && errors === 0 && growth !== 'grows';
  return isRight && (operations > 0 || scenario === 'monitor');
}

/** Process ids between commas, as `pgrep -d,` prints them; the flag may come several times, too. */
function pidsOf(text: string, before: readonly number[] = []): readonly number[] {
  return [...before, ...text.split(',').map((pid) => countOf(pid.trim(), 1, MAX_PID))];
}
