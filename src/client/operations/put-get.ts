// How does a client write and read in one step? PUT_GET: INIT agrees on the types of both halves, then one request puts,
// has the channel process, and brings the data back.

import { SUBCOMMAND_GET_PUT, SUBCOMMAND_INIT } from '../../protocol/messages/subcommand.ts';
import type { StructureType } from '../../protocol/types/type-desc.ts';
import type { StructureValue } from '../../protocol/types/value-of.ts';
import type { Call } from '../call.ts';
import type { Channel } from '../channel.ts';
import { requireExpected } from '../expected-type.ts';
import { requireStructure, withOperation, type Operation } from '../operation.ts';
import { readingOf, type Reading } from './get.ts';
import type { PutPlan } from './put.ts';

const SILENT_SERVERS = 'servers made with pvxs have no PUT_GET and do not say so';

/**
 * What the channel shows after the put.
 * @throws LocalProtocolError before anything is written, when what is read will not have the `expected` type
 */
export function putGet(
  call: Call,
  channel: Channel,
  plan: PutPlan,
  expected: StructureType | undefined,
): Promise<Reading> {
  return withOperation(call, channel, 'PUT_GET', async (operation) => {
    const { sid, pvName, server } = operation.active;
    const { ioid } = operation;
    const { pvRequest } = plan;
    const types = await operation.request(call, {
      name: 'PUT_GET INIT',
      hint: SILENT_SERVERS,
      isInit: true,
      message: { command: 'PUT_GET', phase: 'init', sid, ioid, subcommand: SUBCOMMAND_INIT, pvRequest },
      pick: (reply) => (reply.command === 'PUT_GET' && reply.phase === 'init' ? reply : undefined),
    });
    const putType = requireStructure(types.putType, `${pvName}: PUT_GET INIT`);
    const getType = requireStructure(types.getType, `${pvName}: PUT_GET INIT`);
    requireExpected(pvName, getType, expected);
    const current = plan.needsCurrent(putType) ? await readCurrent(call, operation, putType) : undefined;
    const toPut = plan.build(putType, current);
    const { update } = await operation.request(call, {
      name: 'PUT_GET',
      hasEffects: true,
      message: { command: 'PUT_GET', phase: 'exec', sid, ioid, subcommand: 0, update: { type: putType, ...toPut } },
      pick: (reply) => (reply.command === 'PUT_GET' && reply.phase === 'exec' ? reply : undefined),
    });
    return { pvName, server, type: getType, ...readingOf(update, getType) };
  });
}

async function readCurrent(call: Call, operation: Operation, type: StructureType): Promise<StructureValue> {
  const { sid } = operation.active;
  const { update } = await operation.request(call, {
    name: 'PUT_GET (reading the present value)',
    message: { command: 'PUT_GET', phase: 'getPut', sid, ioid: operation.ioid, subcommand: SUBCOMMAND_GET_PUT },
    pick: (reply) => (reply.command === 'PUT_GET' && reply.phase === 'getPut' ? reply : undefined),
  });
  return readingOf(update, type).value;
}
