// What does one connection hear of the PVs that it watches? Counters have to go up by one; what the server left out it has to say.

import { pva } from '../protocol/codecs/pva.ts';
import type { PvaError } from '../protocol/errors.ts';
import type { Frame } from '../protocol/framer.ts';
import { HEADER_BYTES } from '../protocol/header.ts';
import type { ServerMessage } from '../protocol/messages/index.ts';
import type { MonitorUpdateReply } from '../protocol/messages/monitor.ts';
import { SUBCOMMAND_START } from '../protocol/messages/subcommand.ts';
import { parsePvRequest } from '../protocol/pv-request.ts';
import type { StructureType } from '../protocol/types/type-desc.ts';
import type { PvValue, StructureValue } from '../protocol/types/value-of.ts';
import type { Clock } from '../transport/clocks.ts';
import {
  counterFormOf,
  counterIn,
  counterLayoutOf,
  packedCounterLayoutOf,
  counterStep,
  valueBitOf,
  type CounterForm,
  type CounterLayout,
} from './counter-layout.ts';
import { COMMAND_CODES, endsSubscription, type LinkHandlers, type LoadLink } from './link.ts';
import type { WorkloadSettings } from './workload.ts';

/** One PV on one connection. */
interface Subscription {
  readonly pvName: string;
  readonly ioid: number;
  readonly sid: number;
  readonly form: CounterForm | undefined;
  readonly valueBit: number;
  readonly type: StructureType;
  /** Whether its values count up: known from the first step of one, or when there is none for a while. */
  kind: 'unknown' | 'counter' | 'other';
  otherSteps: number;
  layout: CounterLayout | undefined;
  /** Counter of the update before. */
  before: number | undefined;
  cameAt: number;
}

/** What a connection that watches takes of a scenario's settings. */
export interface MonitorSettings extends Pick<WorkloadSettings, 'names' | 'request' | 'tally'> {
  readonly link: { readonly clock: Clock };
  /** How long an update that carries this counter was under way; default: since the update before. NaN is not counted. */
  readonly latencyOf?: (pvName: string, counter: number, now: number) => number;
}

/** A counter may have stood still until we came, and its first values may have been squashed. */
const STEPS_TO_SETTLE = 10;

export class MonitorLink implements LinkHandlers {
  readonly #link: LoadLink;
  readonly #settings: MonitorSettings;
  readonly #byIoid: (Subscription | undefined)[] = [];
  #view: DataView = new DataView(new ArrayBuffer(0));
  #now = 0;
  isLost = false;

  private constructor(link: LoadLink, subscriptions: readonly Subscription[], settings: MonitorSettings) {
    this.#link = link;
    this.#settings = settings;
    for (const each of subscriptions) this.#byIoid[each.ioid] = each;
    link.handlers = this;
  }

  /** A subscription to each of the names, not started yet. @throws StatusError when the server refuses */
  static async subscribe(link: LoadLink, settings: MonitorSettings): Promise<MonitorLink> {
    const pvRequest = parsePvRequest(settings.request);
    const subscriptions = await Promise.all(
      settings.names.map(async (pvName, index): Promise<Subscription> => {
        const ioid = index + 1;
        const sid = await link.createChannel(ioid, pvName);
        const type = await link.init('MONITOR', sid, ioid, pvRequest, pvName);
        const form = counterFormOf(type);
        return {
          pvName,
          ioid,
          sid,
          type,
          form,
          valueBit: valueBitOf(type),
          kind: form === undefined ? 'other' : 'unknown',
          otherSteps: 0,
          layout: undefined,
          before: undefined,
          cameAt: Number.NaN,
        };
      }),
    );
    return new MonitorLink(link, subscriptions, settings);
  }

  start(): void {
    const messages = this.#byIoid.flatMap((each) =>
      each === undefined
        ? []
        : this.#link.encode({
            command: 'MONITOR',
            phase: 'exec',
            sid: each.sid,
            ioid: each.ioid,
            subcommand: SUBCOMMAND_START,
            acknowledged: 0,
          }),
    );
    this.#link.write(Buffer.concat(messages));
  }

  namesWithoutCounter(): readonly string[] {
    return this.#byIoid.flatMap((each) => (each?.kind === 'other' ? each.pvName : []));
  }

  woken(): void {
    this.#now = this.#settings.link.clock.now();
  }

  raw(command: number, ioid: number, bytes: Buffer, at: number, size: number): boolean {
    if (command !== COMMAND_CODES.MONITOR) return false;
    const { buffer, byteOffset } = bytes;
    if (this.#view.buffer !== buffer || this.#view.byteOffset !== byteOffset) {
      this.#view = new DataView(buffer, byteOffset);
    }
    const subscription = this.#byIoid[ioid];
    const layout = subscription?.layout;
    if (subscription === undefined || layout?.bodyBytes !== size) return false;
    const value = counterIn(layout, bytes, this.#view, at);
    if (value === undefined || value !== (subscription.before ?? Number.NaN) + 1) return false;
    subscription.before = value;
    this.#count(subscription, size + HEADER_BYTES);
    return true;
  }

  reply(message: ServerMessage, frame: Frame): void {
    const { tally } = this.#settings;
    const subscription = 'ioid' in message ? this.#byIoid[message.ioid] : undefined;
    if (endsSubscription(message)) {
      tally.errors++;
      return tally.tell(`${subscription?.pvName ?? this.#link.serverText}: the server ended a subscription`);
    }
    if (subscription === undefined || message.command !== 'MONITOR' || message.phase !== 'update') return;
    this.#check(subscription, message, frame);
    this.#count(subscription, frame.body.length + HEADER_BYTES);
  }

  lost(reason: PvaError): void {
    this.isLost = true;
    this.#settings.tally.errors++;
    this.#settings.tally.tell(reason.message);
  }

  #count(subscription: Subscription, bytes: number): void {
    const { tally } = this.#settings;
    if (!tally.isCounting) return;
    tally.operations++;
    tally.bytes += bytes;
    const { pvName, before = Number.NaN, cameAt } = subscription;
    const latency = this.#settings.latencyOf?.(pvName, before, this.#now) ?? this.#now - cameAt;
    if (!Number.isNaN(latency)) tally.latency.add(latency);
    subscription.cameAt = this.#now;
  }

  #check(subscription: Subscription, { update, overrun }: MonitorUpdateReply, frame: Frame): void {
    const { form, valueBit, type, before } = subscription;
    const hasValue = update.changed.has(0) || update.changed.has(valueBit);
    if (form === undefined || !hasValue) return;
    // INIT was answered with a structure.
    const value = counterOf((update.value as StructureValue)['value'], form);
    subscription.before = value;
    if (before !== undefined) this.#step(subscription, counterStep(form, before, value), overrun.isEmpty());
    if (subscription.kind === 'counter' && overrun.isEmpty()) {
      subscription.layout =
        this.#link.codec === pva ? counterLayoutOf(type, update.changed, frame) : packedCounterLayoutOf(type, frame);
    }
  }

  #step(subscription: Subscription, step: number, isComplete: boolean): void {
    if (subscription.kind === 'counter') return this.#compare(subscription, step, isComplete);
    if (subscription.kind === 'other') return;
    if (step === 1) subscription.kind = 'counter';
    else if (++subscription.otherSteps > STEPS_TO_SETTLE) subscription.kind = 'other';
  }

  #compare({ pvName }: Subscription, step: number, isComplete: boolean): void {
    const { tally } = this.#settings;
    if (step === 1) return;
    if (step < 1) {
      tally.wrong++;
      return tally.tell(`${pvName}: the counter went ${step === 0 ? 'nowhere' : `back by ${-step}`}`);
    }
    if (!isComplete) tally.squashed += step - 1;
    else {
      tally.lost += step - 1;
      tally.tell(`${pvName}: updates are missing, and no overrun mask says so`);
    }
  }
}

/** As `CounterForm.read` has it. */
function counterOf(value: PvValue | undefined, { modulus }: CounterForm): number {
  if (typeof value === 'bigint') return Number(BigInt.asUintN(32, value));
  return typeof value === 'number' ? (value < 0 && modulus <= 2 ** 32 ? value + modulus : value) : Number.NaN;
}
