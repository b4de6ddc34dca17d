// Everything that can go wrong at once, from a seed: servers restart, crash, move, vanish without a word; links are cut,
// hosts cut off, datagrams lost, doubled and reordered, streams split; PVs go and come back as another type; readers are
// slow, leave and come; programs give up and start anew. What must hold all the same is said in `problems`.

import { resolveServerConfig, Server, SharedPV } from '../../../src/index.ts';
import { ntScalar } from '../../../src/protocol/normative/nt-scalar.ts';
import { double, int } from '../../../src/protocol/types/type-desc.ts';
import { ManualClock } from '../../../src/transport/manual-clock.ts';
import { MemoryNetwork, type MemoryHost } from '../../../src/transport/memory-network.ts';
import { SeededRandom } from '../../../src/transport/seeded-random.ts';
import { ChaosClient } from './client.ts';
import { countPorts } from './ports.ts';

export interface ChaosReport {
  /** Sentences about what must not be; empty when all is well. */
  readonly problems: readonly string[];
  readonly eventCounts: Readonly<Record<string, number>>;
  readonly callCount: number;
  readonly resultCount: number;
  readonly updateCount: number;
  readonly disconnectCount: number;
}

const STEPS = 40;
const WATCHED = ['pv:0', 'pv:1', 'pv:2', 'pv:3', 'pv:4'];
const TCP_PORTS = ['5075', '6001', '6002'];
/** Longer than any silence is tolerated, any search waits and any slow reader lags. */
const CALM_MS = 120_000;

class Chaos {
  readonly problems: string[] = [];
  readonly #random: SeededRandom;
  readonly #clock = new ManualClock();
  readonly #network: MemoryNetwork;
  readonly #ports = new Set<string>();
  readonly #serverHosts: readonly MemoryHost[];
  readonly #clientHosts: readonly MemoryHost[];
  readonly #pvs = new Map<string, SharedPV>();
  readonly #clients: readonly ChaosClient[];
  /** How often each value was put. */
  readonly #puts = new Map<number, number>();
  readonly #eventCounts: Record<string, number> = {};
  #host: MemoryHost;
  #server: Server | undefined;
  #posted = 0;

  readonly #events: readonly (readonly [weight: number, name: string, act: () => Promise<unknown>])[] = [
    [8, 'nothing', async () => {}],
    [3, 'restart', async () => this.#restart(this.#host)],
    [2, 'crash', async () => this.#restart(this.#host, () => this.#cutAll())],
    [2, 'move', async () => this.#restart(this.#otherHost())],
    [2, 'vanish', async () => this.#vanish()],
    [4, 'cut', async () => this.#cutOne()],
    [4, 'partition', async () => this.#partition()],
    [3, 'take a PV away', async () => this.#takeAway()],
    [2, 'change a type', async () => this.#changeType()],
    [3, 'swap a reader', async () => this.#anyClient().swapReader()],
    [2, 'abort', async () => this.#anyClient().abort()],
    [1, 'restart a client', async () => this.#anyClient().restart()],
  ];

  constructor(seed: number) {
    this.#random = new SeededRandom(seed);
    const clock = this.#clock;
    this.#network = new MemoryNetwork({
      seed,
      clock,
      delayMs: [0, this.#random.size(1, 100)],
      chunkBytes: [1, this.#random.size(10, 5_000)],
      datagramLoss: this.#random.between(0, 0.3),
      datagramDuplication: 0.1,
      datagramReorder: 0.2,
    });
    const addHost = (name: string): MemoryHost => countPorts(this.#network.host(name), this.#ports);
    const [here, there] = [addHost('here'), addHost('there')];
    this.#serverHosts = [here, there];
    this.#host = here;
    this.#clientHosts = ['by name server', 'by broadcast', 'by both'].map(addHost);
    for (const pvName of WATCHED) this.#pvs.set(pvName, this.#makeWatched());
    this.#pvs.set('setpoint', this.#makeSetpoint());
    this.#pvs.set('add', this.#makeAdder());
    this.#clients = this.#clientHosts.map((host) => {
      const nameServers = host.name === 'by broadcast' ? {} : { EPICS_PVA_NAME_SERVERS: 'here there:6001' };
      const auto = host.name === 'by name server' ? { EPICS_PVA_AUTO_ADDR_LIST: 'NO' } : {};
      return new ChaosClient({
        name: host.name,
        network: host,
        clock,
        random: this.#random,
        environment: { ...nameServers, ...auto, EPICS_PVA_CONN_TMO: '6' },
        watched: WATCHED,
        problems: this.problems,
      });
    });
  }

  async run(): Promise<ChaosReport> {
    await this.#serve(this.#host, '5075');
    for (let step = 0; step < STEPS; step++) {
      this.#postAll();
      for (const client of this.#clients) client.call(() => ++this.#posted);
      await this.#anyEvent();
      await this.#clock.advanceAsync(this.#random.between(0, 2_000));
    }
    await this.#serve(this.#serverHosts[0] ?? this.#host, '5075');
    await this.#clock.advanceAsync(10_000);
    this.#postAll();
    await this.#clock.advanceAsync(CALM_MS);
    this.#checkValues();
    await this.#checkEnd();
    const sum = (key: 'callCount' | 'resultCount' | 'updateCount' | 'disconnectCount'): number =>
      this.#clients.reduce((total, client) => total + client[key], 0);
    return {
      problems: this.problems,
      eventCounts: this.#eventCounts,
      callCount: sum('callCount'),
      resultCount: sum('resultCount'),
      updateCount: sum('updateCount'),
      disconnectCount: sum('disconnectCount'),
    };
  }

  // --- what happens --------------------------------------------------------------------------------------------

  async #anyEvent(): Promise<void> {
    const total = this.#events.reduce((sum, [weight]) => sum + weight, 0);
    let left = this.#random.between(0, total);
    for (const [weight, name, act] of this.#events) {
      left -= weight;
      if (left >= 0) continue;
      this.#eventCounts[name] = (this.#eventCounts[name] ?? 0) + 1;
      await act();
      return;
    }
  }

  #postAll(): void {
    for (const pvName of WATCHED) {
      // Several at once now and then, so that queues fill.
      for (let count = this.#random.size(1, 8); count > 0; count--)
        this.#pvs.get(pvName)?.post({ value: ++this.#posted });
    }
  }

  async #restart(host: MemoryHost, before = (): void => {}): Promise<void> {
    before();
    await this.#stop();
    await this.#clock.advanceAsync(this.#random.next() * 6_000);
    await this.#serve(host, this.#anyOf(TCP_PORTS));
  }

  /** The server's host falls silent; another one serves before anybody has noticed. */
  async #vanish(): Promise<void> {
    const from = this.#host;
    const vanished = this.#server;
    this.#server = undefined;
    for (const host of this.#clientHosts) this.#network.partition(from, host);
    await this.#serve(this.#otherHost(), this.#anyOf(TCP_PORTS));
    await this.#clock.advanceAsync(this.#random.next() * 12_000);
    if (vanished !== undefined) await this.#clock.until(vanished.close());
    for (const host of this.#clientHosts) this.#network.heal(from, host);
  }

  async #partition(): Promise<void> {
    const host = this.#anyOf(this.#clientHosts);
    this.#network.partition(this.#host, host);
    await this.#clock.advanceAsync(this.#random.next() * 12_000);
    this.#network.heal(this.#host, host);
  }

  #cutOne(): void {
    const connections = [...this.#network.connections];
    if (connections.length > 0) this.#network.cut(this.#anyOf(connections));
  }

  #cutAll(): void {
    for (const connection of this.#network.connections) this.#network.cut(connection);
  }

  async #takeAway(): Promise<void> {
    const pvName = this.#anyOf(WATCHED);
    const pv = this.#server?.remove(pvName);
    await this.#clock.advanceAsync(this.#random.next() * 3_000);
    if (pv !== undefined) this.#server?.add(pvName, pv);
  }

  #changeType(): void {
    const pvName = this.#anyOf(WATCHED);
    const pv = this.#makeWatched();
    this.#pvs.set(pvName, pv);
    if (this.#server?.remove(pvName) !== undefined) this.#server.add(pvName, pv);
  }

  async #serve(host: MemoryHost, tcpPort: string): Promise<void> {
    await this.#stop();
    this.#host = host;
    this.#server = new Server({
      network: host,
      clock: this.#clock,
      pvs: Object.fromEntries(this.#pvs),
      byteOrder: this.#random.chance(0.5) ? 'big' : 'little',
      config: resolveServerConfig({ processEnvironment: { EPICS_PVA_CONN_TMO: '6' }, flags: { tcpPort } }),
    });
    await this.#clock.until(this.#server.listen());
  }

  async #stop(): Promise<void> {
    const server = this.#server;
    this.#server = undefined;
    if (server !== undefined) await this.#clock.until(server.close());
  }

  #makeWatched(): SharedPV {
    const options = { clock: this.#clock, initial: { value: ++this.#posted } };
    return this.#random.chance(0.5)
      ? SharedPV.mailbox(ntScalar(int), options)
      : SharedPV.mailbox(ntScalar(double), options);
  }

  #makeSetpoint(): SharedPV {
    const pv = new SharedPV(ntScalar(int), {
      clock: this.#clock,
      initial: { value: 0 },
      onPut: async ({ value: { value } }) => {
        const put = Number(value);
        this.#puts.set(put, (this.#puts.get(put) ?? 0) + 1);
        await this.#work();
      },
    });
    return pv;
  }

  #makeAdder(): SharedPV {
    return new SharedPV(ntScalar(double), {
      onCall: async ({ argument }) => {
        await this.#work();
        const { query } = (argument?.value ?? {}) as { query?: { a: number; b: number } };
        if (query === undefined) throw new Error('a and b are missing');
        return { type: ntScalar(int), value: { value: query.a + query.b } as never };
      },
    });
  }

  /** Handlers take their time, so that much happens between request and reply. */
  #work(): Promise<void> {
    const workMs = this.#random.size(1, 3_000);
    return new Promise((resolve) => void this.#clock.after(workMs, () => resolve()));
  }

  #otherHost(): MemoryHost {
    return this.#serverHosts.find((host) => host !== this.#host) ?? this.#host;
  }

  #anyClient(): ChaosClient {
    return this.#anyOf(this.#clients);
  }

  #anyOf<T>(list: readonly T[]): T {
    const chosen = list[Math.floor(this.#random.next() * list.length)];
    if (chosen === undefined) throw new Error('nothing to choose from');
    return chosen;
  }

  // --- what must hold ------------------------------------------------------------------------------------------

  #checkValues(): void {
    const expected = WATCHED.map((pvName) => [pvName, Number(this.#pvs.get(pvName)?.value['value'])] as const);
    for (const [index, client] of this.#clients.entries()) {
      const host = this.#clientHosts[index]?.name ?? '';
      for (const [pvName, value] of expected) {
        const got = client.last[pvName];
        if (got !== value) this.problems.push(`${host}: ${pvName} ends with ${String(got)}, ${value} is right`);
      }
      if (client.settledCount !== client.callCount) this.problems.push(`${host}: a call has not ended`);
      for (const written of client.written) {
        if (!this.#puts.has(written)) this.problems.push(`${host}: put ${written} was never carried out`);
      }
    }
    for (const [value, count] of this.#puts) {
      if (count > 1) this.problems.push(`put ${value} was carried out ${count} times`);
    }
  }

  async #checkEnd(): Promise<void> {
    for (const client of this.#clients) await client.close();
    await this.#clock.advanceAsync(10_000);
    const serving = this.#server?.linkCount;
    if (serving !== 0) this.problems.push(`the server has ${serving} links left`);
    for (const [pvName, { subscriberCount }] of this.#pvs) {
      if (subscriberCount > 0) this.problems.push(`${pvName} has ${subscriberCount} subscribers left`);
    }
    await this.#stop();
    await this.#clock.advanceAsync(10_000);
    const { timerCount } = this.#clock;
    if (timerCount > 0) this.problems.push(`${timerCount} timers are left`);
    if (this.#network.connections.size > 0) this.problems.push(`${this.#network.connections.size} streams are left`);
    if (this.#ports.size > 0) this.problems.push(`ports are left open: ${[...this.#ports].join(', ')}`);
  }
}

export function chaos(seed: number): Promise<ChaosReport> {
  return new Chaos(seed).run();
}
