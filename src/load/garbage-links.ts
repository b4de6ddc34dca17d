// What else may come to a server's port? Links that say nothing, noise, half a message, or a conversation that goes wrong.

import type { Codec } from '../protocol/codecs/codec.ts';
import { HEADER_BYTES, MAGIC } from '../protocol/header.ts';
import { encodeMessage, type ClientMessageToSend } from '../protocol/messages/index.ts';
import { SUBCOMMAND_INIT } from '../protocol/messages/subcommand.ts';
import { parsePvRequest } from '../protocol/pv-request.ts';
import { Writer } from '../protocol/writer.ts';
import type { TcpConnection } from '../transport/network.ts';
import type { SeededRandom } from '../transport/seeded-random.ts';
import type { LinkSettings } from './link.ts';
import { waited } from './pace.ts';

type Speech = (random: SeededRandom, pvName: string, codec: Codec) => Buffer;

const MOST_NOISE_BYTES = 4_096;
const MOST_ACCIDENTS = 8;
/** Some links stay for a while, silent, as those of clients whose host has died do. */
const LONGEST_STAY_MS = 2_000;
const VERSION = 2;
/** Of a message of a client, in the server's usual byte order. */
const PLAIN_FLAGS = 0x00;

const SPEECHES: readonly Speech[] = [silence, noise, noiseInFrames, halfMessage, spoiledConversation];

export class GarbageLinks {
  readonly #settings: LinkSettings;
  readonly #random: SeededRandom;
  readonly #open = new Set<TcpConnection>();
  count = 0;

  constructor(settings: LinkSettings, random: SeededRandom) {
    this.#settings = settings;
    this.#random = random;
  }

  /** Opens one link, says something, and leaves. What the server thinks of it is not asked; that it takes it, is. */
  async next(pvName: string): Promise<void> {
    const { network, server, timeoutMs, clock, links, codec } = this.#settings;
    const speech = SPEECHES[Math.floor(this.#random.next() * SPEECHES.length)] ?? silence;
    const bytes = speech(this.#random, pvName, codec);
    const stayMs = this.#random.size(1, LONGEST_STAY_MS);
    const tcp = await links.connecting((signal) => network.connectTcp(server, { timeoutMs, signal }));
    this.count++;
    this.#open.add(tcp);
    tcp.listen({ data: () => {}, drain: () => {}, close: () => this.#open.delete(tcp) });
    const half = Math.floor(this.#random.next() * bytes.length);
    tcp.write(bytes.subarray(0, half));
    await waited(stayMs / 2, clock);
    tcp.write(bytes.subarray(half));
    await waited(stayMs / 2, clock);
    if (this.#random.chance(1 / 2)) tcp.end();
    else tcp.destroy();
  }

  close(): void {
    for (const tcp of this.#open) tcp.destroy();
  }
}

function silence(): Buffer {
  return Buffer.alloc(0);
}

function noise(random: SeededRandom): Buffer {
  return Buffer.from(Array.from({ length: random.size(1, MOST_NOISE_BYTES) }, () => Math.floor(random.next() * 256)));
}

/** Every command there is, and those there are not, with bodies that mean nothing. */
function noiseInFrames(random: SeededRandom): Buffer {
  return Buffer.concat(
    Array.from({ length: random.size(1, 20) }, () => {
      const body = noise(random).subarray(0, 200);
      const header = Buffer.from([MAGIC, VERSION, PLAIN_FLAGS, Math.floor(random.next() * 24), 0, 0, 0, 0]);
      header.writeUInt32LE(body.length, HEADER_BYTES - 4);
      return Buffer.concat([header, body]);
    }),
  );
}

/** Its header promises more than ever comes. */
function halfMessage(random: SeededRandom, pvName: string, codec: Codec): Buffer {
  const bytes = conversation(pvName, codec);
  return bytes.subarray(0, Math.floor(random.next() * bytes.length));
}

function spoiledConversation(random: SeededRandom, pvName: string, codec: Codec): Buffer {
  const bytes = conversation(pvName, codec);
  for (let accidents = random.size(1, MOST_ACCIDENTS); accidents > 0; accidents--) {
    bytes[Math.floor(random.next() * bytes.length)] = Math.floor(random.next() * 256);
  }
  return bytes;
}

/** What a client says that does not wait for answers; the ids are those that a server is likely to give. */
function conversation(pvName: string, codec: Codec): Buffer {
  const pvRequest = parsePvRequest('');
  const messages: readonly ClientMessageToSend[] = [
    {
      command: 'CONNECTION_VALIDATION',
      receiveBufferBytes: 0x1_0000,
      registrySize: 0x7fff,
      qos: 0,
      method: 'anonymous',
      credentials: null,
    },
    { command: 'CREATE_CHANNEL', channels: [{ cid: 1, pvName }] },
    { command: 'GET', phase: 'init', sid: 1, ioid: 1, subcommand: SUBCOMMAND_INIT, pvRequest },
    { command: 'MONITOR', phase: 'init', sid: 1, ioid: 2, subcommand: SUBCOMMAND_INIT, pvRequest, window: 0 },
    { command: 'GET', phase: 'exec', sid: 1, ioid: 1, subcommand: 0 },
    { command: 'DESTROY_REQUEST', sid: 1, ioid: 2 },
    { command: 'DESTROY_CHANNEL', sid: 1, cid: 1 },
  ];
  const writer = new Writer(codec.orderOf(false));
  for (const message of messages) encodeMessage(writer, message, { fromServer: false, codec });
  return Buffer.from(writer.copy());
}
