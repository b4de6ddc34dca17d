// How many names a second does a server find? Searches by UDP, many names in each datagram, many datagrams under way.

import { HEADER_BYTES, MAGIC } from '../protocol/header.ts';
import { encodeMessage } from '../protocol/messages/index.ts';
import { SEARCH_UNICAST } from '../protocol/messages/search.ts';
import { searchResponse } from '../protocol/messages/search-response.ts';
import { Writer } from '../protocol/writer.ts';
import { ANY_IPV4, ANY_IPV6 } from '../protocol/address.ts';
import type { TimerHandle } from '../transport/clocks.ts';
import { endpointText } from '../transport/network-error.ts';
import type { UdpSocket } from '../transport/network.ts';
import type { Workload, WorkloadSettings } from './workload.ts';

const BIG_ENDIAN = 0x80;
const SEARCH_RESPONSE = searchResponse.code;
const GUID_BYTES = 12;
const SEQUENCE_AT = HEADER_BYTES + GUID_BYTES;
/** Behind the sequence id, the address and the port. */
const PROTOCOL_AT = SEQUENCE_AT + 4 + 16 + 2;
/** Of the sequence id: which slot; the rest counts the searches of the slot, so that late answers are told apart. */
const SLOT_BITS = 16;
const SLOT_MASK = 0xffff;
/** UDP loses datagrams: after this an answer is counted as lost and the next search goes out. */
const LOST_MS = 250;
const LOOK_MS = 20;
const MS_PER_SECOND = 1_000;

interface Slot {
  readonly socket: UdpSocket;
  readonly index: number;
  readonly datagram: Buffer;
  readonly nameCount: number;
  /** By the id of a name: the search in which it was answered last. */
  readonly answeredIn: Uint32Array;
  search: number;
  missingCount: number;
  sentAt: number;
  /** With a rate: the next search of this slot, while it waits for its turn. */
  next: TimerHandle | undefined;
}

export class Searches implements Workload {
  readonly #settings: WorkloadSettings;
  readonly #sockets: UdpSocket[] = [];
  readonly #slots: Slot[] = [];
  #timer: TimerHandle | undefined;
  #isRunning = false;
  /** From one search of a slot to its next. */
  readonly #gapMs: number;
  readonly isBroken = false;

  constructor(settings: WorkloadSettings) {
    this.#settings = settings;
    const { rate, clients, depth } = settings;
    this.#gapMs = rate === undefined ? 0 : (clients * depth * MS_PER_SECOND) / rate;
  }

  async open(): Promise<void> {
    const { clients, depth, tally, link } = this.#settings;
    const address = link.server.address.includes(':') ? ANY_IPV6 : ANY_IPV4;
    for (let client = 0; client < clients; client++) {
      const socket = await link.network.bindUdp(
        { address, port: 0 },
        {
          message: (bytes) => this.#heard(bytes),
          error: (error) => {
            tally.errors++;
            tally.tell(error.message);
          },
        },
      );
      this.#sockets.push(socket);
      for (let index = 0; index < depth; index++) this.#slots.push(this.#slot(socket, this.#slots.length));
    }
  }

  start(): void {
    this.#isRunning = true;
    const now = this.#settings.link.clock.now();
    // With a rate not all at once, but one after the other.
    for (const slot of this.#slots) {
      if (this.#gapMs === 0) this.#search(slot, now);
      else this.#searchLater(slot, (slot.index * this.#gapMs) / this.#slots.length);
    }
    this.#timer = this.#settings.link.clock.every(LOOK_MS, () => this.#lookForLost());
  }

  async stop(): Promise<void> {
    this.#isRunning = false;
    for (const { next } of this.#slots) next?.cancel();
    await this.#settings.drained(() => this.#slots.reduce((sum, { missingCount }) => sum + missingCount, 0));
    this.#timer?.cancel();
  }

  close(): void {
    this.#timer?.cancel();
    for (const { next } of this.#slots) next?.cancel();
    for (const socket of this.#sockets) socket.close();
  }

  // -------------------------------------------------------------------------------------------------------------

  #slot(socket: UdpSocket, index: number): Slot {
    const { names, namesPerDatagram } = this.#settings;
    const writer = new Writer(false);
    encodeMessage(
      writer,
      {
        command: 'SEARCH',
        sequenceId: 0,
        flags: SEARCH_UNICAST,
        responseAddress: '::',
        responsePort: socket.local.port,
        protocols: ['tcp'],
        names: Array.from({ length: namesPerDatagram }, (_, id) => ({
          instanceId: id,
          pvName: names[(index * namesPerDatagram + id) % names.length] ?? '',
        })),
      },
      { fromServer: false },
    );
    return {
      socket,
      index,
      datagram: Buffer.from(writer.copy()),
      nameCount: namesPerDatagram,
      answeredIn: new Uint32Array(namesPerDatagram),
      search: 0,
      missingCount: 0,
      sentAt: 0,
      next: undefined,
    };
  }

  #searchAgain(slot: Slot, now: number): void {
    if (!this.#isRunning) return;
    const restMs = this.#gapMs - (now - slot.sentAt);
    if (restMs <= 0) this.#search(slot, now);
    else this.#searchLater(slot, restMs);
  }

  #searchLater(slot: Slot, ms: number): void {
    slot.next = this.#settings.link.clock.after(ms, () => this.#search(slot, this.#settings.link.clock.now()));
  }

  #search(slot: Slot, now: number): void {
    slot.search++;
    slot.missingCount = slot.nameCount;
    slot.sentAt = now;
    // The datagram before is out: it was answered, or it is a quarter of a second old.
    slot.datagram.writeUInt32LE(((slot.search << SLOT_BITS) | slot.index) >>> 0, HEADER_BYTES);
    slot.socket.send(slot.datagram, this.#settings.link.server);
  }

  #heard(bytes: Uint8Array): void {
    const isLittle = ((bytes[2] ?? 0) & BIG_ENDIAN) === 0;
    if (bytes.length < PROTOCOL_AT + 5 || bytes[0] !== MAGIC || bytes[3] !== SEARCH_RESPONSE) return;
    const sequence = u32(bytes, SEQUENCE_AT, isLittle);
    const slot = this.#slots[sequence & SLOT_MASK];
    // Too late: it was counted as lost.
    if (slot === undefined || sequence >>> SLOT_BITS !== (slot.search & SLOT_MASK)) return;
    const foundAt = PROTOCOL_AT + 1 + (bytes[PROTOCOL_AT] ?? 0);
    const count = isLittle
      ? (bytes[foundAt + 1] ?? 0) | ((bytes[foundAt + 2] ?? 0) << 8)
      : ((bytes[foundAt + 1] ?? 0) << 8) | (bytes[foundAt + 2] ?? 0);
    if (bytes[foundAt] !== 1 || foundAt + 3 + count * 4 > bytes.length) return this.#isWrong('a search found nothing');
    for (let index = 0; index < count; index++) this.#found(slot, u32(bytes, foundAt + 3 + index * 4, isLittle));
    if (slot.missingCount > 0) return;
    const { tally, link } = this.#settings;
    const now = link.clock.now();
    if (tally.isCounting) {
      tally.operations += slot.nameCount;
      tally.bytes += bytes.length;
      tally.latency.add(now - slot.sentAt);
    }
    this.#searchAgain(slot, now);
  }

  #found(slot: Slot, id: number): void {
    if (id >= slot.nameCount) return this.#isWrong(`a name was found that was not asked for (id ${id})`);
    // pvxs answers what it hears from itself by multicast once more.
    if (slot.answeredIn[id] === slot.search) return;
    slot.answeredIn[id] = slot.search;
    slot.missingCount--;
  }

  #isWrong(problem: string): void {
    this.#settings.tally.wrong++;
    this.#settings.tally.tell(problem);
  }

  #lookForLost(): void {
    const { tally, link } = this.#settings;
    const now = link.clock.now();
    for (const slot of this.#slots) {
      if (slot.missingCount === 0 || now - slot.sentAt < LOST_MS) continue;
      tally.lost += slot.missingCount;
      tally.tell(`names were not answered within ${LOST_MS} ms by UDP port ${endpointText(link.server)}`);
      slot.missingCount = 0;
      this.#searchAgain(slot, now);
    }
  }
}

function u32(bytes: Uint8Array, at: number, isLittle: boolean): number {
  const first = bytes[at] ?? 0;
  const second = bytes[at + 1] ?? 0;
  const third = bytes[at + 2] ?? 0;
  const fourth = bytes[at + 3] ?? 0;
  return isLittle
    ? (first | (second << 8) | (third << 16) | (fourth << 24)) >>> 0
    : ((first << 24) | (second << 16) | (third << 8) | fourth) >>> 0;
}
