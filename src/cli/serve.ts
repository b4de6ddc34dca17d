// `pvkit serve`: which PVs are served, where, and until when?

import type { Command } from 'commander';

import {
  AccessRules,
  configuredPvs,
  loadServerConfig,
  Server,
  serverRows,
  StatisticsPVs,
  type ServerConfig,
} from '../index.ts';
import { counted, reasonOf } from '../protocol/index.ts';
import { startDemo, type Demo } from './demo.ts';
import { CreatedChannels } from './created-channels.ts';
import { DONE, FAILED, type ExitCode } from './exit-code.ts';
import { prose } from './help-text.ts';
import type { CliHost } from './host.ts';
import type { Log, LogLevel } from './log.ts';
import { withDebug, withJson, type DebugOptions, type JsonOptions } from './options.ts';
import { columns } from './paint.ts';
import { openPutLog } from './put-log.ts';
import type { Act } from './run.ts';
import { ServeEvents } from './serve-events.ts';
import { ServeFaults } from './serve-faults.ts';
import { ServePlace } from './serve-place.ts';
import { KeptChannels, withStoreFlags, type StoreFlags } from './serve-store.ts';

type ServeOptions = DebugOptions &
  JsonOptions &
  StoreFlags & {
    readonly pv: readonly string[];
    readonly demo?: true;
    readonly interface: readonly string[];
    readonly tcpPort?: string;
    readonly msgpackPort?: string;
    readonly udpPort?: string;
    readonly workers?: string;
    readonly manage?: true;
    readonly maxMemory?: string;
  };

const ABOUT = `Serve PVs until ^C or SIGTERM, then finish what is under way, end the connections in good order and exit with 0; a second
signal ends at once.

The PVs are those of the configuration file, of --pv and of --demo. When it is ready it prints one line,
"listening tcp HOST:PORT udp PORT guid 0x...". If the TCP port is taken, another one is used, told, and found by clients all
the same. Order of power: command line, CONFIG.toml, EPICS_PVAS_* and EPICS_PVA_* variables, defaults.

On SIGHUP it reads the access rules of CONFIG.toml again, and clients are told what changes for them.

With --workers 2 or more, processes of their own hold the connections, where clients ask for more than one core can do.

What happens is logged on stderr, from the level that [log] in CONFIG.toml sets (silent error warn info debug trace; default
warn): as readable lines on a terminal, else as JSON, one object a line, as pino writes it. -v asks for info, -d for debug.

TYPE is boolean byte ubyte short ushort int uint long ulong float double string, with [] for an array, or enum(Off|On).

Clients create and destroy channels with pvkit channel or any tool that calls RPCs, as far as access rules say "manage" or
--manage does: otherwise nobody may.

How the server is can be read and watched as NAME:links, NAME:monitors, NAME:squashed, NAME:refused, NAME:loopDelay and
NAME:memory, where NAME is [server] name in CONFIG.toml (default: pvkit).

PVs live in memory. With --workspace what clients put survives a restart: a put is answered once it is in the folder, which
one server at a time can use; pvkit.toml and .env in it count. With --store it is kept by a database that several servers may
share: they serve the same channels with the same values.`;

const EXAMPLES = `
Examples:
  pvkit serve --demo --interface 127.0.0.1
  pvkit serve --pv lab:temperature=double:21.5 --pv 'lab:mode=enum(Off|On):On' --pv 'lab:wave=double[]'
  pvkit serve lab.toml -v
  pvkit serve --demo --tcp-port 0 --json > ready.json &
  pvkit serve --demo --msgpack-port 5080
  pvkit serve --manage --interface 127.0.0.1
  pvkit serve --workspace lab --pv lab:setpoint=double
  pvkit serve lab.toml --store redis://127.0.0.1:6379/0 --store-wait
`;

export function addServe(program: Command, host: CliHost, run: Act): Command {
  const command = program
    .command('serve')
    .summary('serve PVs')
    .description(prose(ABOUT))
    .argument('[config]', 'configuration file, CONFIG.toml')
    .option('--pv <NAME=TYPE[:VALUE]>', 'a PV to serve; may be given many times', collect, [])
    .option('--demo', 'serve a dozen PVs worth looking at, demo:sine and others')
    .option('--interface <address>', 'serve on this address only; may be given many times', collect, [])
    .option('--tcp-port <port>', 'TCP port; 0 for any free one (default: 5075)')
    .option('--msgpack-port <port>', 'TCP port for clients that speak MessagePack; 0 for any free one (default: none)')
    .option('--udp-port <port>', 'UDP port of searches; 0 for any free one (default: 5076)')
    .option('--manage', 'let every client create and destroy channels, where there are no access rules')
    .option('--workers <count>', 'processes that hold the connections (default: none, the server does so itself)')
    .option('--max-memory <size>', 'close the connections that hold most past this, such as 2GiB (default: any)');
  withDebug(
    withJson(withStoreFlags(command)),
    'print the effective configuration, and where each part of it comes from, on stderr',
  );
  return command
    .addHelpText('after', EXAMPLES)
    .action((file: string | undefined, options: ServeOptions) => run(() => serve(file, options, host)));
}

function collect(word: string, before: readonly string[]): readonly string[] {
  return [...before, word];
}

function configOf(file: string | undefined, options: ServeOptions, host: CliHost): Promise<ServerConfig> {
  return loadServerConfig({
    folder: host.folder,
    processEnvironment: host.environment,
    configFile: file,
    flags: {
      interfaces: options.interface,
      tcpPort: options.tcpPort,
      msgpackPort: options.msgpackPort,
      udpPort: options.udpPort,
      workers: options.workers,
      manage: options.manage,
      maxMemory: options.maxMemory,
      store: options.store,
      workspace: options.workspace,
      pvs: options.pv,
    },
  });
}

async function serve(file: string | undefined, options: ServeOptions, host: CliHost): Promise<ExitCode> {
  const config = await configOf(file, options, host);
  if (options.verbose === true) host.stderr.write(columns(serverRows(config)));
  const place = await ServePlace.open(config, logLevel(config, options), host);
  try {
    return await serveIn(place, config, options, host, () => configOf(file, options, host));
  } finally {
    await place.close();
  }
}

async function serveIn(
  { log, putLogFolder, workspace, lost }: ServePlace,
  config: ServerConfig,
  options: ServeOptions,
  host: CliHost,
  read: () => Promise<ServerConfig>,
): Promise<ExitCode> {
  for (const text of config.warnings) log.write({ level: 'warning', text });
  const events = new ServeEvents(options, host);
  const putLog = await openPutLog(config, putLogFolder, host, (text) => log.write({ level: 'error', text }));
  const server = new Server({
    config,
    network: host.network,
    clock: host.clock,
    ...(host.vitals && { vitals: host.vitals() }),
    ...(putLog && { onPutLog: (entry) => putLog.add(entry) }),
  });
  const deaf = server.onNotice((notice) => log.write(notice));
  let kept: KeptChannels | undefined;
  let created: CreatedChannels | undefined;
  let demo: Demo | undefined;
  let statistics: StatisticsPVs | undefined;
  let unheard: (() => void) | undefined;
  const faults = new ServeFaults(host, log);
  try {
    kept = await KeptChannels.open({ config, options, host, log, workspace });
    if (kept === undefined) {
      for (const [name, pv] of configuredPvs(config.channels, host.clock)) server.add(name, pv);
      created = new CreatedChannels(server, config, host, log);
    } else {
      kept.serveOn(server);
    }
    if (options.demo === true) {
      const names = new Set(server.names());
      demo = startDemo(host.clock);
      // A channel of the configuration that has the name of a demo PV is meant to replace it.
      for (const [name, pv] of demo.pvs) if (!names.has(name)) server.add(name, pv);
    }
    statistics = new StatisticsPVs(server, host.clock);
    addStatistics(server, config.name, statistics);
    await server.listen();
    await kept?.join(server);
    unheard = host.onReload?.(() => void reload(server, log, read));
    events.listening(server);
    await Promise.race([aborted(host.interrupt), faults.tooMany, aborted(lost)]);
    if (lost.aborted) log.write({ level: 'error', text: `ending: ${reasonOf(lost.reason)}` });
    events.stopping(server);
    log.write({
      level: 'info',
      text: `stopping, ${counted(server.linkCount, 'connection is open', 'connections are open')}`,
    });
    await Promise.all([kept?.leave(), server.drain()]);
  } finally {
    unheard?.();
    demo?.stop();
    statistics?.close();
    await server.close();
    await kept?.close();
    await created?.close();
    await putLog?.close();
    faults.stop();
    deaf();
  }
  return faults.areTooMany || lost.aborted ? FAILED : DONE;
}

/** The server shown as PVs. What is there under such a name already is meant to be there. */
function addStatistics(server: Server, prefix: string, statistics: StatisticsPVs): void {
  const names = new Set(server.names());
  for (const [name, pv] of statistics.pvs) if (!names.has(`${prefix}:${name}`)) server.add(`${prefix}:${name}`, pv);
}

/** Takes the access rules of the file as it is now, and nothing else of it. With a fault in it, the rules stay. */
async function reload(server: Server, log: Log, read: () => Promise<ServerConfig>): Promise<void> {
  try {
    const { accessRules, accessDefault, warnings } = await read();
    for (const text of warnings) log.write({ level: 'warning', text });
    server.setAccess(new AccessRules(accessRules, { otherwise: accessDefault }));
    log.write({ level: 'info', text: `access rules read again, there are ${accessRules.length}` });
  } catch (thrown) {
    log.write({ level: 'error', text: `access rules stay as they were: ${reasonOf(thrown)}` });
  }
}

function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) return resolve();
    signal.addEventListener('abort', () => resolve(), { once: true });
  });
}

/** What a person asks for counts more than the file; what nobody asked for is what might need somebody. */
function logLevel({ logLevel: configured, origins }: ServerConfig, { debug, verbose }: ServeOptions): LogLevel {
  if (debug === true) return 'debug';
  return verbose === true && origins.logLevel === 'default' ? 'info' : configured;
}
