// Is a reply to GET right that is different from the one before?
//
// PVs change while they are read, so a difference is no fault by itself. It is one when the reply cannot be decoded, or
// when its value differs although it has the very time stamp of the reply before: then bytes were mixed up.

import type { Frame } from '../protocol/framer.ts';
import type { ServerMessage } from '../protocol/messages/index.ts';
import { isSuccess } from '../protocol/status.ts';
import type { PvValue } from '../protocol/types/value-of.ts';
import type { TypedUpdate } from '../protocol/values/update.ts';
import type { ExchangeScenario, LoadRequest } from './exchange-link.ts';
import type { Tally } from './tally.ts';

export class GetReplies implements ExchangeScenario {
  readonly #tally: Tally;
  /** Time stamp of the reply before, by request id. */
  readonly #stamps: (string | undefined)[] = [];

  constructor(tally: Tally) {
    this.#tally = tally;
  }

  judge(
    { pvName, ioid }: LoadRequest,
    message: ServerMessage,
    _frame: Frame,
  ): 'right' | 'changed' | 'wrong' | 'refused' {
    if (message.command !== 'GET' || message.phase !== 'exec') {
      this.#tally.tell(`${pvName}: ${message.command} came where a reply to GET is awaited`);
      return 'wrong';
    }
    if (!isSuccess(message.status) || message.update === null) {
      this.#tally.tell(`${pvName}: GET refused: ${message.status.message}`);
      return 'refused';
    }
    const stamp = stampOf(message.update);
    const isFirst = this.#stamps.length <= ioid || !Object.hasOwn(this.#stamps, ioid);
    const before = this.#stamps[ioid];
    this.#stamps[ioid] = stamp;
    if (isFirst) return 'right';
    if (stamp === undefined || stamp !== before) return 'changed';
    this.#tally.tell(`${pvName}: another value with the same time stamp ${stamp}`);
    return 'wrong';
  }
}

/** Undefined when there is none, or none was ever set: then nothing can be told by it. */
export function stampOf({ value }: TypedUpdate): string | undefined {
  const stamp = fieldOf(value, 'timeStamp');
  const seconds = fieldOf(stamp, 'secondsPastEpoch');
  const nanoseconds = fieldOf(stamp, 'nanoseconds');
  if (typeof seconds !== 'bigint' || typeof nanoseconds !== 'number' || seconds === 0n) return undefined;
  return `${seconds}.${String(nanoseconds).padStart(9, '0')}`;
}

function fieldOf(value: PvValue | undefined, name: string): PvValue | undefined {
  if (typeof value !== 'object' || value === null || !Object.hasOwn(value, name)) return undefined;
  // Only structures have fields of these names.
  return (value as Readonly<Record<string, PvValue>>)[name];
}
