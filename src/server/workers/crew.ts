// How do several processes serve as one server? The server accepts every connection and hands it to the worker with the
// fewest; one that ends is replaced.
//
// That the server accepts, and not each worker for itself, costs a few microseconds a connection. It makes the links
// spread evenly, the limit of links hold for all together, and the port stay open whatever ends.

import type { AccessRules } from '../../channels/access/access-rules.ts';
import { counted } from '../../protocol/counted.ts';
import { PvaError, reasonOf } from '../../protocol/errors.ts';
import type { TimerHandle } from '../../transport/clocks.ts';
import type { Network } from '../../transport/network.ts';
import { nodeProcesses } from '../../transport/node-processes.ts';
import type { IncomingConnection, Processes, WorkerProcess } from '../../transport/processes.ts';
import { ENDING, type Admission } from '../admission.ts';
import type { CalmNotices } from '../calm-notices.ts';
import type { LinkHost } from '../link-host.ts';
import { refusalsOf } from '../links.ts';
import type { ServedPorts } from '../search-answer.ts';
import { limitsShared } from '../system-limits.ts';
import type { VitalSigns } from '../../transport/vitals.ts';
import { WorkerDesk } from './desk.ts';
import { COUNTER_NAMES, noCounters, type WorkerCounters, type WorkerRules } from './messages.ts';

export interface CrewOptions {
  readonly host: LinkHost;
  readonly processes: Processes;
  readonly workerCount: number;
  /** Of all links, those of this process among them. */
  readonly admission: Admission;
  /** What each worker may take; 0 for any. */
  readonly maxMemoryBytes: number;
  readonly access: AccessRules;
}

interface Member {
  /** From 1. */
  readonly place: number;
  readonly process: WorkerProcess;
  readonly desk: WorkerDesk;
  readonly startedAt: number;
  isReady: boolean;
  /** Connections that were handed to it. */
  handedCount: number;
  /** How many of them are not told to be gone, by the address of their clients. */
  readonly hosts: Map<string, number>;
  counters: WorkerCounters;
  vitals: VitalSigns;
  /** It takes no connections, because of its memory. */
  isPaused: boolean;
  isDrained: boolean;
}

/** How often the names of the server's PVs are looked at for a change. */
const NAMES_MS = 100;
/** A worker that lives shorter than this is not replaced at once: what ends it may not pass. */
const SHORT_LIFE_MS = 10_000;
const FIRST_WAIT_MS = 100;
const LONGEST_WAIT_MS = 10_000;
/** How often refused connections that were not told one by one are told of. */
const REFUSALS_MS = 1_000;
/** What a worker may take longer than it was given to drain. */
const DRAIN_SLACK_MS = 500;
/** What ending links may take, twice END_LINGER_MS, and a little more. */
const END_MS = 12_000;

export class Crew {
  readonly #options: CrewOptions;
  readonly #members = new Set<Member>();
  /** What workers that are gone have counted. */
  readonly #past = noCounters();
  /** Names that the workers know. */
  #names: Set<string>;
  #namesRevision: number;
  #rules: WorkerRules;
  readonly #timers = new Set<TimerHandle>();
  #shortLives = 0;
  #isClosing = false;
  /** Nobody connects any more: whoever ends has no successor. */
  #isDraining = false;
  readonly #refusals: CalmNotices;
  /** Told when a worker has drained, or is gone. */
  #onDrained: (() => void) | undefined;
  #whenEmpty: (() => void) | undefined;
  /** Set while the first workers start: told when one is ready, or ends. */
  #onStart: ((failure?: string) => void) | undefined;

  private constructor(options: CrewOptions) {
    const { host, access } = options;
    this.#options = options;
    this.#refusals = refusalsOf(host);
    this.#rules = rulesOf(access);
    this.#names = host.directory.listed();
    this.#namesRevision = host.directory.revision;
  }

  /** Starts the workers. Rejects with a PvaError when one of them ends before it is ready; none stays then. */
  static async start(options: CrewOptions): Promise<Crew> {
    const crew = new Crew(options);
    try {
      await crew.#startAll();
    } catch (thrown) {
      await crew.close();
      throw thrown;
    }
    return crew;
  }

  /** Open links of all workers. */
  get linkCount(): number {
    return [...this.#members].reduce((sum, member) => sum + linksOf(member), 0);
  }

  /** Adds what all workers have counted. */
  addCounters(sum: WorkerCounters): void {
    add(sum, this.#past);
    for (const { counters } of this.#members) add(sum, counters);
  }

  /** How the workers are, one by one. */
  get vitals(): readonly VitalSigns[] {
    return [...this.#members].map(({ vitals }) => vitals);
  }

  /** Listens for connections that the workers are to have once all ports are open: searches are answered with them. */
  listening(opened: () => Promise<ServedPorts>): Pick<Network, 'listenTcp'> {
    const accept = (connection: IncomingConnection): void => {
      opened().then(
        (ports) => this.#assign(connection, ports),
        () => connection.destroy(),
      );
    };
    return { listenTcp: (options) => this.#options.processes.listenTcp(options, accept) };
  }

  setAccess(access: AccessRules): void {
    this.#rules = rulesOf(access);
    for (const { desk } of this.#members) desk.setRules(this.#rules);
  }

  endChannelsNamed(pvName: string): void {
    const isGone = !this.#options.host.directory.has(pvName) && this.#names.delete(pvName);
    for (const { desk } of this.#members) {
      // With the next look at all names it would come too late for a client that searches again at once.
      if (isGone) desk.tellNames([], [pvName]);
      desk.endChannelsNamed(pvName);
    }
  }

  /** As `Links.drain`; resolves when every worker is through with it. */
  async drain(ms: number): Promise<void> {
    this.#options.admission.close(ENDING);
    this.#isDraining = true;
    for (const { desk } of this.#members) desk.drain(ms);
    const { clock } = this.#options.host;
    await new Promise<void>((resolve) => {
      // A worker that hangs is not waited for.
      const late = clock.after(ms + DRAIN_SLACK_MS, () => this.#onDrained?.());
      this.#onDrained = () => {
        if (clock.now() < end && [...this.#members].some(({ isDrained }) => !isDrained)) return;
        this.#onDrained = undefined;
        late.cancel();
        resolve();
      };
      const end = clock.now() + ms + DRAIN_SLACK_MS;
      this.#onDrained();
    });
  }

  /** Has every worker end its links in good order; resolves when all are gone. */
  async close(): Promise<void> {
    this.#isClosing = true;
    this.#options.admission.close(ENDING);
    for (const timer of this.#timers) timer.cancel();
    if (this.#members.size === 0) return;
    const empty = new Promise<void>((resolve) => (this.#whenEmpty = resolve));
    for (const { desk } of this.#members) desk.close();
    const late = this.#options.host.clock.after(END_MS, () => {
      for (const { process } of this.#members) process.kill();
    });
    await empty;
    late.cancel();
  }

  // --- connections ---------------------------------------------------------------------------------------------

  #assign(connection: IncomingConnection, { msgpackPort }: ServedPorts): void {
    const { address } = connection.remote;
    const refusal = this.#options.admission.admit(address);
    if (refusal !== undefined) return this.#refuse(connection, refusal);
    const member = this.#idlest();
    if (member === undefined) {
      this.#options.admission.release(address);
      const isAnyReady = [...this.#members].some(({ isReady }) => isReady);
      return this.#refuse(connection, isAnyReady ? 'all workers are past their memory' : 'no worker is ready');
    }
    member.handedCount++;
    member.hosts.set(address, (member.hosts.get(address) ?? 0) + 1);
    member.process.hand(connection, msgpackPort);
  }

  #refuse(connection: IncomingConnection, reason: string): void {
    const { counters, notices, clock } = this.#options.host;
    counters.linksRefused++;
    if (this.#refusals.take(clock.now())) {
      notices.ofLink('linkRefused', 'warning', connection.remote, `refused, ${reason}`);
    }
    connection.destroy();
  }

  /** A link is gone, or never came to be. */
  #release({ hosts }: Member, address: string): void {
    const count = hosts.get(address) ?? 0;
    if (count === 0) return;
    if (count === 1) hosts.delete(address);
    else hosts.set(address, count - 1);
    this.#options.admission.release(address);
  }

  /** Of those that take connections. One that refuses has the fewest in the end, and would be handed all of them. */
  #idlest(): Member | undefined {
    let idlest: Member | undefined;
    for (const member of this.#members) {
      if (!member.isReady || member.isPaused) continue;
      if (idlest === undefined || linksOf(member) < linksOf(idlest)) idlest = member;
    }
    return idlest;
  }

  // --- workers -------------------------------------------------------------------------------------------------

  #startAll(): Promise<void> {
    const { host, workerCount } = this.#options;
    return new Promise((resolve, reject) => {
      let missing = workerCount;
      this.#onStart = (failure) => {
        if (failure !== undefined) return reject(new PvaError('WORKER', failure));
        if (--missing > 0) return;
        this.#onStart = undefined;
        this.#timers.add(host.clock.every(NAMES_MS, () => this.#tellNames()));
        this.#timers.add(host.clock.every(REFUSALS_MS, () => this.#refusals.look(host.clock.now())));
        resolve();
      };
      for (let place = 1; place <= workerCount; place++) this.#start(place);
    });
  }

  #start(place: number): void {
    const { host, processes } = this.#options;
    const process = processes.startWorker((how) => this.#ended(member, how));
    let fault: string | undefined;
    const desk = new WorkerDesk({
      host,
      connection: process.pipe,
      ready: () => this.#ready(member),
      counted: (counters) => (member.counters = counters),
      lives: (vitals, isPaused) => {
        member.vitals = vitals;
        member.isPaused = isPaused;
      },
      gone: (address) => this.#release(member, address),
      drained: () => {
        member.isDrained = true;
        this.#onDrained?.();
      },
      closed: (reason) => {
        fault = reason;
        if (fault !== undefined) this.#publish('error', `${nameOf(member)} broke the rules of its pipe: ${fault}`);
        // A worker without its pipe ends by itself; one that cannot is ended.
        if (!this.#isClosing) process.kill();
      },
    });
    const member: Member = {
      place,
      process,
      desk,
      startedAt: host.clock.now(),
      isReady: false,
      handedCount: 0,
      hosts: new Map(),
      isDrained: false,
      vitals: { memoryBytes: 0, loopDelayMs: 0 },
      isPaused: false,
      counters: noCounters(),
    };
    this.#members.add(member);
    const { guid, bigEndian, connectionTimeoutMs, limits } = host;
    const logsPuts = host.putLog !== undefined;
    const share = limitsShared(limits, this.#options.workerCount);
    desk.setUp(
      {
        ...this.#rules,
        guid,
        bigEndian,
        connectionTimeoutMs,
        limits: share,
        logsPuts,
        maxMemoryBytes: this.#options.maxMemoryBytes,
      },
      [...this.#names],
    );
  }

  #ready(member: Member): void {
    member.isReady = true;
    this.#publish('info', `${nameOf(member)} is ready`);
    this.#onStart?.();
  }

  #ended(member: Member, how: string): void {
    if (!this.#members.delete(member)) return;
    // Links that it had are gone, whether or not it could still say so.
    const { handedCount, counters } = member;
    const linksClosed = handedCount - counters.linksRefused;
    add(this.#past, { ...counters, linksOpened: linksClosed, linksClosed, monitorsClosed: counters.monitorsOpened });
    for (const [address, count] of member.hosts) {
      for (let index = 0; index < count; index++) this.#options.admission.release(address);
    }
    this.#onDrained?.();
    if (this.#isClosing) {
      if (this.#members.size === 0) this.#whenEmpty?.();
      return;
    }
    const text = `${nameOf(member)} ended with ${how}, and its ${counted(linksOf(member), 'link')} with it`;
    if (this.#onStart !== undefined) return this.#onStart(text);
    this.#publish('error', text);
    if (!this.#isDraining) this.#replace(member);
  }

  #replace({ place, startedAt }: Pick<Member, 'place' | 'startedAt'>): void {
    const { clock } = this.#options.host;
    const isShort = clock.now() - startedAt < SHORT_LIFE_MS;
    const waitMs = isShort ? Math.min(FIRST_WAIT_MS * 2 ** this.#shortLives, LONGEST_WAIT_MS) : 0;
    this.#shortLives = isShort ? this.#shortLives + 1 : 0;
    const timer = clock.after(waitMs, () => {
      this.#timers.delete(timer);
      if (this.#isDraining) return;
      try {
        this.#start(place);
      } catch (thrown) {
        // The system gives no process now.
        this.#publish('error', `worker ${place} cannot be started: ${reasonOf(thrown)}`);
        this.#replace({ place, startedAt: clock.now() });
      }
    });
    this.#timers.add(timer);
  }

  #publish(level: 'info' | 'error', text: string): void {
    this.#options.host.notices.publish({ kind: 'worker', level, text });
  }

  // --- names ---------------------------------------------------------------------------------------------------

  #tellNames(): void {
    const { directory } = this.#options.host;
    if (directory.revision === this.#namesRevision) return;
    this.#namesRevision = directory.revision;
    const before = this.#names;
    const now = directory.listed();
    const added = [...now].filter((name) => !before.has(name));
    const removed = before.size + added.length === now.size ? [] : [...before].filter((name) => !now.has(name));
    this.#names = now;
    for (const { desk } of this.#members) desk.tellNames(added, removed);
  }
}

/** Worker processes of this machine. */
export function workerProcesses(): Processes {
  return nodeProcesses(new URL('main.js', import.meta.url));
}

/** Links that a worker has, or will have when it has taken what was handed to it. */
function linksOf({ handedCount, counters }: Member): number {
  return handedCount - counters.linksClosed - counters.linksRefused;
}

function nameOf({ place, process }: Member): string {
  return `worker ${place} (process ${process.pid})`;
}

function add(sum: WorkerCounters, counters: WorkerCounters): void {
  for (const name of COUNTER_NAMES) sum[name] += counters[name];
}

function rulesOf({ rules, otherwise: { read, write, call, manage } }: AccessRules): WorkerRules {
  const words = [
    ...(read ? (['read'] as const) : []),
    ...(write ? (['write'] as const) : []),
    ...(call ? (['call'] as const) : []),
    ...(manage === true ? (['manage'] as const) : []),
  ];
  return { rules, otherwise: words.length === 0 ? ['none'] : words };
}
