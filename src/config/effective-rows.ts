// How does a person see the configuration that holds, and where each part came from?
import { RULE_KEYS, type AccessRule } from '../channels/access/rule.ts';
import { formatAddress, type ListedAddress } from './address-list.ts';
import type { ChannelDefinition } from './channel-definition.ts';
import { formatChannelType } from './channel-type.ts';
import type { ClientConfig, ServerConfig } from './effective.ts';
import { LIMIT_NAMES, snakeCase } from './limit-names.ts';
import { DEFAULT_ORIGIN } from './origin.ts';
import { quote } from './parsed.ts';

/** A setting as it is shown: its name, its value, and who said so, such as `lab.toml:3` or `default`. */
export type Row = readonly [key: string, value: string, origin: string];

/** One row for each setting, limit and channel; keys as the TOML file spells them where it knows them. */
export function serverRows(config: ServerConfig): readonly Row[] {
  const { origins } = config;
  return [
    ['server.name', config.name, origins.name],
    ['server.tcp_port', String(config.tcpPort), origins.tcpPort],
    ['server.msgpack_port', String(config.msgpackPort ?? '(none)'), origins.msgpackPort],
    ['server.udp_port', String(config.udpPort), origins.udpPort],
    ['server.workers', String(config.workers), origins.workers],
    ['server.busy_poll', String(config.busyPoll), origins.busyPoll],
    ['server.interfaces', addressesText(config.interfaces), origins.interfaces],
    ['server.beacon_addresses', addressesText(config.beaconAddresses), origins.beaconAddresses],
    ['server.auto_beacon', String(config.autoBeacon), origins.autoBeacon],
    ['server.ignore_addresses', addressesText(config.ignoreAddresses), origins.ignoreAddresses],
    ['server.search_relays', addressesText(config.searchRelays), origins.searchRelays],
    [
      'server.max_memory',
      config.maxMemoryBytes === 0 ? '(any)' : String(config.maxMemoryBytes),
      origins.maxMemoryBytes,
    ],
    ['connection timeout', secondsText(config.connectionTimeoutMs), origins.connectionTimeoutMs],
    ['beacon period', secondsText(config.beaconPeriodMs), origins.beaconPeriodMs],
    ['store.url', config.storeUrl === undefined ? '(none)' : withoutPassword(config.storeUrl), origins.storeUrl],
    ['store.flush_ms', String(config.storeFlushMs), origins.storeFlushMs],
    ['workspace', config.workspace ?? '(none)', origins.workspace],
    ['log.level', config.logLevel, origins.logLevel],
    ['log.puts', config.putLog ?? '(none)', origins.putLog],
    ['server.default_access', defaultAccessText(config), origins.accessDefault],
    ...config.accessRules.map((rule, index): Row => [
      `access[${index}]`,
      ruleText(rule),
      rule.origin ?? DEFAULT_ORIGIN,
    ]),
    ...LIMIT_NAMES.map((name): Row => [
      `limits.${snakeCase(name)}`,
      String(config.limits[name]),
      config.limitOrigins[name],
    ]),
    ...config.channels.map((channel): Row => [`channel ${channel.name}`, channelText(channel), channel.origin]),
  ];
}

/** One row for each setting of a client. */
export function clientRows(config: ClientConfig): readonly Row[] {
  const { origins } = config;
  return [
    ['udp port', String(config.udpPort), origins.udpPort],
    ['tcp port', String(config.tcpPort), origins.tcpPort],
    ['search addresses', addressesText(config.addresses), origins.addresses],
    ['search by broadcast', String(config.autoAddresses), origins.autoAddresses],
    ['name servers', addressesText(config.nameServers), origins.nameServers],
    ['interfaces', addressesText(config.interfaces), origins.interfaces],
    ['connection timeout', secondsText(config.connectionTimeoutMs), origins.connectionTimeoutMs],
  ];
}

function addressesText(addresses: readonly ListedAddress[]): string {
  return addresses.length === 0 ? '(none)' : addresses.map(formatAddress).join(' ');
}

function secondsText(milliseconds: number): string {
  return `${milliseconds / 1000} s`;
}

function channelText({ type, value, computed, readOnly }: ChannelDefinition): string {
  if (computed !== undefined) return `${formatChannelType(type)} = ${computed.expression} (computed)`;
  const suffix = readOnly ? ' (read only)' : '';
  return `${formatChannelType(type)}${value === undefined ? '' : ` = ${valueText(value)}`}${suffix}`;
}

function defaultAccessText({ accessDefault, accessRules }: ServerConfig): string {
  const unsaid = accessRules.length === 0 ? 'all' : 'none';
  return [accessDefault ?? unsaid].flat().join(' ');
}

/** `user alice bob, channel lab:*: read` */
function ruleText(rule: AccessRule): string {
  const conditions = RULE_KEYS.flatMap((key) => {
    const patterns = rule[key];
    return patterns === undefined ? [] : [`${key} ${[patterns].flat().join(' ')}`];
  });
  return `${conditions.length === 0 ? 'everybody' : conditions.join(', ')}: ${[rule.allow].flat().join(' ')}`;
}

/** Most items of an array that are shown. */
const SHOWN_ITEMS = 5;

function valueText(value: NonNullable<ChannelDefinition['value']>): string {
  if (typeof value === 'string') return quote(value);
  if (typeof value !== 'object') return String(value);
  if ('patch' in value) return '{...}';
  const rest = value.length > SHOWN_ITEMS ? [`... ${value.length} in all`] : [];
  return `[${[...value.slice(0, SHOWN_ITEMS).map(valueText), ...rest].join(', ')}]`;
}

/** Where no user is told from a password, all before the @ may be one. */
function withoutPassword(url: string): string {
  return url.replace(/^([a-z+]+:\/\/)(?:([^:@]*:).*|.*)@/su, '$1$2***@');
}
