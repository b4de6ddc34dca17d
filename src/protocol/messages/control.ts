// The control messages, either direction: eight bytes, the size field of which is a value.
//
//   mark 0x00 total bytes sent; acknowledge 0x01 total bytes received; set byte order 0x02 a hint;
//   echo request 0x03 and echo response 0x04 the same value
//
// Spec: Protocol-Messages, "Control Messages". Only set byte order is ever sent by peers of today.

import type { Header } from '../header.ts';

export const CONTROL_CODES = {
  MARK: 0x00,
  ACKNOWLEDGE: 0x01,
  SET_BYTE_ORDER: 0x02,
  ECHO_REQUEST: 0x03,
  ECHO_RESPONSE: 0x04,
} as const;

export type ControlCommand = keyof typeof CONTROL_CODES;

/** Bytes sent (mark) or received (acknowledge) so far; echo carries any 32 bits. */
export interface ControlValue {
  readonly command: Exclude<ControlCommand, 'SET_BYTE_ORDER'>;
  readonly value: number;
}

/**
 * The order in which the client has to send from now on: the order bit of this very message, which is written with a
 * writer of that order. What the server sends is told by each message's own bit: every server sets it, whatever the
 * hint says, and so `value` is for information only.
 */
export interface SetByteOrder {
  readonly command: 'SET_BYTE_ORDER';
  readonly bigEndian: boolean;
  readonly value: number;
}

export type ControlMessage = ControlValue | SetByteOrder;

const COMMANDS: ReadonlyMap<number, ControlCommand> = new Map([
  [CONTROL_CODES.MARK, 'MARK'],
  [CONTROL_CODES.ACKNOWLEDGE, 'ACKNOWLEDGE'],
  [CONTROL_CODES.SET_BYTE_ORDER, 'SET_BYTE_ORDER'],
  [CONTROL_CODES.ECHO_REQUEST, 'ECHO_REQUEST'],
  [CONTROL_CODES.ECHO_RESPONSE, 'ECHO_RESPONSE'],
]);

/** undefined for a command that is not known, which is to be skipped. */
export function readControl({ command: code, bigEndian, size }: Header): ControlMessage | undefined {
  const command = COMMANDS.get(code);
  if (command === undefined) return undefined;
  return command === 'SET_BYTE_ORDER' ? { command, bigEndian, value: size } : { command, value: size };
}

export function isControlMessage(message: { readonly command: string }): message is ControlMessage {
  return Object.hasOwn(CONTROL_CODES, message.command);
}
