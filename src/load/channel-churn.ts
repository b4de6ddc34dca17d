// How fast does a server create channels? Many on one link at once, destroyed when all are there, and again.

import type { PvaError } from '../protocol/errors.ts';
import type { Frame } from '../protocol/framer.ts';
import { HEADER_BYTES } from '../protocol/header.ts';
import type { ServerMessage } from '../protocol/messages/index.ts';
import { isSuccess } from '../protocol/status.ts';
import { LoadLink, type LinkHandlers } from './link.ts';
import type { Workload, WorkloadSettings } from './workload.ts';

const CREATE_CHANNEL = 0x07;
const DESTROY_CHANNEL = 0x08;
/** Two ids and the status of success. */
const CREATED_BYTES = 9;
const STATUS_AT = HEADER_BYTES + 8;
const SHORT_OK = 0xff;
/** Two ids behind a header. */
const DESTROY_BYTES = HEADER_BYTES + 8;

export class ChannelChurn implements Workload {
  readonly #settings: WorkloadSettings;
  readonly #links: LoadLink[] = [];
  readonly #loops: ChurningLink[] = [];

  constructor(settings: WorkloadSettings) {
    this.#settings = settings;
  }

  get isBroken(): boolean {
    return this.#loops.length > 0 && this.#loops.every(({ isLost }) => isLost);
  }

  async open(): Promise<void> {
    const { clients, link } = this.#settings;
    await LoadLink.openMany(clients, link, 'GET', this.#links);
    this.#loops.push(...this.#links.map((each) => new ChurningLink(each, this.#settings)));
  }

  start(): void {
    for (const loop of this.#loops) loop.begin();
  }

  async stop(): Promise<void> {
    const { tally, link } = this.#settings;
    const outstanding = await this.#settings.drained(() => this.#outstanding());
    if (outstanding === 0) return;
    tally.lost += outstanding;
    tally.tell(`${outstanding} channels have no reply after ${link.timeoutMs / 1000} s`);
  }

  close(): void {
    for (const link of this.#links) link.close();
  }

  #outstanding(): number {
    return this.#loops.reduce((sum, { missingCount }) => sum + missingCount, 0);
  }
}

class ChurningLink implements LinkHandlers {
  readonly #link: LoadLink;
  readonly #settings: WorkloadSettings;
  readonly #count: number;
  readonly #creation: Buffer;
  /** One message for each channel, whose server id is filled in when it is known. */
  readonly #destruction: Buffer;
  readonly #destructionView: DataView;
  readonly #isLittle: boolean;
  #view: DataView = new DataView(new ArrayBuffer(0));
  #startedAt = 0;
  #now = 0;
  /** Channels of this round that are not created yet. */
  missingCount = 0;
  isLost = false;

  constructor(link: LoadLink, settings: WorkloadSettings) {
    this.#link = link;
    this.#settings = settings;
    this.#count = settings.channels;
    this.#isLittle = !link.bigEndian;
    const { names } = settings;
    const cids = Array.from({ length: this.#count }, (_, index) => index);
    this.#creation = Buffer.concat(
      cids.map((cid) =>
        link.encode({ command: 'CREATE_CHANNEL', channels: [{ cid, pvName: names[cid % names.length] ?? '' }] }),
      ),
    );
    this.#destruction = Buffer.concat(cids.map((cid) => link.encode({ command: 'DESTROY_CHANNEL', sid: 0, cid })));
    this.#destructionView = new DataView(
      this.#destruction.buffer,
      this.#destruction.byteOffset,
      this.#destruction.length,
    );
    link.handlers = this;
  }

  begin(): void {
    this.missingCount = this.#count;
    this.#startedAt = this.#settings.link.clock.now();
    this.#link.write(this.#creation);
  }

  woken(): void {
    this.#now = this.#settings.link.clock.now();
  }

  raw(command: number, bytes: Buffer, at: number, size: number): boolean {
    if (command === DESTROY_CHANNEL) return true;
    if (command !== CREATE_CHANNEL || size !== CREATED_BYTES || bytes[at + STATUS_AT] !== SHORT_OK) return false;
    if (this.#view.buffer !== bytes.buffer) this.#view = new DataView(bytes.buffer);
    const start = bytes.byteOffset + at + HEADER_BYTES;
    this.#created(this.#view.getUint32(start, this.#isLittle), this.#view.getUint32(start + 4, this.#isLittle));
    return true;
  }

  reply(message: ServerMessage, _frame: Frame): void {
    if (message.command !== 'CREATE_CHANNEL') return;
    if (isSuccess(message.status)) return this.#created(message.cid, message.sid);
    this.#settings.tally.errors++;
    this.#settings.tally.tell(`CREATE_CHANNEL refused: ${message.status.message}`);
    this.#oneLess();
  }

  lost(reason: PvaError): void {
    this.isLost = true;
    this.#settings.tally.errors++;
    this.#settings.tally.lost += this.missingCount;
    this.missingCount = 0;
    this.#settings.tally.tell(reason.message);
  }

  #created(cid: number, sid: number): void {
    const { tally } = this.#settings;
    if (cid >= this.#count || this.missingCount === 0) {
      tally.wrong++;
      return tally.tell(`CREATE_CHANNEL is answered for channel ${cid}, which was not asked for`);
    }
    this.#destructionView.setUint32(cid * DESTROY_BYTES + HEADER_BYTES, sid, this.#isLittle);
    if (tally.isCounting) {
      tally.operations++;
      tally.bytes += HEADER_BYTES + CREATED_BYTES;
      tally.latency.add(this.#now - this.#startedAt);
    }
    this.#oneLess();
  }

  #oneLess(): void {
    this.missingCount--;
    if (this.missingCount > 0) return;
    // Read again at once, so that the server gets both in one read; the bytes are changed only by its answers.
    this.#link.write(this.#destruction);
    if (this.#settings.tally.isCounting) this.begin();
  }
}
