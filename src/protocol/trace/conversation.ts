// What do two peers say to each other? Follows both directions of a connection as a third who only listens.
//
// Each direction has its type registry, and what INIT agreed on is remembered for each request, so that data can be
// read that says nothing about its own type. Nothing is answered, and nothing that a peer does wrong ends it.

import type { Codec } from '../codecs/codec.ts';
import { msgpack } from '../codecs/msgpack.ts';
import { PackReader } from '../codecs/msgpack-reader.ts';
import { pva } from '../codecs/pva.ts';
import { LimitError, PvaError, reasonOf } from '../errors.ts';
import type { Frame } from '../framer.ts';
import { HEADER_BYTES, type Header } from '../header.ts';
import { DEFAULT_LIMITS, type Limits } from '../limits.ts';
import { decodeMessage, MESSAGE_MODULES, type ClientMessage, type ServerMessage } from '../messages/index.ts';
import { CONTROL_CODES } from '../messages/control.ts';
import type { DecodeContext, OperationTypes } from '../messages/message-module.ts';
import { Reader } from '../reader.ts';
import type { TypeDesc } from '../types/type-desc.ts';
import { TypeReceiver } from '../types/wire.ts';
import { BoundedMap } from './bounded-map.ts';
import { ChannelNames, SearchedNames } from './channel-names.ts';
import type { CommandLayout } from './layout.ts';
import { LINK_LAYOUTS } from './link-layouts.ts';
import type { CutMessage } from './message-cutter.ts';
import { isPacked, notePacked } from './msgpack-notes.ts';
import { NoteTaker, type FieldNote } from './notes.ts';
import { OPERATION_LAYOUTS } from './operation-layouts.ts';
import { subcommandWords } from './subcommand-words.ts';

/** A message with everything that is known of it. */
export interface TracedMessage {
  /** Of joined segments, that of the first. */
  readonly header: Header;
  readonly headerBytes: Uint8Array;
  /** `GET`, `SET_BYTE_ORDER`; `0x42` if nobody knows it. */
  readonly command: string;
  /** What its subcommand says: `INIT PIPELINE`; '' for nothing. */
  readonly words: string;
  /** A message in segments comes segment by segment, and then once more as a whole. */
  readonly part: 'whole' | 'segment' | 'joined';
  /** PVs that it is about, as far as the messages before it told. */
  readonly pvNames: readonly string[];
  /** undefined if the command is unknown, if it is a segment, or if it could not be decoded. */
  readonly message: ClientMessage | ServerMessage | undefined;
  readonly body: Uint8Array;
  /** All bytes of the body, in order. */
  readonly fields: readonly FieldNote[];
  /** What is wrong with it: a sentence that begins with `not decodable` if it could not be decoded to the end. */
  readonly problem: string | undefined;
}

/** What is known of a conversation beside its bytes. */
export interface ConversationOptions {
  readonly limits?: Limits;
  /** Shared by all that is heard over UDP, since each datagram is a conversation of its own. */
  readonly searched?: SearchedNames;
  /** Port that a datagram goes to, by which a search response finds its search; 0 over TCP, where it comes back. */
  readonly toPort?: number;
}

/** One direction. */
interface Side {
  /** Two registries that see the same types: for decoding, and for noting what was decoded. */
  readonly types: TypeReceiver;
  readonly notedTypes: TypeReceiver;
  /** The segments so far of a message that has not ended. */
  segments: { readonly first: CutMessage; readonly bodies: Uint8Array[]; bytes: number } | undefined;
}

const NAMES: ReadonlyMap<number, string> = new Map(MESSAGE_MODULES.map(({ code, command }) => [code, command]));
const CONTROL_NAMES: ReadonlyMap<number, string> = new Map(
  Object.entries(CONTROL_CODES).map(([command, code]) => [code, command]),
);
const LAYOUTS: ReadonlyMap<string, CommandLayout> = new Map([
  ...Object.entries(LINK_LAYOUTS),
  ...Object.entries(OPERATION_LAYOUTS),
]);

/** Every command that a trace can name, control messages too. */
export const COMMAND_NAMES: readonly string[] = [...NAMES.values(), ...CONTROL_NAMES.values()];

/** Both directions of one connection, or one datagram: hears messages in order and says what each of them means. */
export class Conversation {
  readonly #limits: Limits;
  readonly #toPort: number;
  readonly #names: ChannelNames;
  readonly #operations: BoundedMap<number, OperationTypes>;
  readonly #client: Side;
  readonly #server: Side;
  /** undefined until a body has told. */
  #codec: Codec | undefined;

  constructor({ limits = DEFAULT_LIMITS, searched = new SearchedNames(limits), toPort = 0 }: ConversationOptions = {}) {
    this.#limits = limits;
    this.#toPort = toPort;
    // Datagrams are pvAccess, always.
    if (toPort !== 0) this.#codec = pva;
    this.#names = new ChannelNames(limits, searched);
    this.#operations = new BoundedMap(limits.maxOperationsPerLink);
    this.#client = newSide(limits);
    this.#server = newSide(limits);
  }

  /** Hears one message or segment: what it says, and behind the last segment what all of them say. */
  hear(cut: CutMessage): readonly TracedMessage[] {
    const { header, bytes } = cut;
    const body = bytes.subarray(HEADER_BYTES);
    if (header.isControl || header.segment === 'none') {
      return [this.#trace(header, bytes, body, 'whole', this.#endsEarly(header))];
    }
    return this.#hearSegment(cut, body);
  }

  /** Bytes of one direction were lost: what they may have been part of is given up. */
  forget(fromServer: boolean): void {
    this.#side(fromServer).segments = undefined;
  }

  #side(fromServer: boolean): Side {
    return fromServer ? this.#server : this.#client;
  }

  /** What was begun and is not ended by this message. */
  #endsEarly({ fromServer, isControl }: Header): string | undefined {
    const side = this.#side(fromServer);
    if (isControl || side.segments === undefined) return undefined;
    side.segments = undefined;
    return 'the message in segments before it has no last one';
  }

  #hearSegment(cut: CutMessage, body: Uint8Array): readonly TracedMessage[] {
    const { header, bytes } = cut;
    const side = this.#side(header.fromServer);
    const problem = this.#addSegment(side, cut, body);
    const segment = segmentOf(header, bytes, body, problem);
    if (header.segment !== 'last' || side.segments === undefined) return [segment];
    const { first, bodies } = side.segments;
    side.segments = undefined;
    return [segment, this.#trace(first.header, first.bytes, joined(bodies), 'joined')];
  }

  #addSegment(side: Side, cut: CutMessage, body: Uint8Array): string | undefined {
    const { header } = cut;
    if (header.segment === 'first') {
      const problem = this.#endsEarly(header);
      side.segments = { first: cut, bodies: [body], bytes: body.length };
      return problem;
    }
    const open = side.segments;
    if (open === undefined) return `${header.segment} segment without a first`;
    const problem = this.#mismatch(header, open.first.header, open.bytes + body.length);
    if (problem !== undefined) {
      side.segments = undefined;
      return problem;
    }
    open.bodies.push(body);
    open.bytes += body.length;
    return undefined;
  }

  #mismatch(header: Header, first: Header, bytes: number): string | undefined {
    if (header.command !== first.command) return `segment amid those of ${nameOf(first)}`;
    if (header.bigEndian !== first.bigEndian) return 'segment in another byte order than the first';
    if (bytes <= this.#limits.maxBodyBytes) return undefined;
    return reasonOf(new LimitError('maxBodyBytes', bytes, this.#limits.maxBodyBytes, 'joined segments'));
  }

  #trace(
    header: Header,
    bytes: Uint8Array,
    body: Uint8Array,
    part: TracedMessage['part'],
    earlier?: string,
  ): TracedMessage {
    const side = this.#side(header.fromServer);
    const typeOf = (ioid: number): OperationTypes | undefined => this.#operations.get(ioid);
    const codec = this.#codecOf({ header, body });
    const { message, problem } = this.#decode(header, body, { types: side.types, typeOf }, codec);
    const noted = { types: side.notedTypes, typeOf };
    const fields =
      codec === pva
        ? takeNotes(header, body, noted, problem !== undefined)
        : takePackedNotes(header, body, noted, message);
    const pvNames = message === undefined ? [] : this.#names.follow(message, this.#toPort);
    if (message !== undefined) this.#remember(message, header.fromServer);
    return {
      header,
      headerBytes: bytes.subarray(0, HEADER_BYTES),
      command: nameOf(header),
      words: message === undefined ? '' : wordsOf(message),
      part,
      pvNames,
      message,
      body,
      fields,
      problem: problem === undefined ? earlier : `not decodable: ${problem}`,
    };
  }

  #decode(
    header: Header,
    body: Uint8Array,
    context: DecodeContext,
    codec: Codec,
  ): { readonly message?: ClientMessage | ServerMessage; readonly problem?: string } {
    try {
      const message = decodeMessage({ header, body }, context, codec);
      if (message === undefined) {
        const who = header.fromServer ? 'a server' : 'a client';
        return { problem: `no message of ${who} that is known: command 0x${hex(header.command)}` };
      }
      if (!('phase' in message) || message.phase !== 'outOfScope') return { message };
      return { message, problem: `the type of the data is not known: no INIT of request ${message.ioid} was seen` };
    } catch (thrown) {
      if (thrown instanceof PvaError) return { problem: thrown.message };
      throw thrown;
    }
  }

  /** How bodies are encoded: the first that tells decides, for both directions. */
  #codecOf(frame: Frame): Codec {
    if (this.#codec !== undefined) return this.#codec;
    const packed = isPacked(frame, { types: new TypeReceiver({ limits: this.#limits }), typeOf: () => undefined });
    if (packed !== undefined) this.#codec = packed ? msgpack : pva;
    return this.#codec ?? pva;
  }

  /** Keeps what later messages need: the types that INIT agreed on. */
  #remember(message: ClientMessage | ServerMessage, fromServer: boolean): void {
    if (!('phase' in message) || message.phase !== 'init') return;
    const { command, ioid } = message;
    if (!fromServer) return this.#operations.set(ioid, { command, type: null });
    const { type, putType } = agreedTypes(message);
    if (type !== null) this.#operations.set(ioid, { command, type, putType });
  }
}

function newSide(limits: Limits): Side {
  // As many types as either side may name.
  const options = { limits, fromServer: true };
  return { types: new TypeReceiver(options), notedTypes: new TypeReceiver(options), segments: undefined };
}

function agreedTypes(message: ClientMessage | ServerMessage): { type: TypeDesc | null; putType: TypeDesc | null } {
  if ('putType' in message) return { type: message.getType, putType: message.putType };
  return { type: 'type' in message ? message.type : null, putType: null };
}

function takeNotes(header: Header, body: Uint8Array, context: DecodeContext, isBroken: boolean): readonly FieldNote[] {
  const note = new NoteTaker(new Reader(body, header.bigEndian), context.types);
  context.types.beginMessage(body.length);
  const layout = header.isControl ? undefined : LAYOUTS.get(nameOf(header));
  try {
    (header.fromServer ? layout?.fromServer : layout?.fromClient)?.(note, context);
  } catch (thrown) {
    // The decoder has met it too and said what it is.
    if (!(thrown instanceof PvaError)) throw thrown;
  }
  note.remainder('rest', isBroken ? 'not decoded' : 'behind what is known');
  return note.notes;
}

function takePackedNotes(
  header: Header,
  body: Uint8Array,
  { types }: DecodeContext,
  message: ClientMessage | ServerMessage | undefined,
): readonly FieldNote[] {
  const input = new PackReader(body);
  const note = new NoteTaker(input.reader, types);
  types.beginMessage(body.length);
  try {
    if (!header.isControl) notePacked(note, input, message, message === undefined ? '' : wordsOf(message));
  } catch (thrown) {
    // The decoder has met it too and said what it is.
    if (!(thrown instanceof PvaError)) throw thrown;
  }
  note.remainder('rest', 'not decoded');
  return note.notes;
}

function segmentOf(header: Header, bytes: Uint8Array, body: Uint8Array, problem: string | undefined): TracedMessage {
  const note = new NoteTaker(new Reader(body, header.bigEndian), new TypeReceiver());
  note.remainder('segment', 'a part of the message');
  return {
    header,
    headerBytes: bytes.subarray(0, HEADER_BYTES),
    command: nameOf(header),
    words: '',
    part: 'segment',
    pvNames: [],
    message: undefined,
    body,
    fields: note.notes,
    problem,
  };
}

function joined(bodies: readonly Uint8Array[]): Uint8Array {
  const whole = new Uint8Array(bodies.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const body of bodies) {
    whole.set(body, at);
    at += body.length;
  }
  return whole;
}

function nameOf({ command, isControl }: Header): string {
  return (isControl ? CONTROL_NAMES : NAMES).get(command) ?? `0x${hex(command)}`;
}

function wordsOf(message: ClientMessage | ServerMessage): string {
  return 'subcommand' in message ? subcommandWords(message.command, message.subcommand) : '';
}

function hex(byte: number): string {
  return byte.toString(16).padStart(2, '0');
}
