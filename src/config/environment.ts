// What do the EPICS_PVA* and EPICS_PVAS* variables say, as pvxs understands them (its src/config.cpp)?
import { parseAddressList, type ListedAddress } from './address-list.ts';
import type { Report } from './config-error.ts';
import type { Sourced } from './origin.ts';
import type { Parsed } from './parsed.ts';
import { parseBeaconPeriod, parseConnectionTimeout, parseFlag, parsePort } from './settings-text.ts';
import { didYouMean } from './suggest.ts';
import { originOf, type Variable, type Variables } from './variables.ts';

/** One variable: which side reads it, what holds when it is not set, what it means. */
export interface EnvironmentVariable {
  readonly name: string;
  readonly readBy: 'client' | 'server' | 'both' | 'nobody';
  /** Its value when neither it nor `fallback` is set. */
  readonly byDefault: string;
  /** Read by a server when this one is not set. */
  readonly fallback?: string;
  readonly meaning: string;
}

/** Every EPICS_PVA* and EPICS_PVAS* variable that pvkit reads; the names are those of the C++ implementations. */
export const ENVIRONMENT_VARIABLES: readonly EnvironmentVariable[] = Object.freeze([
  {
    name: 'EPICS_PVA_ADDR_LIST',
    readBy: 'both',
    byDefault: '',
    meaning: 'where UDP searches go: ip[:port][,ttl][@interface] ...',
  },
  {
    name: 'EPICS_PVA_AUTO_ADDR_LIST',
    readBy: 'both',
    byDefault: 'YES',
    meaning: 'search at the broadcast address of every interface too',
  },
  {
    name: 'EPICS_PVA_NAME_SERVERS',
    readBy: 'client',
    byDefault: '',
    meaning: 'servers to search by TCP: ip[:port] ...',
  },
  {
    name: 'EPICS_PVA_INTF_ADDR_LIST',
    readBy: 'client',
    byDefault: '0.0.0.0',
    meaning: 'interfaces on which beacons are heard',
  },
  { name: 'EPICS_PVA_BROADCAST_PORT', readBy: 'both', byDefault: '5076', meaning: 'UDP port of searches and beacons' },
  { name: 'EPICS_PVA_SERVER_PORT', readBy: 'both', byDefault: '5075', meaning: 'TCP port of servers and name servers' },
  {
    name: 'EPICS_PVA_CONN_TMO',
    readBy: 'both',
    byDefault: '30',
    meaning: 'seconds; a link silent for 4/3 of it is closed, after 2 s at the least',
  },
  { name: 'EPICS_PVA_BEACON_PERIOD', readBy: 'server', byDefault: '15', meaning: 'seconds between the first beacons' },
  {
    name: 'EPICS_PVA_MAX_ARRAY_BYTES',
    readBy: 'nobody',
    byDefault: '16384',
    meaning: 'accepted for old scripts; arrays have no such limit here',
  },
  { name: 'EPICS_PVAS_INTF_ADDR_LIST', readBy: 'server', byDefault: '0.0.0.0', meaning: 'interfaces to serve on' },
  {
    name: 'EPICS_PVAS_BEACON_ADDR_LIST',
    readBy: 'server',
    byDefault: '',
    fallback: 'EPICS_PVA_ADDR_LIST',
    meaning: 'where beacons go',
  },
  {
    name: 'EPICS_PVAS_AUTO_BEACON_ADDR_LIST',
    readBy: 'server',
    byDefault: 'YES',
    fallback: 'EPICS_PVA_AUTO_ADDR_LIST',
    meaning: 'send beacons to the broadcast address of every interface too',
  },
  {
    name: 'EPICS_PVAS_SERVER_PORT',
    readBy: 'server',
    byDefault: '5075',
    fallback: 'EPICS_PVA_SERVER_PORT',
    meaning: 'TCP port to listen on; 0 takes a free one',
  },
  {
    name: 'EPICS_PVAS_BROADCAST_PORT',
    readBy: 'server',
    byDefault: '5076',
    fallback: 'EPICS_PVA_BROADCAST_PORT',
    meaning: 'UDP port to hear searches on; 0 takes a free one',
  },
  {
    name: 'EPICS_PVAS_IGNORE_ADDR_LIST',
    readBy: 'server',
    byDefault: '',
    meaning: 'senders whose searches are dropped: ip[:port] ...',
  },
  {
    name: 'EPICS_PVAS_BEACON_PERIOD',
    readBy: 'server',
    byDefault: '15',
    fallback: 'EPICS_PVA_BEACON_PERIOD',
    meaning: 'seconds between the first beacons',
  },
  {
    name: 'EPICS_PVAS_MAX_ARRAY_BYTES',
    readBy: 'nobody',
    byDefault: '16384',
    fallback: 'EPICS_PVA_MAX_ARRAY_BYTES',
    meaning: 'accepted for old scripts; arrays have no such limit here',
  },
]);

/** What other implementations read behind EPICS_PVA_ or EPICS_PVAS_: no reason for a warning. */
const NAMES_OF_OTHERS: ReadonlySet<string> = new Set([
  'DEBUG',
  'PROVIDER_NAMES',
  'TLS_KEYCHAIN',
  'TLS_OPTIONS',
  'TLS_PORT',
  'TCP_SOCKET_TMO',
  'SEND_BUFFER_SIZE',
  'FAST_BEACON_MIN',
  'FAST_BEACON_MAX',
  'MAX_BEACON_AGE',
  'MAX_ARRAY_FORMATTING',
  'ENABLE_IPV6',
  'MULTICAST_GROUP',
]);

export interface ServerEnvironment {
  readonly tcpPort: Sourced<number> | undefined;
  readonly udpPort: Sourced<number> | undefined;
  readonly interfaces: Sourced<readonly ListedAddress[]> | undefined;
  readonly beaconAddresses: Sourced<readonly ListedAddress[]> | undefined;
  readonly autoBeacon: Sourced<boolean> | undefined;
  readonly ignoreAddresses: Sourced<readonly ListedAddress[]> | undefined;
  readonly connectionTimeoutMs: Sourced<number> | undefined;
  readonly beaconPeriodMs: Sourced<number> | undefined;
}

export interface ClientEnvironment {
  readonly tcpPort: Sourced<number> | undefined;
  readonly udpPort: Sourced<number> | undefined;
  readonly addresses: Sourced<readonly ListedAddress[]> | undefined;
  readonly autoAddresses: Sourced<boolean> | undefined;
  readonly nameServers: Sourced<readonly ListedAddress[]> | undefined;
  readonly interfaces: Sourced<readonly ListedAddress[]> | undefined;
  readonly connectionTimeoutMs: Sourced<number> | undefined;
}

/** What a server takes from its environment; undefined for what is not set. A server reads EPICS_PVAS_* before EPICS_PVA_*. */
export function readServerEnvironment(variables: Variables, report: Report): ServerEnvironment {
  return {
    tcpPort: read(variables, both('SERVER_PORT'), parsePort, report),
    udpPort: read(variables, both('BROADCAST_PORT'), parsePort, report),
    interfaces: readAddresses(variables, ['EPICS_PVAS_INTF_ADDR_LIST'], report),
    beaconAddresses: readAddresses(variables, ['EPICS_PVAS_BEACON_ADDR_LIST', 'EPICS_PVA_ADDR_LIST'], report),
    autoBeacon: read(variables, ['EPICS_PVAS_AUTO_BEACON_ADDR_LIST', 'EPICS_PVA_AUTO_ADDR_LIST'], parseFlag, report),
    ignoreAddresses: readAddresses(variables, ['EPICS_PVAS_IGNORE_ADDR_LIST'], report),
    connectionTimeoutMs: read(variables, ['EPICS_PVA_CONN_TMO'], parseConnectionTimeout, report),
    beaconPeriodMs: read(variables, both('BEACON_PERIOD'), parseBeaconPeriod, report),
  };
}

/**
 * What a client takes from its environment; undefined for what is not set.
 * A port 0 has no meaning for a client; as in pvxs it is noticed and the default holds.
 */
export function readClientEnvironment(variables: Variables, report: Report, notice: Report): ClientEnvironment {
  return {
    tcpPort: withoutZero(
      read(variables, ['EPICS_PVA_SERVER_PORT', 'EPICS_PVAS_SERVER_PORT'], parsePort, report),
      notice,
    ),
    udpPort: withoutZero(read(variables, ['EPICS_PVA_BROADCAST_PORT'], parsePort, report), notice),
    addresses: readAddresses(variables, ['EPICS_PVA_ADDR_LIST'], report),
    autoAddresses: read(variables, ['EPICS_PVA_AUTO_ADDR_LIST'], parseFlag, report),
    nameServers: readAddresses(variables, ['EPICS_PVA_NAME_SERVERS'], report),
    interfaces: readAddresses(variables, ['EPICS_PVA_INTF_ADDR_LIST'], report),
    connectionTimeoutMs: read(variables, ['EPICS_PVA_CONN_TMO'], parseConnectionTimeout, report),
  };
}

/** Notices EPICS_PVA* names that nobody knows: most of them are slips of the pen that would silently change nothing. */
export function noticeUnknownVariables(variables: Variables, notice: Report): void {
  const known = ENVIRONMENT_VARIABLES.map((variable) => variable.name);
  for (const name of variables.names()) {
    const suffix = /^EPICS_PVAS?_(.*)$/.exec(name)?.[1];
    if (suffix === undefined || known.includes(name) || NAMES_OF_OTHERS.has(suffix)) continue;
    const variable = variables.get(name);
    notice({ ...placeOf(variable), key: name, message: `is no variable that pvkit knows${didYouMean(name, known)}` });
  }
}

function both(name: string): readonly string[] {
  return [`EPICS_PVAS_${name}`, `EPICS_PVA_${name}`];
}

function read<T>(
  variables: Variables,
  names: readonly string[],
  parse: (text: string) => Parsed<T>,
  report: Report,
): Sourced<T> | undefined {
  const variable = variables.pick(names, false);
  if (variable === undefined) return undefined;
  const parsed = parse(variable.value);
  if (parsed.ok) return { value: parsed.value, origin: originOf(variable) };
  report({ ...placeOf(variable), key: variable.name, message: parsed.wrong });
  return undefined;
}

function readAddresses(
  variables: Variables,
  names: readonly string[],
  report: Report,
): Sourced<readonly ListedAddress[]> | undefined {
  const variable = variables.pick(names, true);
  if (variable === undefined) return undefined;
  const value = parseAddressList(variable.value, report, { ...placeOf(variable), key: variable.name });
  return { value, origin: originOf(variable) };
}

function withoutZero(port: Sourced<number> | undefined, notice: Report): Sourced<number> | undefined {
  if (port?.value !== 0) return port;
  notice({ key: port.origin, message: '0 is ignored; a client needs the port its servers use' });
  return undefined;
}

function placeOf(variable: Variable | undefined): { readonly file?: string; readonly line?: number } {
  return variable?.file === undefined || variable.line === undefined
    ? {}
    : { file: variable.file, line: variable.line };
}
