// What does a reader of one monitor see, and does it make sense? Updates only while connected, never older than before.

import type { Context, MonitorEvent, MonitorOptions } from '../../../src/index.ts';

export class Watcher {
  readonly pvName: string;
  last: number | undefined;
  updateCount = 0;
  disconnectCount = 0;
  isConnected = false;
  /** The loop has been left, or the monitor has ended. */
  isOver = false;
  readonly #name: string;
  readonly #problems: string[];
  readonly #pause: (() => Promise<void> | undefined) | undefined;
  readonly #abort = new AbortController();

  /** @param pause what the reader does after each update: a slow one takes its time */
  constructor(
    context: Context,
    pvName: string,
    options: MonitorOptions,
    problems: string[],
    pause?: () => Promise<void> | undefined,
  ) {
    this.pvName = pvName;
    this.#name = `monitor of ${pvName} ${JSON.stringify({ ...options, type: undefined })}`;
    this.#problems = problems;
    this.#pause = pause;
    const { signal } = this.#abort;
    this.#read(context.monitor(pvName, { ...options, events: true, signal })).then(
      () => (this.isOver = true),
      (error: unknown) => {
        this.isOver = true;
        if (!signal.aborted) this.#problem(`ended: ${String(error)}`);
      },
    );
  }

  /** Leaves the loop from outside. */
  leave(): void {
    this.#abort.abort(new Error('the reader leaves'));
  }

  /** Nothing that comes from now on is a problem: its context closes. */
  forget(): void {
    this.#abort.abort();
  }

  async #read(events: AsyncIterable<MonitorEvent>): Promise<void> {
    for await (const event of events) {
      if (this.#abort.signal.aborted) return;
      this.#take(event);
      await this.#pause?.();
    }
  }

  #take(event: MonitorEvent): void {
    switch (event.kind) {
      case 'connected':
        if (this.isConnected) this.#problem('connected twice');
        this.isConnected = true;
        return;
      case 'disconnected':
        if (!this.isConnected) this.#problem('disconnected without being connected');
        this.isConnected = false;
        this.disconnectCount++;
        return;
      case 'update': {
        const value = Number(event.value['value']);
        if (!this.isConnected) this.#problem(`got ${value} while not connected`);
        if (value < (this.last ?? 0)) this.#problem(`went back from ${this.last} to ${value}`);
        this.updateCount++;
        this.last = value;
      }
    }
  }

  #problem(text: string): void {
    this.#problems.push(`${this.#name} ${text}`);
  }
}
