// `pvkit list`: which servers are there, and which PVs does one have?

import type { Command } from 'commander';

import type { Context, DiscoveredServer } from '../index.ts';
import type { AnyValue } from '../protocol/index.ts';
import { DONE, FAILED, type ExitCode } from './exit-code.ts';
import { prose } from './help-text.ts';
import type { CliHost } from './host.ts';
import {
  timeoutMsOf,
  withDebug,
  withJson,
  withTimeout,
  type DebugOptions,
  type JsonOptions,
  type TimeoutOptions,
} from './options.ts';
import { errorJson, Outcome } from './outcome.ts';
import { printable, printableLine } from './printable.ts';
import type { Act } from './run.ts';
import { withClient } from './session.ts';
import { ageText, LiveTable } from './live-table.ts';
import { timeText } from './time-text.ts';

type ListOptions = DebugOptions & TimeoutOptions & JsonOptions & { readonly info?: true };

const ABOUT = `Without SERVER: find servers, by asking all of them to answer and by hearing their beacons, for the time of -w.
Each is printed once as HOST:PORT; with -v every one that comes or goes, with guid, protocol, version and age, which is
the time since it was first heard of; with -v -w 0 on a terminal as a table that is kept up to date.

With SERVER, HOST or HOST:PORT: print the names of the PVs that it lists, or with -i what kind of server it is.
-i without SERVER asks every server that is found.`;

const EXAMPLES = `
Examples:
  pvkit list
  pvkit list -v -w 0                   watch servers come and go
  pvkit list 127.0.0.1:5075            the PVs of one server
  pvkit list $(pvkit list)             the PVs of all servers
  pvkit list -i
`;

/** Answers come within milliseconds; one repeated ping is waited for. */
const DEFAULT_WAIT_S = 3;
/** Somebody may be inventing servers. */
const MAX_KNOWN = 10_000;

export function addList(program: Command, host: CliHost, run: Act): Command {
  const command = program
    .command('list')
    .summary('find servers, list the PVs of one')
    .description(prose(ABOUT))
    .argument('[server...]', 'HOST[:PORT]')
    .option('-i, --info', 'print implementation and version of the servers');
  withTimeout(withJson(command), 'find servers, or wait for an answer, so long; 0 for ever', DEFAULT_WAIT_S);
  withDebug(command, 'tell more of each server; print the configuration of the client on stderr');
  return command
    .addHelpText('after', EXAMPLES)
    .action((servers: string[], options: ListOptions) =>
      run(() => (servers.length === 0 ? listServers(options, host) : queryServers(servers, options, host))),
    );
}

// --- servers ---------------------------------------------------------------------------------------------------

async function listServers(options: ListOptions, given: CliHost): Promise<ExitCode> {
  const isOther = options.json === true || options.info === true;
  const isLive = options.verbose === true && options.timeout === 0 && given.stdout.isTerminal && !isOther;
  const table = isLive ? new LiveTable(given) : undefined;
  const host = table?.host ?? given;
  const { stdout, clock, interrupt } = host;
  const known = new Map<string, { readonly server: string; readonly since: number }>();
  await withClient(host, options, async (context) => {
    table?.start();
    try {
      for await (const event of context.discover({ timeoutMs: timeoutMsOf(options), signal: interrupt })) {
        const { guid, server } = event;
        const before = known.get(guid);
        const isNew = event.kind === 'online' && before === undefined;
        if (isNew) known.set(guid, { server, since: clock.now() });
        forgetOldest(known);
        const ageMs = before === undefined ? 0 : clock.now() - before.since;
        if (table !== undefined) table.add(event);
        else if (options.info !== true) stdout.write(eventText(event, isNew, ageMs, options, host));
        await stdout.drained();
      }
    } catch (thrown) {
      // To be told to stop is how `-w 0` ends.
      if (!interrupt.aborted) throw thrown;
    } finally {
      table?.stop();
    }
  });
  const found = [...known.values()].map(({ server }) => server);
  if (options.info === true && found.length > 0) return queryServers(found, options, host);
  if (found.length > 0 || interrupt.aborted) return DONE;
  host.stderr.write(`no server answered within ${options.timeout} s\n`);
  return FAILED;
}

function forgetOldest(known: Map<string, unknown>): void {
  if (known.size <= MAX_KNOWN) return;
  const [oldest] = known.keys();
  if (oldest !== undefined) known.delete(oldest);
}

function eventText(
  event: DiscoveredServer,
  isNew: boolean,
  ageMs: number,
  options: ListOptions,
  host: CliHost,
): string {
  const { kind, server, protocol, version, via } = event;
  const guid = `0x${event.guid}`;
  if (options.json === true) return `${JSON.stringify({ event: kind, guid, server, protocol, version, ageMs, via })}\n`;
  if (options.verbose !== true) return isNew ? `${printable(server)}\n` : '';
  const time = timeText(host.clock.wallTime());
  const what = kind.toUpperCase().padEnd('OFFLINE'.length);
  const whose = `guid: ${guid} proto: ${protocol} server: ${server} ver: ${version}`;
  return printable(`${time} ${what} ${whose} age: ${ageText(ageMs)} via: ${via}\n`);
}

// --- PVs of servers --------------------------------------------------------------------------------------------

async function queryServers(servers: readonly string[], options: ListOptions, host: CliHost): Promise<ExitCode> {
  const outcome = new Outcome(host, options);
  const isInfo = options.info === true;
  await withClient(host, options, async (context) => {
    const asked = servers.map((server) =>
      ask(context, server, isInfo ? 'info' : 'channels', options, host).then(
        (answer) => ({ answer }),
        (thrown: unknown) => ({ thrown }),
      ),
    );
    for (const [index, server] of servers.entries()) {
      const result = await asked[index];
      if (result === undefined) continue;
      if ('answer' in result) {
        host.stdout.write(
          isInfo ? infoText(server, result.answer, options) : namesText(server, result.answer, options),
        );
      } else {
        if (options.json === true) host.stdout.write(`${errorJson(server, result.thrown)}\n`);
        outcome.fail(server, result.thrown);
      }
    }
  });
  return outcome.end();
}

/** Every server has a PV of this name, which no search finds and which answers questions about the server. */
const SERVER_PV = 'server';

function ask(
  context: Context,
  server: string,
  op: 'info' | 'channels',
  options: ListOptions,
  host: CliHost,
): Promise<AnyValue> {
  return context.rpc(SERVER_PV, { op }, { server, timeoutMs: timeoutMsOf(options), signal: host.interrupt });
}

function namesText(server: string, answer: AnyValue, options: ListOptions): string {
  const value = fieldOf(answer, 'value');
  const names = Array.isArray(value) ? value.map(String) : [];
  if (options.json === true) return `${JSON.stringify({ server, names })}\n`;
  const head = options.verbose === true ? [`# From ${server}`] : [];
  return [...head, ...names].map((line) => `${printableLine(line)}\n`).join('');
}

function infoText(server: string, answer: AnyValue, options: ListOptions): string {
  const version = textOf(fieldOf(answer, 'version'));
  const language = textOf(fieldOf(answer, 'implLang'));
  if (options.json === true) return `${JSON.stringify({ server, version, language })}\n`;
  return printable(`${server} version=${JSON.stringify(version)} lang=${JSON.stringify(language)}\n`);
}

function fieldOf(answer: AnyValue, name: string): unknown {
  const value = answer?.value;
  if (typeof value !== 'object' || value === null) return undefined;
  return Object.getOwnPropertyDescriptor(value, name)?.value;
}

function textOf(value: unknown): string {
  return typeof value === 'string' ? value : '';
}
