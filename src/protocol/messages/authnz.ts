// CMD_AUTHNZ (0x05), either direction: a further step of authentication. No method of today takes one.
//
//   FieldDesc dataIF; PVField data, unless the type is null
//
// Spec: Protocol-Messages, "CMD_AUTHNZ".

import type { AnyValue } from '../types/value-of.ts';
import type { Body } from './message-module.ts';

export interface AuthNz {
  readonly command: 'AUTHNZ';
  readonly data: AnyValue;
}

const eitherWay: Body<AuthNz> = {
  encode(fields, message) {
    fields.any(message.data);
  },
  decode: (fields) => ({ command: 'AUTHNZ', data: fields.any() }),
};

export const authNz = { command: 'AUTHNZ', code: 0x05, fromClient: eitherWay, fromServer: eitherWay } as const;
