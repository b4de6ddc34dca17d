// `pvkit monitor`: how do these PVs change?

import { Option, type Command } from 'commander';

import type { Context, MonitorEvent } from '../index.ts';
import { BitSet, fieldPaths } from '../protocol/index.ts';
import type { ExitCode } from './exit-code.ts';
import { prose } from './help-text.ts';
import type { CliHost } from './host.ts';
import {
  countOf,
  formatOf,
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
import { RateMeter } from './monitor-rate.ts';
import { errorJson, Outcome } from './outcome.ts';
import { paintOf, type Paint } from './paint.ts';
import { printable } from './printable.ts';
import type { Act } from './run.ts';
import { withClient } from './session.ts';
import { timeText } from './time-text.ts';
import { ValueView } from './value-view.ts';

type MonitorCommandOptions = DebugOptions &
  CodecOptions &
  TimeoutOptions &
  ViewOptions &
  ServerOptions & { readonly count?: number; readonly rate?: true };

const ABOUT = `Watch PVs: print the value of each, and then every change, until ^C, which ends it with exit code 0.

Delta shows what changed, below a line with the time of arrival and the name. With --json every update is one line, an
object with the full value ("value"), the fields that changed ("changed") and those that changed several times since the
last update, of which only the last is here ("overrun"). Connections come and go on stderr, and are made anew by themselves.

--rate tells each second, and at the end, how many updates came and how many were squashed, here because this program was
too slow to print them, or by the server: on a terminal below the values, elsewhere as lines on stderr.`;

const EXAMPLES = `
Examples:
  pvkit monitor demo:counter demo:sine
  pvkit monitor -n 3 -r value demo:counter
  pvkit monitor --json demo:sine | jq .value.value
  pvkit monitor --rate demo:fast > /dev/null
  pvkit monitor -r 'record[queueSize=100,pipeline=true]field(value)' demo:fast
`;

const MAX_COUNT = 0x7fff_ffff;

export function addMonitor(program: Command, host: CliHost, run: Act): Command {
  const command = program
    .command('monitor')
    .summary('watch PVs')
    .description(prose(ABOUT))
    .argument('<name...>', 'PV names', pvNamesOf)
    .addOption(
      new Option('-n, --count <updates>', 'stop after so many updates, of all PVs together').argParser((text) =>
        countOf(text, 1, MAX_COUNT),
      ),
    )
    .option('--rate', 'tell each second on stderr how many updates came and how many were squashed');
  withTimeout(withView(withRequest(command)), 'give up on a PV without a first update after so long; 0 for never', 0);
  withDebug(withCodec(withServer(command)), 'print the configuration of the client on stderr');
  return command
    .addHelpText('after', EXAMPLES)
    .action((names: string[], options: MonitorCommandOptions) => run(() => monitor(names, options, host)));
}

async function monitor(names: readonly string[], options: MonitorCommandOptions, given: CliHost): Promise<ExitCode> {
  const meter = options.rate === true ? new RateMeter(given, formatOf(options) === 'json') : undefined;
  const host = meter?.host ?? given;
  const printer = new Printer(options, host);
  const outcome = new Outcome(host, options);
  const enough = new AbortController();
  const signal = AbortSignal.any([host.interrupt, enough.signal]);
  let left = options.count ?? Number.POSITIVE_INFINITY;

  async function watch(context: Context, name: string): Promise<void> {
    const { request, server } = options;
    const updates = context.monitor(name, { events: true, request, server, signal, timeoutMs: timeoutMsOf(options) });
    meter?.watch(name, () => updates.counters);
    for await (const event of updates) {
      if (signal.aborted) return;
      printer.print(event);
      if (event.kind === 'update' && --left === 0) return enough.abort();
      // A reader that is slow makes the monitor squash, here and at the server, and not this process grow.
      await host.stdout.drained();
    }
    printer.notice(name, 'finished', 'finished by the server');
  }

  await withClient(host, options, async (context) => {
    meter?.start();
    await Promise.all(
      names.map(async (name) => {
        try {
          await watch(context, name);
        } catch (thrown) {
          // To be told to stop is how a monitor ends.
          if (signal.aborted) return;
          if (printer.isJson) host.stdout.write(`${errorJson(name, thrown)}\n`);
          outcome.fail(name, thrown);
        }
      }),
    );
    meter?.stop();
  });
  return outcome.end();
}

class Printer {
  readonly #view: ValueView;
  readonly #host: CliHost;
  readonly #paint: Paint;
  readonly #noticePaint: Paint;
  /** By PV, what is known of it: the fields that came since it was connected. */
  readonly #known = new Map<string, BitSet>();

  constructor(options: MonitorCommandOptions, host: CliHost) {
    this.#host = host;
    this.#paint = paintOf(host.stdout, host.environment);
    this.#noticePaint = paintOf(host.stderr, host.environment);
    this.#view = new ValueView(options, host.stdout, this.#paint);
  }

  get isJson(): boolean {
    return this.#view.format === 'json';
  }

  print(event: MonitorEvent): void {
    const { pvName } = event;
    switch (event.kind) {
      case 'connected':
        this.#known.set(pvName, BitSet.empty());
        return this.notice(pvName, 'connected', `Connected to ${event.server}`, { server: event.server });
      case 'disconnected':
        return this.notice(pvName, 'disconnected', `Disconnected: ${event.reason}`, { reason: event.reason });
      case 'update':
        return this.#update(event);
    }
  }

  /** A line on stderr: what happens to a connection is not among the values. */
  notice(pvName: string, event: string, sentence: string, details: Readonly<Record<string, string>> = {}): void {
    const wallTimeMs = this.#host.clock.wallTime();
    if (this.isJson) {
      const time = new Date(wallTimeMs).toISOString();
      return this.#host.stderr.write(`${JSON.stringify({ name: pvName, event, time, ...details })}\n`);
    }
    const time = this.#noticePaint.dim(timeText(wallTimeMs));
    this.#host.stderr.write(`${time} ${printable(pvName)} ${printable(sentence)}\n`);
  }

  #update(update: Extract<MonitorEvent, { readonly kind: 'update' }>): void {
    const { pvName, type, changed, overrun } = update;
    const wallTimeMs = this.#host.clock.wallTime();
    if (!this.isJson) {
      const head = `${this.#paint.dim(timeText(wallTimeMs))} ${this.#view.name(pvName)}`;
      return this.#host.stdout.write(this.#view.block(head, update));
    }
    const known = (this.#known.get(pvName) ?? BitSet.empty()).or(changed);
    this.#known.set(pvName, known);
    const parts = [
      `"name":${JSON.stringify(pvName)}`,
      `"time":"${new Date(wallTimeMs).toISOString()}"`,
      `"changed":${JSON.stringify(fieldPaths(type, changed))}`,
      `"overrun":${JSON.stringify(fieldPaths(type, overrun))}`,
      `"value":${this.#view.json({ ...update, changed: known })}`,
    ];
    this.#host.stdout.write(`{${parts.join(',')}}\n`);
  }
}
