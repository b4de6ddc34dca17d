// What did clients write, or try to write? One entry for each request that writes, told when its outcome is known.

import type { ChannelUpdate } from '../channels/channel.ts';
import type { Peer } from '../channels/peer.ts';
import type { BitSet } from '../protocol/bit-set.ts';
import { fieldBits } from '../protocol/types/field-bits.ts';
import { reasonOf } from '../protocol/errors.ts';
import type { OperationCommand } from '../protocol/messages/message-module.ts';
import type { Status } from '../protocol/status.ts';
import type { StructureType } from '../protocol/types/type-desc.ts';
import type { PvValue, StructureValue } from '../protocol/types/value-of.ts';
import { fieldOf } from '../protocol/values/value-parts.ts';
import { isoTime, type Clock } from '../transport/clocks.ts';
import { loggedValue, type LoggedValue } from './logged-value.ts';
import type { NoticeBoard } from './notices.ts';

/**
 * How a put ended: carried out; refused, by rules, limits or the PV; or given up before its handler was done, so that
 * nobody here knows what it did.
 */
export type PutOutcome = 'accepted' | 'refused' | 'unfinished';

/** A leaf that a put names. Long values are cut: see `LoggedValue`. */
export interface LoggedChange {
  /** `value`, `alarm.severity` */
  readonly field: string;
  /** When the put came. */
  readonly old: LoggedValue;
  /** What the client asked for; the PV may have made something else of it. */
  readonly new: LoggedValue;
}

/** A request that writes; or the creation or the end of a channel, asked of the PV `server`. */
export type LoggedOperation = OperationCommand | 'CREATE' | 'DESTROY';

/** One line of the put log: `JSON.stringify` makes the line of it. */
export interface PutLogEntry {
  /** When the outcome was known: ISO 8601, UTC, milliseconds. */
  readonly time: string;
  readonly operation: LoggedOperation;
  readonly outcome: PutOutcome;
  /** What the client was told; only for puts that were not accepted. */
  readonly reason?: string;
  /** As the client said. */
  readonly user: string;
  /** As the client said; '' if it did not. */
  readonly host: string;
  /** Where the connection comes from. */
  readonly address: string;
  readonly method: Peer['method'];
  /** The PV's name. */
  readonly channel: string;
  /** Empty for what writes nothing, such as PROCESS. Of a created or destroyed channel its type and first value. */
  readonly changed: readonly LoggedChange[];
  /** Changed leaves past the first 50. */
  readonly unlisted?: number;
}

/** What a request is about. */
export interface PutSubject {
  readonly peer: Peer;
  readonly pvName: string;
  readonly channel: { readonly type: StructureType; readonly state: ChannelUpdate };
}

/** What a client creates or destroys. */
export interface ManagedSubject {
  readonly peer: Peer;
  readonly pvName: string;
  readonly changed: readonly LoggedChange[];
}

/** What a client puts. */
export interface PutData {
  /** Leaves only. */
  readonly changed: BitSet;
  readonly value: StructureValue;
}

const LISTED_FIELDS = 50;

export class PutLog {
  readonly #listener: (entry: PutLogEntry) => void;
  readonly #clock: Clock;
  readonly #notices: NoticeBoard;

  constructor(listener: (entry: PutLogEntry) => void, clock: Clock, notices: NoticeBoard) {
    this.#listener = listener;
    this.#clock = clock;
    this.#notices = notices;
  }

  /** A request that writes has come; whoever carries it out ends the record. */
  begin(operation: OperationCommand, subject: PutSubject): PutRecord {
    return new PutRecord(subject, (end) => this.#tell(operation, subject, end));
  }

  /** A channel was created or destroyed, or was to be; `reason` is what the client was told, unless it was done. */
  managed(operation: 'CREATE' | 'DESTROY', subject: ManagedSubject, outcome: PutOutcome, reason?: string): void {
    this.#guard(() => this.#entry(operation, subject, outcome, reason, { changed: subject.changed }));
  }

  #tell(operation: OperationCommand, subject: PutSubject, end: Ending): void {
    const { outcome, reason } = end;
    this.#guard(() => this.#entry(operation, subject, outcome, reason, changesOf(subject.channel.type, end)));
  }

  #entry(
    operation: LoggedOperation,
    { peer: { user, host, address, method }, pvName }: Pick<PutSubject, 'peer' | 'pvName'>,
    outcome: PutOutcome,
    reason: string | undefined,
    changes: Pick<PutLogEntry, 'changed' | 'unlisted'>,
  ): PutLogEntry {
    return {
      time: isoTime(this.#clock.wallTime()),
      operation,
      outcome,
      ...(reason === undefined ? {} : { reason }),
      user,
      host,
      address,
      method,
      channel: pvName,
      ...changes,
    };
  }

  /** Tells an entry that was made elsewhere: by the put log of a worker. */
  pass(entry: PutLogEntry): void {
    this.#guard(() => entry);
  }

  #guard(make: () => PutLogEntry): void {
    try {
      this.#listener(make());
    } catch (thrown) {
      const text = `the put log threw: ${reasonOf(thrown)}`;
      this.#notices.publish({ kind: 'putLogFailed', level: 'error', text });
    }
  }
}

interface Ending {
  readonly outcome: PutOutcome;
  readonly reason: string | undefined;
  readonly before: StructureValue;
  readonly data: PutData | undefined;
}

/** One request under way. It ends once; what comes after that does not count. */
export class PutRecord {
  readonly #before: StructureValue;
  readonly #tell: (end: Ending) => void;
  #data: PutData | undefined;
  #isUnderWay = false;
  #isEnded = false;

  constructor({ channel }: PutSubject, tell: (end: Ending) => void) {
    this.#before = channel.state.value;
    this.#tell = tell;
  }

  /** What is to be written. */
  puts(data: PutData): void {
    this.#data = data;
  }

  /** The handler has it; when it is done, the outcome is known. `handling` is a native promise if that is later. */
  follow(handling: unknown): void {
    if (!(handling instanceof Promise)) return;
    this.#isUnderWay = true;
    const settled = (): void => {
      this.#isUnderWay = false;
    };
    handling.then(settled, settled);
  }

  accepted(): void {
    this.#end('accepted', undefined);
  }

  /** The client is told that it did not go well. */
  refused(status: Status): void {
    this.#end(this.#isUnderWay ? 'unfinished' : 'refused', status.message);
  }

  /** Nobody waits for the outcome any more. */
  abandoned(): void {
    this.#end('unfinished', 'the client did not wait for the end');
  }

  #end(outcome: PutOutcome, reason: string | undefined): void {
    if (this.#isEnded) return;
    this.#isEnded = true;
    this.#tell({ outcome, reason, before: this.#before, data: this.#data });
  }
}

function changesOf(type: StructureType, { before, data }: Ending): Pick<PutLogEntry, 'changed' | 'unlisted'> {
  const changed: LoggedChange[] = [];
  if (data === undefined) return { changed };
  const mask = data.changed;
  let unlisted = 0;

  function collect(structure: StructureType, bit: number, prefix: string, old: PvValue, next: PvValue): void {
    for (const [index, fieldBit] of fieldBits(structure).entries()) {
      const field = structure.fields[index];
      const at = bit + fieldBit;
      if (field === undefined || !mask.hasAny(at, at + field.type.bitCount)) continue;
      const path = `${prefix}${field.name}`;
      const [oldPart, nextPart] = [fieldOf(old, field), fieldOf(next, field)];
      if (field.type.kind === 'structure') collect(field.type, at, `${path}.`, oldPart, nextPart);
      else if (changed.length >= LISTED_FIELDS) unlisted++;
      else {
        changed.push({
          field: path,
          old: loggedValue(field.type, oldPart),
          new: loggedValue(field.type, nextPart),
        });
      }
    }
  }

  collect(type, 0, '', before, data.value);
  return { changed, ...(unlisted === 0 ? {} : { unlisted }) };
}
