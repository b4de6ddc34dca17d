// CMD_ACL_CHANGE (0x06), from the server: what the client may do with a channel.
//
//   int32 clientChannelID; int8 rights
//
// Spec: Protocol-Messages, "CMD_ACL_CHANGE", is a placeholder with lists of BitSets that nobody sends. core-pva's server
// sends the form above (AccessRightsChange.java), even before its CREATE_CHANNEL reply. A body of any other length is
// kept as it is: the form may yet change, and a link of pvAccess must not end because of it. (In MessagePack it has the two
// fields above, as docs/msgpack.md says, or is bytes.)

import type { Body } from './message-module.ts';

export const ACL_PUT = 0x01;
export const ACL_PUT_GET = 0x02;
export const ACL_RPC = 0x04;

const RIGHTS_BYTES = 5;
const RIGHTS_FIELDS = 2;

export interface AclRights {
  readonly command: 'ACL_CHANGE';
  readonly form: 'rights';
  readonly cid: number;
  /** `ACL_PUT`, `ACL_PUT_GET` and `ACL_RPC`, those that are allowed. */
  readonly rights: number;
}

export interface AclUnknown {
  readonly command: 'ACL_CHANGE';
  readonly form: 'unknown';
  /** As read, a view into the frame: copy it to keep it. */
  readonly payload: Uint8Array;
}

export type AclChange = AclRights | AclUnknown;

const fromServer: Body<AclChange> = {
  encode(fields, message) {
    if (message.form === 'unknown') return fields.payload(message.payload);
    fields.u32(message.cid);
    fields.u8(message.rights);
  },
  decode(fields) {
    if (!fields.isLast(RIGHTS_BYTES, RIGHTS_FIELDS)) {
      return { command: 'ACL_CHANGE', form: 'unknown', payload: fields.payload() };
    }
    return { command: 'ACL_CHANGE', form: 'rights', cid: fields.u32(), rights: fields.u8() };
  },
};

export const aclChange = { command: 'ACL_CHANGE', code: 0x06, fromServer } as const;
