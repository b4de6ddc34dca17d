// `pvkit echo`: how long does a server take to answer over TCP?

import { Option, type Command } from 'commander';

import type { EchoReply } from '../index.ts';
import { counted } from '../protocol/index.ts';
import { DONE, FAILED, type ExitCode } from './exit-code.ts';
import { prose } from './help-text.ts';
import type { CliHost } from './host.ts';
import {
  countOf,
  secondsOf,
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

type EchoCommandOptions = DebugOptions &
  TimeoutOptions &
  JsonOptions & { readonly count: number; readonly size: number; readonly interval?: number };

const ABOUT = `Measure round trips to a server over TCP, like ping: one line for each echo, then a summary.

An echo is answered by the server itself, no PV has a part in it. Each one is sent when the one before has come back; with
-i not before that time is over, and with -c 0, which goes on until ^C, one a second.`;

const EXAMPLES = `
Examples:
  pvkit echo
  pvkit echo -c 100 -s 1000 127.0.0.1:5075
  pvkit echo -c 0 ioc1
  pvkit echo --json -c 10 ioc1 | jq .roundTripMs
`;

const DEFAULT_SERVER = '127.0.0.1';
const DEFAULT_COUNT = 4;
const DEFAULT_SIZE_BYTES = 56;
const MAX_COUNT = 0x7fff_ffff;
/** Servers have limits for messages; who wants to know of larger ones writes an array. */
const MAX_SIZE_BYTES = 1_000_000;
const MAX_INTERVAL_S = 3_600;
const MS_PER_SECOND = 1_000;

export function addEcho(program: Command, host: CliHost, run: Act): Command {
  const command = program
    .command('echo')
    .summary('measure round trips over TCP')
    .description(prose(ABOUT))
    .argument('[server]', 'HOST[:PORT]', serverOf, DEFAULT_SERVER)
    .addOption(
      new Option('-c, --count <count>', 'echoes to send; 0 for no end')
        .default(DEFAULT_COUNT)
        .argParser((text) => countOf(text, 0, MAX_COUNT)),
    )
    .addOption(
      new Option('-s, --size <bytes>', 'bytes in each')
        .default(DEFAULT_SIZE_BYTES)
        .argParser((text) => countOf(text, 0, MAX_SIZE_BYTES)),
    )
    .addOption(
      new Option('-i, --interval <seconds>', 'time from one to the next (default: none; 1 with -c 0)').argParser(
        (text) => secondsOf(text, MAX_INTERVAL_S),
      ),
    );
  withDebug(
    withTimeout(withJson(command), 'what one echo may take; 0 for any time'),
    'print the configuration of the client on stderr',
  );
  return command
    .addHelpText('after', EXAMPLES)
    .action((server: string, options: EchoCommandOptions) => run(() => echo(server, options, host)));
}

async function echo(server: string, options: EchoCommandOptions, host: CliHost): Promise<ExitCode> {
  const { count, size, json } = options;
  const outcome = new Outcome(host, options);
  const trips: number[] = [];
  let changedCount = 0;
  const intervalS = options.interval ?? (count === 0 ? 1 : 0);
  await withClient(host, options, async (context) => {
    try {
      const replies = context.echo(server, {
        count: count === 0 ? Number.POSITIVE_INFINITY : count,
        sizeBytes: size,
        intervalMs: intervalS * MS_PER_SECOND,
        timeoutMs: timeoutMsOf(options),
        signal: host.interrupt,
      });
      for await (const reply of replies) {
        trips.push(reply.roundTripMs);
        if (!reply.isIntact) changedCount++;
        host.stdout.write(json === true ? `${JSON.stringify(reply)}\n` : replyText(reply));
        await host.stdout.drained();
      }
    } catch (thrown) {
      // ^C ends an echo like any other last one.
      if (host.interrupt.aborted) return;
      if (json === true) host.stdout.write(`${errorJson(server, thrown)}\n`);
      outcome.fail(server, thrown);
    }
  });
  if (json !== true && trips.length > 0) host.stdout.write(summary(server, trips, changedCount));
  return changedCount > 0 || trips.length === 0 ? worse(outcome.end()) : outcome.end();
}

function worse(exitCode: ExitCode): ExitCode {
  return exitCode === DONE ? FAILED : exitCode;
}

function replyText({ sequence, server, sizeBytes, isIntact, roundTripMs }: EchoReply): string {
  const remark = isIntact ? '' : ', not what was sent';
  return printable(
    `${counted(sizeBytes, 'byte')} from ${server}: seq=${sequence + 1} time=${msText(roundTripMs)} ms${remark}\n`,
  );
}

function summary(server: string, trips: readonly number[], changedCount: number): string {
  const mean = trips.reduce((sum, trip) => sum + trip, 0) / trips.length;
  const variance = trips.reduce((sum, trip) => sum + (trip - mean) ** 2, 0) / trips.length;
  const lowest = trips.reduce((low, trip) => Math.min(low, trip), Number.POSITIVE_INFINITY);
  const highest = trips.reduce((high, trip) => Math.max(high, trip), 0);
  const figures = [lowest, mean, highest, Math.sqrt(variance)].map(msText).join('/');
  const changed = changedCount === 0 ? '' : `, ${changedCount} came back changed`;
  return printable(
    `--- ${server}: ${counted(trips.length, 'echo', 'echoes')}${changed}\nround trip min/avg/max/mdev = ${figures} ms\n`,
  );
}

function msText(ms: number): string {
  return ms.toFixed(3);
}
