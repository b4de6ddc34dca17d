// What is said in a recorded conversation, as the test vectors of this project keep them?
//
// Format: test/vectors/README.md, "transcripts". Whole messages with their times, datagrams and connections apart.

import { z } from 'zod';

import { Conversation, DEFAULT_LIMITS, reasonOf, SearchedNames, type Limits } from '../../protocol/index.ts';
import { CaptureError } from './capture-error.ts';
import type { Entry, Place } from './entry.ts';
import { hearDatagram, Listener } from './listener.ts';

const NS_PER_MS = 1_000_000;
/** A year: later a conversation does not go on, and nanoseconds stay exact. */
const MAX_MS = 366 * 86_400_000;

const time = z.number().min(0).max(MAX_MS);
const hex = z.string().regex(/^(?:[0-9a-f]{2})*$/iu, 'two hexadecimal digits a byte expected');
const direction = z.enum(['c2s', 's2c']);
const port = z.number().int().min(0).max(0xffff);

const TRANSCRIPT = z.object({
  connections: z.array(z.object({ conn: z.number().int(), clientPort: port, serverPort: port })).default([]),
  udp: z.array(z.object({ t: time, src: z.string(), dst: z.string(), hex })).default([]),
  tcp: z
    .array(
      z.union([
        z.object({ conn: z.number().int(), t: time, dir: direction, hex }),
        z.object({ conn: z.number().int(), t: time, dir: direction, event: z.enum(['connect', 'fin', 'rst']) }),
      ]),
    )
    .default([]),
});

type Transcript = z.output<typeof TRANSCRIPT>;
type TcpItem = Transcript['tcp'][number];

const EVENTS = { connect: 'opened', fin: 'closed', rst: 'reset' } as const;

/** The entries in the order of time. Throws `CaptureError` if the text is no such recording. */
export function* traceTranscript(text: string, limits: Limits = DEFAULT_LIMITS): Generator<Entry, void> {
  const { connections, udp, tcp } = parse(text);
  const searched = new SearchedNames(limits);
  const links = new Links(connections, limits);
  const waiting = [...udp];
  for (const item of tcp) {
    while ((waiting[0]?.t ?? Infinity) <= item.t) yield* hearUdp(waiting.shift(), searched, limits);
    yield* links.hear(item);
  }
  for (const datagram of waiting) yield* hearUdp(datagram, searched, limits);
  yield* links.end();
}

function parse(text: string): Transcript {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (thrown) {
    throw new CaptureError(`the text begins like JSON and is none: ${reasonOf(thrown)}`);
  }
  const parsed = TRANSCRIPT.safeParse(json);
  if (parsed.success && parsed.data.udp.length + parsed.data.tcp.length > 0) return parsed.data;
  const [issue] = parsed.error?.issues ?? [];
  const what = issue === undefined ? 'neither "udp" nor "tcp" in it' : `${issue.path.join('.')}: ${issue.message}`;
  throw new CaptureError(`JSON, but no recorded conversation: ${what}`);
}

function hearUdp(datagram: Transcript['udp'][number] | undefined, searched: SearchedNames, limits: Limits): Entry[] {
  if (datagram === undefined) return [];
  const { t, src, dst, hex } = datagram;
  const toPort = Number(/:(\d{1,5})$/u.exec(dst)?.[1] ?? 0);
  const place: Place = { ...timesOf(t), transport: 'udp', connection: undefined, from: src, to: dst };
  return hearDatagram(bytesOf(hex), { limits, searched, toPort }, place);
}

/** The connections, of which only the ports are known. */
class Links {
  readonly #ports: ReadonlyMap<number, { readonly c2s: string; readonly s2c: string }>;
  readonly #limits: Limits;
  readonly #links = new Map<number, { readonly c2s: Listener; readonly s2c: Listener }>();
  #lastMs = 0;

  constructor(connections: Transcript['connections'], limits: Limits) {
    this.#ports = new Map(
      connections.map(({ conn, clientPort, serverPort }) => [conn, { c2s: `:${clientPort}`, s2c: `:${serverPort}` }]),
    );
    this.#limits = limits;
  }

  hear(item: TcpItem): Entry[] {
    this.#lastMs = item.t;
    const place = this.#place(item.conn, item.dir);
    if ('event' in item) return [{ kind: 'connection', place, event: EVENTS[item.event] }];
    return this.#link(item.conn)[item.dir].push(bytesOf(item.hex), place);
  }

  end(): Entry[] {
    return [...this.#links].flatMap(([conn, link]) =>
      (['c2s', 's2c'] as const).flatMap((dir) => link[dir].end(this.#place(conn, dir))),
    );
  }

  #link(conn: number): { readonly c2s: Listener; readonly s2c: Listener } {
    const known = this.#links.get(conn);
    if (known !== undefined) return known;
    const conversation = new Conversation({ limits: this.#limits });
    const options = { limits: this.#limits };
    const link = {
      c2s: new Listener(conversation, { ...options, fromServer: false }),
      s2c: new Listener(conversation, { ...options, fromServer: true }),
    };
    this.#links.set(conn, link);
    return link;
  }

  #place(conn: number, dir: 'c2s' | 's2c'): Place {
    const ports = this.#ports.get(conn);
    const ends = { from: ports?.[dir] ?? '', to: ports?.[dir === 'c2s' ? 's2c' : 'c2s'] ?? '' };
    return { ...timesOf(this.#lastMs), transport: 'tcp', connection: conn, ...ends };
  }
}

function timesOf(ms: number): Pick<Place, 'sinceStartNs' | 'timeNs'> {
  return { sinceStartNs: BigInt(Math.round(ms * NS_PER_MS)), timeNs: undefined };
}

function bytesOf(hex: string): Uint8Array {
  return new Uint8Array(Buffer.from(hex, 'hex'));
}
