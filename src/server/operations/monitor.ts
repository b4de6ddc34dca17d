// How does a server send updates to a subscriber? As they come while the client takes them; else it queues and squashes.
//
// Spec: Protocol-Operation-Monitor.

import type { ChannelUpdate, Subscriber } from '../../channels/channel.ts';
import type { Selection } from '../../channels/encoded-cache.ts';
import { BitSet } from '../../protocol/bit-set.ts';
import { MonitorQueue } from '../../protocol/machines/monitor-queue.ts';
import { MonitorWindow } from '../../protocol/machines/monitor-window.ts';
import type { EncodedUpdate } from '../../protocol/messages/data.ts';
import type { OperationTypes } from '../../protocol/messages/message-module.ts';
import type { MonitorExecRequest, MonitorInitRequest, MonitorRequest } from '../../protocol/messages/monitor.ts';
import {
  isLast,
  monitorAction,
  SUBCOMMAND_DESTROY,
  SUBCOMMAND_INIT,
  SUBCOMMAND_PIPELINE,
} from '../../protocol/messages/subcommand.ts';
import { recordOptions } from '../../protocol/pv-request/record-options.ts';
import { OK, type Status } from '../../protocol/status.ts';
import type { StructureValue } from '../../protocol/types/value-of.ts';
import { contain } from '../contained.ts';
import type { Link, LinkChannel, Sender } from '../link.ts';
import { begin, channelForInit, findOperation, Operation, refusal } from './operation.ts';
import { selectionFor } from './selection.ts';

const NOTHING = BitSet.empty();

export function handleMonitor(link: Link, request: MonitorRequest): void {
  if (request.phase === 'init') return handleInit(link, request);
  findOperation(link, request, MonitorOperation)?.steer(request);
}

function handleInit(link: Link, request: MonitorInitRequest): void {
  const channel = channelForInit(link, request);
  if (channel === undefined) return;
  const operation = begin(link, () => new MonitorOperation(link, channel, request));
  const { ioid } = request;
  const [status, type] = operation instanceof Operation ? [OK, operation.types.type] : [operation, null];
  // As pvxs: without the bit of the window, although other replies repeat the request's subcommand.
  link.send({ command: 'MONITOR', phase: 'init', ioid, subcommand: SUBCOMMAND_INIT, status, type });
}

class MonitorOperation extends Operation implements Subscriber, Sender {
  readonly types: OperationTypes;
  readonly #selection: Selection;
  readonly #window: MonitorWindow;
  readonly #queue: MonitorQueue<StructureValue>;
  readonly #unsubscribe: () => void;
  /** The first update goes out whatever it says: the client waits for it. */
  #isFirst = true;
  /** Among the monitors that are open. */
  #isCounted = false;
  /** Set once the channel has no more to say; sent behind the rest of the queue. */
  #finalStatus: Status | undefined;

  constructor(link: Link, channel: LinkChannel, request: MonitorInitRequest) {
    super(link, channel, request);
    this.types = { command: 'MONITOR', type: channel.channel.type };
    this.#selection = selectionFor(link, channel, request);
    const { pipeline, queueSize, notices } = recordOptions(request.pvRequest, link.host.limits);
    for (const notice of notices) link.tell(this.ioid, notice, 'warning');
    if (pipeline && (request.subcommand & SUBCOMMAND_PIPELINE) === 0) {
      link.tell(this.ioid, 'pipeline without a first window, nothing is sent before an acknowledgement', 'warning');
    }
    this.#window = new MonitorWindow(pipeline, request.window);
    this.#queue = new MonitorQueue(queueSize, link.host.limits.maxMonitorQueueBytes, link.account);
    this.#unsubscribe = this.#subscribe();
    link.host.counters.monitorsOpened++;
    this.#isCounted = true;
  }

  /** Where that is refused, what was queued meanwhile is given back, and nothing more is taken. */
  #subscribe(): () => void {
    try {
      return this.channel.channel.subscribe(this);
    } catch (thrown) {
      this.follow('destroy');
      this.#queue.clear();
      throw thrown;
    }
  }

  /** Whether updates wait that only the client's slowness holds back. */
  override get isUnderWay(): boolean {
    const mayGo = this.#finalStatus !== undefined || this.#window.credit > 0;
    return this.state === 'executing' && this.#queue.length > 0 && mayGo;
  }

  update(update: ChannelUpdate, overrun?: BitSet): void {
    if (this.#finalStatus !== undefined || this.state === 'destroyed') return;
    if (!this.#isFirst && !this.#selection.touches(update)) return;
    this.#isFirst = false;
    if (this.#mayGoAtOnce(update)) return this.#send(update, overrun);
    if (!this.#queue.push(update, overrun)) this.link.host.counters.updatesSquashed++;
    this.#drain();
  }

  finish(status: Status): void {
    this.#finalStatus ??= status;
    this.#drain();
  }

  override withdraw(status: Status): void {
    this.#queue.clear();
    this.finish(status);
  }

  resume(): void {
    this.#drain();
  }

  squash(): void {
    this.link.host.counters.updatesSquashed += this.#queue.squash();
  }

  /** Acknowledge, start, stop, end: one request may ask for several, and they take effect in this order, as in pvxs. */
  steer({ subcommand, acknowledged }: MonitorExecRequest): void {
    this.#window.acknowledge(acknowledged);
    const action = monitorAction(subcommand);
    if (action !== 'none') this.follow(action);
    if (isLast(subcommand)) return this.link.endOperation(this);
    this.#drain();
  }

  /** Nothing waits, and nothing has to: most updates never see the queue. */
  #mayGoAtOnce({ value }: ChannelUpdate): boolean {
    const { output } = this.link;
    if (this.state !== 'executing' || this.#queue.length > 0 || output.isCongested) return false;
    if (!output.hasRoomFor(value)) return false;
    return this.#window.take(false);
  }

  /** Sends what may be sent now. */
  #drain(): void {
    const { link } = this;
    while (this.state === 'executing') {
      const { oldest } = this.#queue;
      if (oldest === undefined) return this.#end();
      if (link.output.isCongested) return link.output.whenRoom(this);
      if (!link.output.hasRoomFor(oldest.value)) return link.output.whenRoomForLarge(this);
      if (!this.#window.take(this.#finalStatus !== undefined)) return;
      this.#sendOldest();
    }
  }

  #sendOldest(): void {
    const entry = this.#queue.shift();
    if (entry === undefined) return;
    this.#send(entry.update, entry.overrun);
  }

  #send(update: ChannelUpdate, overrun: BitSet | undefined): void {
    const { link, ioid } = this;
    let encoded: EncodedUpdate;
    try {
      encoded = this.#selection.encode(update, link.bigEndian, link.codec);
    } catch (thrown) {
      // A source may hold what no wire takes; whoever posted it is not to blame.
      this.#queue.clear();
      return this.finish(refusal(thrown));
    }
    link.output.sendUpdate(ioid, encoded, overrun && this.#selection.of(overrun));
  }

  /** The queue is empty: the subscription is over if the channel has finished. */
  #end(): void {
    const status = this.#finalStatus;
    if (status === undefined) return;
    const { link, ioid } = this;
    const subcommand = SUBCOMMAND_DESTROY;
    link.send({ command: 'MONITOR', phase: 'final', ioid, subcommand, status, update: null, overrun: NOTHING });
    link.endOperation(this);
  }

  #countOut(): void {
    if (!this.#isCounted) return;
    this.#isCounted = false;
    this.link.host.counters.monitorsClosed++;
  }

  protected stopWork(): void {
    if (this.state !== 'destroyed') return;
    this.#countOut();
    this.#queue.clear();
    this.link.output.forget(this);
    contain(this.link, `${this.channel.pvName}: the end of a subscription`, this.#unsubscribe);
  }
}
