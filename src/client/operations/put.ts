// How does a client write? PUT: INIT agrees on the type, the present value is read if it is needed, then the changed
// fields go out.

import { SUBCOMMAND_GET, SUBCOMMAND_INIT } from '../../protocol/messages/subcommand.ts';
import type { PvRequest } from '../../protocol/pv-request.ts';
import type { StructureType } from '../../protocol/types/type-desc.ts';
import type { StructureValue } from '../../protocol/types/value-of.ts';
import type { Update } from '../../protocol/values/update.ts';
import type { Call } from '../call.ts';
import type { Channel } from '../channel.ts';
import { requireStructure, withOperation, type Operation } from '../operation.ts';
import { readingOf } from './get.ts';

export interface PutPlan {
  readonly pvRequest: PvRequest;
  /** Whether `build` needs the present value of a channel of this type. */
  needsCurrent(type: StructureType): boolean;
  /** What to write. What it throws ends the put before anything is written. */
  build(type: StructureType, current: StructureValue | undefined): Update;
}

/** Resolves when the server has said that it is done. A put whose outcome is not known is not repeated. */
export function put(call: Call, channel: Channel, plan: PutPlan): Promise<void> {
  return withOperation(call, channel, 'PUT', async (operation) => {
    const { sid, pvName } = operation.active;
    const { ioid } = operation;
    const { type } = await operation.request(call, {
      name: 'PUT INIT',
      isInit: true,
      message: {
        command: 'PUT',
        phase: 'init',
        sid,
        ioid,
        subcommand: SUBCOMMAND_INIT,
        pvRequest: plan.pvRequest,
      },
      pick: (reply) => (reply.command === 'PUT' && reply.phase === 'init' ? reply : undefined),
    });
    const structure = requireStructure(type, `${pvName}: PUT INIT`);
    const current = plan.needsCurrent(structure) ? await readCurrent(call, operation, structure) : undefined;
    const update = plan.build(structure, current);
    await operation.request(call, {
      name: 'PUT',
      hasEffects: true,
      message: { command: 'PUT', phase: 'exec', sid, ioid, subcommand: 0, update: { type: structure, ...update } },
      pick: (reply) => (reply.command === 'PUT' && reply.phase === 'exec' ? reply : undefined),
    });
  });
}

async function readCurrent(call: Call, operation: Operation, type: StructureType): Promise<StructureValue> {
  const { sid } = operation.active;
  const { update } = await operation.request(call, {
    name: 'PUT (reading the present value)',
    message: { command: 'PUT', phase: 'get', sid, ioid: operation.ioid, subcommand: SUBCOMMAND_GET },
    pick: (reply) => (reply.command === 'PUT' && reply.phase === 'get' ? reply : undefined),
  });
  return readingOf(update, type).value;
}
