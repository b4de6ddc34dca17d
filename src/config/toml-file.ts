// What does the TOML file say, and where is it wrong? Every fault is found in one go, with its line.
import type { Allow } from '../channels/access/rights.ts';
import type { AccessRule } from '../channels/access/rule.ts';
import { parse, TomlError } from 'smol-toml';
import { DEFAULT_LIMITS, type Limits } from '../protocol/limits.ts';
import { withoutRepeats, type ListedAddress } from './address-list.ts';
import type { ChannelDefinition, ChannelValue } from './channel-definition.ts';
import type { ConfigProblem, Report } from './config-error.ts';
import { LIMIT_NAMES, snakeCase } from './limit-names.ts';
import type { Sourced } from './origin.ts';
import { fillPlaceholders, isTable } from './placeholders.ts';
import { keyText, reportIssue } from './schema-issues.ts';
import type { LogLevel } from './settings-text.ts';
import { checkAccess, toAccessRules } from './toml-access.ts';
import { checkChannels, toDefinition } from './toml-channels.ts';
import { locateKeys, type TomlLines, type TomlPath } from './toml-lines.ts';
import { reportOverflows } from './toml-overflow.ts';
import { fileSchema, type FileContent } from './toml-schema.ts';
import type { Variables } from './variables.ts';

/** What one file sets; undefined for what it leaves to others. */
export interface FileSettings {
  readonly name: Sourced<string> | undefined;
  readonly tcpPort: Sourced<number> | undefined;
  readonly msgpackPort: Sourced<number> | undefined;
  readonly workers: Sourced<number> | undefined;
  readonly udpPort: Sourced<number> | undefined;
  readonly interfaces: Sourced<readonly ListedAddress[]> | undefined;
  readonly beaconAddresses: Sourced<readonly ListedAddress[]> | undefined;
  readonly busyPoll: Sourced<boolean> | undefined;
  readonly autoBeacon: Sourced<boolean> | undefined;
  readonly ignoreAddresses: Sourced<readonly ListedAddress[]> | undefined;
  readonly searchRelays: Sourced<readonly ListedAddress[]> | undefined;
  readonly maxMemoryBytes: Sourced<number> | undefined;
  readonly limits: ReadonlyMap<keyof Limits, Sourced<number>>;
  readonly storeUrl: Sourced<string> | undefined;
  readonly storeFlushMs: Sourced<number> | undefined;
  readonly logLevel: Sourced<LogLevel> | undefined;
  readonly putLog: Sourced<string> | undefined;
  readonly accessDefault: Sourced<Allow> | undefined;
  readonly accessRules: readonly AccessRule[];
  readonly channels: readonly ChannelDefinition[];
}

/**
 * Reads the text of a file. Faults are reported under `file`, in the order of their lines; undefined where there is any.
 * What is harmless, but hardly meant, goes to `notice`.
 */
export function parseTomlFile(
  text: string,
  file: string,
  variables: Variables,
  report: Report,
  notice: Report = () => {},
): FileSettings | undefined {
  let tree: unknown;
  try {
    // Every integer as bigint: 64 bits stay exact, and 5.0 is told from 5.
    tree = parse(text, { integersAsBigInt: true });
  } catch (error) {
    if (!(error instanceof TomlError)) throw error;
    report({ file, line: error.line, key: '', message: syntaxMessage(error) });
    return undefined;
  }
  const problems: ConfigProblem[] = [];
  const lines = locateKeys(text);
  const problemAt = (path: TomlPath, message: string): ConfigProblem => {
    return { file, line: lines.lineOf(path), key: keyText(path), message };
  };
  reportOverflows(text, tree, lines, (path, message) => problems.push(problemAt(path, message)));
  const settings = readTree(tree, file, lines, variables, {
    report: (path, message) => problems.push(problemAt(path, message)),
    notice: (path, message) => notice(problemAt(path, message)),
  });
  for (const problem of problems.toSorted((a, b) => (a.line ?? 0) - (b.line ?? 0))) report(problem);
  return problems.length === 0 ? settings : undefined;
}

function readTree(
  raw: unknown,
  file: string,
  lines: TomlLines,
  variables: Variables,
  { report, notice }: Readonly<Record<'report' | 'notice', (path: TomlPath, message: string) => void>>,
): FileSettings | undefined {
  const originAt = (path: TomlPath): string => `${file}:${lines.lineOf(path)}`;
  const unfilled = new Set<string>();
  const tree = fillPlaceholders(raw, variables, (path, message) => {
    unfilled.add(keyText(path));
    report(path, message);
  });
  // A string that could not be filled in would only be called wrong once more.
  const reportFilled = (path: TomlPath, message: string) => {
    if (!unfilled.has(keyText(path))) report(path, message);
  };
  const result = fileSchema.safeParse(tree);
  for (const issue of result.error?.issues ?? []) reportIssue(issue, { tree, place: [], name: 'a file' }, reportFilled);
  const values = checkChannels(isTable(tree) ? tree['channels'] : undefined, lines, reportFilled);
  if (isTable(tree) && tree['access'] !== undefined) checkAccess(tree['access'], originAt, reportFilled, notice);
  if (!result.success) return undefined;
  checkLimitPairs(result.data.limits ?? {}, reportFilled);
  return toSettings(result.data, values, originAt);
}

/** Limits of which the first takes effect before the second, or within it. */
const LIMIT_PAIRS: readonly (readonly [lower: keyof Limits, upper: keyof Limits])[] = [
  ['monitorPauseBytes', 'readPauseBytes'],
  ['defaultMonitorQueue', 'maxMonitorQueue'],
  ['maxSearchRatePerSender', 'maxSearchRate'],
  ['maxQueuedBytesPerLink', 'maxQueuedBytes'],
];

function checkLimitPairs(
  given: Readonly<Record<string, number | undefined>>,
  report: (path: TomlPath, message: string) => void,
): void {
  for (const [lower, upper] of LIMIT_PAIRS) {
    const [lowerKey, upperKey] = [snakeCase(lower), snakeCase(upper)];
    const [least, most] = [given[lowerKey] ?? DEFAULT_LIMITS[lower], given[upperKey] ?? DEFAULT_LIMITS[upper]];
    if (least <= most) continue;
    // A fault is shown on a line, so at the one of the two that has one.
    if (given[lowerKey] === undefined)
      report(['limits', upperKey], `is ${most}, which is less than ${lowerKey} with ${least}`);
    else report(['limits', lowerKey], `is ${least}, which is more than ${upperKey} with ${most}`);
  }
}

function toSettings(
  content: FileContent,
  values: ReadonlyMap<number, ChannelValue>,
  originAt: (path: TomlPath) => string,
): FileSettings {
  const { server = {}, limits = {}, access = [], channels = [] } = content;
  function set<T>(value: T | undefined, ...path: TomlPath): Sourced<T> | undefined {
    return value === undefined ? undefined : { value, origin: originAt(path) };
  }
  function addresses(
    list: readonly ListedAddress[] | undefined,
    key: string,
  ): Sourced<readonly ListedAddress[]> | undefined {
    return set(list && withoutRepeats(list), 'server', key);
  }
  const setLimits = new Map<keyof Limits, Sourced<number>>();
  for (const name of LIMIT_NAMES) {
    const limit = set(limits[snakeCase(name)], 'limits', snakeCase(name));
    if (limit !== undefined) setLimits.set(name, limit);
  }
  return {
    name: set(server.name, 'server', 'name'),
    tcpPort: set(server.tcp_port, 'server', 'tcp_port'),
    msgpackPort: set(server.msgpack_port, 'server', 'msgpack_port'),
    workers: set(server.workers, 'server', 'workers'),
    udpPort: set(server.udp_port, 'server', 'udp_port'),
    interfaces: addresses(server.interfaces, 'interfaces'),
    beaconAddresses: addresses(server.beacon_addresses, 'beacon_addresses'),
    busyPoll: set(server.busy_poll, 'server', 'busy_poll'),
    autoBeacon: set(server.auto_beacon, 'server', 'auto_beacon'),
    ignoreAddresses: addresses(server.ignore_addresses, 'ignore_addresses'),
    searchRelays: addresses(server.search_relays, 'search_relays'),
    maxMemoryBytes: set(server.max_memory, 'server', 'max_memory'),
    limits: setLimits,
    storeUrl: set(content.store?.url, 'store', 'url'),
    storeFlushMs: set(content.store?.flush_ms, 'store', 'flush_ms'),
    logLevel: set(content.log?.level, 'log', 'level'),
    putLog: set(content.log?.puts, 'log', 'puts'),
    accessDefault: set(server.default_access, 'server', 'default_access'),
    accessRules: toAccessRules(access, originAt),
    channels: channels.map((channel, index) =>
      toDefinition(channel, values.get(index), originAt(['channels', index, 'name'])),
    ),
  };
}

/** The first line of the parser's message, without the excerpt of the text below it. */
function syntaxMessage(error: TomlError): string {
  const [first = error.message] = error.message.split('\n');
  return `is no TOML at column ${error.column}: ${first.replace('Invalid TOML document: ', '')}`;
}
