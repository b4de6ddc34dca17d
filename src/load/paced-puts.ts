// How do PVs change at a rate, so that everybody who watches knows when each value was put? One link puts them all in turn.

import { counted } from '../protocol/counted.ts';
import { LocalProtocolError, type PvaError } from '../protocol/errors.ts';
import type { ServerMessage } from '../protocol/messages/index.ts';
import { isSuccess } from '../protocol/status.ts';
import type { TimerHandle } from '../transport/clocks.ts';
import { LEAST_COUNT, PUT_REQUEST, putBytes, requireValue } from './ledger.ts';
import { LoadLink, type LinkHandlers } from './link.ts';
import { putFormOf, type ValueForm } from './put-request.ts';
import type { WorkloadSettings } from './workload.ts';

interface CountedPv {
  readonly pvName: string;
  readonly ioid: number;
  readonly form: ValueForm;
  readonly message: (value: number) => Buffer;
  /** The value that was sent last; then the ones that the server has answered and acknowledged last. */
  value: number;
  answered: number;
  acknowledged: number;
  /** By value, the newest ones. */
  readonly sentAt: Float64Array;
}

const PACE_MS = 1;
const MS_PER_SECOND = 1_000;
/** Updates that are later than this many puts have no delay any more. */
const REMEMBERED = 65_536;
/** A server that is slower than the rate is not buried under puts. */
const MOST_UNDER_WAY = 1_000;
/** Behind the ids of the puts. */
const FIRST_GET = 0x1000_0000;

export class PacedPuts implements LinkHandlers {
  readonly #settings: WorkloadSettings;
  readonly #rate: number;
  readonly #pvs: CountedPv[] = [];
  readonly #byName = new Map<string, CountedPv>();
  #link: LoadLink | undefined;
  #timer: TimerHandle | undefined;
  #answeredCount = 0;
  sentCount = 0;
  isLost = false;

  constructor(settings: WorkloadSettings, rate: number) {
    this.#settings = settings;
    this.#rate = rate;
  }

  /** Rejects when a PV is not there, or takes no puts that can be counted. */
  async open(): Promise<void> {
    const { names, request, link: settings } = this.#settings;
    const link = await LoadLink.open(settings, 'PUT');
    this.#link = link;
    for (const [index, pvName] of [...new Set(names)].entries()) {
      const ioid = index + 1;
      const sid = await link.createChannel(ioid, pvName);
      const type = await link.init('PUT', sid, ioid, PUT_REQUEST, pvName);
      const form = putFormOf(pvName, type, settings.codec);
      if (form.count < LEAST_COUNT) {
        throw new LocalProtocolError(
          `${pvName}: its values are too small to be counted up; a PV of int or double is needed`,
        );
      }
      const message = (value: number): Buffer => putBytes(link, { sid, ioid, type, form, value });
      await requireValue(link, sid, { ioid: FIRST_GET + index, pvName, request });
      // So that a PV that refuses is known before anything is measured.
      await link.put(ioid, pvName, message(0));
      const pv = {
        pvName,
        ioid,
        form,
        message,
        value: 0,
        answered: 0,
        acknowledged: 0,
        sentAt: new Float64Array(REMEMBERED),
      };
      this.#pvs[ioid] = pv;
      this.#byName.set(pvName, pv);
    }
    link.handlers = this;
  }

  start(): void {
    const { clock } = this.#settings.link;
    const pvs = [...this.#byName.values()];
    let at = clock.now();
    let due = 0;
    let turn = 0;
    this.#timer = clock.every(PACE_MS, () => {
      const now = clock.now();
      due = Math.min(MOST_UNDER_WAY, due + ((now - at) * this.#rate) / MS_PER_SECOND);
      at = now;
      const messages: Buffer[] = [];
      for (; due >= 1 && this.sentCount - this.#answeredCount < MOST_UNDER_WAY; due--) {
        const pv = pvs[turn++ % pvs.length];
        if (pv === undefined || pv.value + 1 >= pv.form.count) break;
        pv.value++;
        pv.sentAt[pv.value % REMEMBERED] = now;
        this.sentCount++;
        messages.push(pv.message(pv.value));
      }
      if (messages.length > 0) this.#link?.write(Buffer.concat(messages));
    });
  }

  stop(): void {
    this.#timer?.cancel();
  }

  /** Waits until all puts are acknowledged; those that are not are lost. */
  async settled(): Promise<void> {
    const { tally } = this.#settings;
    const left = await this.#settings.drained(() => (this.isLost ? 0 : this.sentCount - this.#answeredCount));
    if (left === 0) return;
    tally.lost += left;
    tally.tell(`${counted(left, 'put was', 'puts were')} not acknowledged`);
  }

  close(): void {
    this.stop();
    this.#link?.close();
  }

  /** When this value was put; NaN when that is not known. */
  sentAt(pvName: string, value: number): number {
    const pv = this.#byName.get(pvName);
    if (pv === undefined || !(value > 0 && value <= pv.value && value > pv.value - REMEMBERED)) return Number.NaN;
    return pv.sentAt[value % REMEMBERED] ?? Number.NaN;
  }

  /** Whether a PV may have this value, now that nothing more is put: the last one acknowledged, or one never answered. */
  isLast(pvName: string, value: number): boolean {
    const pv = this.#byName.get(pvName);
    return pv !== undefined && (value === pv.acknowledged || (value > pv.answered && value <= pv.value));
  }

  reply(message: ServerMessage): void {
    const { tally } = this.#settings;
    if (message.command !== 'PUT' || message.phase !== 'exec') return;
    const pv = this.#pvs[message.ioid];
    if (pv === undefined) return;
    this.#answeredCount++;
    // Replies to one request come in the order in which it was made.
    pv.answered++;
    if (isSuccess(message.status)) return void (pv.acknowledged = pv.answered);
    tally.errors++;
    tally.tell(`${pv.pvName}: PUT refused: ${message.status.message}`);
  }

  lost(reason: PvaError): void {
    this.isLost = true;
    this.#timer?.cancel();
    this.#settings.tally.errors++;
    this.#settings.tally.tell(reason.message);
  }
}
