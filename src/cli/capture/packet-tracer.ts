// What is said in the packets of a capture, whatever network they crossed?

import { DEFAULT_LIMITS, SearchedNames, TruncatedError, type Limits } from '../../protocol/index.ts';
import type { Entry, Place } from './entry.ts';
import { endpointText, transportOf, type Datagram, type Segment } from './ip.ts';
import { ipPacketOf } from './link-layer.ts';
import { hearDatagram } from './listener.ts';
import type { LeftOut, Packet } from './packet.ts';
import { TcpConnection } from './tcp-connection.ts';

type Times = Pick<Place, 'sinceStartNs' | 'timeNs'>;

/** The entries of all packets in order; `leftOut` is told what is none of pvAccess. */
export function* tracePackets(
  packets: Iterable<Packet>,
  leftOut: LeftOut,
  limits: Limits = DEFAULT_LIMITS,
): Generator<Entry, void> {
  const tracer = new PacketTracer(leftOut, limits);
  try {
    for (const packet of packets) yield* tracer.push(packet);
  } finally {
    // Also when the file breaks off: what was heard up to there counts.
    yield* tracer.end();
  }
}

class PacketTracer {
  readonly #leftOut: LeftOut;
  readonly #limits: Limits;
  readonly #searched: SearchedNames;
  /** In the order in which they were last heard. */
  readonly #connections = new Map<string, TcpConnection>();
  #connectionCount = 0;
  #startNs: bigint | undefined;

  constructor(leftOut: LeftOut, limits: Limits) {
    this.#leftOut = leftOut;
    this.#limits = limits;
    this.#searched = new SearchedNames(limits);
  }

  push(packet: Packet): Entry[] {
    this.#startNs ??= packet.timeNs;
    const times: Times = { sinceStartNs: packet.timeNs - this.#startNs, timeNs: packet.timeNs };
    const found = contentOf(packet);
    if (typeof found === 'string') {
      this.#leftOut.add(found, packet.number);
      return [];
    }
    return found.kind === 'udp' ? this.#hearDatagram(found, times, packet) : this.#hearSegment(found, times, packet);
  }

  end(): Entry[] {
    const entries = [...this.#connections.values()].flatMap((connection) => connection.end());
    this.#connections.clear();
    return entries;
  }

  #hearDatagram({ from, to, payload }: Datagram, times: Times, packet: Packet): Entry[] {
    const ends = { from: endpointText(from), to: endpointText(to) };
    const place: Place = { ...times, transport: 'udp', connection: undefined, ...ends };
    const options = { limits: this.#limits, searched: this.#searched, toPort: to.port };
    const entries = hearDatagram(payload, options, place);
    if (entries.length === 0) this.#leftOut.add('datagrams that are not pvAccess', packet.number);
    return entries;
  }

  #hearSegment(segment: Segment, times: Times, packet: Packet): Entry[] {
    const key = [endpointText(segment.from), endpointText(segment.to)].toSorted().join(' ');
    const known = this.#connections.get(key);
    const isKnown = known !== undefined && !known.isReplacedBy(segment);
    const last = isKnown ? [] : (known?.end() ?? []);
    const connection = isKnown ? known : new TcpConnection(this.#connectionCount++, segment, this.#limits);
    // To the end of the row: the one that was silent longest is the first to be forgotten.
    this.#connections.delete(key);
    this.#connections.set(key, connection);
    const before = connection.verdict;
    const entries = connection.push(segment, times);
    if (connection.verdict === 'other' && before !== 'other') {
      this.#leftOut.add('TCP connections that are not pvAccess', packet.number);
    }
    return [...last, ...entries, ...this.#forgetOldest()];
  }

  #forgetOldest(): Entry[] {
    if (this.#connections.size <= this.#limits.maxTraceConnections) return [];
    for (const [key, connection] of this.#connections) {
      this.#connections.delete(key);
      return connection.end();
    }
    return [];
  }
}

/** What a packet carries, or why it is left out. */
function contentOf({ linkType, bytes, cutBytes }: Packet): Segment | Datagram | string {
  try {
    const ip = ipPacketOf(linkType, bytes);
    return typeof ip === 'string' ? ip : transportOf(ip, cutBytes);
  } catch (thrown) {
    if (thrown instanceof TruncatedError) return 'packets that end within their headers';
    throw thrown;
  }
}
