// Which configuration holds, and who set each part of it? Command line over TOML over EPICS_* variables over defaults.
import type { Allow } from '../channels/access/rights.ts';
import type { AccessRule } from '../channels/access/rule.ts';
import { DEFAULT_FLUSH_MS } from '../channels/stores/embedded/flush-time.ts';
import { DEFAULT_LIMITS, type Limits } from '../protocol/limits.ts';
import {
  ADDRESS_FORM,
  parseAddress,
  withoutRepeats,
  withPort,
  type ListedAddress,
  type PortedAddress,
} from './address-list.ts';
import type { ChannelDefinition } from './channel-definition.ts';
import { ConfigError, problemText, type ConfigProblem, type Report } from './config-error.ts';
import { noticeUnknownVariables, readClientEnvironment, readServerEnvironment } from './environment.ts';
import { deepFreeze } from './freeze.ts';
import { LIMIT_NAMES } from './limit-names.ts';
import { DEFAULT_ORIGIN, strongest, type Sourced } from './origin.ts';
import { quote, right, wrong, type Parsed } from './parsed.ts';
import { parsePvFlag, PV_FLAG } from './pv-flag.ts';
import {
  DEFAULT_BEACON_PERIOD_MS,
  DEFAULT_CONNECTION_TIMEOUT_MS,
  parseMemory,
  parsePort,
  parseStoreUrl,
  parseWorkers,
  type LogLevel,
} from './settings-text.ts';
import type { FileSettings, parseTomlFile } from './toml-file.ts';
import { Variables, type VariableSources } from './variables.ts';

export const DEFAULT_TCP_PORT = 5075;
export const DEFAULT_UDP_PORT = 5076;
const DEFAULT_SERVER_NAME = 'pvkit';
const ANY_INTERFACE: ListedAddress = {
  host: '0.0.0.0',
  family: 'ipv4',
  port: undefined,
  ttl: undefined,
  via: undefined,
};

/** The command line of a server as it was typed; nothing in it is checked yet. */
export interface ServerFlags {
  readonly interfaces?: readonly string[] | undefined;
  readonly tcpPort?: string | undefined;
  readonly msgpackPort?: string | undefined;
  readonly udpPort?: string | undefined;
  readonly workers?: string | undefined;
  readonly maxMemory?: string | undefined;
  readonly store?: string | undefined;
  readonly workspace?: string | undefined;
  /** Every client may create and destroy channels. */
  readonly manage?: boolean | undefined;
  /** `NAME=TYPE[:VALUE]` each. */
  readonly pvs?: readonly string[] | undefined;
}

/** What a server is told about ports, interfaces, beacons and logs. Durations are in milliseconds. */
export interface ServerSettings {
  /** Prefix of the server's own PVs. */
  readonly name: string;
  /** 0 asks for a free port. */
  readonly tcpPort: number;
  /** TCP port for clients that speak MessagePack (docs/msgpack.md); 0 asks for a free one, undefined for none at all. */
  readonly msgpackPort: number | undefined;
  readonly udpPort: number;
  /** Processes that hold the connections; 1: the server does so itself. */
  readonly workers: number;
  /** Look for the next request before waiting for it, while they follow each other: quicker answers for processor time. */
  readonly busyPoll: boolean;
  /** Never empty. A port overrides `tcpPort` for this interface. */
  readonly interfaces: readonly ListedAddress[];
  /** Where no port is given, the UDP port that was bound. */
  readonly beaconAddresses: readonly ListedAddress[];
  /** Send beacons to the broadcast address of every served interface as well. */
  readonly autoBeacon: boolean;
  /** Senders whose searches are dropped; without a port from any port. */
  readonly ignoreAddresses: readonly ListedAddress[];
  /**
   * Hosts whose searches may ask for the answer to be sent to another host: relays between networks. 0.0.0.0 is every
   * host. Answers to all others go to where the search came from.
   */
  readonly searchRelays: readonly ListedAddress[];
  /** Bytes of memory past which the links that hold most of it are closed; 0 for any. */
  readonly maxMemoryBytes: number;
  /** Silence after which a link is closed. */
  readonly connectionTimeoutMs: number;
  /** Time between the first beacons. */
  readonly beaconPeriodMs: number;
  readonly storeUrl: string | undefined;
  /** How long after a put the embedded store flushes it to the disk; 0: before it is answered. */
  readonly storeFlushMs: number;
  readonly workspace: string | undefined;
  readonly logLevel: LogLevel;
  /** What is allowed where no rule fits. Undefined: everything without rules, nothing with them. */
  readonly accessDefault: Allow | undefined;
  /** Where puts are to be logged: a file, or `-` for standard output; whoever runs the server writes it. */
  readonly putLog: string | undefined;
}

/** The whole configuration of a server: settings, limits and channels, and who said so. Deeply frozen. */
export interface ServerConfig extends ServerSettings {
  readonly limits: Limits;
  /** Names are unique. */
  readonly channels: readonly ChannelDefinition[];
  /** In their order; the first that fits a client and a PV decides. They do not contradict each other. */
  readonly accessRules: readonly AccessRule[];
  /** By the name of the setting, such as `tcpPort`: `default`, `EPICS_PVA_SERVER_PORT`, `lab.toml:3`, `--tcp-port`. */
  readonly origins: Readonly<Record<keyof ServerSettings, string>>;
  readonly limitOrigins: Readonly<Record<keyof Limits, string>>;
  /** What is harmless, but hardly meant. */
  readonly warnings: readonly string[];
}

/** What a client is told about where to search. Durations are in milliseconds. */
export interface ClientSettings {
  /** Default port of name servers. */
  readonly tcpPort: number;
  readonly udpPort: number;
  /** Where UDP searches go. */
  readonly addresses: readonly PortedAddress[];
  /** Search at the broadcast address of every interface as well. */
  readonly autoAddresses: boolean;
  /** Servers to search by TCP. */
  readonly nameServers: readonly PortedAddress[];
  /** Where beacons are heard. Never empty. */
  readonly interfaces: readonly PortedAddress[];
  readonly connectionTimeoutMs: number;
}

/** The settings of a client, and who said so. Deeply frozen. */
export interface ClientConfig extends ClientSettings {
  readonly origins: Readonly<Record<keyof ClientSettings, string>>;
  readonly warnings: readonly string[];
}

/** The TOML file; its parser is handed in, because it takes longer to load than everything else here together. */
export interface TomlSource {
  readonly file: string;
  readonly text: string;
  readonly parse: typeof parseTomlFile;
}

export interface ServerConfigSources extends VariableSources {
  readonly flags?: ServerFlags | undefined;
  readonly toml?: TomlSource | undefined;
}

/** The configuration of a server, deeply frozen. Throws ConfigError with every fault of every source. */
export function resolveServerConfig(sources: ServerConfigSources): ServerConfig {
  const found = new Findings();
  const variables = new Variables(sources, found.report);
  noticeUnknownVariables(variables, found.notice);
  const environment = readServerEnvironment(variables, found.report);
  const file = sources.toml?.parse(sources.toml.text, sources.toml.file, variables, found.report, found.notice);
  const flags = readFlags(sources.flags ?? {}, found.report);

  const sourced = {
    name: strongest([file?.name], DEFAULT_SERVER_NAME),
    tcpPort: strongest([flags.tcpPort, file?.tcpPort, environment.tcpPort], DEFAULT_TCP_PORT),
    msgpackPort: strongest<number | undefined>([flags.msgpackPort, file?.msgpackPort], undefined),
    udpPort: strongest([flags.udpPort, file?.udpPort, environment.udpPort], DEFAULT_UDP_PORT),
    workers: strongest([flags.workers, file?.workers], 1),
    busyPoll: strongest([file?.busyPoll], true),
    interfaces: notEmpty(strongest([flags.interfaces, file?.interfaces, environment.interfaces], [])),
    beaconAddresses: strongest([file?.beaconAddresses, environment.beaconAddresses], []),
    autoBeacon: strongest([file?.autoBeacon, environment.autoBeacon], true),
    ignoreAddresses: strongest([file?.ignoreAddresses, environment.ignoreAddresses], []),
    searchRelays: strongest([file?.searchRelays], []),
    maxMemoryBytes: strongest([flags.maxMemory, file?.maxMemoryBytes], 0),
    connectionTimeoutMs: strongest([environment.connectionTimeoutMs], DEFAULT_CONNECTION_TIMEOUT_MS),
    beaconPeriodMs: strongest([environment.beaconPeriodMs], DEFAULT_BEACON_PERIOD_MS),
    storeUrl: strongest<string | undefined>([flags.store, file?.storeUrl], undefined),
    storeFlushMs: strongest([file?.storeFlushMs], DEFAULT_FLUSH_MS),
    workspace: strongest<string | undefined>([flags.workspace], undefined),
    logLevel: strongest<LogLevel>([file?.logLevel], 'warn'),
    accessDefault: strongest<Allow | undefined>(
      [manageFlag(sources.flags, file, found.report), file?.accessDefault],
      undefined,
    ),
    putLog: strongest<string | undefined>([file?.putLog], undefined),
  };
  const limits = settleLimits(file);
  requireTwoPorts(sourced, found.report);
  const channels = mergeChannels(file?.channels ?? [], flags.pvs, found.report, found.notice);
  found.throwIfWrong();
  return deepFreeze({
    ...valuesOf(sourced),
    ...limits,
    channels,
    accessRules: file?.accessRules ?? [],
    origins: originsOf(sourced),
    warnings: found.warnings(),
  });
}

/** The configuration of a client, deeply frozen. Throws ConfigError with every fault. */
export function resolveClientConfig(sources: VariableSources): ClientConfig {
  const found = new Findings();
  const variables = new Variables(sources, found.report);
  noticeUnknownVariables(variables, found.notice);
  const environment = readClientEnvironment(variables, found.report, found.notice);
  const tcpPort = strongest([environment.tcpPort], DEFAULT_TCP_PORT);
  const udpPort = strongest([environment.udpPort], DEFAULT_UDP_PORT);
  const sourced = {
    tcpPort,
    udpPort,
    addresses: ported(strongest([environment.addresses], []), udpPort.value),
    autoAddresses: strongest([environment.autoAddresses], true),
    nameServers: ported(strongest([environment.nameServers], []), tcpPort.value),
    interfaces: ported(notEmpty(strongest([environment.interfaces], [])), udpPort.value),
    connectionTimeoutMs: strongest([environment.connectionTimeoutMs], DEFAULT_CONNECTION_TIMEOUT_MS),
  };
  found.throwIfWrong();
  return deepFreeze({ ...valuesOf(sourced), origins: originsOf(sourced), warnings: found.warnings() });
}

class Findings {
  readonly #problems: ConfigProblem[] = [];
  readonly #notices: ConfigProblem[] = [];
  readonly report: Report = (problem) => this.#problems.push(problem);
  readonly notice: Report = (problem) => this.#notices.push(problem);

  throwIfWrong(): void {
    if (this.#problems.length > 0) throw new ConfigError(this.#problems);
  }

  warnings(): readonly string[] {
    return this.#notices.map(problemText);
  }
}

interface CheckedFlags {
  readonly tcpPort: Sourced<number> | undefined;
  readonly msgpackPort: Sourced<number> | undefined;
  readonly udpPort: Sourced<number> | undefined;
  readonly workers: Sourced<number> | undefined;
  readonly maxMemory: Sourced<number> | undefined;
  readonly interfaces: Sourced<readonly ListedAddress[]> | undefined;
  readonly store: Sourced<string> | undefined;
  readonly workspace: Sourced<string> | undefined;
  readonly pvs: readonly ChannelDefinition[];
}

function readFlags(flags: ServerFlags, report: Report): CheckedFlags {
  function read<T>(flag: string, text: string | undefined, parse: (text: string) => Parsed<T>): Sourced<T> | undefined {
    if (text === undefined) return undefined;
    const parsed = parse(text);
    if (parsed.ok) return { value: parsed.value, origin: flag };
    report({ key: flag, message: parsed.wrong });
    return undefined;
  }
  function readAll<T>(
    flag: string,
    texts: readonly string[] | undefined,
    parse: (text: string) => Parsed<T>,
  ): readonly T[] {
    return (texts ?? []).flatMap((text) => read(flag, text, parse)?.value ?? []);
  }
  const interfaces = readAll('--interface', flags.interfaces, parseInterface);
  return {
    tcpPort: read('--tcp-port', flags.tcpPort, parsePort),
    msgpackPort: read('--msgpack-port', flags.msgpackPort, parsePort),
    udpPort: read('--udp-port', flags.udpPort, parsePort),
    workers: read('--workers', flags.workers, parseWorkers),
    maxMemory: read('--max-memory', flags.maxMemory, parseMemory),
    interfaces: interfaces.length === 0 ? undefined : { value: withoutRepeats(interfaces), origin: '--interface' },
    store: read('--store', flags.store, parseStoreUrl),
    workspace: read('--workspace', flags.workspace, (text) =>
      text === '' ? wrong('is empty; expected a folder') : right(text),
    ),
    pvs: readAll(PV_FLAG, flags.pvs, parsePvFlag),
  };
}

/** Of no use beside rules, of which the first that fits decides: which one it would be for is not for a flag to say. */
function manageFlag(
  flags: ServerFlags | undefined,
  file: FileSettings | undefined,
  report: Report,
): Sourced<Allow> | undefined {
  if (flags?.manage !== true) return undefined;
  const rules = file?.accessDefault?.origin ?? file?.accessRules[0]?.origin;
  if (rules === undefined) return { value: ['all', 'manage'], origin: '--manage' };
  const message = `is for servers without access rules, and ${rules} has some; add "manage" to allow there`;
  report({ key: '--manage', message });
  return undefined;
}

function parseInterface(text: string): Parsed<ListedAddress> {
  const parsed = parseAddress(text);
  return parsed.ok ? parsed : wrong(`${quote(text)} ${parsed.wrong}; expected ${ADDRESS_FORM}`);
}

/** One port speaks one protocol; the second would be opened elsewhere, where nobody looks for it. */
function requireTwoPorts(
  { tcpPort, msgpackPort }: Readonly<Record<'tcpPort' | 'msgpackPort', Sourced<number | undefined>>>,
  report: Report,
): void {
  if (msgpackPort.value === undefined || msgpackPort.value === 0 || msgpackPort.value !== tcpPort.value) return;
  report({
    key: msgpackPort.origin,
    message: `${msgpackPort.value} is the TCP port already (${tcpPort.origin}); expected another`,
  });
}

/** No interface at all would serve nobody, so an empty list means all, as in pvxs. */
function notEmpty(interfaces: Sourced<readonly ListedAddress[]>): Sourced<readonly ListedAddress[]> {
  return interfaces.value.length > 0 ? interfaces : { ...interfaces, value: [ANY_INTERFACE] };
}

function ported(list: Sourced<readonly ListedAddress[]>, port: number): Sourced<readonly PortedAddress[]> {
  return { value: withPort(list.value, port), origin: list.origin };
}

/** Channels of the file and of the command line; one of the command line replaces its namesake of the file. */
function mergeChannels(
  ofFile: readonly ChannelDefinition[],
  ofFlags: readonly ChannelDefinition[],
  report: Report,
  notice: Report,
): readonly ChannelDefinition[] {
  const byName = new Map(ofFile.map((channel) => [channel.name, channel]));
  for (const channel of ofFlags) {
    const before = byName.get(channel.name);
    if (before?.origin === PV_FLAG) report({ key: PV_FLAG, message: `${quote(channel.name)} is given twice` });
    else if (before !== undefined)
      notice({ key: PV_FLAG, message: `${channel.name} replaces the channel of ${before.origin}` });
    byName.set(channel.name, channel);
  }
  return [...byName.values()];
}

function settleLimits(file: FileSettings | undefined): Pick<ServerConfig, 'limits' | 'limitOrigins'> {
  const limits: Record<keyof Limits, number> = { ...DEFAULT_LIMITS };
  const origins = Object.fromEntries(
    LIMIT_NAMES.map((name) => [name, file?.limits.get(name)?.origin ?? DEFAULT_ORIGIN]),
  );
  for (const [name, { value }] of file?.limits ?? []) limits[name] = value;
  // fromEntries() forgets the names; LIMIT_NAMES are all of them.
  return { limits, limitOrigins: origins as Record<keyof Limits, string> };
}

type SourcedRecord = Readonly<Record<string, Sourced<unknown>>>;

function valuesOf<T extends SourcedRecord>(sourced: T): { readonly [K in keyof T]: T[K]['value'] } {
  // fromEntries() forgets which value has which key.
  return Object.fromEntries(Object.entries(sourced).map(([key, { value }]) => [key, value])) as {
    [K in keyof T]: T[K]['value'];
  };
}

function originsOf<T extends SourcedRecord>(sourced: T): { readonly [K in keyof T]: string } {
  // The same border as in valuesOf().
  return Object.fromEntries(Object.entries(sourced).map(([key, { origin }]) => [key, origin])) as {
    [K in keyof T]: string;
  };
}
