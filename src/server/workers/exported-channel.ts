// What does a worker know of one channel of the server, and what is it still to be told?
//
// While the worker keeps up it gets every update, encoded once for all workers. When it falls behind they squash into
// one, as in the queue of a monitor, and the overrun mask goes along.

import type { Channel, ChannelUpdate } from '../../channels/channel.ts';
import { Selection } from '../../channels/encoded-cache.ts';
import { BitSet } from '../../protocol/bit-set.ts';
import { reasonOf } from '../../protocol/errors.ts';
import { encodeStatus, type Status } from '../../protocol/status.ts';
import type { StructureType } from '../../protocol/types/type-desc.ts';
import type { StructureValue } from '../../protocol/types/value-of.ts';
import { encodeType } from '../../protocol/types/wire.ts';
import type { Writer } from '../../protocol/writer.ts';
import { allLeaves } from '../../protocol/values/leaf-mask.ts';
import type { Clock } from '../../transport/clocks.ts';
import { encodeDeadline, OPENED, TO_WORKER } from './messages.ts';
import type { Outbox, Waiting } from './outbox.ts';

export interface ExportOptions {
  readonly id: number;
  readonly channel: Channel;
  readonly outbox: Outbox;
  readonly clock: Clock;
  /** Called once, when the worker is not told of the channel any more. */
  readonly ended: (channel: ExportedChannel) => void;
}

interface Change {
  readonly update: ChannelUpdate;
  readonly overrun: BitSet | undefined;
  /** False for what only the copy has to know. */
  readonly isTold: boolean;
}

const NOTHING = BitSet.empty();
const IS_WRITABLE = 1;
const IS_CALLABLE = 2;
const HAS_PROCESS = 4;

export class ExportedChannel implements Waiting {
  readonly id: number;
  readonly channel: Channel;
  /** How often the worker was told that it has this channel. */
  grantCount = 0;
  readonly #outbox: Outbox;
  readonly #clock: Clock;
  readonly #ended: (channel: ExportedChannel) => void;
  readonly #whole: Selection;
  readonly #unlisten: () => void;
  #unsubscribe: () => void = ignore;
  /** The value that the worker has, or will have when all is sent. */
  #known: StructureValue | undefined;
  #waiting: Change | undefined;
  #isOver = false;

  /** Follows the channel from now on. Throws what its `subscribe` throws. */
  constructor({ id, channel, outbox, clock, ended }: ExportOptions) {
    this.id = id;
    this.channel = channel;
    this.#outbox = outbox;
    this.#clock = clock;
    this.#ended = ended;
    this.#whole = wholeOf(channel.type);
    this.#follow();
    this.#unlisten = channel.onClosed(() => this.#close());
  }

  get isOver(): boolean {
    return this.#isOver;
  }

  /**
   * Answers a request to open it, for the first time, with the state of this moment: what waited to be told is in it.
   * @throws PvaError for a state that cannot be encoded
   */
  sendFresh(request: number): void {
    this.#waiting = undefined;
    this.#outbox.forget(this);
    const { state, type, isWritable, isCallable, process, putTimeoutMs, callTimeoutMs } = this.channel;
    const flags =
      (isWritable === false ? 0 : IS_WRITABLE) |
      (isCallable === false ? 0 : IS_CALLABLE) |
      (process === undefined ? 0 : HAS_PROCESS);
    const { bytes } = this.#whole.encode(state, false);
    this.#outbox.pipe.send(TO_WORKER.opened, (writer) => {
      writer.u32(request);
      writer.u8(OPENED.fresh);
      writer.u32(this.id);
      encodeType(writer, type);
      writer.u8(flags);
      encodeDeadline(writer, putTimeoutMs);
      encodeDeadline(writer, callTimeoutMs);
      writer.bytes(bytes);
    });
  }

  /** Sends what has waited. */
  send(): void {
    const change = this.#waiting;
    this.#waiting = undefined;
    if (change !== undefined) this.#sendChange(change);
  }

  /** The worker is told nothing more. Idempotent. */
  end(): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#waiting = undefined;
    this.#outbox.forget(this);
    this.#unlisten();
    this.#ended(this);
    this.#unsubscribe();
  }

  #follow(): void {
    let isFirst = true;
    const update = (told: ChannelUpdate, overrun?: BitSet): void => {
      // The state at the beginning: the answer to the request has it, or the worker has had it all along.
      const isKnown = isFirst && (this.#known === undefined || this.#known === told.value);
      isFirst = false;
      this.#known = told.value;
      if (!isKnown) this.#push({ update: told, overrun, isTold: true });
    };
    this.#unsubscribe = this.channel.subscribe({
      update,
      settle: (settled) => {
        this.#known = settled.value;
        this.#push({ update: settled, overrun: undefined, isTold: false });
      },
      finish: (status) => this.#finish(status),
    });
  }

  #push(change: Change): void {
    if (this.#isOver) return;
    if (this.#outbox.isFree) return this.#sendChange(change);
    this.#waiting = this.#waiting === undefined ? change : squash(this.#waiting, change);
    this.#outbox.whenFree(this);
  }

  #sendChange({ update, overrun = NOTHING, isTold }: Change): void {
    try {
      const { bytes } = this.#whole.encode(update, false);
      this.#outbox.pipe.send(TO_WORKER.update, (writer) => {
        writer.u32(this.id);
        writer.boolean(isTold);
        writer.bytes(bytes);
        overrun.encode(writer);
      });
    } catch (thrown) {
      // A source may hold what no wire takes: without this the worker would go on with an old value.
      this.#close(reasonOf(thrown));
    }
  }

  /** All subscriptions end, this one too: whoever subscribes after that has to be served again. */
  #finish(status: Status): void {
    if (this.#isOver) return;
    this.#inTurn(TO_WORKER.finish, (writer) => encodeStatus(writer, status));
    this.#clock.soon(() => {
      if (!this.#isOver) this.#follow();
    });
  }

  #close(reason = ''): void {
    if (this.#isOver) return;
    this.end();
    this.#inTurn(TO_WORKER.closed, (writer) => writer.string(reason));
  }

  /** Behind what waits: the worker may not even know the channel yet. */
  #inTurn(command: number, rest: (writer: Writer) => void): void {
    this.#outbox.inTurn(() =>
      this.#outbox.pipe.send(command, (writer) => {
        writer.u32(this.id);
        rest(writer);
      }),
    );
  }
}

/** What an exported channel can do, as its flags say. */
export function decodeAbilities(flags: number): {
  readonly isWritable: boolean;
  readonly isCallable: boolean;
  readonly hasProcess: boolean;
} {
  return {
    isWritable: (flags & IS_WRITABLE) !== 0,
    isCallable: (flags & IS_CALLABLE) !== 0,
    hasProcess: (flags & HAS_PROCESS) !== 0,
  };
}

function squash(earlier: Change, later: Change): Change {
  // What nobody is told cannot have been missed.
  const twice = earlier.isTold && later.isTold ? earlier.update.changed.clone().and(later.update.changed) : undefined;
  const overruns = [twice, earlier.overrun, later.overrun].filter((mask) => mask !== undefined);
  const overrun = overruns.reduce((all, mask) => all.or(mask), BitSet.empty());
  return {
    update: { changed: earlier.update.changed.clone().or(later.update.changed), value: later.update.value },
    overrun: overrun.isEmpty() ? undefined : overrun,
    isTold: earlier.isTold || later.isTold,
  };
}

const wholes = new WeakMap<StructureType, Selection>();

/** All fields of a type; one object for all channels of it. */
function wholeOf(type: StructureType): Selection {
  const known = wholes.get(type);
  if (known !== undefined) return known;
  const whole = new Selection(type, allLeaves(type));
  wholes.set(type, whole);
  return whole;
}

function ignore(): void {
  // Not subscribed yet.
}
