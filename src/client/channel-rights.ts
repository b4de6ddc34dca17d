// What does a server say that we may do with a channel? Told by ACL_CHANGE when the channel is made and whenever it
// changes; most servers say nothing.
//
// It is advice: whoever asks all the same gets the server's answer, which says what is missing, and the server's log has
// the attempt.

import { ACL_PUT, ACL_PUT_GET, ACL_RPC } from '../protocol/messages/acl-change.ts';

/** What a server says is allowed with a channel beside reading. Spec: Protocol-Messages, "CMD_ACL_CHANGE". */
export interface ChannelRights {
  readonly put: boolean;
  readonly putGet: boolean;
  readonly rpc: boolean;
}

const NAMES: readonly (readonly [right: keyof ChannelRights, name: string])[] = [
  ['put', 'put'],
  ['putGet', 'put-get'],
  ['rpc', 'rpc'],
];

/** The rights that the bits of ACL_CHANGE stand for; bits without a meaning are ignored. */
export function channelRights(bits: number): ChannelRights {
  return { put: (bits & ACL_PUT) !== 0, putGet: (bits & ACL_PUT_GET) !== 0, rpc: (bits & ACL_RPC) !== 0 };
}

/** `put, put-get`; `read-only` where there is none of them. */
export function channelRightsText(rights: ChannelRights): string {
  const allowed = NAMES.filter(([right]) => rights[right]).map(([, name]) => name);
  return allowed.length === 0 ? 'read-only' : allowed.join(', ');
}
