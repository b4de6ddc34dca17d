// How does a client call a service? RPC: INIT, then the argument as a whole and the result as a whole.

import type { PvRequest } from '../../protocol/pv-request.ts';
import { SUBCOMMAND_INIT } from '../../protocol/messages/subcommand.ts';
import type { AnyValue } from '../../protocol/types/value-of.ts';
import type { Call } from '../call.ts';
import type { Channel } from '../channel.ts';
import { withOperation } from '../operation.ts';

/** The result, null when the service gives none. A call is never repeated: the service may have acted. */
export function rpc(call: Call, channel: Channel, pvRequest: PvRequest, argument: AnyValue): Promise<AnyValue> {
  return withOperation(call, channel, 'RPC', async (operation) => {
    const { sid } = operation.active;
    const { ioid } = operation;
    await operation.request(call, {
      name: 'RPC INIT',
      isInit: true,
      message: { command: 'RPC', phase: 'init', sid, ioid, subcommand: SUBCOMMAND_INIT, pvRequest },
      pick: (reply) => (reply.command === 'RPC' && reply.phase === 'init' ? reply : undefined),
    });
    const { result } = await operation.request(call, {
      name: 'RPC',
      hasEffects: true,
      message: { command: 'RPC', phase: 'exec', sid, ioid, subcommand: 0, argument },
      pick: (reply) => (reply.command === 'RPC' && reply.phase === 'exec' ? reply : undefined),
    });
    return result;
  });
}
