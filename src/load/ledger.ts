// What may a PV read as at this moment? PVs that take puts are counted up by one writer at a time, and everybody who reads
// is held to what was acknowledged before he asked and to what was sent before he was answered. PVs that take no puts are
// held to their time stamps.

import { isDeepStrictEqual } from 'node:util';

import { LocalProtocolError, StatusError } from '../protocol/errors.ts';
import { parsePvRequest } from '../protocol/pv-request.ts';
import type { StructureType } from '../protocol/types/type-desc.ts';
import type { PvValue, StructureValue } from '../protocol/types/value-of.ts';
import type { TypedUpdate } from '../protocol/values/update.ts';
import { valueBitOf } from './counter-layout.ts';
import { stampOf } from './get-replies.ts';
import { LoadLink, type LinkSettings } from './link.ts';
import { putFormOf, putMessage, type ValueForm } from './put-request.ts';
import type { Tally } from './tally.ts';

/** One PV, and what is known of it. */
export interface LedgerEntry {
  readonly pvName: string;
  /** How a value is put; undefined for a PV that is only read. */
  readonly form: ValueForm | undefined;
  /** The value of the last put that the server confirmed. */
  acknowledged: number;
  /** The value of the last put that was sent. */
  sent: number;
  isBeingPut: boolean;
  /** Of a PV that is only read. */
  latest: { readonly stamp: string; readonly value: PvValue } | undefined;
}

/** Smaller counters would begin anew while they are looked at. */
export const LEAST_COUNT = 2 ** 24;
const PREPARED_AT_ONCE = 64;
export const PUT_REQUEST = parsePvRequest('field(value)');

export class Ledger {
  readonly entries: readonly LedgerEntry[];
  readonly #tally: Tally;

  private constructor(entries: readonly LedgerEntry[], tally: Tally) {
    this.entries = entries;
    this.#tally = tally;
  }

  /** Of PVs that nobody counts up. */
  static ofReadOnly(names: readonly string[], tally: Tally): Ledger {
    return new Ledger(
      names.map((pvName) => newEntry(pvName)),
      tally,
    );
  }

  /**
   * Puts a first value to each PV; those that refuse it are only read. Rejects when a PV is not there, or when what is
   * put to it cannot be read with the request.
   */
  static async open(
    { names: given, request }: { readonly names: readonly string[]; readonly request: string },
    settings: LinkSettings,
    tally: Tally,
  ): Promise<Ledger> {
    // Two ledgers of one PV would contradict each other.
    const names = [...new Set(given)];
    const link = await LoadLink.open(settings, 'PUT');
    try {
      const entries: LedgerEntry[] = [];
      while (entries.length < names.length) {
        const group = names.slice(entries.length, entries.length + PREPARED_AT_ONCE);
        entries.push(
          ...(await Promise.all(group.map((pvName, index) => prepared(link, index + 1, { pvName, request })))),
        );
      }
      return new Ledger(entries, tally);
    } finally {
      link.close();
    }
  }

  /** The value that whoever calls this has to put now; undefined when that is not his turn. `endPut` must follow. */
  beginPut(entry: LedgerEntry): number | undefined {
    const { form, isBeingPut, sent } = entry;
    if (form === undefined || isBeingPut || sent + 1 >= form.count) return undefined;
    entry.isBeingPut = true;
    entry.sent = sent + 1;
    return entry.sent;
  }

  /** `isAcknowledged` is false when the answer never came: then both values are possible. */
  endPut(entry: LedgerEntry, isAcknowledged: boolean): void {
    if (isAcknowledged) entry.acknowledged = entry.sent;
    entry.isBeingPut = false;
  }

  /** Checks a whole value that was asked for when `acknowledged` was `least`. */
  checkRead(entry: LedgerEntry, least: number, update: TypedUpdate | null): boolean {
    if (update === null) return this.#isWrong(`${entry.pvName}: a reply without a value`);
    if (entry.form !== undefined) return this.checkNumber(entry, least, valueOf(update)) !== undefined;
    const stamp = stampOf(update);
    const { latest } = entry;
    entry.latest = stamp === undefined ? undefined : { stamp, value: update.value };
    if (stamp === undefined || latest?.stamp !== stamp || isDeepStrictEqual(latest.value, update.value)) return true;
    return this.#isWrong(`${entry.pvName}: another value with the same time stamp ${stamp}`);
  }

  /** The number that was read; undefined, and counted as wrong, when it cannot be right. */
  checkNumber({ pvName, sent }: LedgerEntry, least: number, read: PvValue | undefined): number | undefined {
    const value = numberOf(read);
    if (value >= least && value <= sent) return value;
    const span = least === sent ? `${sent} is` : `${least} to ${sent} are`;
    this.#isWrong(`${pvName}: ${Number.isNaN(value) ? 'no number' : value} is read where ${span} right`);
    return undefined;
  }

  #isWrong(problem: string): false {
    this.#tally.wrong++;
    this.#tally.tell(problem);
    return false;
  }
}

/** The bytes of a put of this value. */
export function putBytes(
  link: LoadLink,
  {
    sid,
    ioid,
    type,
    form,
    value,
  }: {
    readonly sid: number;
    readonly ioid: number;
    readonly type: StructureType;
    readonly form: ValueForm;
    readonly value: number;
  },
): Buffer {
  const bytes = link.encode(putMessage(sid, ioid, type, form));
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  form.write(view, bytes.length, value, !link.bigEndian);
  return bytes;
}

/** The field `value` of an update of a structure. */
export function valueOf({ value }: TypedUpdate): PvValue | undefined {
  if (typeof value !== 'object' || value === null || !Object.hasOwn(value, 'value')) return undefined;
  // Only structures have a field of this name.
  return (value as StructureValue)['value'];
}

/** @throws LocalProtocolError when the request selects no value, so that nothing could be compared with what was put */
export async function requireValue(
  link: LoadLink,
  sid: number,
  { ioid, pvName, request }: { readonly ioid: number; readonly pvName: string; readonly request: string },
): Promise<void> {
  if (request === '') return;
  const type = await link.init('GET', sid, ioid, parsePvRequest(request), pvName);
  // Most servers tell the whole type, whatever was asked for, and send the fields that were.
  const changed = (await link.get(sid, ioid, pvName))?.changed;
  link.destroyOperation(sid, ioid);
  if (changed?.has(0) === true || changed?.has(valueBitOf(type)) === true) return;
  throw new LocalProtocolError(
    `${pvName}: the request '${request}' has no field value, with which what was put is compared`,
  );
}

async function prepared(
  link: LoadLink,
  id: number,
  { pvName, request }: { readonly pvName: string; readonly request: string },
): Promise<LedgerEntry> {
  const sid = await link.createChannel(id, pvName);
  const entry = newEntry(pvName, await firstPut(link, sid, id, pvName));
  if (entry.form !== undefined) await requireValue(link, sid, { ioid: PREPARED_AT_ONCE + id, pvName, request });
  link.send({ command: 'DESTROY_CHANNEL', sid, cid: id });
  return entry;
}

/** The form of its values, once the server has taken the first; undefined when the PV is not one to be counted up. */
async function firstPut(link: LoadLink, sid: number, ioid: number, pvName: string): Promise<ValueForm | undefined> {
  try {
    const type = await link.init('PUT', sid, ioid, PUT_REQUEST, pvName);
    const form = putFormOf(pvName, type, link.codec);
    if (form.count < LEAST_COUNT) return undefined;
    await link.put(ioid, pvName, putBytes(link, { sid, ioid, type, form, value: 0 }));
    return form;
  } catch (thrown) {
    if (thrown instanceof StatusError || thrown instanceof LocalProtocolError) return undefined;
    throw thrown;
  }
}

function newEntry(pvName: string, form?: ValueForm): LedgerEntry {
  return { pvName, form, acknowledged: 0, sent: 0, isBeingPut: false, latest: undefined };
}

function numberOf(value: PvValue | undefined): number {
  const isNumber = typeof value === 'number' || typeof value === 'bigint' || typeof value === 'string';
  return isNumber && value !== '' ? Number(value) : Number.NaN;
}
