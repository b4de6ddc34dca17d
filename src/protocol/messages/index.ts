// The messages of the protocol: every type, and bytes to messages and back.
//
// A link reads frames (../framer.ts) and hands them to `decodeClientMessage` (a server's link) or `decodeServerMessage`
// (a client's); it writes with `encodeMessage`.

import type { Codec } from '../codecs/codec.ts';
import { explain } from '../codecs/explain.ts';
import { pva } from '../codecs/pva.ts';
import { LocalProtocolError } from '../errors.ts';
import type { Frame } from '../framer.ts';
import { HEADER_BYTES, writeHeader } from '../header.ts';
import { DEFAULT_LIMITS, type Limits } from '../limits.ts';
import { encodeType as encodeFullType, TypeReceiver, type TypeSender } from '../types/wire.ts';
import type { TypedUpdate } from '../values/update.ts';
import type { Writer } from '../writer.ts';
import { aclChange, type AclChange } from './acl-change.ts';
import { array, type ArrayReply, type ArrayRequest } from './array.ts';
import { authNz, type AuthNz } from './authnz.ts';
import { beacon, type Beacon } from './beacon.ts';
import { cancelRequest, type CancelRequest } from './cancel-request.ts';
import { connectionValidated, type ConnectionValidated } from './connection-validated.ts';
import {
  connectionValidation,
  type ConnectionValidationRequest,
  type ConnectionValidationResponse,
} from './connection-validation.ts';
import { CONTROL_CODES, isControlMessage, readControl, type ControlMessage } from './control.ts';
import { createChannel, type CreateChannelReply, type CreateChannelRequest } from './create-channel.ts';
import type { UpdateToSend } from './data.ts';
import { destroyChannel, type DestroyChannel } from './destroy-channel.ts';
import { destroyRequest, type DestroyRequest } from './destroy-request.ts';
import { echo, type Echo } from './echo.ts';
import { getField, type GetFieldReply, type GetFieldRequest } from './get-field.ts';
import { get, type GetReply, type GetRequest } from './get.ts';
import type { Body, DecodeContext, ToSend } from './message-module.ts';
import { message, type HumanMessage } from './message.ts';
import { monitor, type MonitorReply, type MonitorRequest } from './monitor.ts';
import { originTag, type OriginTag } from './origin-tag.ts';
import { process, type ProcessReply, type ProcessRequest } from './process.ts';
import { putGet, type PutGetReply, type PutGetRequest } from './put-get.ts';
import { put, type PutReply, type PutRequest } from './put.ts';
import { rpc, type RpcReply, type RpcRequest } from './rpc.ts';
import { searchResponse, type SearchResponse } from './search-response.ts';
import { search, type Search } from './search.ts';

/** What a client sends, as it is read. */
export type ClientMessage<U = TypedUpdate> =
  | AuthNz
  | ArrayRequest
  | CancelRequest
  | ConnectionValidationResponse
  | ControlMessage
  | CreateChannelRequest
  | DestroyChannel
  | DestroyRequest
  | Echo
  | GetFieldRequest
  | GetRequest
  | HumanMessage
  | MonitorRequest
  | OriginTag
  | ProcessRequest
  | PutGetRequest<U>
  | PutRequest<U>
  | RpcRequest
  | Search;

/** What a server sends, as it is read. */
export type ServerMessage<U = TypedUpdate> =
  | AclChange
  | ArrayReply
  | AuthNz
  | Beacon
  | ConnectionValidated
  | ConnectionValidationRequest
  | ControlMessage
  | CreateChannelReply
  | DestroyChannel
  | Echo
  | GetFieldReply
  | GetReply<U>
  | HumanMessage
  | MonitorReply<U>
  | OriginTag
  | ProcessReply
  | PutGetReply<U>
  | PutReply<U>
  | RpcReply
  | SearchResponse;

/** What a client can send: updates also as bytes (`preEncodeUpdate`), and nothing that is out of scope. */
export type ClientMessageToSend = ToSend<ClientMessage<UpdateToSend>>;
/** What a server can send: updates also as bytes (`preEncodeUpdate`), and nothing that is out of scope. */
export type ServerMessageToSend = ToSend<ServerMessage<UpdateToSend>>;

/** How messages are written. */
export interface EncodeOptions {
  /** Gives types ids, of one direction of one link. By default types go in full, which every peer reads. */
  readonly typeSender?: TypeSender;
  /** pvAccess by default. */
  readonly codec?: Codec;
}

/** One command with its bodies, as tables and tests go through them. */
export interface AnyModule {
  readonly command: string;
  readonly code: number;
  readonly fromClient?: Body<never, ClientMessage>;
  readonly fromServer?: Body<never, ServerMessage>;
}

/** Every command that has a body, in the order of their codes. */
export const MESSAGE_MODULES: readonly AnyModule[] = [
  beacon,
  connectionValidation,
  echo,
  search,
  searchResponse,
  authNz,
  aclChange,
  createChannel,
  destroyChannel,
  connectionValidated,
  get,
  put,
  putGet,
  monitor,
  array,
  destroyRequest,
  process,
  getField,
  message,
  rpc,
  cancelRequest,
  originTag,
];

const BY_CODE: readonly (AnyModule | undefined)[] = Array.from({ length: 256 }, (_, code) =>
  MESSAGE_MODULES.find((module) => module.code === code),
);
const BY_COMMAND: ReadonlyMap<string, AnyModule> = new Map(MESSAGE_MODULES.map((module) => [module.command, module]));

/**
 * Reads what a client sent; undefined if the command is not known, is none of a client's, or the frame is a server's:
 * such messages are to be skipped.
 *
 * Throws `RemoteProtocolError`, `TruncatedError` or `LimitError`, with command, offset and field in the message.
 */
export function decodeClientMessage(
  frame: Frame,
  context: DecodeContext,
  codec: Codec = pva,
): ClientMessage | undefined {
  if (frame.header.fromServer) return undefined;
  if (frame.header.isControl) return readControl(frame.header);
  const module = BY_CODE[frame.header.command];
  const body = module?.fromClient;
  return module === undefined || body === undefined
    ? undefined
    : decodeBody(module.command, body, frame, context, codec);
}

/** Reads what a server sent; see `decodeClientMessage`. */
export function decodeServerMessage(
  frame: Frame,
  context: DecodeContext,
  codec: Codec = pva,
): ServerMessage | undefined {
  if (!frame.header.fromServer) return undefined;
  if (frame.header.isControl) return readControl(frame.header);
  const module = BY_CODE[frame.header.command];
  const body = module?.fromServer;
  return module === undefined || body === undefined
    ? undefined
    : decodeBody(module.command, body, frame, context, codec);
}

/** Reads a message of the direction that its header names; see `decodeClientMessage`. */
export function decodeMessage(
  frame: Frame,
  context: DecodeContext,
  codec: Codec = pva,
): ClientMessage | ServerMessage | undefined {
  return frame.header.fromServer
    ? decodeServerMessage(frame, context, codec)
    : decodeClientMessage(frame, context, codec);
}

/**
 * Writes header and body in the writer's byte order, behind what the writer already holds. Throws `LocalProtocolError`,
 * and leaves the writer as it was, if the message cannot be sent.
 */
export function encodeMessage(
  writer: Writer,
  message: ClientMessageToSend,
  options: EncodeOptions & { readonly fromServer: false },
): void;
export function encodeMessage(
  writer: Writer,
  message: ServerMessageToSend,
  options: EncodeOptions & { readonly fromServer: true },
): void;
export function encodeMessage(
  writer: Writer,
  message: ClientMessageToSend | ServerMessageToSend,
  options: EncodeOptions & { readonly fromServer: boolean },
): void {
  const { fromServer, typeSender, codec = pva } = options;
  if (isControlMessage(message)) return encodeControl(writer, message, fromServer);
  const start = writer.length;
  const idCount = typeSender?.idCount ?? 0;
  try {
    const module = BY_COMMAND.get(message.command);
    const body = fromServer ? module?.fromServer : module?.fromClient;
    if (module === undefined || body === undefined) {
      throw new LocalProtocolError(`no message of a ${fromServer ? 'server' : 'client'}`);
    }
    writeHeader(writer, { command: module.code, fromServer, size: 0 });
    // The module was found by the command of this message, so its encoder takes this message.
    codec.encodeBody(body, message as never, writer, typeSender?.encode ?? encodeFullType);
    writer.patchU32(start + HEADER_BYTES - 4, writer.length - start - HEADER_BYTES);
  } catch (thrown) {
    writer.truncate(start);
    typeSender?.forgetSince(idCount);
    throw explain(thrown, message.command);
  }
}

/** A context for datagrams: no operations, and a type registry that must not outlive the datagram. */
export function datagramContext(limits: Limits = DEFAULT_LIMITS): DecodeContext {
  return { types: new TypeReceiver({ limits }), typeOf: () => undefined };
}

function decodeBody<M>(
  command: string,
  body: Body<never, M>,
  { header, body: bytes }: Frame,
  context: DecodeContext,
  codec: Codec,
): M {
  context.types.beginMessage(bytes.length);
  return codec.decodeBody(command, body, bytes, header.bigEndian, context);
}

function encodeControl(writer: Writer, message: ControlMessage, fromServer: boolean): void {
  if (message.command === 'SET_BYTE_ORDER' && message.bigEndian !== writer.bigEndian) {
    throw new LocalProtocolError('SET_BYTE_ORDER has to be written with a writer of the order it sets');
  }
  writeHeader(writer, {
    command: CONTROL_CODES[message.command],
    fromServer,
    isControl: true,
    size: message.value,
  });
}
