// How are requests sent and replies counted as fast as it goes, on one connection? The loop that is measured.
//
// Each of the `depth` slots has one request under way. The next one of a slot is sent by the reply to the one before, and
// all that the replies of one read bring about goes out in one write.

import type { PvaError } from '../protocol/errors.ts';
import type { Frame } from '../protocol/framer.ts';
import { HEADER_BYTES } from '../protocol/header.ts';
import type { ServerMessage } from '../protocol/messages/index.ts';
import type { Clock } from '../transport/clocks.ts';
import type { LinkHandlers, LoadLink } from './link.ts';
import type { Tally } from './tally.ts';

/** One request as it is sent again and again. */
export interface LoadRequest {
  readonly pvName: string;
  readonly ioid: number;
  readonly bytes: Buffer;
  /** Which of the requests under way it is, counted from 0. */
  readonly slot: number;
}

/** What is different between scenarios. */
export interface ExchangeScenario {
  /** A request has just been written to `out`, ending at `end`: something in it may be new each time. */
  prepared?(request: LoadRequest, view: DataView, end: number): void;
  /** The reply to a request is what was expected, or was accepted by `judge`. */
  done?(request: LoadRequest): void;
  /** A reply that is different from the one before: whether it is right. Who keeps the body copies it. */
  judge(request: LoadRequest, message: ServerMessage, frame: Frame): 'right' | 'changed' | 'wrong' | 'refused';
}

/** Written bytes stay until their requests are answered; with gaps at the end that takes less than four rounds. */
const ROUNDS_OF_BYTES = 4;

export class ExchangeLink implements LinkHandlers {
  readonly #link: LoadLink;
  readonly #scenario: ExchangeScenario;
  readonly #tally: Tally;
  readonly #clock: Clock;
  readonly #requests: (LoadRequest | undefined)[] = [];
  /** By request id: the request that follows in its slot. */
  readonly #next: LoadRequest[] = [];
  readonly #isUnderWay: Uint8Array;
  /** By slot. */
  readonly #sentAt: Float64Array;
  readonly #out: Buffer;
  readonly #view: DataView;
  readonly #roundBytes: number;
  /** Requests that wait for their turn, with a rate. */
  #ready: LoadRequest[] = [];
  #start = 0;
  #end = 0;
  #now = 0;
  #underWayCount = 0;
  #isRunning = false;
  #isPaced = false;
  lostReason: PvaError | undefined;

  constructor(
    link: LoadLink,
    requests: readonly LoadRequest[],
    { scenario, tally, clock }: { readonly scenario: ExchangeScenario; readonly tally: Tally; readonly clock: Clock },
  ) {
    this.#link = link;
    this.#scenario = scenario;
    this.#tally = tally;
    this.#clock = clock;
    const slots = new Map<number, LoadRequest[]>();
    for (const request of requests) {
      this.#requests[request.ioid] = request;
      const inSlot = slots.get(request.slot) ?? [];
      slots.set(request.slot, [...inSlot, request]);
    }
    for (const inSlot of slots.values()) {
      for (const [index, request] of inSlot.entries()) {
        this.#next[request.ioid] = inSlot[(index + 1) % inSlot.length] ?? request;
      }
    }
    this.#ready = [...slots.values()].flatMap(([first]) => first ?? []);
    this.#isUnderWay = new Uint8Array(this.#requests.length);
    this.#sentAt = new Float64Array(slots.size);
    this.#roundBytes = slots.size * Math.max(...requests.map(({ bytes }) => bytes.length));
    this.#out = Buffer.alloc(this.#roundBytes * ROUNDS_OF_BYTES);
    this.#view = new DataView(this.#out.buffer, this.#out.byteOffset, this.#out.length);
    link.handlers = this;
  }

  get underWayCount(): number {
    return this.#underWayCount;
  }

  /** Sends the first request of every slot; with `isPaced` each request waits for `release`. */
  run(isPaced: boolean): void {
    this.#isRunning = true;
    this.#isPaced = isPaced;
    this.#now = this.#clock.now();
    if (isPaced) return;
    const ready = this.#ready;
    this.#ready = [];
    for (const request of ready) this.#send(request);
    this.#flush();
  }

  /** Sends nothing more; replies to what is under way are still taken. */
  stop(): void {
    this.#isRunning = false;
  }

  /** Sends up to so many requests whose slots are free; returns how many. */
  release(count: number): number {
    if (!this.#isRunning || this.lostReason !== undefined) return 0;
    this.#now = this.#clock.now();
    const released = this.#ready.splice(0, count);
    for (const request of released) this.#send(request);
    this.#flush();
    return released.length;
  }

  // --- told by the link ----------------------------------------------------------------------------------------

  woken(): void {
    this.#now = this.#clock.now();
  }

  matched(ioid: number): void {
    const request = this.#requests[ioid];
    const body = this.#link.expected(ioid);
    if (request !== undefined) this.#answered(request, body === undefined ? 0 : body.length + HEADER_BYTES);
  }

  reply(message: ServerMessage, frame: Frame): void {
    if (message.command === 'DESTROY_CHANNEL') {
      this.#tally.errors++;
      return this.#tally.tell(`the server destroyed channel ${message.cid}`);
    }
    if (!('ioid' in message)) return;
    const request = this.#requests[message.ioid];
    if (request === undefined) return;
    const verdict = this.#scenario.judge(request, message, frame);
    if (verdict === 'refused') this.#tally.errors++;
    else if (verdict === 'wrong') this.#tally.wrong++;
    else {
      if (verdict === 'changed') this.#tally.changed++;
      this.#link.expect(message.ioid, Buffer.from(frame.body));
      return this.#answered(request, frame.body.length + HEADER_BYTES);
    }
    this.#over(request);
  }

  rested(): void {
    this.#flush();
  }

  lost(reason: PvaError): void {
    this.lostReason = reason;
    this.#tally.errors++;
    this.#tally.lost += this.#underWayCount;
    this.#underWayCount = 0;
    this.#tally.tell(reason.message);
  }

  // -------------------------------------------------------------------------------------------------------------

  #answered(request: LoadRequest, bytes: number): void {
    if (this.#isUnderWay[request.ioid] === 0) {
      this.#tally.wrong++;
      return this.#tally.tell(`${request.pvName}: a second reply to one request`);
    }
    const tally = this.#tally;
    if (tally.isCounting) {
      tally.operations++;
      tally.bytes += bytes;
      tally.latency.add(this.#now - (this.#sentAt[request.slot] ?? 0));
    }
    this.#scenario.done?.(request);
    this.#over(request);
  }

  /** The slot of an answered request is free for its next. */
  #over(request: LoadRequest): void {
    if (this.#isUnderWay[request.ioid] === 1) this.#underWayCount--;
    this.#isUnderWay[request.ioid] = 0;
    const next = this.#next[request.ioid];
    if (next === undefined) return;
    if (this.#isPaced) this.#ready.push(next);
    else if (this.#isRunning) this.#send(next);
  }

  #send(request: LoadRequest): void {
    const { bytes, ioid, slot } = request;
    for (let index = 0; index < bytes.length; index++) this.#out[this.#end + index] = bytes[index] ?? 0;
    this.#end += bytes.length;
    this.#scenario.prepared?.(request, this.#view, this.#end);
    this.#isUnderWay[ioid] = 1;
    this.#underWayCount++;
    this.#sentAt[slot] = this.#now;
  }

  #flush(): void {
    if (this.#end === this.#start) return;
    this.#link.write(this.#out.subarray(this.#start, this.#end));
    // A whole round has to fit behind what is still on its way.
    if (this.#end + this.#roundBytes > this.#out.length) this.#end = 0;
    this.#start = this.#end;
  }
}
