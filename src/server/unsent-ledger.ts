// How much memory do all links take together for what their clients have not taken yet? A bound for each link alone bounds
// nothing: 5 KB of requests from each of thousands of links have answers of gigabytes.
//
// While there is plenty of room every link has what its own bounds allow. From half of all on they shrink with the room
// that is left: who has more is read from no more, and its monitors squash, until it takes what it has. So whoever takes
// goes on, an answer at a time if need be. Past all of it links are closed, the worst of the host that holds most first:
// many links of one host are one client.

import type { Limits } from '../protocol/limits.ts';

type UnsentLimits = Pick<Limits, 'maxUnsentBytes' | 'monitorPauseBytes' | 'readPauseBytes'>;

/** What this needs of a link. */
export interface UnsentLink {
  /** Of its client. */
  readonly address: string;
  /** Has it tell what it holds now: that its client takes something is not told each time. */
  measure(): void;
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

/** The sum of one process. */
export class UnsentLedger {
  /** Unsent bytes from which on the monitors of a link hold back, as of now. */
  monitorPauseBytes: number;
  /** Unsent bytes from which on a link is not read from, as of now. */
  readPauseBytes: number;
  readonly #limits: UnsentLimits;
  readonly #holders = new Set<UnsentAccount>();
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

  // --- for accounts --------------------------------------------------------------------------------------------

  /** An account holds so many more bytes of its own. */
  changed(account: UnsentAccount, moreBytes: number): void {
    this.#heldBytes += moreBytes;
    if (account.isEmpty) this.#holders.delete(account);
    else this.#holders.add(account);
    this.#judge();
  }

  lend(bytes: Uint8Array): void {
    const count = this.#lent.get(bytes) ?? 0;
    this.#lent.set(bytes, count + 1);
    if (count === 0) this.#heldBytes += bytes.length;
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
      // Never 0: who has taken everything may always ask for more.
      this.monitorPauseBytes = Math.max(monitorPauseBytes * Math.min(left, 1), 1);
      this.readPauseBytes = Math.max(readPauseBytes * Math.min(left, 1), 1);
    }
    if (this.#heldBytes > maxUnsentBytes && !this.#isShedding) this.#shed();
  }

  #shed(): void {
    this.#isShedding = true;
    try {
      for (const account of this.#holders) account.link.measure();
      const { maxUnsentBytes } = this.#limits;
      if (this.#heldBytes <= maxUnsentBytes) return;
      const said = `all links hold ${this.#heldBytes} bytes that their clients do not take, ${maxUnsentBytes} are allowed`;
      for (const { account, heldBytes } of worstFirst(this.#holders)) {
        if (this.#heldBytes <= maxUnsentBytes * GOAL) return;
        account.link.shed(`${said}, and this one holds ${Math.round(heldBytes)} of them`);
      }
    } finally {
      this.#isShedding = false;
    }
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
    this.ledger.lend(bytes);
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
