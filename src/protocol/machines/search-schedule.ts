// When is which channel searched for? A ring of one-second buckets, with time and randomness coming in.
//
// The numbers are those of pvxs, so that a site's search traffic stays what its network is used to: a new channel is
// searched for after 10 ms (so that many made at once share a datagram), then at the next turn of the ring, then one
// turn later each time, up to one revolution of 30 s. A new or restarted server makes the ring turn once at 0.2 s a
// bucket, at most every 30 s. A server whose names have moved, which only those of pvkit tell, does so at any time: what
// is searched for is hardly ever much.

export const FIRST_SEARCH_DELAY_MS = 10;
export const TURN_MS = 1_000;
export const FAST_TURN_MS = 200;
export const BUCKET_COUNT = 30;
export const HURRY_HOLD_OFF_MS = 30_000;
/** For a channel whose server was there but refused it: the bucket that comes last. */
export const FAR_BUCKET = BUCKET_COUNT - 1;
/** For a channel whose server could not be reached. */
export const LATER_BUCKET = 10;
/** A bucket with so many more channels than the one after it passes some on, to spread the broadcasts. */
const CROWDED_BY = 100;

interface Entry {
  /** Searches sent since the channel was last found. */
  tryCount: number;
  /** Buckets between its last search and the next. */
  step: number;
  /** The bucket that holds it; -1 while it waits for its first search. */
  bucket: number;
}

/** Ids are the caller's; a channel is here exactly while it is searched for. */
export class SearchSchedule {
  readonly #entries = new Map<number, Entry>();
  readonly #ring: readonly Set<number>[] = Array.from({ length: BUCKET_COUNT }, () => new Set<number>());
  readonly #random: () => number;
  #first = new Set<number>();
  #firstAt = Number.POSITIVE_INFINITY;
  #current = 0;
  #turnAt = Number.POSITIVE_INFINITY;
  #fastTurns = 0;
  #lastHurryAt = Number.NEGATIVE_INFINITY;

  /** @param random gives numbers from 0 up to, not including, 1 */
  constructor(random: () => number) {
    this.#random = random;
  }

  get size(): number {
    return this.#entries.size;
  }

  /** Searches sent for the channel since it was added. */
  tryCount(id: number): number {
    return this.#entries.get(id)?.tryCount ?? 0;
  }

  /** Searches soon, together with the others that are added meanwhile. Adding twice changes nothing. */
  add(id: number, now: number): void {
    if (this.#entries.has(id)) return;
    this.#wake(now);
    this.#entries.set(id, { tryCount: 0, step: 0, bucket: -1 });
    this.#first.add(id);
    this.#firstAt = Math.min(this.#firstAt, now + FIRST_SEARCH_DELAY_MS);
  }

  /** Searches so many turns from now: `FAR_BUCKET` after a refusal, 0 after a lost server. */
  addLater(id: number, now: number, bucketsAhead: number): void {
    if (this.#entries.has(id)) return;
    this.#wake(now);
    this.#put(id, { tryCount: 0, step: 0, bucket: 0 }, this.#current + bucketsAhead);
  }

  remove(id: number): void {
    const entry = this.#entries.get(id);
    if (entry === undefined) return;
    this.#entries.delete(id);
    if (entry.bucket === -1) this.#first.delete(id);
    else this.#ring[entry.bucket]?.delete(id);
    if (this.#first.size === 0) this.#firstAt = Number.POSITIVE_INFINITY;
    if (this.#entries.size === 0) this.#turnAt = Number.POSITIVE_INFINITY;
  }

  /** One fast revolution. Returns false, and does nothing, when the last one was less than 30 s ago. */
  hurry(now: number): boolean {
    if (now - this.#lastHurryAt < HURRY_HOLD_OFF_MS) return false;
    this.#lastHurryAt = now;
    this.#fastTurns = BUCKET_COUNT;
    if (this.#entries.size > 0) this.#turnAt = now;
    return true;
  }

  /** One fast revolution from now on, whenever the last one was. */
  revolve(now: number): void {
    this.#fastTurns = BUCKET_COUNT;
    if (this.#entries.size > 0) this.#turnAt = Math.min(this.#turnAt, now + FAST_TURN_MS);
  }

  /** When `due` has something to do next; Infinity when nothing is searched for. */
  nextDueAt(): number {
    return Math.min(this.#firstAt, this.#turnAt);
  }

  /** The channels to search for now; each is scheduled anew. Late calls skip no bucket and do not catch up in a burst. */
  due(now: number): readonly number[] {
    const first = now >= this.#firstAt ? this.#takeFirst() : [];
    const again = now >= this.#turnAt ? this.#turn(now) : [];
    // A channel can be in both: new, and in the bucket whose turn it is.
    return first.length === 0 ? again : [...new Set([...first, ...again])];
  }

  /** The ring rests while it is empty. Its phase is random, so that clients started together do not search together. */
  #wake(now: number): void {
    if (this.#entries.size === 0) this.#turnAt = now + this.#turnMs() * (1 - this.#random());
  }

  #turnMs(): number {
    return this.#fastTurns > 0 ? FAST_TURN_MS : TURN_MS;
  }

  #takeFirst(): readonly number[] {
    const ids = [...this.#first];
    this.#first = new Set();
    this.#firstAt = Number.POSITIVE_INFINITY;
    for (const id of ids) this.#reschedule(id, this.#current, 0);
    return ids;
  }

  #turn(now: number): readonly number[] {
    const index = this.#current;
    const isFast = this.#fastTurns > 0;
    if (isFast) this.#fastTurns--;
    this.#current = (index + 1) % BUCKET_COUNT;
    this.#turnAt = now + (isFast ? FAST_TURN_MS : TURN_MS);

    const ids = [...this.#bucket(index)];
    this.#bucket(index).clear();
    // A fast turn is an extra try: it does not push the next one further away.
    for (const id of ids) this.#reschedule(id, index, isFast ? 0 : 1);
    return ids;
  }

  #reschedule(id: number, index: number, longer: number): void {
    const entry = this.#entries.get(id);
    if (entry === undefined) return;
    entry.tryCount++;
    entry.step = Math.min(BUCKET_COUNT, entry.step + longer);
    const bucket = index + (longer === 0 ? 0 : entry.step);
    const crowd = this.#bucket(bucket).size - this.#bucket(bucket + 1).size;
    this.#put(id, entry, crowd > CROWDED_BY ? bucket + 1 : bucket);
  }

  #put(id: number, entry: Entry, bucket: number): void {
    entry.bucket = bucket % BUCKET_COUNT;
    this.#entries.set(id, entry);
    this.#bucket(bucket).add(id);
  }

  #bucket(index: number): Set<number> {
    const bucket = this.#ring[index % BUCKET_COUNT];
    if (bucket === undefined) throw new RangeError(`bucket ${index} of ${BUCKET_COUNT}`);
    return bucket;
  }
}
