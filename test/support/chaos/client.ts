// What does one client of the chaos do? It watches every PV in its own way, and makes calls that must end in time.

import { getEventListeners } from 'node:events';
import { Context, resolveClientConfig, type MonitorOptions } from '../../../src/index.ts';
import type { ManualClock } from '../../../src/transport/manual-clock.ts';
import type { Network } from '../../../src/transport/network.ts';
import type { SeededRandom } from '../../../src/transport/seeded-random.ts';
import { Watcher } from './watcher.ts';

export interface ChaosClientOptions {
  readonly name: string;
  readonly network: Network;
  readonly clock: ManualClock;
  readonly random: SeededRandom;
  readonly environment: Record<string, string>;
  readonly watched: readonly string[];
  readonly problems: string[];
}

const DEADLINE_MS = 4_000;
/** How monitors are made; one after the other. */
const MANNERS: readonly MonitorOptions[] = [
  {},
  { pipeline: true },
  { queueSize: 2 },
  { pipeline: true, queueSize: 10, request: 'field(value)record[ackAny=90%]' },
  { pipeline: true, queueSize: 3, request: 'record[ackAny=1]' },
];

export class ChaosClient {
  callCount = 0;
  settledCount = 0;
  resultCount = 0;
  updateCount = 0;
  disconnectCount = 0;
  /** Values of puts that the server said are done. */
  readonly written: number[] = [];
  #watchers: Watcher[] = [];
  #context: Context;
  readonly #options: ChaosClientOptions;
  /** Shared by many calls, as programs do. */
  #signal = new AbortController();

  constructor(options: ChaosClientOptions) {
    this.#options = options;
    this.#context = this.#open();
  }

  get last(): Record<string, number | undefined> {
    return Object.fromEntries(this.#watchers.filter(({ isOver }) => !isOver).map(({ pvName, last }) => [pvName, last]));
  }

  /** Closes the context with everything under way, and opens another. */
  async restart(): Promise<void> {
    await this.close();
    this.#context = this.#open();
  }

  async close(): Promise<void> {
    for (const watcher of this.#watchers) {
      watcher.forget();
      this.#count(watcher);
    }
    this.#watchers = [];
    await this.#context.close();
    await this.#context.close();
    await this.#options.clock.settle();
    if (this.settledCount !== this.callCount) this.#problem('calls are left after the context was closed');
    const listeners = getEventListeners(this.#signal.signal, 'abort').length;
    if (listeners > 0) this.#problem(`${listeners} listeners are left on a signal`);
  }

  /** One reader leaves its loop; another begins to watch the same PV. */
  swapReader(): void {
    const { random } = this.#options;
    const index = Math.floor(random.next() * this.#watchers.length);
    const watcher = this.#watchers[index];
    if (watcher === undefined) return;
    watcher.leave();
    this.#count(watcher);
    this.#watchers[index] = this.#watch(watcher.pvName, Math.floor(random.next() * MANNERS.length));
  }

  /** Gives up every call that follows the shared signal. */
  abort(): void {
    this.#signal.abort(new Error('given up'));
    this.#signal = new AbortController();
  }

  /** One call, whichever. */
  call(nextValue: () => number): void {
    const { clock, random, watched } = this.#options;
    const context = this.#context;
    const pvName = watched[Math.floor(random.next() * watched.length)] ?? '';
    const timeoutMs = random.between(50, DEADLINE_MS);
    const signal = random.chance(0.5) ? this.#signal.signal : undefined;
    const options = { timeoutMs, signal };
    const acts: readonly (() => Promise<unknown>)[] = [
      () => context.get(pvName, options),
      () => context.info(pvName, options),
      () => context.getMany(watched, options),
      () => context.get('nowhere', options),
      () => this.#put(nextValue(), options),
      () => this.#add(random.size(1, 1_000), options),
    ];
    const act = acts[Math.floor(random.next() * acts.length)];
    if (act === undefined) return;
    const startedAt = clock.now();
    const end = (): void => {
      this.settledCount++;
      const lateMs = clock.now() - startedAt - timeoutMs;
      if (lateMs > 0) this.#problem(`a call ended ${lateMs} ms after its deadline`);
    };
    this.callCount++;
    act()
      .then(() => this.resultCount++)
      .then(end, end);
  }

  async #put(value: number, options: { timeoutMs: number }): Promise<void> {
    await this.#context.put('setpoint', value, options);
    this.written.push(value);
  }

  async #add(a: number, options: { timeoutMs: number }): Promise<void> {
    const sum = await this.#context.rpc('add', { a, b: 1 }, options);
    const { value } = (sum?.value ?? {}) as { value?: unknown };
    if (value !== a + 1) this.#problem(`${a} + 1 was ${String(value)}`);
  }

  #open(): Context {
    const { clock, random, network, environment, name, watched } = this.#options;
    this.#context = new Context({
      network,
      clock,
      random: () => random.next(),
      identity: { user: 'chaos', host: name },
      config: resolveClientConfig({ processEnvironment: environment }),
    });
    this.#watchers = watched.map((pvName, index) => this.#watch(pvName, index));
    return this.#context;
  }

  #watch(pvName: string, manner: number): Watcher {
    const { clock, random, problems } = this.#options;
    const slowMs = random.chance(0.3) ? random.between(1, 1_500) : 0;
    const pause =
      slowMs === 0 ? undefined : () => new Promise<void>((resolve) => void clock.after(slowMs, () => resolve()));
    return new Watcher(this.#context, pvName, MANNERS[manner % MANNERS.length] ?? {}, problems, pause);
  }

  #count({ updateCount, disconnectCount }: Watcher): void {
    this.updateCount += updateCount;
    this.disconnectCount += disconnectCount;
  }

  #problem(text: string): void {
    this.#options.problems.push(`${this.#options.name}: ${text}`);
  }
}
