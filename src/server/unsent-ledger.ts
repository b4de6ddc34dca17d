// How much memory do all links take together for what their clients have not taken yet? A bound for each link alone bounds
// nothing: 5 KB of requests from each of thousands of links have answers of gigabytes.
//
// While there is plenty of room every link has what its own bounds allow. From half of all on they shrink with the room
// that is left: who has more is read from no more, and its monitors squash, until it takes what it has. So whoever takes
// goes on, an answer at a time if need be. Past all of it what is large waits until there is room, and links are closed whose
// clients take nothing, the worst of the host that holds most first: many links of one host are one client. Whoever takes
// is never closed, however large what it takes.

import type { Limits } from '../protocol/limits.ts';

type UnsentLimits = Pick<Limits, 'maxUnsentBytes' | 'crowdedStallMs' | 'monitorPauseBytes' | 'readPauseBytes'>;

/** What this needs of a link. */
export interface UnsentLink {
  /** Of its client. */
  readonly address: string;
  /** Has it tell what it holds now: that its client takes something is not told each time. */
  measure(): void;
  /** How long its client has taken nothing although there is something to take. */
  stalledMs(): number;
  /** There may be room for what is large, later in this turn. */
  wake(): void;
  shed(reason: string): void;
}

/** Bytes that several links may have been given, and how many bytes of a link's stream end with them. */
interface Lent {
  readonly bytes: Uint8Array;
  readonly end: number;
}

/** Up to this part of what is allowed there is plenty. */
const PLENTY = 0.5;
/** Links are closed until so much of it is held. */
const GOAL = 0.9;
/**
 * Between all and this many times that, a host that holds nothing is given what is large all the same. Past it nobody is
 * given anything, and links are closed at once that took nothing for as long as a packet needs around the world: so much
 * holds only who asks on many links and reads on none.
 */
const UTMOST = 2;
const UTMOST_STALL_MS = 100;
/** From so many bytes on something is large; the rest of all links together is little. */
export const LARGE_BYTES = 64 * 1_024;

/** The sum of one process. */
export class UnsentLedger {
  /** Unsent bytes from which on the monitors of a link hold back, as of now. */
  monitorPauseBytes: number;
  /** Unsent bytes from which on a link is not read from, as of now. */
  readPauseBytes: number;
  readonly #limits: UnsentLimits;
  readonly #holders = new Set<UnsentAccount>();
  /** How many of them each host has. */
  readonly #hosts = new Map<string, number>();
  /** Those that have something large to send, in the order in which they get room. */
  readonly #waiting = new Set<UnsentAccount>();
  /** How often each is lent: it takes memory once, however many links have it. */
  readonly #lent = new Map<Uint8Array, number>();
  #heldBytes = 0;
  #isTight = false;
  #isShedding = false;

  constructor(limits: UnsentLimits) {
    this.#limits = limits;
    this.monitorPauseBytes = limits.monitorPauseBytes;
    this.readPauseBytes = limits.readPauseBytes;
  }

  /** What all links hold. */
  get heldBytes(): number {
    return this.#heldBytes;
  }

  open(link: UnsentLink): UnsentAccount {
    return new UnsentAccount(this, link);
  }

  /** Whether what is large has to wait. */
  get isOver(): boolean {
    return this.#heldBytes > this.#limits.maxUnsentBytes;
  }

  /** Called every now and then: closes links that take nothing, where all hold too much. */
  look(): void {
    const { maxUnsentBytes, crowdedStallMs } = this.#limits;
    this.#shed(maxUnsentBytes, crowdedStallMs);
  }

  // --- for accounts --------------------------------------------------------------------------------------------

  /** Whether a link may be given what is large. */
  hasRoom({ link }: UnsentAccount): boolean {
    if (!this.isOver) return true;
    // One slow client is not to keep all others from their images.
    return this.#heldBytes <= this.#limits.maxUnsentBytes * UTMOST && !this.#hosts.has(link.address);
  }

  /** Has its link woken when there may be room. */
  wait(account: UnsentAccount): void {
    this.#waiting.add(account);
  }

  forget(account: UnsentAccount): void {
    this.#waiting.delete(account);
  }

  /** An account holds so many more bytes of its own, and perhaps fewer of those that it was lent. */
  changed(account: UnsentAccount, moreBytes: number): void {
    this.#heldBytes += moreBytes;
    if (!account.isEmpty) this.#keep(account);
    const isHostGone = account.isEmpty && this.#drop(account);
    this.#judge();
    if (this.#waiting.size > 0 && (isHostGone || !this.isOver)) this.#wake();
  }

  lend(account: UnsentAccount, bytes: Uint8Array): void {
    const count = this.#lent.get(bytes) ?? 0;
    this.#lent.set(bytes, count + 1);
    if (count === 0) this.#heldBytes += bytes.length;
    this.#keep(account);
  }

  giveBack(bytes: Uint8Array): void {
    const count = this.lentCount(bytes);
    if (count > 1) this.#lent.set(bytes, count - 1);
    else if (this.#lent.delete(bytes)) this.#heldBytes -= bytes.length;
  }

  lentCount(bytes: Uint8Array): number {
    return this.#lent.get(bytes) ?? 0;
  }

  // --- how much each may hold ----------------------------------------------------------------------------------

  #judge(): void {
    const { maxUnsentBytes, monitorPauseBytes, readPauseBytes } = this.#limits;
    const isTight = this.#heldBytes > maxUnsentBytes * PLENTY;
    if (isTight || this.#isTight) {
      this.#isTight = isTight;
      const left = (1 - this.#heldBytes / maxUnsentBytes) / (1 - PLENTY);
      // Not 0: who has taken everything may ask for more, which is little, or waits for room.
      const least = this.#heldBytes > maxUnsentBytes * UTMOST ? 0 : 1;
      this.monitorPauseBytes = Math.max(monitorPauseBytes * Math.min(left, 1), least);
      this.readPauseBytes = Math.max(readPauseBytes * Math.min(left, 1), least);
    }
    this.#shed(maxUnsentBytes * UTMOST, UTMOST_STALL_MS);
  }

  /** Closes links that have taken nothing for so long, where all hold more than that. */
  #shed(mostBytes: number, stallMs: number): void {
    if (this.#heldBytes <= mostBytes || this.#isShedding) return;
    this.#isShedding = true;
    try {
      for (const account of this.#holders) account.link.measure();
      const { maxUnsentBytes } = this.#limits;
      const said = `all links hold ${this.#heldBytes} bytes that their clients do not take, ${maxUnsentBytes} are allowed`;
      const stalled = [...this.#holders].filter(({ link }) => link.stalledMs() >= stallMs);
      for (const { account, heldBytes } of worstFirst(stalled)) {
        if (this.#heldBytes <= mostBytes * GOAL) return;
        account.link.shed(`${said}, and this one holds ${Math.round(heldBytes)} of them`);
      }
    } finally {
      this.#isShedding = false;
    }
  }

  #keep(account: UnsentAccount): void {
    if (this.#holders.has(account)) return;
    const { address } = account.link;
    this.#holders.add(account);
    this.#hosts.set(address, (this.#hosts.get(address) ?? 0) + 1);
  }

  /** Whether no link of its host holds anything any more. */
  #drop(account: UnsentAccount): boolean {
    if (!this.#holders.delete(account)) return false;
    const { address } = account.link;
    const left = (this.#hosts.get(address) ?? 0) - 1;
    if (left > 0) this.#hosts.set(address, left);
    else this.#hosts.delete(address);
    return left <= 0;
  }

  #wake(): void {
    const waiting = [...this.#waiting];
    this.#waiting.clear();
    for (const { link } of waiting) link.wake();
  }
}

/** What one link holds. */
export class UnsentAccount {
  readonly ledger: UnsentLedger;
  readonly link: UnsentLink;
  readonly #lent: Lent[] = [];
  #lentBytes = 0;
  /** What only this link holds. */
  #ownBytes = 0;

  constructor(ledger: UnsentLedger, link: UnsentLink) {
    this.ledger = ledger;
    this.link = link;
  }

  get isEmpty(): boolean {
    return this.#ownBytes === 0 && this.#lent.length === 0;
  }

  /** Its part of the sum: of what several hold, an equal share. */
  get heldBytes(): number {
    return this.#lent.reduce((sum, { bytes }) => sum + bytes.length / this.ledger.lentCount(bytes), this.#ownBytes);
  }

  /** It is given bytes that others may have as well; they are taken when `end` bytes of its stream are. */
  lend(bytes: Uint8Array, end: number): void {
    this.#lent.push({ bytes, end });
    this.#lentBytes += bytes.length;
    this.ledger.lend(this, bytes);
  }

  /** Whether it may be given what is large; else it `wait`s. */
  get hasRoom(): boolean {
    return this.ledger.hasRoom(this);
  }

  wait(): void {
    this.ledger.wait(this);
  }

  /** Its link is gone, and what it held with it. */
  close(sentBytes: number): void {
    this.holds(0, sentBytes);
    this.ledger.forget(this);
  }

  /** Called after each write: it has so much unsent, and its client has taken so much. */
  holds(unsentBytes: number, takenBytes: number): void {
    const hadLent = this.#lent.length > 0;
    if (hadLent) this.#giveBack(takenBytes);
    const ownBytes = Math.max(unsentBytes - this.#lentBytes, 0);
    if (ownBytes === this.#ownBytes && !hadLent) return;
    const moreBytes = ownBytes - this.#ownBytes;
    this.#ownBytes = ownBytes;
    this.ledger.changed(this, moreBytes);
  }

  #giveBack(takenBytes: number): void {
    const first = this.#lent.findIndex(({ end }) => end > takenBytes);
    for (const { bytes } of this.#lent.splice(0, first === -1 ? this.#lent.length : first)) {
      this.#lentBytes -= bytes.length;
      this.ledger.giveBack(bytes);
    }
  }
}

interface Weighed {
  readonly account: UnsentAccount;
  readonly heldBytes: number;
}

interface Host {
  heldBytes: number;
  /** The worst last. */
  readonly links: Weighed[];
}

/** The link that holds most, of the host whose links hold most together; then the next, as if that one were gone. */
function* worstFirst(accounts: Iterable<UnsentAccount>): Generator<Weighed> {
  const hosts = new Map<string, Host>();
  for (const account of accounts) {
    const { address } = account.link;
    const { heldBytes } = account;
    const host = hosts.get(address) ?? { heldBytes: 0, links: [] };
    host.heldBytes += heldBytes;
    host.links.push({ account, heldBytes });
    hosts.set(address, host);
  }
  for (const { links } of hosts.values()) links.sort((a, b) => a.heldBytes - b.heldBytes);
  for (;;) {
    let most: Host | undefined;
    for (const host of hosts.values()) {
      if (host.links.length > 0 && (most === undefined || host.heldBytes > most.heldBytes)) most = host;
    }
    const worst = most?.links.pop();
    if (most === undefined || worst === undefined) return;
    most.heldBytes -= worst.heldBytes;
    yield worst;
  }
}
