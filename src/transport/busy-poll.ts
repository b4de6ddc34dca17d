// How is the next request read without waking up for it? By not falling asleep between requests that follow each other.
//
// A process that waits for bytes is put to sleep, and another core has to wake it: 20 to 40 us on a virtual machine, more
// than sixteen GETs take. So while bytes come at short intervals the event loop looks again at once, for a short time,
// before it waits. It serves everything else meanwhile, as in any turn. What comes at longer intervals costs nothing.
//
// Where others need the same core, the client perhaps, looking keeps them from it, and costs us our turn when bytes are
// there. A process that never sleeps and still does not get all of the time shows that; so does looking in vain. Then
// nothing is looked for during a second.

import { cpus } from 'node:os';
import process from 'node:process';

/** Arrivals with less than this between them follow each other: whoever sends waits for the answer, and for little else. */
const QUICK_MS = 0.15;
/** So many of them, one after the other, make it likely that another one follows. */
const QUICK_ARRIVALS = 8;
/** For so long it is looked for; more than it takes a client on this machine to read an answer and to ask again. */
const POLL_MS = 0.05;
/** After so many looks that ended, in an arrival or in vain, it is judged whether they were worth it. */
const JUDGED_LOOKS = 256;
/** They were when at most this part of them was in vain. */
const VAIN_PART = 1 / 8;
/** And when we had at least this part of the time: all of it but what the system itself takes. */
const OWN_PART = 0.9;
const REST_MS = 1_000;
const US_PER_MS = 1_000;

/** What busy polling needs of its process. */
export interface PollProcess {
  /** ms */
  now(): number;
  /** Processor time of all its threads, ms. */
  processorMs(): number;
  /** Has `task` called in the next turn of the event loop, which then does not wait. */
  soon(task: () => void): void;
}

const THIS_PROCESS: PollProcess = {
  now: () => performance.now(),
  processorMs: () => {
    const { user, system } = process.cpuUsage();
    return (user + system) / US_PER_MS;
  },
  soon: (task) => void setImmediate(task),
};

export class BusyPoll {
  readonly #process: PollProcess;
  #heardAt = Number.NEGATIVE_INFINITY;
  #quickCount = 0;
  #isPolling = false;
  /** Bytes came in this turn of the event loop. */
  #isHeard = false;
  #idleSince = 0;
  #restsUntil = Number.NEGATIVE_INFINITY;
  // Since it was judged last.
  #lookCount = 0;
  #vainCount = 0;
  #pollingMs = 0;
  #ownMs = 0;

  constructor(ofProcess: PollProcess = THIS_PROCESS) {
    this.#process = ofProcess;
  }

  /** Bytes are here. */
  heard(): void {
    const now = this.#process.now();
    this.#quickCount = now - this.#heardAt < QUICK_MS ? this.#quickCount + 1 : 0;
    this.#heardAt = now;
    this.#isHeard = true;
    if (this.#isPolling || this.#quickCount < QUICK_ARRIVALS || now < this.#restsUntil) return;
    this.#isPolling = true;
    this.#pollingMs -= now;
    this.#ownMs -= this.#process.processorMs();
    this.#process.soon(this.#look);
  }

  readonly #look = (): void => {
    const now = this.#process.now();
    const isHeard = this.#isHeard;
    this.#isHeard = false;
    // Counted from the end of the work that the bytes brought.
    if (isHeard) this.#idleSince = now;
    const isInVain = !isHeard && now - this.#idleSince >= POLL_MS;
    if (isInVain) this.#vainCount++;
    if (isHeard || isInVain) this.#lookCount++;
    if (!isInVain && this.#lookCount < JUDGED_LOOKS) return this.#process.soon(this.#look);
    this.#stop(now);
  };

  /** Until bytes come at short intervals again; not so soon when it was not worth it. */
  #stop(now: number): void {
    this.#isPolling = false;
    this.#pollingMs += now;
    this.#ownMs += this.#process.processorMs();
    if (this.#lookCount < JUDGED_LOOKS) {
      this.#quickCount = 0;
      return;
    }
    const isWorthIt = this.#vainCount <= this.#lookCount * VAIN_PART && this.#ownMs >= this.#pollingMs * OWN_PART;
    if (!isWorthIt) this.#restsUntil = now + REST_MS;
    this.#lookCount = 0;
    this.#vainCount = 0;
    this.#pollingMs = 0;
    this.#ownMs = 0;
  }
}

/** That of this process, of which all sockets share the event loop; undefined where there is one core for all. */
export const busyPoll: BusyPoll | undefined = cpus().length > 1 ? new BusyPoll() : undefined;
