// How does a client have a channel do what it does when it is processed? PROCESS: INIT, then one request without data.

import { SUBCOMMAND_INIT } from '../../protocol/messages/subcommand.ts';
import type { PvRequest } from '../../protocol/pv-request.ts';
import type { Call } from '../call.ts';
import type { Channel } from '../channel.ts';
import { withOperation } from '../operation.ts';

const SILENT_SERVERS = 'servers made with pvxs have no PROCESS and do not say so';

/** Resolves when the server has said that it is done. It is never repeated: the channel may have acted. */
export function processChannel(call: Call, channel: Channel, pvRequest: PvRequest): Promise<void> {
  return withOperation(call, channel, 'PROCESS', async (operation) => {
    const { sid } = operation.active;
    const { ioid } = operation;
    await operation.request(call, {
      name: 'PROCESS INIT',
      hint: SILENT_SERVERS,
      isInit: true,
      message: { command: 'PROCESS', phase: 'init', sid, ioid, subcommand: SUBCOMMAND_INIT, pvRequest },
      pick: (reply) => (reply.command === 'PROCESS' && reply.phase === 'init' ? reply : undefined),
    });
    await operation.request(call, {
      name: 'PROCESS',
      hasEffects: true,
      message: { command: 'PROCESS', phase: 'exec', sid, ioid, subcommand: 0 },
      pick: (reply) => (reply.command === 'PROCESS' && reply.phase === 'exec' ? reply : undefined),
    });
  });
}
