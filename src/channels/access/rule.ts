// What does one access rule say, and which clients and PVs does it fit?

import { LocalProtocolError, reasonOf } from '../../protocol/errors.ts';
import { ANONYMOUS, type Peer } from '../peer.ts';
import { Glob } from './glob.ts';
import { HostPattern } from './host-pattern.ts';
import { rightsOfWords, type AccessRights, type Allow } from './rights.ts';

export const AUTH_METHODS = ['anonymous', 'ca'] as const;
/** How a client says who it is. */
export type AuthMethod = (typeof AUTH_METHODS)[number];

/** One pattern or several, of which one has to fit. */
export type Patterns<T extends string = string> = T | readonly T[];

/** A rule as it is written. What is left out fits everybody or everything. */
export interface AccessRule {
  /** Names of users, as the clients tell them; `*` and `?` as in file names. Without a name a client is `anonymous`. */
  readonly user?: Patterns | undefined;
  /** Addresses (`10.0.0.5`), networks (`10.0.0.0/16`), or names as the clients tell them (`ws*`). */
  readonly host?: Patterns | undefined;
  /** How the client said who it is. */
  readonly method?: Patterns<AuthMethod> | undefined;
  /** PV names, with `*` and `?`. */
  readonly channel?: Patterns | undefined;
  readonly allow: Allow;
  /** Where it stands, for messages: `lab.toml:12`. */
  readonly origin?: string | undefined;
}

/** The keys that choose clients and PVs. */
export type RuleKey = 'user' | 'host' | 'method' | 'channel';
export const RULE_KEYS: readonly RuleKey[] = ['user', 'host', 'method', 'channel'];

/** Something wrong with one key of a rule. */
export interface RuleFault {
  readonly key: RuleKey | 'allow';
  /** Which of several patterns, from 0. */
  readonly item?: number;
  /** What is wrong, as the rest of a sentence that begins with the pattern. */
  readonly message: string;
}

/** Patterns of one key. Undefined fits all. */
type Choice<P> = readonly P[] | undefined;

/** What a key's patterns are tested on. */
interface Pattern<P> {
  readonly text: string;
  readonly fitsAll: boolean;
  covers(other: P): boolean;
}

/** A rule made ready to be asked. */
export class ReadyRule {
  readonly source: AccessRule;
  readonly rights: AccessRights;
  readonly #user: Choice<Glob>;
  readonly #host: Choice<HostPattern>;
  readonly #method: Choice<Glob>;
  readonly #channel: Choice<Glob>;

  /** @throws LocalProtocolError with the first fault that `ruleFaults` would tell */
  constructor(source: AccessRule) {
    const [fault] = ruleFaults(source);
    if (fault !== undefined) throw new LocalProtocolError(`access rule: ${fault.key} ${fault.message}`);
    this.source = source;
    this.rights = rightsOfWords(source.allow);
    this.#user = choice(source.user, (text) => new Glob(text));
    this.#host = choice(source.host, (text) => new HostPattern(text));
    const methods = source.method === undefined ? [] : listed(source.method);
    this.#method = AUTH_METHODS.every((method) => methods.includes(method))
      ? undefined
      : choice(source.method, (text) => new Glob(text));
    this.#channel = choice(source.channel, (text) => new Glob(text));
  }

  fitsPeer(peer: Peer): boolean {
    return (
      fits(this.#user, (user) => user.fits(peer.user)) &&
      fits(this.#host, (host) => host.fits(peer)) &&
      fits(this.#method, (method) => method.fits(peer.method))
    );
  }

  fitsChannel(pvName: string): boolean {
    return fits(this.#channel, (channel) => channel.fits(pvName));
  }

  /** Whether it fits every client that connects from an address; undefined where it depends on what the client tells. */
  fitsAddress(address: string): boolean | undefined {
    const answers = this.#host?.map((host) => host.fitsAddress(address)) ?? [true];
    if (answers.every((answer) => answer === false)) return false;
    return this.#user === undefined && this.#method === undefined && answers.includes(true) ? true : undefined;
  }

  /** Whether it fits whatever `other` fits, so that a rule behind it never decides. True only if that is sure. */
  covers(other: ReadyRule): boolean {
    return (
      covers(this.#user, other.#user) &&
      covers(this.#host, other.#host) &&
      covers(this.#method, other.#method) &&
      covers(this.#channel, other.#channel)
    );
  }

  /** The patterns of `channel` that fit none of these names, by their place. */
  channelsWithout(pvNames: readonly string[]): readonly { readonly item: number; readonly text: string }[] {
    return (this.#channel ?? []).flatMap((channel, item) =>
      pvNames.some((pvName) => channel.fits(pvName)) ? [] : [{ item, text: channel.text }],
    );
  }
}

/** Everything wrong with a rule by itself. */
export function ruleFaults(rule: AccessRule): readonly RuleFault[] {
  const faults = [
    ...RULE_KEYS.flatMap((key) => patternFaults(key, rule[key])),
    ...attempt('allow', () => rightsOfWords(rule.allow)),
  ];
  return faults.length > 0 ? faults : nobodyFaults(rule);
}

function patternFaults(key: RuleKey, patterns: Patterns | undefined): readonly RuleFault[] {
  if (patterns === undefined) return [];
  const texts = listed(patterns);
  if (texts.length === 0)
    return [{ key, message: 'is an empty list, which fits nothing; leave it out for everything' }];
  return texts.flatMap((text, item) => {
    const place = typeof patterns === 'string' ? {} : { item };
    if (text === '') return [{ key, ...place, message: 'is empty' }];
    if (key === 'host') return attempt(key, () => new HostPattern(text), place);
    const isMethod = AUTH_METHODS.some((method) => method === text);
    if (key !== 'method' || isMethod) return [];
    return [{ key, ...place, message: `is "${text}"; expected one of ${AUTH_METHODS.join(', ')}` }];
  });
}

function attempt(
  key: RuleFault['key'],
  act: () => unknown,
  place: { readonly item?: number } = {},
): readonly RuleFault[] {
  try {
    act();
    return [];
  } catch (thrown) {
    return [{ key, ...place, message: reasonOf(thrown) }];
  }
}

/** A rule for clients that cannot be: who is anonymous has told neither a user nor a host. */
function nobodyFaults({ user, host, method }: AccessRule): readonly RuleFault[] {
  const methods = method === undefined ? AUTH_METHODS : listed(method);
  if (methods.includes('ca')) return [];
  const peer = { user: ANONYMOUS, host: '', address: '' };
  if (user !== undefined && !listed(user).some((text) => new Glob(text).fits(peer.user))) {
    return [{ key: 'user', message: `fits nobody: a client of method anonymous is user "${ANONYMOUS}"` }];
  }
  const hosts = host === undefined ? [] : listed(host).map((text) => new HostPattern(text));
  const canFit = hosts.length === 0 || hosts.some((pattern) => !pattern.isName || pattern.fits(peer));
  if (canFit) return [];
  return [{ key: 'host', message: 'fits nobody: a client of method anonymous tells no host name, write its address' }];
}

function listed<T extends string>(patterns: Patterns<T>): readonly T[] {
  return typeof patterns === 'string' ? [patterns] : patterns;
}

function choice<P extends { readonly fitsAll: boolean }>(
  patterns: Patterns | undefined,
  make: (text: string) => P,
): Choice<P> {
  const made = patterns === undefined ? undefined : listed(patterns).map(make);
  return made?.some(({ fitsAll }) => fitsAll) === true ? undefined : made;
}

function fits<P>(choice: Choice<P>, test: (pattern: P) => boolean): boolean {
  return choice === undefined || choice.some(test);
}

function covers<P extends Pattern<P>>(choice: Choice<P>, other: Choice<P>): boolean {
  if (choice === undefined) return true;
  return other?.every((inner) => choice.some((outer) => outer.covers(inner))) === true;
}
