// What do the clients know of their puts? Which were acknowledged, refused, or of uncertain outcome: what may stand in a
// PV follows from it.

import type { Origin } from './payload.ts';

interface Account {
  sent: number;
  /** The newest put that was acknowledged, or has been seen in the store when nothing was under way. */
  kept: number;
  /** Refused for sure: these may never show. */
  readonly refused: Set<number>;
  /** What became of the newest puts, for the message of an error. */
  readonly story: string[];
}

const STORY_LENGTH = 6;
const FAULTS_LENGTH = 8;

/** Each writer puts one after the other to each PV; several may write the same PV. */
export class Ledger {
  readonly #accounts = new Map<string, Map<number, Account>>();
  readonly #acknowledged = new Map<number, number>();
  acknowledgedCount = 0;
  refusedCount = 0;
  uncertainCount = 0;
  /** What went wrong last, of all puts, with the time of day. */
  readonly #faults: string[] = [];

  /** Number of the writer's next put to the PV. */
  begin(pvName: string, writer: number): number {
    return ++this.#account(pvName, writer).sent;
  }

  acknowledge(pvName: string, { writer, put }: Origin): void {
    this.acknowledgedCount++;
    this.#acknowledged.set(writer, this.acknowledgedBy(writer) + 1);
    const account = this.#account(pvName, writer);
    account.kept = put;
    tell(account, `${put} acknowledged`);
  }

  /** Puts that each writer had acknowledged, of all PVs. */
  acknowledgedBy(writer: number): number {
    return this.#acknowledged.get(writer) ?? 0;
  }

  /** The server has said that it was not written. */
  refuse(pvName: string, { writer, put }: Origin, why: string): void {
    this.refusedCount++;
    this.#note(`refused: ${why}`);
    const account = this.#account(pvName, writer);
    account.refused.add(put);
    tell(account, `${put} refused (${why})`);
  }

  /** Nobody knows. */
  doubt(pvName: string, { writer, put }: Origin, why: string): void {
    this.uncertainCount++;
    this.#note(`uncertain: ${why}`);
    tell(this.#account(pvName, writer), `${put} uncertain (${why})`);
  }

  /**
   * Whether `found` may stand in the PV while nothing is under way. It has to stay from then on.
   * @throws Error that says what was lost, or what came from nowhere
   */
  check(pvName: string, found: Origin): void {
    if (found.put === 0) {
      for (const [writer, { kept }] of this.#accounts.get(pvName) ?? []) {
        if (kept > 0)
          throw new Error(`${pvName}: put ${kept} of writer ${writer} was acknowledged and lost, nothing is there`);
      }
      return;
    }
    const account = this.#account(pvName, found.writer);
    const { sent, kept, refused, story } = account;
    const what = `${pvName}: put ${found.put} of writer ${found.writer} is there`;
    if (found.put < kept) throw new Error(`${what}, put ${kept} was acknowledged and lost; ${story.join(', ')}`);
    if (found.put > sent) throw new Error(`${what}, and was never sent`);
    if (refused.has(found.put)) throw new Error(`${what}, though it was refused; ${story.join(', ')}`);
    account.kept = found.put;
  }

  /** What clients were told last, for the message of an error. */
  get lastFaults(): string {
    return this.#faults.length === 0 ? 'no put went wrong' : this.#faults.join('\n');
  }

  #note(what: string): void {
    this.#faults.push(`${new Date().toISOString().slice(11)} ${what}`);
    if (this.#faults.length > FAULTS_LENGTH) this.#faults.shift();
  }

  toString(): string {
    return `${this.acknowledgedCount} puts acknowledged, ${this.refusedCount} refused, ${this.uncertainCount} of uncertain outcome`;
  }

  #account(pvName: string, writer: number): Account {
    let accounts = this.#accounts.get(pvName);
    if (accounts === undefined) this.#accounts.set(pvName, (accounts = new Map<number, Account>()));
    let account = accounts.get(writer);
    if (account === undefined) accounts.set(writer, (account = { sent: 0, kept: 0, refused: new Set(), story: [] }));
    return account;
  }
}

function tell({ story }: Account, what: string): void {
  story.push(`${what} at ${performance.now().toFixed(0)} ms`);
  if (story.length > STORY_LENGTH) story.shift();
}
