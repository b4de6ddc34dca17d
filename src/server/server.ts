// How does a program serve PVs? It makes a Server, adds PVs or sources, and lets it listen.

import { randomBytes } from 'node:crypto';
import type { Access } from '../channels/access/access.ts';
import { AccessRules } from '../channels/access/access-rules.ts';
import type { Channel } from '../channels/channel.ts';
import { StaticSource, type Source } from '../channels/source.ts';
import { resolveServerConfig, type ServerConfig } from '../config/effective.ts';
import { LocalProtocolError } from '../protocol/errors.ts';
import { GUID_BYTES, guidText } from '../protocol/guid.ts';
import { KnownNames } from '../protocol/known-names.ts';
import type { Limits } from '../protocol/limits.ts';
import { requireSegmentBytes } from '../protocol/segments.ts';
import { systemClock, type Clock } from '../transport/clocks.ts';
import { endpointText } from '../transport/network-error.ts';
import type { Endpoint, Network } from '../transport/network.ts';
import { nodeNetwork } from '../transport/node-network.ts';
import type { Processes } from '../transport/processes.ts';
import { processVitals, type Vitals } from '../transport/vitals.ts';
import { AccessControl } from './access-control.ts';
import { BeaconEmitter } from './beacon-emitter.ts';
import type { ChannelManager } from './channel-manager.ts';
import { Directory } from './directory.ts';
import { servedAddresses } from './interfaces.ts';
import type { LinkHost } from './link-host.ts';
import { LinkLedger } from './link-ledger.ts';
import { Links } from './links.ts';
import { MemoryWatch } from './memory-watch.ts';
import { NoticeBoard, newCounters, type ServerCounters, type ServerNotice } from './notices.ts';
import { Pulse } from './pulse.ts';
import { PutLog, type PutLogEntry } from './put-log.ts';
import { SearchResponder } from './search-responder.ts';
import type { SearchSpread } from './search-spread.ts';
import { serverPvSource } from './server-pv.ts';
import { ownNames, statisticsOf, type ServerStatistics } from './statistics.ts';
import { limitsWithin, linkCap, memoryShare } from './system-limits.ts';
import { TcpPorts } from './tcp-ports.ts';
import { UnsentLedger } from './unsent-ledger.ts';
import { UdpStations } from './udp-stations.ts';
import type { Crew } from './workers/crew.ts';

/** What can be said to a server; without any it is one as the EPICS_* variables describe it. */
export interface ServerOptions {
  /** Ports, interfaces, limits; by default what the EPICS_PVAS_* and EPICS_PVA_* variables of this process say. */
  readonly config?: Partial<ServerConfig>;
  readonly network?: Network;
  /** Where worker processes come from, if the configuration asks for some; the system's by default. */
  readonly processes?: Processes;
  readonly clock?: Clock;
  /** How this process is, for `statistics` and for a limit of the memory; measured only where one of them is wanted. */
  readonly vitals?: Vitals;
  /** Further providers of PVs, asked in this order after the PVs that were added. */
  readonly sources?: readonly Source[];
  /** PVs by name, as for `add`. */
  readonly pvs?: Readonly<Record<string, Channel>>;
  /** Who may do what; by default what the configuration's rules say, and everything where it has none. */
  readonly access?: Access;
  /** Called with every request that writes, once its outcome is known. What it throws is noticed and changes nothing. */
  readonly onPutLog?: (entry: PutLogEntry) => void;
  /** Byte order in which the server sends; little endian by default. It reads both. */
  readonly byteOrder?: 'little' | 'big';
  /** Called with every notice; the same go to the diagnostics channel `SERVER_NOTICES`. */
  readonly onNotice?: (notice: ServerNotice) => void;
}

type State = 'idle' | 'opening' | 'listening' | 'closed';

/**
 * A pvAccess server: it answers searches and serves its PVs over TCP from `listen()` to `close()`. Spec:
 * Protocol-Prose.
 */
export class Server {
  readonly config: ServerConfig;
  /** 24 hexadecimal digits, new with each server. */
  readonly guid: string = guidText(randomBytes(GUID_BYTES));
  readonly #network: Network;
  readonly #notices = new NoticeBoard();
  readonly #counters = newCounters();
  readonly #own = new StaticSource();
  readonly #host: LinkHost;
  readonly #links: Links;
  readonly #vitals: Vitals | undefined;
  readonly #hasOwnVitals: boolean;
  #pulse: Pulse | undefined;
  #draining: Promise<void> | undefined;
  readonly #processes: Processes | undefined;
  #manager: ChannelManager | undefined;
  /** The processes that have the links, where this one has not. */
  #crew: Crew | undefined;
  #ports: TcpPorts | undefined;
  #stations: UdpStations | undefined;
  #responder: SearchResponder | undefined;
  #beacons: BeaconEmitter | undefined;
  #state: State = 'idle';
  #opening: Promise<void> | undefined;
  #closing: Promise<void> | undefined;

  constructor(options: ServerOptions = {}) {
    const { clock = systemClock, network = nodeNetwork } = options;
    this.config = { ...resolveServerConfig({ processEnvironment: process.env }), ...options.config };
    requireSegmentBytes(this.config.limits.maxSegmentBytes);
    this.#network = network;
    this.#processes = options.processes;
    this.#hasOwnVitals = options.vitals === undefined;
    this.#vitals = options.vitals ?? (this.config.maxMemoryBytes > 0 ? processVitals() : undefined);
    const access = new AccessControl(options.access ?? rulesOf(this.config), this.#notices);
    const directory = new Directory(
      serverPvSource({
        namesFor: (peer) => access.visibleTo(peer, directory.names()),
        managed: () => ({ ...this.#host, manager: this.#manager }),
      }),
      this.#notices,
      () => this.#beacons?.hurry(),
    );
    directory.add(this.#own);
    for (const source of options.sources ?? []) directory.add(source);
    for (const [pvName, channel] of Object.entries(options.pvs ?? {})) this.#own.add(pvName, channel);
    if (options.onNotice !== undefined) this.#notices.listen(options.onNotice);
    this.#host = {
      directory,
      access,
      names: new KnownNames(),
      putLog: options.onPutLog && new PutLog(options.onPutLog, clock, this.#notices),
      clock,
      ledger: new LinkLedger(this.config.limits),
      unsent: new UnsentLedger(limitsWithin(this.config.limits, memoryShare(this.config))),
      isDraining: false,
      notices: this.#notices,
      counters: this.#counters,
      limits: this.config.limits,
      guid: this.guid,
      bigEndian: options.byteOrder === 'big',
      connectionTimeoutMs: this.config.connectionTimeoutMs,
    };
    this.#links = new Links(this.#host, undefined, () => linkCap(network, this.config)?.most);
    this.#requireRules(access.access);
  }

  /** Serves a PV under a name, at once. @throws LocalProtocolError when the name is taken */
  add(pvName: string, channel: Channel): this {
    this.#own.add(pvName, channel);
    return this;
  }

  /** Serves no PV under this name any more; clients lose their channels to it. The PV itself stays as it is. */
  remove(pvName: string): Channel | undefined {
    const channel = this.#own.remove(pvName);
    this.#links.endChannelsNamed(pvName);
    this.#crew?.endChannelsNamed(pvName);
    return channel;
  }

  addSource(source: Source): this {
    this.#host.directory.add(source);
    return this;
  }

  /**
   * Has clients create and destroy channels through the PV `server`, as far as access rules give them the right
   * `manage`. Without it they can do neither.
   */
  manage(manager: ChannelManager): this {
    this.#manager = manager;
    return this;
  }

  /** Leaves searches that other servers of the same channels are to answer first to them. Not those over TCP. */
  spreadSearches(spread: SearchSpread): void {
    this.#host.spread = spread;
  }

  /** Who may do what, as it holds now. */
  get access(): Access {
    return this.#host.access.access;
  }

  /**
   * Lets other rules hold from now on. Clients are told what changes for them; channels and subscriptions that are not
   * allowed any more end, and what is under way is finished.
   */
  setAccess(access: Access): void {
    const rules = this.#requireRules(access);
    this.#host.access.access = access;
    if (this.#state === 'listening') this.#checkRules();
    this.#links.reviseRights();
    if (rules !== undefined) this.#crew?.setAccess(rules);
  }

  /** Names of all PVs that its sources list, sorted. */
  names(): readonly string[] {
    return this.#host.directory.names();
  }

  /** Opens the ports. Rejects with a PvaError when that cannot be done, or after `close`; nothing stays open then. */
  async listen(): Promise<void> {
    if (this.#state !== 'idle') throw new LocalProtocolError(`listen() of a server that is ${this.#state}`);
    this.#state = 'opening';
    this.#opening = this.#open();
    try {
      await this.#opening;
    } catch (thrown) {
      await this.close();
      throw thrown;
    }
  }

  /** TCP port of the first interface; 0 unless listening. */
  get tcpPort(): number {
    return this.tcpEndpoints[0]?.port ?? 0;
  }

  /** TCP port of the first interface on which MessagePack is spoken; undefined if it is not, or not yet. */
  get msgpackPort(): number | undefined {
    return this.msgpackEndpoints[0]?.port;
  }

  /** Where clients that speak MessagePack connect to. */
  get msgpackEndpoints(): readonly Endpoint[] {
    return this.#ports?.msgpackEndpoints ?? [];
  }

  /** Where clients connect to. */
  get tcpEndpoints(): readonly Endpoint[] {
    return this.#ports?.endpoints ?? [];
  }

  /** UDP port on which searches are heard; 0 unless listening. */
  get udpPort(): number {
    return this.#stations?.stations[0]?.socket.local.port ?? 0;
  }

  /** Where beacons go to, as text. */
  get beaconDestinations(): readonly string[] {
    return this.#beacons?.destinations ?? [];
  }

  get linkCount(): number {
    return (this.#crew?.linkCount ?? 0) + this.#links.count;
  }

  /** Totals since the server was made, as they are now. */
  get counters(): Readonly<ServerCounters> {
    const sum = { ...this.#counters };
    this.#crew?.addCounters(sum);
    return sum;
  }

  /** How it is, as of this moment; memory and delay as of the last second, and 0 without `vitals`. */
  get statistics(): ServerStatistics {
    return statisticsOf({
      counters: this.counters,
      links: this.linkCount,
      maxLinks: this.#links.admission.most,
      processes: [this.#pulse?.signs, ...(this.#crew?.vitals ?? [])],
      maxMemoryBytes: this.config.maxMemoryBytes,
    });
  }

  get limits(): Limits {
    return this.#host.limits;
  }

  /**
   * Calls `listener` with every notice from now on, until the returned function is called. What it throws changes
   * nothing and is noticed once.
   */
  onNotice(listener: (notice: ServerNotice) => void): () => void {
    return this.#notices.listen(listener);
  }

  /**
   * Prepares the end: closes the ports, so that nobody finds or reaches the server any more, leaves what clients begin
   * without an answer, so that they repeat it elsewhere, and ends each link once its requests are answered and its queued updates taken. Resolves when all links are
   * through with that, or `ms` later; `close` ends the rest. Idempotent; without effect unless listening.
   */
  drain(ms: number = this.limits.drainMs): Promise<void> {
    if (this.#state !== 'listening') return Promise.resolve();
    this.#draining ??= this.#drain(ms);
    return this.#draining;
  }

  /** Closes the ports, sends what is under way and ends every link. Idempotent; resolves when all is gone. */
  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  async #open(): Promise<void> {
    const { config } = this;
    const { addresses, groups } = await servedAddresses(this.#network, config.interfaces);
    this.#crew = await this.#hire();
    this.#ports = new TcpPorts({ ...this.#host, config, network: this.#network, crew: this.#crew, links: this.#links });
    const listening = await this.#ports.open(addresses);
    const responder = await SearchResponder.open(this.#host, this.#network, config);
    this.#responder = responder;
    const stations = await UdpStations.open({
      network: this.#network,
      notices: this.#notices,
      groups,
      listening,
      udpPort: config.udpPort,
      receive: (bytes, from, arrival, station) => responder.receive(bytes, from, arrival, station),
    });
    this.#stations = stations;
    this.#beacons = await BeaconEmitter.start({
      host: this.#host,
      network: this.#network,
      stations: stations.stations,
      addresses: config.beaconAddresses,
      auto: config.autoBeacon,
      periodMs: config.beaconPeriodMs,
    });
    if (this.#state !== 'opening') throw new LocalProtocolError('the server was closed while it opened its ports');
    const cap = linkCap(this.#network, config);
    if (cap !== undefined) this.#notices.publish({ kind: 'fewDescriptors', level: 'warning', text: cap.text });
    this.#links.watch();
    if (this.#vitals !== undefined) {
      const memory = new MemoryWatch(memoryShare(config), this.#notices, this.#vitals.collect);
      this.#pulse = new Pulse(this.#host.clock, this.#vitals, memory, this.#links);
    }
    this.#state = 'listening';
    this.#checkRules();
    const ports = this.tcpEndpoints.map(endpointText).join(', ');
    const also = this.msgpackEndpoints.map(endpointText).join(', ');
    const text = `listening tcp ${ports} udp ${this.udpPort} guid 0x${this.guid}${also && ` msgpack ${also}`}`;
    this.#notices.publish({ kind: 'listening', level: 'info', text });
  }

  /** What the server shows of itself is for rules to allow or not; nobody has forgotten it. */
  #checkRules(): void {
    const own = ownNames(this.config.name);
    this.#host.access.check(() => this.names().filter((name) => !own.has(name)));
  }

  async #drain(ms: number): Promise<void> {
    this.#notices.publish({ kind: 'draining', level: 'info', text: `finishing what is under way, within ${ms} ms` });
    await this.#closePorts();
    await Promise.all([this.#links.drain(ms), this.#crew?.drain(ms)]);
  }

  async #closePorts(): Promise<void> {
    this.#beacons?.close();
    this.#responder?.close();
    this.#stations?.close();
    await this.#ports?.close();
  }

  /** Starts the workers that the configuration asks for. */
  async #hire(): Promise<Crew | undefined> {
    const workerCount = this.config.workers;
    const access = this.#requireRules(this.access);
    if (workerCount <= 1 || access === undefined) return undefined;
    const { Crew, workerProcesses } = await import('./workers/crew.ts');
    return Crew.start({
      host: this.#host,
      processes: this.#processes ?? workerProcesses(),
      workerCount,
      access,
      admission: this.#links.admission,
      maxMemoryBytes: memoryShare(this.config),
    });
  }

  /** Workers are told the rules; a function cannot be sent. */
  #requireRules(access: Access): AccessRules | undefined {
    if (access instanceof AccessRules) return access;
    if (this.config.workers <= 1) return undefined;
    throw new LocalProtocolError('a server with workers needs AccessRules, not a function');
  }

  async #close(): Promise<void> {
    const wasListening = this.#state === 'listening';
    this.#state = 'closed';
    // What is being opened can be closed only once it is there; whoever called listen() hears of a failure.
    await Promise.allSettled([this.#opening]);
    this.#pulse?.stop();
    if (this.#hasOwnVitals) this.#vitals?.stop?.();
    await this.#closePorts();
    await Promise.all([this.#links.close(), this.#crew?.close()]);
    if (wasListening) this.#notices.publish({ kind: 'closed', level: 'info', text: 'closed' });
  }
}

/** The rules of a configuration, which have been checked. */
function rulesOf({ accessRules, accessDefault }: ServerConfig): AccessRules {
  return new AccessRules(accessRules, { otherwise: accessDefault });
}
