import { beforeEach, describe, expect, it } from 'vitest';
import { BusyPoll, type PollProcess } from '../../src/transport/busy-poll.ts';

/** A process whose turns of the event loop take 2 us each while it polls; all times in ms. */
class FakeProcess implements PollProcess {
  time = 0;
  #sleptMs = 0;
  /** Part of the time that others take away while it does not sleep. */
  takenPart = 0;
  #takenMs = 0;
  readonly #tasks: (() => void)[] = [];

  now(): number {
    return this.time;
  }

  processorMs(): number {
    return this.time - this.#sleptMs - this.#takenMs;
  }

  soon(task: () => void): void {
    this.#tasks.push(task);
  }

  get isAwake(): boolean {
    return this.#tasks.length > 0;
  }

  /** Lives until `time`, in turns as long as something is to be done, asleep otherwise. Tells how many turns it took. */
  until(time: number): number {
    let turns = 0;
    while (this.time < time) {
      const task = this.#tasks.shift();
      if (task === undefined) {
        this.#sleptMs += time - this.time;
        this.time = time;
        return turns;
      }
      this.time += 0.002;
      this.#takenMs += 0.002 * this.takenPart;
      task();
      turns++;
    }
    return turns;
  }
}

let ours: FakeProcess;
let poll: BusyPoll;

beforeEach(() => {
  ours = new FakeProcess();
  poll = new BusyPoll(ours);
});

/** Bytes come `count` times, so many milliseconds apart. */
function arrive(count: number, everyMs: number): void {
  for (let arrival = 0; arrival < count; arrival++) {
    ours.until(ours.time + everyMs);
    poll.heard();
  }
}

describe('busy polling', () => {
  it('stays awake between requests that follow each other', () => {
    arrive(9, 0.03);
    expect(ours.isAwake).toBe(true);
    expect(ours.until(ours.time + 0.03)).toBeGreaterThan(10);
    expect(ours.isAwake).toBe(true);
  });

  it('sleeps 50 us after the last of them', () => {
    arrive(100, 0.03);
    ours.until(ours.time + 0.045);
    expect(ours.isAwake).toBe(true);
    ours.until(ours.time + 0.015);
    expect(ours.isAwake).toBe(false);
  });

  it('counts the 50 us from the end of the work that the last one brought', () => {
    arrive(100, 0.03);
    ours.time += 5;
    ours.until(ours.time + 0.045);
    expect(ours.isAwake).toBe(true);
  });

  it('takes no turn for what comes at longer intervals', () => {
    arrive(1_000, 0.2);
    expect(ours.isAwake).toBe(false);
  });

  it('takes no turn for a few that come together', () => {
    arrive(8, 0.001);
    expect(ours.isAwake).toBe(false);
    arrive(1, 1);
    expect(ours.isAwake).toBe(false);
  });

  it('goes on as long as it is worth it', () => {
    arrive(10_000, 0.03);
    expect(ours.isAwake).toBe(true);
  });

  it('rests for a second when others take a part of the core, and tries again then', () => {
    ours.takenPart = 0.2;
    arrive(400, 0.03);
    expect(ours.isAwake).toBe(false);
    const start = ours.time;
    ours.takenPart = 0;
    while (!ours.isAwake) arrive(1, 0.03);
    expect(ours.time - start).toBeGreaterThan(900);
    expect(ours.time - start).toBeLessThan(1_001);
  });

  it('bears what the system itself takes', () => {
    ours.takenPart = 0.05;
    arrive(10_000, 0.03);
    expect(ours.isAwake).toBe(true);
  });

  it('rests for a second when it looks in vain too often', () => {
    // Bursts of ten: the look after each is in vain.
    for (let burst = 0; burst < 200; burst++) {
      ours.until(ours.time + 5);
      arrive(10, 0.01);
    }
    const start = ours.time;
    arrive(100, 0.03);
    expect(ours.isAwake).toBe(false);
    expect(start).toBeLessThan(1_200);
  });
});
