// What is said on one TCP connection of a capture, if it is pvAccess at all?

import { Conversation, type Limits } from '../../protocol/index.ts';
import type { Entry, Place } from './entry.ts';
import { endpointText, type Endpoint, type Segment } from './ip.ts';
import { Listener } from './listener.ts';
import { TcpStream, type StreamPart } from './tcp-stream.ts';

/** The byte that every message begins with. */
const MAGIC = 0xca;
/** Bytes without any message after which a connection that was joined in the middle is none of pvAccess. */
const MAX_STRANGE_BYTES = 1024 * 1024;
/** Entries that are kept back until it is known. */
const MAX_WITHHELD = 64;

interface Side {
  readonly text: string;
  readonly stream: TcpStream;
  /** Made with the first bytes, when it is known whether they are the first of the connection. */
  listener: Listener | undefined;
  hasBeginning: boolean;
}

type Times = Pick<Place, 'sinceStartNs' | 'timeNs'>;

export class TcpConnection {
  readonly #limits: Limits;
  readonly #number: number;
  readonly #conversation: Conversation;
  readonly #sides: readonly [Side, Side];
  readonly #first: Endpoint;
  #synSequence: number | undefined;
  #verdict: 'unknown' | 'pvAccess' | 'other' = 'unknown';
  #strangeBytes = 0;
  /** What was seen before the first message. */
  #withheld: Entry[] = [];
  #last: Times = { sinceStartNs: undefined, timeNs: undefined };

  /** The sides are those of `segment`, the first that was captured. */
  constructor(number: number, segment: Segment, limits: Limits) {
    this.#limits = limits;
    this.#number = number;
    this.#conversation = new Conversation({ limits });
    this.#first = segment.from;
    this.#sides = [newSide(segment.from, limits), newSide(segment.to, limits)];
  }

  /** Whether a message of pvAccess was found, or that there is none. */
  get verdict(): 'unknown' | 'pvAccess' | 'other' {
    return this.#verdict;
  }

  /** Whether the segment opens another connection between the same two ends. */
  isReplacedBy({ isSyn, isAck, sequence }: Segment): boolean {
    return isSyn && !isAck && (this.#synSequence !== undefined ? this.#synSequence !== sequence : this.#hasData());
  }

  push(segment: Segment, times: Times): Entry[] {
    this.#last = times;
    if (this.#verdict === 'other') return [];
    const [side, other] = this.#sidesOf(segment);
    const place = this.#place(side, other);
    const isOpened = segment.isSyn && !segment.isAck && this.#synSequence === undefined;
    if (isOpened) this.#synSequence = segment.sequence;
    if (segment.isSyn) {
      side.stream.begin(segment.sequence);
      side.hasBeginning = true;
    }
    const parts = side.stream.push({
      // SYN takes a number, too.
      sequence: segment.isSyn ? (segment.sequence + 1) >>> 0 : segment.sequence,
      bytes: segment.payload,
      cutBytes: segment.cutBytes,
      isFin: segment.isFin,
      timeNs: times.timeNs ?? 0n,
    });
    return this.#judged([
      ...(isOpened ? [{ kind: 'connection', place, event: 'opened' } as const] : []),
      ...this.#hear(side, parts, place),
      ...(segment.isReset ? [{ kind: 'connection', place, event: 'reset' } as const] : []),
    ]);
  }

  /** The capture ends, or forgets the connection: what is under way is given out. */
  end(): Entry[] {
    if (this.#verdict === 'other') return [];
    const [first, second] = this.#sides;
    return this.#judged([...this.#endSide(first, second), ...this.#endSide(second, first)]);
  }

  #endSide(side: Side, other: Side): Entry[] {
    const place = this.#place(side, other);
    return [...this.#hear(side, side.stream.flush(), place), ...(side.listener?.end(place) ?? [])];
  }

  #hasData(): boolean {
    return this.#sides.some(({ stream }) => stream.isBegun);
  }

  #sidesOf({ from }: Segment): readonly [side: Side, other: Side] {
    const [first, second] = this.#sides;
    const isFirst = from.port === this.#first.port && from.address === this.#first.address;
    return isFirst ? [first, second] : [second, first];
  }

  #place(from: Side, to: Side): Place {
    return { ...this.#last, transport: 'tcp', connection: this.#number, from: from.text, to: to.text };
  }

  #hear(side: Side, parts: readonly StreamPart[], place: Place): Entry[] {
    return parts.flatMap((part): readonly Entry[] => {
      switch (part.kind) {
        case 'bytes':
          return this.#hearBytes(side, part.bytes, place);
        case 'missing':
          side.hasBeginning = side.listener !== undefined && side.hasBeginning;
          return side.listener?.skip(part.count, place) ?? [];
        case 'end':
          return [...(side.listener?.end(place) ?? []), { kind: 'connection', place, event: 'closed' }];
      }
    });
  }

  #hearBytes(side: Side, bytes: Uint8Array, place: Place): Entry[] {
    if (side.listener === undefined && side.hasBeginning && bytes[0] !== MAGIC) {
      this.#verdict = 'other';
      return [];
    }
    side.listener ??= new Listener(this.#conversation, { limits: this.#limits, isStart: side.hasBeginning });
    const entries = side.listener.push(bytes, place);
    if (side.listener.hasSpoken) this.#verdict = 'pvAccess';
    else if (this.#verdict === 'unknown') {
      this.#strangeBytes += bytes.length;
      if (this.#strangeBytes > MAX_STRANGE_BYTES) this.#verdict = 'other';
    }
    return entries;
  }

  /** Keeps entries back until it is known whose they are. */
  #judged(entries: readonly Entry[]): Entry[] {
    if (this.#verdict === 'unknown') {
      this.#withheld = [...this.#withheld, ...entries].slice(0, MAX_WITHHELD);
      return [];
    }
    const withheld = this.#withheld;
    this.#withheld = [];
    return this.#verdict === 'other' ? [] : [...withheld, ...entries];
  }
}

function newSide(endpoint: Endpoint, limits: Limits): Side {
  return { text: endpointText(endpoint), stream: new TcpStream(limits), listener: undefined, hasBeginning: false };
}
