// How does a client read a value? GET: INIT agrees on the type, then one request brings the data.

import type { PvRequest } from '../../protocol/pv-request.ts';
import { SUBCOMMAND_INIT } from '../../protocol/messages/subcommand.ts';
import type { StructureType } from '../../protocol/types/type-desc.ts';
import type { StructureValue } from '../../protocol/types/value-of.ts';
import type { Update } from '../../protocol/values/update.ts';
import type { Call } from '../call.ts';
import type { Channel } from '../channel.ts';
import { keptGetOf, type HeldGet, type KeptGet } from '../kept-get.ts';
import { requireStructure, withOperation } from '../operation.ts';

/** What a server answered, with who it was. */
export interface Reading extends Update<StructureValue> {
  readonly pvName: string;
  readonly type: StructureType;
  /** `host:port` */
  readonly server: string;
}

/** Fields that the server did not send, because they were not asked for or never set, have their defaults. */
export async function get(call: Call, channel: Channel, pvRequest: PvRequest): Promise<Reading> {
  const kept = keptGetOf(channel);
  const held = kept.take(pvRequest);
  if (held !== undefined) {
    const reading = await readAgain(call, kept, held);
    if (reading !== undefined) return reading;
  }
  return withOperation(call, channel, 'GET', async (operation) => {
    const { sid, pvName } = operation.active;
    const { ioid } = operation;
    const { type } = await operation.request(call, {
      name: 'GET INIT',
      isInit: true,
      message: { command: 'GET', phase: 'init', sid, ioid, subcommand: SUBCOMMAND_INIT, pvRequest },
      pick: (reply) => (reply.command === 'GET' && reply.phase === 'init' ? reply : undefined),
    });
    const started = { pvRequest, operation, type: requireStructure(type, `${pvName}: GET INIT`) };
    const reading = await read(call, started);
    kept.give(started);
    return reading;
  });
}

/** With the operation of an earlier reading; undefined when the channel was lost, so that it is to be read from the start. */
async function readAgain(call: Call, kept: KeptGet, held: HeldGet): Promise<Reading | undefined> {
  const { operation } = held;
  try {
    const reading = await read(call, held);
    kept.give(held);
    return reading;
  } catch (error) {
    if (!operation.isRepeatable(error) || call.isEnded) throw error;
    return undefined;
  } finally {
    if (!operation.isKept) operation.end();
  }
}

async function read(call: Call, { operation, type }: HeldGet): Promise<Reading> {
  const { sid, pvName, server } = operation.active;
  const { ioid } = operation;
  const { update } = await operation.request(call, {
    name: 'GET',
    // 0x40 would be legal, too; pvxs and pvAccessCPP send 0, and get 0 back.
    message: { command: 'GET', phase: 'exec', sid, ioid, subcommand: 0 },
    pick: (reply) => (reply.command === 'GET' && reply.phase === 'exec' ? reply : undefined),
  });
  return { pvName, server, type, ...readingOf(update, type) };
}

/** The update of a reply whose status is a success. */
export function readingOf(update: Update | null, type: StructureType): Update<StructureValue> {
  if (update === null) throw new TypeError(`a reply of success came without its update of ${type.id}`);
  // It was read with the codec of a structure.
  return { changed: update.changed, value: update.value as StructureValue };
}
