// CMD_CONNECTION_VALIDATION (0x01), both directions: how a client may prove who it is, and how it does.
//
//   from the server, "request"    int32 receiveBufferSize; int16 registryMaxSize; string[] authNZ
//   from the client, "response"   int32 receiveBufferSize; int16 registryMaxSize; int16 qos; string authNZ;
//                                 FieldDesc dataIF; PVField data
//
// Spec: Protocol-Messages, "CMD_CONNECTION_VALIDATION"; the request is the server's. All peers send the sizes and use
// none. The list goes from the worst method to the best, since old clients take the last that they know.

import type { AnyValue } from '../types/value-of.ts';
import { decodeAny, encodeAny } from './data.ts';
import type { Body } from './message-module.ts';

/** Bytes of a method at least: its size. */
const METHOD_BYTES = 1;

/** What the server sends. */
export interface ConnectionValidationRequest {
  readonly command: 'CONNECTION_VALIDATION';
  readonly receiveBufferBytes: number;
  readonly registrySize: number;
  /** Best last. */
  readonly methods: readonly string[];
}

/** What the client sends. */
export interface ConnectionValidationResponse {
  readonly command: 'CONNECTION_VALIDATION';
  readonly receiveBufferBytes: number;
  readonly registrySize: number;
  readonly qos: number;
  readonly method: string;
  /** For `ca` a structure of the strings `user` and `host`, which may be empty; null for others. */
  readonly credentials: AnyValue;
}

const fromServer: Body<ConnectionValidationRequest> = {
  encode(writer, message) {
    writer.u32(message.receiveBufferBytes);
    writer.u16(message.registrySize);
    writer.size(message.methods.length);
    for (const method of message.methods) writer.string(method);
  },
  decode(reader, context) {
    const receiveBufferBytes = reader.u32();
    const registrySize = reader.u16();
    const count = reader.count(METHOD_BYTES);
    context.types.spend(count);
    const methods: string[] = [];
    for (let index = 0; index < count; index++) methods.push(reader.string());
    return { command: 'CONNECTION_VALIDATION', receiveBufferBytes, registrySize, methods };
  },
};

const fromClient: Body<ConnectionValidationResponse> = {
  encode(writer, message, encodeType) {
    writer.u32(message.receiveBufferBytes);
    writer.u16(message.registrySize);
    writer.u16(message.qos);
    writer.string(message.method);
    encodeAny(writer, message.credentials, encodeType);
  },
  decode(reader, context) {
    const receiveBufferBytes = reader.u32();
    const registrySize = reader.u16();
    const qos = reader.u16();
    const method = reader.string();
    // pvAccessCPP's server takes a client that sends no type at all. Methods that need no data may leave it out.
    const isOmitted = reader.remaining === 0 && method !== 'ca';
    const credentials = isOmitted ? null : decodeAny(reader, context);
    return { command: 'CONNECTION_VALIDATION', receiveBufferBytes, registrySize, qos, method, credentials };
  },
};

export const connectionValidation = {
  command: 'CONNECTION_VALIDATION',
  code: 0x01,
  fromClient,
  fromServer,
} as const;
