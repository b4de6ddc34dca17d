// How many updates may a server send before its client acknowledges some?
//
// Spec: Protocol-Operation-Monitor, "Pipeline protocol option". Starting and stopping change nothing here.

/** Credit is a u32 on the wire; more than this is as good as any number. */
const MOST_CREDIT = 0xffff_ffff;

export class MonitorWindow {
  readonly isPipelined: boolean;
  #credit: number;

  /** `credit`: the `nfree` of INIT; without one the window is closed until the first acknowledgement. */
  constructor(isPipelined: boolean, credit: number) {
    this.isPipelined = isPipelined;
    this.#credit = credit;
  }

  /** Updates that may go now. */
  get credit(): number {
    return this.isPipelined ? this.#credit : MOST_CREDIT;
  }

  /** The client has room for `count` more. Without pipelining this means nothing, as in pvxs. */
  acknowledge(count: number): void {
    this.#credit = Math.min(this.#credit + count, MOST_CREDIT);
  }

  /**
   * Claims the right to send one update and says whether it is given. After `finish` the rest of the queue goes
   * whatever the window: the client is told the end without having to ask for it.
   */
  take(isFinishing: boolean): boolean {
    if (!this.isPipelined) return true;
    if (this.#credit === 0) return isFinishing;
    this.#credit--;
    return true;
  }
}
