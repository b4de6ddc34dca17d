// Which Redis does a URL mean?
//
//   redis://[user[:password]@]host[:port][/db]              one server; rediss:// with TLS
//   redis+sentinel://host[:port],host[:port]/name[/db]      the master that the Sentinels call `name`
//   redis+cluster://host[:port],host[:port]                 a cluster that these nodes belong to
//
// Each takes `?prefix=` (of all keys), and with TLS `?ca=`, `?cert=`, `?key=`: files in PEM.

import { LocalProtocolError } from '../../../protocol/errors.ts';

export interface RedisAddress {
  readonly host: string;
  readonly port: number;
}

interface RedisPlace {
  readonly addresses: readonly [RedisAddress, ...RedisAddress[]];
  readonly username: string | undefined;
  readonly password: string | undefined;
  readonly db: number;
  readonly prefix: string;
  readonly tls: { readonly ca?: string; readonly cert?: string; readonly key?: string } | undefined;
}

export type RedisUrl =
  | (RedisPlace & { readonly mode: 'single' })
  | (RedisPlace & { readonly mode: 'sentinel'; readonly masterName: string })
  | (RedisPlace & { readonly mode: 'cluster' });

const DEFAULT_PREFIX = 'pvkit:';
const REDIS_PORT = 6_379;
const SENTINEL_PORT = 26_379;
const MAX_PREFIX_CHARACTERS = 100;
const FILES = ['ca', 'cert', 'key'] as const;

const URL_FORM =
  /^redis(?<tls>s?)(?:\+(?<kind>sentinel|cluster))?:\/\/(?:(?<login>.*)@)?(?<hosts>[^/?#@]+)(?<path>\/[^?#]*)?(?:\?(?<query>[^#]*))?$/u;
const HOST_FORM = /^(?:\[(?<v6>[\da-fA-F:.]+)\]|(?<name>[^\s:[\]]+))(?::(?<port>\d{1,5}))?$/u;

/** @throws LocalProtocolError that says what is wrong, without repeating a password */
export function parseRedisUrl(url: string): RedisUrl {
  const found = URL_FORM.exec(url)?.groups;
  if (found === undefined) {
    throw wrong('redis://host:port/db, redis+sentinel://host,host/name/db or redis+cluster://host,host expected');
  }
  const { tls, kind = 'single', login, hosts = '', path = '', query = '' } = found;
  const options = new URLSearchParams(query);
  const place = {
    addresses: addressesOf(hosts, kind === 'sentinel' ? SENTINEL_PORT : REDIS_PORT),
    ...credentialsOf(login),
    prefix: prefixOf(options),
    tls: tlsOf(tls === 's', options),
  };
  const steps = path.split('/').slice(1).map(decoded);
  if (kind === 'sentinel') {
    const [masterName = '', db, ...rest] = steps;
    if (masterName === '') throw wrong('the name of the master is missing after the Sentinels');
    return { ...place, mode: 'sentinel', masterName, db: dbOf(db, rest) };
  }
  const [first, ...rest] = steps;
  const db = dbOf(first, rest);
  if (kind === 'cluster') {
    if (db !== 0) throw wrong('a cluster has no databases but 0');
    return { ...place, mode: 'cluster', db };
  }
  if (place.addresses.length > 1) throw wrong('several hosts need redis+sentinel:// or redis+cluster://');
  return { ...place, mode: 'single', db };
}

/** Where it is, for people: without user, password and files. */
export function locationOf(url: RedisUrl): string {
  const { mode, addresses, db, prefix, tls } = url;
  const scheme = `redis${tls === undefined ? '' : 's'}${mode === 'single' ? '' : `+${mode}`}`;
  const hosts = addresses.map(({ host, port }) => `${host.includes(':') ? `[${host}]` : host}:${port}`).join(',');
  const path = mode === 'cluster' ? '' : `${mode === 'sentinel' ? `/${url.masterName}` : ''}/${db}`;
  return `${scheme}://${hosts}${path}${prefix === DEFAULT_PREFIX ? '' : `?prefix=${encodeURIComponent(prefix)}`}`;
}

function addressesOf(hosts: string, defaultPort: number): [RedisAddress, ...RedisAddress[]] {
  const [first, ...others] = hosts.split(',').map((text) => addressOf(text, defaultPort));
  return first === undefined ? wrongly('a host is missing') : [first, ...others];
}

function addressOf(text: string, defaultPort: number): RedisAddress {
  const { v6, name, port } = HOST_FORM.exec(text)?.groups ?? {};
  const host = v6 ?? name;
  const number = port === undefined ? defaultPort : Number(port);
  // Where the host is missing, what is no port may be a password.
  if (host === undefined || number < 1 || number > 65_535)
    throw wrong(`'${text.replace(/:(?!\d*$).*/su, ':***')}' is no host:port`);
  return { host, port: number };
}

function credentialsOf(login: string | undefined): Pick<RedisPlace, 'username' | 'password'> {
  if (login === undefined || login === '') return { username: undefined, password: undefined };
  const colon = login.indexOf(':');
  if (colon === -1) throw wrong('user:password or :password expected before the @');
  const username = decoded(login.slice(0, colon));
  return { username: username === '' ? undefined : username, password: decoded(login.slice(colon + 1)) };
}

function dbOf(text: string | undefined, rest: readonly string[]): number {
  if (rest.length > 0) throw wrong(`'/${rest.join('/')}' follows the database`);
  if (text === undefined || text === '') return 0;
  if (!/^\d{1,5}$/u.test(text)) throw wrong(`'${text}' is no number of a database`);
  return Number(text);
}

function prefixOf(options: URLSearchParams): string {
  const prefix = options.get('prefix') ?? DEFAULT_PREFIX;
  if (prefix === '' || prefix.length > MAX_PREFIX_CHARACTERS) {
    throw wrong(`a prefix has 1 to ${MAX_PREFIX_CHARACTERS} characters`);
  }
  return prefix;
}

function tlsOf(isOn: boolean, options: URLSearchParams): RedisPlace['tls'] {
  const known: readonly string[] = isOn ? ['prefix', ...FILES] : ['prefix'];
  const unknown = [...options.keys()].find((key) => !known.includes(key));
  if (unknown !== undefined) throw wrong(`the option '${unknown}' is not known; ${known.join(', ')} are`);
  if (!isOn) return undefined;
  return Object.fromEntries(FILES.flatMap((key) => (options.has(key) ? [[key, options.get(key) ?? '']] : [])));
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    // What stands there may be a password.
    throw wrong('a % that is none of %00 to %FF');
  }
}

function wrong(why: string): LocalProtocolError {
  return new LocalProtocolError(`this is no URL of a Redis: ${why}`);
}

function wrongly(why: string): never {
  throw wrong(why);
}
