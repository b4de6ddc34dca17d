// CMD_ORIGIN_TAG (0x16), over UDP: the searches behind it were forwarded to the group 224.0.0.128 of this host.
//
//   byte[16] forwarderAddress
//
// Spec: Protocol-Messages, "CMD_ORIGIN_TAG". Clients and servers may forward, so either may set the direction.

import type { Body } from './message-module.ts';

export interface OriginTag {
  readonly command: 'ORIGIN_TAG';
  /** Address to which the forwarder's socket was bound; see `isAny`. */
  readonly forwarder: string;
}

const eitherWay: Body<OriginTag> = {
  encode(fields, message) {
    fields.address(message.forwarder);
  },
  decode: (fields) => ({ command: 'ORIGIN_TAG', forwarder: fields.address() }),
};

export const originTag = { command: 'ORIGIN_TAG', code: 0x16, fromClient: eitherWay, fromServer: eitherWay } as const;
