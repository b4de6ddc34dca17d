// `pvkit sniff`: who searches for what on this network, and which servers come and restart?

import { Option, type Command } from 'commander';

import { sniff, type Sniffed, type SniffedBeacon, type SniffedSearch } from '../index.ts';
import { counted } from '../protocol/index.ts';
import { DONE, type ExitCode } from './exit-code.ts';
import { prose } from './help-text.ts';
import type { CliHost } from './host.ts';
import {
  countOf,
  timeoutMsOf,
  withDebug,
  withJson,
  withTimeout,
  type DebugOptions,
  type JsonOptions,
  type TimeoutOptions,
} from './options.ts';
import { columns, paintOf, type Paint } from './paint.ts';
import { printable } from './printable.ts';
import type { Act } from './run.ts';
import { clientConfig } from './session.ts';
import { SniffTally } from './sniff-tally.ts';
import { timeText } from './time-text.ts';

type SniffCommandOptions = DebugOptions & TimeoutOptions & JsonOptions & { readonly count?: number };

const ABOUT = `Print every search and beacon that comes to the UDP port of searches (EPICS_PVA_BROADCAST_PORT, 5076), as it
comes, until ^C; then who searched for what, how often, and which servers sent beacons.

A search names the client that the answers go to. A beacon is marked when its server is new here, or was restarted since
the one before. Heard is what is sent to all, what servers of this host pass on to each other, and what is sent to this
host alone; that is passed on, so that its servers still hear it.`;

const EXAMPLES = `
Examples:
  pvkit sniff
  pvkit sniff -w 60 > searches.txt
  pvkit sniff --json | jq -r 'select(.kind == "search") | .pvNames[]'
`;

const MAX_COUNT = 0x7fff_ffff;
/** A search may have hundreds of names. */
const SHOWN_NAMES = 10;

export function addSniff(program: Command, host: CliHost, run: Act): Command {
  const command = program
    .command('sniff')
    .summary('watch searches and beacons')
    .description(prose(ABOUT))
    .addOption(
      new Option('-n, --count <datagrams>', 'stop after so many searches and beacons').argParser((text) =>
        countOf(text, 1, MAX_COUNT),
      ),
    );
  withTimeout(withJson(command), 'stop after so long; 0 for never', 0);
  withDebug(command, 'print all names of a search; print the configuration of the client on stderr');
  return command
    .addHelpText('after', EXAMPLES)
    .action((options: SniffCommandOptions) => run(() => sniffCommand(options, host)));
}

async function sniffCommand(options: SniffCommandOptions, host: CliHost): Promise<ExitCode> {
  const { network, clock, stdout, interrupt } = host;
  const config = clientConfig(host, options);
  const paint = paintOf(stdout, host.environment);
  const tally = new SniffTally(clock);
  let left = options.count ?? Number.POSITIVE_INFINITY;
  try {
    for await (const heard of sniff({ config, network, clock, timeoutMs: timeoutMsOf(options), signal: interrupt })) {
      tally.add(heard);
      stdout.write(lineOf(heard, options, clock.wallTime(), paint));
      if (--left === 0) break;
      await stdout.drained();
    }
  } catch (thrown) {
    // To be told to stop is how it ends.
    if (!interrupt.aborted) throw thrown;
  }
  if (options.json !== true) stdout.write(printable(summary(tally)));
  return DONE;
}

function lineOf(heard: Sniffed, options: SniffCommandOptions, wallTimeMs: number, paint: Paint): string {
  if (options.json === true) {
    const guid = heard.kind === 'beacon' ? { guid: `0x${heard.guid}` } : {};
    return `${JSON.stringify({ time: new Date(wallTimeMs).toISOString(), ...heard, ...guid })}\n`;
  }
  const text = heard.kind === 'search' ? searchText(heard, options.verbose === true) : beaconText(heard, paint);
  return `${paint.dim(timeText(wallTimeMs))} ${text}\n`;
}

function searchText({ client, pvNames, isForwarded }: SniffedSearch, isWhole: boolean): string {
  const shown = isWhole ? pvNames : pvNames.slice(0, SHOWN_NAMES);
  const rest = pvNames.length - shown.length;
  const names = pvNames.length === 0 ? '(who is there?)' : shown.join(' ');
  const more = rest === 0 ? '' : ` and ${rest} more`;
  return printable(`search ${client} ${names}${more}${isForwarded ? ' (passed on)' : ''}`);
}

function beaconText({ server, guid, protocol, version, sequence, change }: SniffedBeacon, paint: Paint): string {
  const text = printable(`beacon ${server} guid 0x${guid} proto ${protocol} version ${version} seq ${sequence}`);
  return change === 'known' ? text : `${text} ${change === 'new' ? paint.green('new') : paint.yellow('restarted')}`;
}

function summary(tally: SniffTally): string {
  const { searchCount, beaconCount, seconds, rows, unlistedCount } = tally;
  const head = `--- ${counted(searchCount, 'search', 'searches')}, ${counted(beaconCount, 'beacon')} in ${seconds.toFixed(3)} s\n`;
  const rest = unlistedCount === 0 ? '' : `and ${counted(unlistedCount, 'search', 'searches')} for more names\n`;
  const cells = rows.map(({ who, what, count, periodMs }) => {
    const period = periodMs === undefined ? '' : `, every ${(periodMs / 1_000).toFixed(3)} s`;
    return [who, what, `${counted(count, 'time')}${period}`];
  });
  return `${head}${columns(cells)}${rest}`;
}
