// Does each put carry a value of its own, and is the last one that was acknowledged there in the end?

import type { Frame } from '../protocol/framer.ts';
import type { ServerMessage } from '../protocol/messages/index.ts';
import type { PutExecRequest } from '../protocol/messages/put.ts';
import { parsePvRequest } from '../protocol/pv-request.ts';
import { isSuccess } from '../protocol/status.ts';
import type { StructureType } from '../protocol/types/type-desc.ts';
import type { ExchangeScenario, LoadRequest } from './exchange-link.ts';
import { LoadLink } from './link.ts';
import { isPutValue, putFormOf, putMessage, type ValueForm } from './put-request.ts';
import type { Tally } from './tally.ts';
import type { WorkloadSettings } from './workload.ts';

/** The puts of one connection. */
export class PutReplies implements ExchangeScenario {
  readonly #tally: Tally;
  readonly #values: { next: number };
  readonly #link: LoadLink;
  /** By request id: the name, how a value is written, what was put last, and what was acknowledged last. */
  readonly #names: string[] = [];
  readonly #forms: ValueForm[] = [];
  readonly #sent: number[] = [];
  readonly #acknowledged: (number | undefined)[] = [];

  constructor(tally: Tally, values: { next: number }, link: LoadLink) {
    this.#tally = tally;
    this.#values = values;
    this.#link = link;
  }

  /** The message whose bytes are sent with ever new values. @throws LocalProtocolError when the PV takes none */
  message(pvName: string, sid: number, ioid: number, type: StructureType): PutExecRequest {
    const form = putFormOf(pvName, type, this.#link.codec);
    this.#names[ioid] = pvName;
    this.#forms[ioid] = form;
    this.#sent[ioid] = 0;
    return putMessage(sid, ioid, type, form);
  }

  prepared({ ioid }: LoadRequest, view: DataView, end: number): void {
    const form = this.#forms[ioid];
    if (form === undefined) return;
    const value = this.#values.next++ % form.count;
    this.#sent[ioid] = value;
    form.write(view, end, value, !this.#link.bigEndian);
  }

  done({ ioid }: LoadRequest): void {
    this.#acknowledged[ioid] = this.#sent[ioid];
  }

  judge({ pvName }: LoadRequest, message: ServerMessage, _frame: Frame): 'right' | 'wrong' | 'refused' {
    if (message.command !== 'PUT' || message.phase !== 'exec') {
      this.#tally.tell(`${pvName}: ${message.command} came where a reply to PUT is awaited`);
      return 'wrong';
    }
    if (isSuccess(message.status)) return 'right';
    this.#tally.tell(`${pvName}: PUT refused: ${message.status.message}`);
    return 'refused';
  }

  /** Adds the last acknowledged value of each request to those of its PV. */
  collect(values: Map<string, number[]>): void {
    for (const [ioid, value] of this.#acknowledged.entries()) {
      const pvName = this.#names[ioid];
      if (pvName !== undefined && value !== undefined) values.set(pvName, [...(values.get(pvName) ?? []), value]);
    }
  }
}

/** Reads every PV that was written: its value has to be one of those put last. */
export async function readBack(
  { link: settings, tally }: WorkloadSettings,
  puts: readonly PutReplies[],
): Promise<void> {
  const values = new Map<string, number[]>();
  for (const each of puts) each.collect(values);
  const link = await LoadLink.open(settings, 'GET');
  try {
    const pvRequest = parsePvRequest('field(value)');
    await Promise.all(
      [...values].map(async ([pvName, last], index) => {
        const id = index + 1;
        const sid = await link.createChannel(id, pvName);
        await link.init('GET', sid, id, pvRequest, pvName);
        const read = await link.readOnce(sid, id, pvName);
        if (last.some((value) => isPutValue(read, value))) return;
        tally.wrong++;
        tally.tell(
          `${pvName}: ${typeof read === 'object' ? 'no scalar' : String(read)} is read where ${last.join(' or ')} was put last`,
        );
      }),
    );
  } finally {
    link.close();
  }
}
