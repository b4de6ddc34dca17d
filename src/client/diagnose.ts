// Why is a PV found, or not found? Searches, servers and name servers are tried one by one, and what they say is judged.
//
// What the configuration says is tried first. Only if that leads nowhere, other places are tried as well: they tell what the
// configuration, a firewall or a name lacks.

import { formatAddress, type PortedAddress } from '../config/address-list.ts';
import { DEFAULT_UDP_PORT, resolveClientConfig, type ClientSettings } from '../config/effective.ts';
import { PvaError } from '../protocol/errors.ts';
import { DEFAULT_LIMITS } from '../protocol/limits.ts';
import { systemClock, type Clock } from '../transport/clocks.ts';
import { endpointText } from '../transport/network-error.ts';
import { nodeNetwork } from '../transport/node-network.ts';
import type { Endpoint, Network } from '../transport/network.ts';
import { Call, DEFAULT_TIMEOUT_MS, type CallOptions } from './call.ts';
import type { ConnectionSettings } from './connection.ts';
import type { ContextOptions } from './context-options.ts';
import type { DiagnosisFacts } from './diagnose-facts.ts';
import { findingsOf } from './diagnose-findings.ts';
import { listedNames } from './diagnose-names.ts';
import type { Diagnosis, HeardBeacon, NameServerTrial, SearchAnswer, ServerTrial } from './diagnose-result.ts';
import { SearchProbe, type TrialPlan } from './diagnose-search.ts';
import { hearBeacons, udpPortState } from './diagnose-udp-port.ts';
import { visit } from './diagnose-visit.ts';
import { firstAddress } from './host-names.ts';
import { completeIdentity, systemIdentity } from './identity.ts';
import { searchTargets, type SearchAddress, type SearchTarget } from './search-targets.ts';

/** As for a context and a call: what is looked at is what such a client would do. */
export interface DiagnoseOptions extends ContextOptions, CallOptions {
  /** The PV that is looked for; without it, servers in general are. */
  readonly pvName?: string | undefined;
}

/** Datagrams get lost: each search goes out several times. */
const SEND_AT_MS = [0, 250, 600];
const LISTEN_MS = 1_000;
/** The first part of the time is for the searches; if they lead nowhere, as much again is for what else can be tried. */
const SEARCH_PART = 1 / 3;
const VISIT_PART = 1 / 3;
const MAX_VISITS = 64;
const MAX_GUESSES = 16;
const MAX_LISTS = 16;
const LOOPBACK = '127.0.0.1';
const TCP = 'tcp';

/**
 * Tries everything that a client does until it has a PV, and tells what is wrong, a sentence each.
 * Takes up to `timeoutMs` (default 5 s), less when all is well.
 */
export async function diagnose(options: DiagnoseOptions = {}): Promise<Diagnosis> {
  const clock = options.clock ?? systemClock;
  const call = new Call(clock, options.pvName ?? 'diagnosis');
  const gone = new AbortController();
  call.follow(options.signal);
  try {
    return await new Diagnostician(options, clock, call, gone.signal).run();
  } finally {
    gone.abort();
    call.finish();
  }
}

class Diagnostician {
  readonly #options: DiagnoseOptions;
  readonly #config: ClientSettings;
  readonly #network: Network;
  readonly #clock: Clock;
  readonly #call: Call;
  readonly #gone: AbortSignal;
  readonly #settings: ConnectionSettings;
  readonly #timeoutMs: number;
  readonly #startedAt: number;
  readonly #probes: SearchProbe[] = [];
  readonly #servers: ServerTrial[] = [];
  readonly #unknownHosts: string[] = [];

  constructor(options: DiagnoseOptions, clock: Clock, call: Call, gone: AbortSignal) {
    this.#options = options;
    this.#config = options.config ?? resolveClientConfig({ processEnvironment: process.env });
    this.#network = options.network ?? nodeNetwork;
    this.#clock = clock;
    this.#call = call;
    this.#gone = gone;
    this.#timeoutMs = options.timeoutMs ?? DEFAULT_TIMEOUT_MS;
    this.#startedAt = clock.now();
    this.#settings = {
      network: this.#network,
      clock,
      identity: completeIdentity(options.identity ?? systemIdentity()),
      connectionTimeoutMs: this.#config.connectionTimeoutMs,
      limits: options.limits ?? DEFAULT_LIMITS,
    };
  }

  async run(): Promise<Diagnosis> {
    const { pvName } = this.#options;
    try {
      const udpPort = await this.#until(udpPortState(this.#network, this.#config.udpPort));
      const listed = await this.#until(this.#listedAddresses());
      const targets = this.#targets(listed, this.#config.autoAddresses, this.#config.udpPort);
      const plans = targets.map((target): TrialPlan => ({
        target,
        isConfigured: true,
        isListed: listed.some(({ address, port }) => address === target.to.address && port === target.to.port),
        pvName,
      }));
      const [nameServers] = await this.#until(Promise.all([this.#tryNameServers(), this.#search(plans)]));
      await this.#until(this.#visitAnswers(nameServers));
      const isFound = this.#servers.some(({ hasPv }) => hasPv || pvName === undefined) || isAlive(nameServers, pvName);
      const beacons = isFound ? [] : await this.#until(this.#tryElsewhere(targets));
      const facts: DiagnosisFacts = {
        pvName,
        config: this.#config,
        unknownHosts: this.#unknownHosts,
        searches: this.#probes.map((probe) => probe.result()),
        udpPort,
        nameServers,
        servers: this.#servers,
        beacons,
      };
      const findings = findingsOf(facts);
      const { searches, servers } = facts;
      const isWell = findings.every(({ level }) => level !== 'problem');
      return { pvName, searches, udpPort, nameServers, servers, beacons, findings, isWell };
    } finally {
      for (const probe of this.#probes) probe.close();
    }
  }

  // --- the configuration ---------------------------------------------------------------------------------------

  async #listedAddresses(): Promise<readonly SearchAddress[]> {
    const found = await Promise.all(
      this.#config.addresses.map(async (listed): Promise<SearchAddress | undefined> => {
        const { port, ttl, via } = listed;
        const address = await this.#addressOf(listed);
        return address === undefined ? undefined : { address, port, ttl, via };
      }),
    );
    return found.filter((address) => address !== undefined);
  }

  async #addressOf({ host, family }: PortedAddress): Promise<string | undefined> {
    if (family !== 'name') return host;
    try {
      return await firstAddress(host, this.#network);
    } catch (error) {
      if (!(error instanceof PvaError)) throw error;
      this.#unknownHosts.push(host);
      return undefined;
    }
  }

  #targets(addresses: readonly SearchAddress[], autoAddresses: boolean, udpPort: number): readonly SearchTarget[] {
    const interfaces = autoAddresses && this.#config.autoAddresses ? this.#config.interfaces : [{ host: '0.0.0.0' }];
    return searchTargets({ addresses, autoAddresses, udpPort, interfaces }, this.#network.interfaces());
  }

  // --- searches ------------------------------------------------------------------------------------------------

  async #search(plans: readonly TrialPlan[]): Promise<void> {
    const around = { network: this.#network, clock: this.#clock, random: this.#options.random ?? Math.random };
    const probes = plans.map((plan) => new SearchProbe(plan, around));
    this.#probes.push(...probes);
    if (probes.length === 0) return;
    await Promise.all(probes.map((probe) => probe.open()));
    const listenMs = Math.min(LISTEN_MS, this.#timeoutMs * SEARCH_PART);
    let spentMs = 0;
    for (const atMs of SEND_AT_MS.map((ms) => (ms * listenMs) / LISTEN_MS)) {
      await this.#pause(atMs - spentMs);
      spentMs = atMs;
      for (const probe of probes) probe.send();
    }
    await this.#pause(listenMs - spentMs);
  }

  /** Waits until all that has been asked for by now may have come. */
  #pause(ms: number): Promise<void> {
    return this.#call.wait((resolve) => {
      const timer = this.#clock.after(ms, () => resolve());
      return () => timer.cancel();
    });
  }

  // --- TCP -----------------------------------------------------------------------------------------------------

  #tryNameServers(): Promise<readonly NameServerTrial[]> {
    const { pvName } = this.#options;
    return Promise.all(
      this.#config.nameServers.map(async (listed): Promise<NameServerTrial> => {
        const name = formatAddress(listed);
        const address = await this.#addressOf(listed);
        if (address === undefined) return { name, visit: undefined };
        const server = { address, port: listed.port };
        return { name, visit: await this.#visit(server, undefined, pvName ?? '') };
      }),
    );
  }

  /** Looks at the servers that say that they have the PV; without one, at all. */
  async #visitAnswers(nameServers: readonly NameServerTrial[]): Promise<void> {
    const { pvName } = this.#options;
    const byServer = new Map<string, { readonly answer: SearchAnswer; readonly source: ServerTrial['source'] }>();
    const add = (answer: SearchAnswer, source: ServerTrial['source']): void => {
      const isWanted = answer.protocol === TCP && (pvName === undefined || answer.hasPv);
      if (isWanted && !byServer.has(answer.server)) byServer.set(answer.server, { answer, source });
    };
    for (const probe of this.#probes) for (const answer of probe.answers) add(answer, 'search');
    for (const { visit: seen } of nameServers) if (seen?.foundAt !== undefined) add(seen.foundAt, 'nameServer');
    const fresh = [...byServer.values()].filter(
      ({ answer }) => !this.#servers.some(({ server }) => server === answer.server),
    );
    const trials = await Promise.all(
      fresh.slice(0, MAX_VISITS).map(async ({ answer, source }): Promise<ServerTrial> => {
        const { guid, server, hasPv } = answer;
        const seen = await this.#visit(endpointOf(server), pvName, undefined);
        return { guid, server, source, hasPv, visit: seen, listsPv: undefined, nearName: undefined };
      }),
    );
    this.#servers.push(...trials);
  }

  #visit(server: Endpoint, channelTo: string | undefined, searchFor: string | undefined): ReturnType<typeof visit> {
    const timeoutMs = this.#timeoutMs * VISIT_PART;
    return visit({ server, channelTo, searchFor, timeoutMs }, this.#settings, this.#gone);
  }

  // --- elsewhere -----------------------------------------------------------------------------------------------

  async #tryElsewhere(configured: readonly SearchTarget[]): Promise<readonly HeardBeacon[]> {
    const { pvName } = this.#options;
    const ports = new Set([this.#config.udpPort, DEFAULT_UDP_PORT]);
    const known = new Set(configured.map(({ to }) => endpointText(to)));
    const extras = [...ports]
      .flatMap((port) => this.#targets([], true, port))
      .filter(({ to }) => !known.has(endpointText(to)));
    const guesses = this.#guess(configured);
    await Promise.all([
      this.#search(extras.map((target) => ({ target, isConfigured: false, isListed: false, pvName }))),
      ...guesses.map(async (server) => this.#tryGuess(server)),
      pvName === undefined ? undefined : this.#askForNames(pvName),
    ]);
    await this.#visitAnswers([]);
    // Last, since whoever opens the port of searches gets what is sent to this host alone.
    const restMs = Math.max(0, this.#startedAt + this.#timeoutMs - this.#clock.now());
    return hearBeacons(this.#network, this.#clock, this.#config.interfaces, () => this.#pause(restMs));
  }

  /** Servers may be at the usual port of a host that was searched in vain. */
  #guess(configured: readonly SearchTarget[]): readonly Endpoint[] {
    const port = this.#config.tcpPort;
    const hosts = [...configured.filter(({ isUnicast }) => isUnicast).map(({ to }) => to.address), LOOPBACK];
    const answered = new Set(this.#probes.flatMap(({ answers }) => answers.map(({ server }) => server)));
    return [...new Set(hosts)]
      .map((address) => ({ address, port }))
      .filter((server) => !answered.has(endpointText(server)))
      .slice(0, MAX_GUESSES);
  }

  async #tryGuess(server: Endpoint): Promise<void> {
    const { pvName } = this.#options;
    const seen = await this.#visit(server, pvName, undefined);
    // Nobody said that there is a server: that there is none is no news.
    if (seen.stage !== 'validated') return;
    const hasPv = seen.channel?.state === 'created';
    const name = { listsPv: undefined, nearName: undefined };
    this.#servers.push({ guid: undefined, server: seen.server, source: 'guess', hasPv, visit: seen, ...name });
  }

  /** A name may be misspelt: what is like it? */
  async #askForNames(pvName: string): Promise<void> {
    const answers = new Map(this.#probes.flatMap((probe) => probe.answers.map((answer) => [answer.server, answer])));
    const asked = [...answers.values()].filter(({ protocol }) => protocol === TCP).slice(0, MAX_LISTS);
    const timeoutMs = this.#timeoutMs * VISIT_PART;
    await Promise.all(
      asked.map(async ({ guid, server }) => {
        const lists = listedNames(server, pvName, { ...this.#options, config: this.#config, timeoutMs });
        const [seen, names] = await Promise.all([this.#visit(endpointOf(server), undefined, undefined), lists]);
        this.#servers.push({ guid, server, source: 'search', hasPv: false, visit: seen, ...names });
      }),
    );
  }

  #until<T>(promise: Promise<T>): Promise<T> {
    return this.#call.until(promise);
  }
}

/** Who has name servers needs nobody to answer by UDP. */
function isAlive(nameServers: readonly NameServerTrial[], pvName: string | undefined): boolean {
  return pvName === undefined && nameServers.some(({ visit: seen }) => seen?.stage === 'validated');
}

/** What `endpointText` was made of. */
function endpointOf(text: string): Endpoint {
  const colon = text.lastIndexOf(':');
  return { address: text.slice(0, colon).replaceAll(/^\[|\]$/gu, ''), port: Number(text.slice(colon + 1)) };
}
