// How fast does a server create channels? Many on one link at once, destroyed when all are there, and again.

import { pva } from '../protocol/codecs/pva.ts';
import { counted } from '../protocol/counted.ts';
import type { PvaError } from '../protocol/errors.ts';
import type { Frame } from '../protocol/framer.ts';
import { HEADER_BYTES } from '../protocol/header.ts';
import type { ServerMessage } from '../protocol/messages/index.ts';
import { isSuccess } from '../protocol/status.ts';
import { bodyFormOf, WIDEST_ID } from './body-form.ts';
import { LoadLink, type LinkHandlers } from './link.ts';
import type { Workload, WorkloadSettings } from './workload.ts';

const CREATE_CHANNEL = 0x07;
const DESTROY_CHANNEL = 0x08;
/** In pvAccess: two ids and the status of success. */
const CREATED_BYTES = 9;
const SID_AT = HEADER_BYTES + 4;
const STATUS_AT = SID_AT + 4;
const SHORT_OK = 0xff;

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
    tally.tell(`${counted(outstanding, 'channel has', 'channels have')} no reply after ${link.timeoutMs / 1000} s`);
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
  /** By channel: where that is. */
  readonly #sidAt: readonly number[];
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
    const destructions = cids.map((cid) => link.encode({ command: 'DESTROY_CHANNEL', sid: WIDEST_ID, cid }));
    const { wideIdAt } = bodyFormOf(link.codec);
    let end = 0;
    this.#sidAt = destructions.map(({ length }) => {
      end += length;
      return end - length + HEADER_BYTES + wideIdAt;
    });
    this.#destruction = Buffer.concat(destructions);
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

  raw(command: number, cid: number, bytes: Buffer, at: number, size: number): boolean {
    if (command === DESTROY_CHANNEL) return true;
    if (this.#link.codec !== pva || command !== CREATE_CHANNEL) return false;
    if (size !== CREATED_BYTES || bytes[at + STATUS_AT] !== SHORT_OK) return false;
    if (this.#view.buffer !== bytes.buffer) this.#view = new DataView(bytes.buffer);
    this.#created(cid, this.#view.getUint32(bytes.byteOffset + at + SID_AT, this.#isLittle), size);
    return true;
  }

  reply(message: ServerMessage, { body }: Frame): void {
    if (message.command !== 'CREATE_CHANNEL') return;
    if (isSuccess(message.status)) return this.#created(message.cid, message.sid, body.length);
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

  #created(cid: number, sid: number, bodyBytes: number): void {
    const { tally } = this.#settings;
    if (cid >= this.#count || this.missingCount === 0) {
      tally.wrong++;
      return tally.tell(`CREATE_CHANNEL is answered for channel ${cid}, which was not asked for`);
    }
    this.#destructionView.setUint32(this.#sidAt[cid] ?? 0, sid, this.#isLittle);
    if (tally.isCounting) {
      tally.operations++;
      tally.bytes += HEADER_BYTES + bodyBytes;
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
