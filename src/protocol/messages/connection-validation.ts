// CMD_CONNECTION_VALIDATION (0x01), both directions: how a client may prove who it is, and how it does.
//
//   from the server, "request"    int32 receiveBufferSize; int16 registryMaxSize; string[] authNZ
//   from the client, "response"   int32 receiveBufferSize; int16 registryMaxSize; int16 qos; string authNZ;
//                                 FieldDesc dataIF; PVField data
//
// Spec: Protocol-Messages, "CMD_CONNECTION_VALIDATION"; the request is the server's. All peers send the sizes and use
// none. The list goes from the worst method to the best, since old clients take the last that they know.

import type { AnyValue } from '../types/value-of.ts';
import type { ListShape } from './fields.ts';
import type { Body } from './message-module.ts';

/** A method takes the byte of its size at least. */
const METHODS: ListShape = { counter: 'size', fieldsEach: 1, bytesEach: 1, what: 'methods' };

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
  encode(fields, message) {
    fields.u32(message.receiveBufferBytes);
    fields.u16(message.registrySize);
    fields.list(METHODS, message.methods, (method) => fields.string(method));
  },
  decode(fields) {
    const receiveBufferBytes = fields.u32();
    const registrySize = fields.u16();
    const methods = fields.list(METHODS, () => fields.string());
    return { command: 'CONNECTION_VALIDATION', receiveBufferBytes, registrySize, methods };
  },
};

const fromClient: Body<ConnectionValidationResponse> = {
  encode(fields, message) {
    fields.u32(message.receiveBufferBytes);
    fields.u16(message.registrySize);
    fields.u16(message.qos);
    fields.string(message.method);
    fields.any(message.credentials);
  },
  decode(fields) {
    const receiveBufferBytes = fields.u32();
    const registrySize = fields.u16();
    const qos = fields.u16();
    const method = fields.string();
    // pvAccessCPP's server takes a client that sends no type at all. Methods that need no data may leave it out.
    const isOmitted = !fields.hasMore && method !== 'ca';
    const credentials = isOmitted ? null : fields.any();
    return { command: 'CONNECTION_VALIDATION', receiveBufferBytes, registrySize, qos, method, credentials };
  },
};

export const connectionValidation = {
  command: 'CONNECTION_VALIDATION',
  code: 0x01,
  fromClient,
  fromServer,
} as const;
