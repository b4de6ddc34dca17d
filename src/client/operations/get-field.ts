// How does a client ask for the type of a channel without its value? GET_FIELD, which has no INIT.

import type { TypeDesc } from '../../protocol/types/type-desc.ts';
import { RemoteProtocolError } from '../../protocol/errors.ts';
import type { Call } from '../call.ts';
import type { Channel } from '../channel.ts';
import type { ChannelRights } from '../channel-rights.ts';
import { withOperation } from '../operation.ts';

/** The type of a PV, and the server that has it. */
export interface ChannelInfo {
  readonly pvName: string;
  /** Of the whole channel, or of the sub-field that was asked for. */
  readonly type: TypeDesc;
  /** `host:port` */
  readonly server: string;
  /** What the server says that we may do; undefined where it says nothing, as all but core-pva and pvkit. */
  readonly rights: ChannelRights | undefined;
}

export function getField(call: Call, channel: Channel, subField: string): Promise<ChannelInfo> {
  return withOperation(call, channel, 'GET_FIELD', async (operation) => {
    const { sid, pvName, server } = operation.active;
    const { type } = await operation.request(call, {
      name: 'GET_FIELD',
      message: { command: 'GET_FIELD', sid, ioid: operation.ioid, subField },
      pick: (reply) => (reply.command === 'GET_FIELD' ? reply : undefined),
    });
    if (type === null) throw new RemoteProtocolError(`${pvName}: GET_FIELD is answered with no type`);
    return { pvName, type, server, rights: operation.active.rights };
  });
}
