// CMD_MESSAGE (0x12), either direction: a sentence for a human about a request.
//
//   int32 requestID; int8 messageType; string message
//
// Spec: Protocol-Messages, "CMD_MESSAGE", as from the server; pvxs reads it from clients too.

import type { Body } from './message-module.ts';

/** Severity of a MESSAGE: good to know. Spec: Protocol-Messages, "CMD_MESSAGE". */
export const MESSAGE_INFO = 0;
/** Severity of a MESSAGE: hardly meant so. */
export const MESSAGE_WARNING = 1;
/** Severity of a MESSAGE: something went wrong. */
export const MESSAGE_ERROR = 2;
/** Severity of a MESSAGE: something went wrong for good. */
export const MESSAGE_FATAL = 3;

/** What people call them. */
export const MESSAGE_SEVERITIES = { info: MESSAGE_INFO, warning: MESSAGE_WARNING, error: MESSAGE_ERROR } as const;

export interface HumanMessage {
  readonly command: 'MESSAGE';
  readonly ioid: number;
  /** `MESSAGE_INFO` to `MESSAGE_FATAL`; a peer may send other bytes. */
  readonly severity: number;
  readonly text: string;
}

const eitherWay: Body<HumanMessage> = {
  encode(fields, message) {
    fields.u32(message.ioid);
    fields.u8(message.severity);
    fields.string(message.text);
  },
  decode: (fields) => ({ command: 'MESSAGE', ioid: fields.u32(), severity: fields.u8(), text: fields.string() }),
};

export const message = { command: 'MESSAGE', code: 0x12, fromClient: eitherWay, fromServer: eitherWay } as const;
