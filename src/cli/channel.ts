// `pvkit channel`: which channels are to be created, described or destroyed on a server that runs?

import type { Command } from 'commander';

import type { Context } from '../index.ts';
import { PvaError, type AnyValue } from '../protocol/index.ts';
import { createArguments, type CreateOptions } from './channel-arguments.ts';
import { definitionsOf, descriptionJson, descriptionText } from './channel-view.ts';
import { DONE, type ExitCode } from './exit-code.ts';
import { UsageError } from './fault.ts';
import { prose } from './help-text.ts';
import type { CliHost } from './host.ts';
import {
  pvNameOf,
  pvNamesOf,
  timeoutMsOf,
  withDebug,
  withJson,
  withServer,
  withTimeout,
  type DebugOptions,
  type JsonOptions,
  type ServerOptions,
  type TimeoutOptions,
} from './options.ts';
import { errorJson, Outcome } from './outcome.ts';
import { columns } from './paint.ts';
import { printable } from './printable.ts';
import type { Act } from './run.ts';
import { withClient } from './session.ts';

type ChannelOptions = DebugOptions & TimeoutOptions & JsonOptions & ServerOptions;

const ABOUT = `Create, describe and destroy channels of a server while it runs, and list those that have a definition.

The server decides who may: access rules have to allow "manage" for the channel's name, or it runs with --manage. A server with
a store keeps what is created there, and every server of the store has it; without one it lives as long as the server.

Any tool that calls RPCs can do the same, through the PV "server": op=create name=NAME type=TYPE.`;

const ABOUT_CREATE = `Create a channel of a TYPE as pvkit serve --pv takes it, or of what a JSON Schema describes.

An object of a JSON Schema is a channel of exactly that structure; numbers, text and lists of them become NTScalar and
NTScalarArray, a list of texts to choose from ("enum") NTEnum. "default" is what the channel begins with, unless --value says
otherwise. What pvData cannot express is refused with its JSON pointer.`;

const EXAMPLES = `
Examples:
  pvkit channel create lab:setpoint --type double --value 21.5 --units C
  pvkit channel create lab:mode --type 'enum(Off|On)' --server 127.0.0.1:5075
  pvkit channel create lab:motor --schema motor.schema.json --value '{"position": 2.5}'
  pvkit channel describe lab:setpoint
  pvkit channel destroy lab:setpoint
  pvkit channel list --json
`;

/** Every server has a PV of this name, which no search finds. */
const SERVER_PV = 'server';
/** Servers answer within milliseconds; one repeated ping is waited for. */
const FIND_MS = 1_000;
/** Servers that a message names. */
const SHOWN_SERVERS = 10;

export function addChannel(program: Command, host: CliHost, run: Act): Command {
  const channel = program
    .command('channel')
    .summary('create, describe, destroy and list channels')
    .description(prose(ABOUT))
    .addHelpText('after', EXAMPLES);
  const create = channel
    .command('create')
    .summary('create a channel')
    .description(prose(ABOUT_CREATE))
    .argument('<name>', 'PV name', pvNameOf)
    .option('--type <type>', 'its type, such as double, int[] or enum(Off|On)')
    .option('--schema <file>', 'a file with its JSON Schema; - for standard input')
    .option('--value <value>', 'what it begins with; of a structure a JSON object with some of its fields')
    .option('--units <text>', 'what a number is measured in')
    .option('--description <text>', 'what it is, in words')
    .option('--read-only', 'nobody may write it')
    .option('--settings <json>', 'what the configuration file can say besides, such as {"control": {"low": 0}}');
  withCommon(create).action((name: string, options: ChannelOptions & CreateOptions) =>
    run(async () => {
      const args = await createArguments(options, host);
      const find = (context: Context): Promise<string> => onlyServer(context, options, host);
      return act([name], options, host, find, (call) => ask(call, { op: 'create', name, ...args }));
    }),
  );
  withCommon(
    channel
      .command('describe')
      .summary('print type, settings and JSON Schema of channels')
      .argument('<name...>', 'PV names', pvNamesOf),
  ).action((names: string[], options: ChannelOptions) =>
    run(() => {
      const find = (context: Context, name: string): Promise<string> => serverOfPv(context, name, options, host);
      return act(names, options, host, find, (call, name) => ask(call, { op: 'describe', name }));
    }),
  );
  withCommon(
    channel
      .command('destroy')
      .summary('destroy channels that were created, with their values')
      .argument('<name...>', 'PV names', pvNamesOf),
  ).action((names: string[], options: ChannelOptions) =>
    run(() => {
      const find = (context: Context, name: string): Promise<string> => serverOfPv(context, name, options, host);
      return act(names, options, host, find, (call, name) => ask(call, { op: 'destroy', name }), true);
    }),
  );
  withCommon(
    channel.command('list').summary('list the channels of a server that have a definition, and who defined each'),
  ).action((options: ChannelOptions) => run(() => list(options, host)));
  return channel;
}

function withCommon(command: Command): Command {
  withTimeout(withJson(command), 'give up after so long; 0 for never');
  return withDebug(withServer(command), 'print the configuration of the client on stderr');
}

// --- asking servers --------------------------------------------------------------------------------------------

type Ask = (call: Call, name: string) => Promise<AnyValue>;

/** How the server is reached that a channel is, or is to be, on. */
interface Call {
  readonly context: Context;
  readonly server: string;
  readonly options: ChannelOptions;
  readonly host: CliHost;
}

function ask({ context, server, options, host }: Call, args: Readonly<Record<string, string>>): Promise<AnyValue> {
  return context.rpc(SERVER_PV, args, { server, timeoutMs: timeoutMsOf(options), signal: host.interrupt });
}

/** One thing after the other: a name that is given twice is destroyed once. */
async function act(
  names: readonly string[],
  options: ChannelOptions,
  host: CliHost,
  find: (context: Context, name: string) => Promise<string>,
  carryOut: Ask,
  isGone = false,
): Promise<ExitCode> {
  const outcome = new Outcome(host, options);
  await withClient(host, options, async (context) => {
    for (const name of names) {
      try {
        const server = await find(context, name);
        const answer = await carryOut({ context, server, options, host }, name);
        const text = (): string => descriptionText(answer, server, isGone);
        host.stdout.write(options.json === true ? descriptionJson(answer, server) : text());
      } catch (thrown) {
        if (thrown instanceof UsageError) throw thrown;
        if (options.json === true) host.stdout.write(`${errorJson(name, thrown)}\n`);
        outcome.fail(name, thrown);
      }
    }
  });
  return outcome.end();
}

async function list(options: ChannelOptions, host: CliHost): Promise<ExitCode> {
  await withClient(host, options, async (context) => {
    const server = options.server ?? (await onlyServer(context, options, host));
    const rows = definitionsOf(await ask({ context, server, options, host }, { op: 'definitions' }));
    const text =
      options.json === true
        ? rows.map((row) => `${JSON.stringify(row)}\n`).join('')
        : printable(columns(rows.map(({ name, type, origin }) => [name, type, origin])));
    host.stdout.write(text);
  });
  return DONE;
}

/** The server that has a PV. */
async function serverOfPv(context: Context, name: string, options: ChannelOptions, host: CliHost): Promise<string> {
  if (options.server !== undefined) return options.server;
  const { server } = await context.info(name, { timeoutMs: timeoutMsOf(options), signal: host.interrupt });
  return server;
}

/** The one server in reach. @throws UsageError when there are several: which one is not to be guessed */
async function onlyServer(context: Context, options: ChannelOptions, host: CliHost): Promise<string> {
  if (options.server !== undefined) return options.server;
  const found = new Map<string, string>();
  const timeoutMs = Math.min(FIND_MS, timeoutMsOf(options));
  for await (const { kind, guid, server } of context.discover({ timeoutMs, signal: host.interrupt })) {
    if (kind === 'online') found.set(guid, server);
  }
  const [only, ...others] = found.values();
  if (only === undefined) throw new PvaError('NO_SERVER', 'no server answered; --server HOST[:PORT] names one');
  if (others.length === 0) return only;
  const all = [only, ...others].toSorted().slice(0, SHOWN_SERVERS).join(', ');
  throw new UsageError(`${found.size} servers are in reach, ${all}; --server HOST[:PORT] says which one is meant`);
}
