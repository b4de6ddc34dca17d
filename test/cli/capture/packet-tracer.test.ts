// What two peers say is understood from the packets it crossed a network in, whatever happened to them on the way.

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import type { Entry } from '../../../src/cli/capture/entry.ts';
import { traceInput } from '../../../src/cli/capture/input.ts';
import { LeftOut } from '../../../src/cli/capture/packet.ts';
import { DEFAULT_LIMITS, type Limits } from '../../../src/protocol/limits.ts';
import { SeededRandom } from '../../../src/transport/seeded-random.ts';
import * as w from '../../support/capture-writer.ts';
import { hitsLimit } from '../../support/hits-limit.ts';
import { isBytes, loadTranscript, transcriptNames, type RecordedConversation } from '../../support/transcript.ts';
import { fromHex } from '../../support/vectors.ts';

const START_NS = 1_700_000_000_000_000_000n;
const HOST = '127.0.0.1';

/** What of a message must not depend on how its bytes travelled. */
function saidOn(entries: Iterable<Entry>, connection: number | undefined) {
  return [...entries]
    .filter((entry) => entry.kind === 'message')
    .filter(({ place }) => place.connection === connection)
    .map(({ traced: { command, words, part, pvNames, message, problem } }) => ({
      command,
      words,
      part,
      pvNames,
      message,
      problem,
    }));
}

function traced(file: Uint8Array, leftOut = new LeftOut(), limits: Limits = DEFAULT_LIMITS): Entry[] {
  return [...traceInput(file, leftOut, limits)];
}

function transcriptBytes(recorded: RecordedConversation): Uint8Array {
  return Buffer.from(JSON.stringify(recorded));
}

// --- packets of a recorded conversation ------------------------------------------------------------------------

interface Burst {
  readonly ends: w.Ends;
  readonly timeNs: bigint;
  /** Sequence number of the first byte. */
  readonly sequence: number;
  readonly bytes: Buffer;
}

/** Packets that carry the conversation: cut at random, sent twice, and in a burst of one side in any order. */
function packetsOf(recorded: RecordedConversation, random: SeededRandom): readonly w.Frame[] {
  const frames: w.Frame[] = [];
  const sequences = new Map<string, number>();
  let burst: Burst | undefined;
  const wrap = (ends: w.Ends, timeNs: bigint, payload: Buffer, protocol: number): void => {
    frames.push({ timeNs, bytes: w.ethernet(w.ipv4(ends, protocol, payload)) });
  };
  const send = (ends: w.Ends, timeNs: bigint, sequence: number, bytes: Buffer, flags: number): void =>
    wrap(ends, timeNs, w.tcp(ends, sequence, bytes, flags), w.TCP);
  const flush = (): void => {
    if (burst === undefined) return;
    const { ends, timeNs, sequence, bytes } = burst;
    burst = undefined;
    for (const [start, end] of shuffled(pieces(bytes.length, random), random)) {
      send(ends, timeNs, (sequence + start) >>> 0, bytes.subarray(start, end), w.FLAGS.ack);
    }
  };
  const nextOf = (key: string): number => {
    const known = sequences.get(key) ?? Math.floor(random.next() * 0xffff_ffff);
    sequences.set(key, known);
    return known;
  };
  const datagrams = [...recorded.udp];
  const sendDatagrams = (until: number): void => {
    for (let next = datagrams[0]; next !== undefined && next.t <= until; next = datagrams[0]) {
      datagrams.shift();
      const ends = { ...endOf('from', next.src), ...endOf('to', next.dst) };
      wrap(ends, timeOf(next.t), w.udp(ends, fromHex(next.hex)), w.UDP);
    }
  };
  for (const item of recorded.tcp) {
    if ((datagrams[0]?.t ?? Infinity) <= item.t) flush();
    sendDatagrams(item.t);
    const ends = endsOf(recorded, item.conn, item.dir);
    const key = `${item.conn} ${item.dir}`;
    const sequence = nextOf(key);
    if (isBytes(item)) {
      const bytes = Buffer.from(fromHex(item.hex));
      if (burst !== undefined && burst.ends.fromPort === ends.fromPort && burst.ends.toPort === ends.toPort) {
        burst = { ...burst, bytes: Buffer.concat([burst.bytes, bytes]) };
      } else {
        flush();
        burst = { ends, timeNs: timeOf(item.t), sequence, bytes };
      }
      sequences.set(key, (sequence + bytes.length) >>> 0);
      continue;
    }
    flush();
    const nothing = Buffer.alloc(0);
    if (item.event === 'connect') {
      const back = endsOf(recorded, item.conn, 's2c');
      send(ends, timeOf(item.t), (sequence - 1) >>> 0, nothing, w.FLAGS.syn);
      send(back, timeOf(item.t), (nextOf(`${item.conn} s2c`) - 1) >>> 0, nothing, w.FLAGS.syn | w.FLAGS.ack);
    } else send(ends, timeOf(item.t), sequence, nothing, item.event === 'fin' ? w.FLAGS.fin : w.FLAGS.rst);
  }
  flush();
  sendDatagrams(Infinity);
  return frames;
}

/** Ranges that cover `length` bytes: short ones and long ones, some of them twice and overlapping others. */
function pieces(length: number, random: SeededRandom): readonly (readonly [number, number])[] {
  const ranges: (readonly [number, number])[] = [];
  for (let start = 0; start < length;) {
    const longest = random.next() < 0.5 ? 20 : 1_448;
    const end = Math.min(length, start + 1 + Math.floor(random.next() * longest));
    ranges.push([start, end]);
    if (random.next() < 0.2) ranges.push([Math.max(0, start - 10), Math.min(length, end + 10)]);
    start = end;
  }
  return ranges;
}

/** No more than a few places out of order, as routers do it. */
function shuffled<T>(items: readonly T[], random: SeededRandom): readonly T[] {
  return items
    .map((item, index) => ({ item, key: index + random.next() * 6 }))
    .toSorted((one, other) => one.key - other.key)
    .map(({ item }) => item);
}

function endOf<E extends 'from' | 'to'>(end: E, text: string): Record<E, string> & Record<`${E}Port`, number> {
  const [address = '', port = ''] = text.split(':');
  // Both names are made of the same letter.
  return { [end]: address, [`${end}Port`]: Number(port) } as Record<E, string> & Record<`${E}Port`, number>;
}

function endsOf({ connections }: RecordedConversation, conn: number, dir: 'c2s' | 's2c'): w.Ends {
  const { clientPort = 0, serverPort = 0 } = connections.find((connection) => connection.conn === conn) ?? {};
  const [fromPort, toPort] = dir === 'c2s' ? [clientPort, serverPort] : [serverPort, clientPort];
  return { from: HOST, fromPort, to: HOST, toPort };
}

function timeOf(ms: number): bigint {
  return START_NS + BigInt(Math.round(ms * 1_000)) * 1_000n;
}

// --- tests -----------------------------------------------------------------------------------------------------

describe('a recorded conversation', () => {
  it.each(transcriptNames().map((name, index) => [name, index] as const))(
    'says the same in packets that are cut, sent twice and out of order: %s (seed %i)',
    (name, seed) => {
      const recorded = loadTranscript(name);
      const expected = traced(transcriptBytes(recorded));
      const frames = packetsOf(recorded, new SeededRandom(seed));
      const file = seed % 2 === 0 ? w.pcap(frames) : w.pcapng(frames, { isBig: true });
      const leftOut = new LeftOut();
      const found = traced(file, leftOut);
      for (const connection of [undefined, ...recorded.connections.map(({ conn }) => conn)]) {
        expect(saidOn(found, connection)).toEqual(saidOn(expected, connection));
      }
      expect(found.filter(({ kind }) => kind === 'skipped')).toEqual([]);
      expect(expected.filter(({ kind }) => kind === 'skipped')).toEqual([]);
      expect(found.some(({ kind }) => kind === 'message')).toBe(true);
      expect(leftOut.reasons).toEqual([]);
    },
  );

  it('is told with its times, ends and events', () => {
    const recorded = loadTranscript('pvxs-get-double');
    const entries = traced(w.pcap(packetsOf(recorded, new SeededRandom(1))));
    const [search] = entries;
    expect(search?.place).toMatchObject({ sinceStartNs: 0n, timeNs: START_NS, transport: 'udp' });
    expect(search?.place).toMatchObject({ from: '127.0.0.1:53539', to: '127.0.0.1:25121' });
    const events = entries.flatMap((entry) => (entry.kind === 'connection' ? [entry] : []));
    expect(events.map(({ event, place: { from, to, connection } }) => [event, from, to, connection])).toEqual([
      ['opened', '127.0.0.1:39908', '127.0.0.1:25122', 0],
      ['closed', '127.0.0.1:39908', '127.0.0.1:25122', 0],
      ['closed', '127.0.0.1:25122', '127.0.0.1:39908', 0],
    ]);
    expect(events[0]?.place.sinceStartNs).toBe(200_000n);
  });

  it('is understood from any seed', () => {
    const recorded = loadTranscript('base-put-big');
    const expected = saidOn(traced(transcriptBytes(recorded)), 0);
    fc.assert(
      fc.property(fc.nat(), (seed) => {
        expect(saidOn(traced(w.pcap(packetsOf(recorded, new SeededRandom(seed)))), 0)).toEqual(expected);
      }),
      { numRuns: 20 },
    );
  });
});

// Messages of pvxs-get-double.
const SET_BYTE_ORDER = fromHex('ca 02 41 02 00 00 00 00');
const VALIDATED = fromHex('ca 02 40 09 01 00 00 00 ff');
const FROM_SERVER: w.Ends = { from: '10.0.0.1', fromPort: 5075, to: '10.0.0.2', toPort: 40_000 };
const FROM_CLIENT: w.Ends = { from: '10.0.0.2', fromPort: 40_000, to: '10.0.0.1', toPort: 5075 };

const inTcp = (sequence: number, payload: Uint8Array, flags: number = w.FLAGS.ack, ends = FROM_SERVER): w.Frame => ({
  timeNs: START_NS,
  bytes: w.ethernet(w.ipv4(ends, w.TCP, w.tcp(ends, sequence, payload, flags))),
});
const NOTHING = new Uint8Array(0);
const SYN = inTcp(99, NOTHING, w.FLAGS.syn, FROM_CLIENT);
const SYN_ACK = inTcp(99, NOTHING, w.FLAGS.syn | w.FLAGS.ack);

/** One word for each entry. */
function outline(entries: readonly Entry[]): readonly string[] {
  return entries.map((entry) => {
    if (entry.kind === 'message') return entry.traced.command;
    return entry.kind === 'connection' ? entry.event : `${entry.skipped.count}: ${entry.skipped.reason}`;
  });
}

describe('a connection', () => {
  it('that the capture meets in the middle is read from its next message on', () => {
    const file = w.pcap([inTcp(500, VALIDATED.subarray(5)), inTcp(504, SET_BYTE_ORDER), inTcp(512, VALIDATED)]);
    expect(outline(traced(file))).toEqual([
      '4: the capture begins in the middle of the stream',
      'SET_BYTE_ORDER',
      'CONNECTION_VALIDATED',
    ]);
  });

  it('with bytes that were not captured says how many, and goes on', () => {
    const file = w.pcap([SYN, SYN_ACK, inTcp(100, SET_BYTE_ORDER), inTcp(120, VALIDATED), inTcp(129, VALIDATED)]);
    expect(outline(traced(file))).toEqual([
      'opened',
      'SET_BYTE_ORDER',
      '12: not in the capture',
      'CONNECTION_VALIDATED',
      'CONNECTION_VALIDATED',
    ]);
    const cutShort = inTcp(108, Buffer.concat([VALIDATED, VALIDATED]));
    const cutFile = w.pcap([
      SYN,
      SYN_ACK,
      inTcp(100, SET_BYTE_ORDER),
      { ...cutShort, keptBytes: cutShort.bytes.length - 4 },
      inTcp(126, VALIDATED),
    ]);
    expect(outline(traced(cutFile))).toEqual([
      'opened',
      'SET_BYTE_ORDER',
      'CONNECTION_VALIDATED',
      '5: the bytes end within a message',
      '4: not in the capture',
      'CONNECTION_VALIDATED',
    ]);
  });

  it('whose first bytes were not captured is read from its next message on', () => {
    const file = w.pcap([SYN, SYN_ACK, inTcp(105, VALIDATED.subarray(5)), inTcp(109, VALIDATED)]);
    expect(outline(traced(file))).toEqual([
      'opened',
      '4: the capture begins in the middle of the stream',
      'CONNECTION_VALIDATED',
    ]);
  });

  it('may be reset, and be followed by another between the same ends', () => {
    const file = w.pcap([
      SYN,
      SYN_ACK,
      inTcp(100, SET_BYTE_ORDER),
      inTcp(108, VALIDATED.subarray(0, 3)),
      inTcp(111, NOTHING, w.FLAGS.rst),
      inTcp(5_000, NOTHING, w.FLAGS.syn, FROM_CLIENT),
      inTcp(9_000, NOTHING, w.FLAGS.syn | w.FLAGS.ack),
      inTcp(9_001, SET_BYTE_ORDER),
    ]);
    const entries = traced(file);
    expect(outline(entries)).toEqual([
      'opened',
      'SET_BYTE_ORDER',
      'reset',
      '3: the bytes end within a message',
      'opened',
      'SET_BYTE_ORDER',
    ]);
    expect(entries.map(({ place }) => place.connection)).toEqual([0, 0, 0, 0, 1, 1]);
  });

  it('of another protocol is left out and counted once', () => {
    const leftOut = new LeftOut();
    const http = Buffer.from('HTTP/1.1 200 OK');
    expect(traced(w.pcap([SYN, SYN_ACK, inTcp(100, http), inTcp(115, VALIDATED)]), leftOut)).toEqual([]);
    expect(leftOut.reasons).toEqual([{ reason: 'TCP connections that are not pvAccess', count: 1, first: 3 }]);
  });

  it('of another protocol that the capture meets in the middle is left out after a while', () => {
    const leftOut = new LeftOut();
    const noise = Buffer.alloc(200_000, 0x11);
    const frames = Array.from({ length: 8 }, (_, index) => {
      const ends = FROM_SERVER;
      const packet = w.ipv4(ends, w.TCP, w.tcp(ends, index * noise.length, noise), { totalBytes: 0 });
      return { timeNs: START_NS, bytes: w.ethernet(packet) };
    });
    expect(traced(w.pcap(frames), leftOut)).toEqual([]);
    expect(leftOut.reasons).toEqual([{ reason: 'TCP connections that are not pvAccess', count: 1, first: 6 }]);
  });

  it('is forgotten when there are too many, with what was said on it', () => {
    hitsLimit('maxTraceConnections');
    const from = (port: number): w.Frame => {
      const ends = { ...FROM_SERVER, toPort: port };
      return inTcp(1, Buffer.concat([VALIDATED, VALIDATED.subarray(0, 2)]), w.FLAGS.ack, ends);
    };
    const limits = { ...DEFAULT_LIMITS, maxTraceConnections: 1 };
    expect(outline(traced(w.pcap([from(1), from(2)]), new LeftOut(), limits))).toEqual([
      'CONNECTION_VALIDATED',
      'CONNECTION_VALIDATED',
      '2: the bytes end within a message',
      '2: the bytes end within a message',
    ]);
  });
});

describe('a hole before very many messages', () => {
  it('does not overflow anything', () => {
    const many = Buffer.concat(Array.from({ length: 7_000 }, () => SET_BYTE_ORDER));
    const frames = Array.from({ length: 30 }, (_, index) => inTcp(200 + index * many.length, many));
    const entries = traced(w.pcap([SYN, SYN_ACK, inTcp(100, SET_BYTE_ORDER), ...frames]));
    expect(entries).toHaveLength(1 + 1 + 1 + 30 * 7_000);
  });
});

describe('packets that say nothing', () => {
  it('are counted by reason, with the first of each', () => {
    const leftOut = new LeftOut();
    const udpOf = (payload: Uint8Array): Buffer => w.ipv4(FROM_SERVER, w.UDP, w.udp(FROM_SERVER, payload));
    const frames = [
      w.ethernet(udpOf(VALIDATED)),
      w.ethernet(udpOf(Buffer.from('hello'))),
      w.ethernet(w.ipv4(FROM_SERVER, w.UDP, NOTHING, { fragment: 0x2000 })),
      w.ethernet(udpOf(Buffer.from('world'))),
      Buffer.from('short'),
    ].map((bytes) => ({ timeNs: START_NS, bytes }));
    expect(outline(traced(w.pcap(frames), leftOut))).toEqual(['CONNECTION_VALIDATED']);
    expect(leftOut.reasons).toEqual([
      { reason: 'datagrams that are not pvAccess', count: 2, first: 2 },
      { reason: 'IPv4 fragments, which are not joined', count: 1, first: 3 },
      { reason: 'packets that end within their headers', count: 1, first: 5 },
    ]);
  });
});

describe('a file that breaks off', () => {
  it('gives what was said before', () => {
    const file = w.pcap([inTcp(100, Buffer.concat([VALIDATED, VALIDATED.subarray(0, 1)])), inTcp(109, VALIDATED)]);
    const entries: Entry[] = [];
    expect(() => {
      for (const entry of traceInput(file.subarray(0, file.length - 1), new LeftOut())) entries.push(entry);
    }).toThrow(/packet 2 is cut/u);
    expect(outline(entries)).toEqual(['CONNECTION_VALIDATED', '1: the bytes end within a message']);
  });
});

describe('bad input', () => {
  const seeds = ['pvxs-get-double', 'base-ts-rpc-segmented', 'pvxs-ts-list'].map((name) => {
    const frames = packetsOf(loadTranscript(name), new SeededRandom(7));
    return [w.pcap(frames), w.pcapng(frames), w.pcapng(frames, { isBig: true, packets: 'old' })];
  });
  const files = fc.constantFrom(...seeds.flat(), transcriptBytes(loadTranscript('pvxs-get-double')));
  const changes = fc.array(fc.tuple(fc.double({ min: 0, max: 1, noNaN: true }), fc.nat({ max: 255 })), {
    maxLength: 12,
  });

  it('is survived when it is a capture with bytes changed and cut', () => {
    fc.assert(
      fc.property(files, changes, fc.double({ min: 0, max: 1, noNaN: true }), (file, list, kept) => {
        const bytes = Uint8Array.from(file.subarray(0, Math.ceil(file.length * (kept < 0.5 ? 1 : kept))));
        for (const [place, byte] of list) bytes[Math.floor(place * (bytes.length - 1))] = byte;
        expect(survived(bytes)).toBe(true);
      }),
      { numRuns: 300 },
    );
  });

  it('is survived when it is anything', () => {
    const magics = ['', 'd4c3b2a1', 'a1b23c4d', '0a0d0d0a1c0000004d3c2b1a', 'ca02', '7b'].map(fromHex);
    fc.assert(
      fc.property(fc.constantFrom(...magics), fc.uint8Array({ maxLength: 300 }), (magic, rest) => {
        expect(survived(Uint8Array.from([...magic, ...rest]))).toBe(true);
      }),
      { numRuns: 500 },
    );
  });
});

/** Whether the input was read to its end, or refused with an error that says why. */
function survived(bytes: Uint8Array): boolean {
  try {
    return traced(bytes).length >= 0;
  } catch (thrown) {
    return thrown instanceof Error && thrown.name === 'CaptureError' && thrown.message !== '';
  }
}
