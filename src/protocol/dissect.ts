// What is in the messages of discovery, byte by byte? A description of them apart from the decoders.
//
// The decoders of messages/ are what runs; this declaration of header, beacon, search and search response is what they
// are held against, and what tools show of a datagram: bits one by one, reserved bytes, nothing left out.
// binary-parser makes functions from text, so a page that forbids `eval` cannot dissect; nothing else depends on it.
//
// Spec: Protocol-Messages, "Message Header", "CMD_BEACON", "CMD_SEARCH", "CMD_SEARCH_RESPONSE".

import { Parser } from 'binary-parser';

import { ADDRESS_BYTES, readAddress } from './address.ts';
import { PvaError, RemoteProtocolError, TruncatedError } from './errors.ts';
import { GUID_BYTES } from './guid.ts';
import { HEADER_BYTES, MAGIC } from './header.ts';
import { Reader, SIZE_LONG, SIZE_MAX, SIZE_NULL } from './reader.ts';
import { decodeText } from './text.ts';

/** The eight bytes in front of a message. Spec: Protocol-Messages, "Message Header". */
export interface DissectedHeader {
  readonly magic: number;
  readonly version: number;
  /** The bits of the flags, from the highest to the lowest. */
  readonly bigEndian: number;
  readonly fromServer: number;
  /** 0 none, 1 first, 2 last, 3 middle. */
  readonly segment: number;
  readonly unusedFlags: number;
  readonly control: number;
  readonly command: number;
  readonly size: number;
}

interface Dissected {
  /** Offset in the body behind the last field; what follows is not understood, save a beacon's status. */
  readonly end: number;
}

/** The body of a beacon. Spec: Protocol-Messages, "CMD_BEACON". */
export interface DissectedBeacon extends Dissected {
  readonly guid: string;
  readonly flags: number;
  readonly sequence: number;
  readonly changeCount: number;
  readonly serverAddress: string;
  readonly serverPort: number;
  readonly protocol: string;
  /** Type and value of the server's status as bytes: 0xff for none. */
  readonly serverStatus: Uint8Array;
}

/** The body of a search. Spec: Protocol-Messages, "CMD_SEARCH". */
export interface DissectedSearch extends Dissected {
  readonly sequenceId: number;
  readonly flags: {
    readonly unicast: number;
    readonly unused: number;
    readonly replyToSource: number;
    readonly mustReply: number;
  };
  readonly reserved: readonly number[];
  readonly responseAddress: string;
  readonly responsePort: number;
  readonly protocolCount: number;
  readonly protocols: readonly string[];
  readonly nameCount: number;
  readonly names: readonly { readonly instanceId: number; readonly pvName: string }[];
}

/** The body of an answer to a search. Spec: Protocol-Messages, "CMD_SEARCH_RESPONSE". */
export interface DissectedSearchResponse extends Dissected {
  readonly guid: string;
  readonly sequenceId: number;
  readonly serverAddress: string;
  readonly serverPort: number;
  readonly protocol: string;
  readonly found: number;
  readonly instanceIdCount: number;
  readonly instanceIds: readonly number[];
}

/** `body` is that of the command of `header`; undefined if the command is none of discovery. */
export type Dissection = { readonly header: DissectedHeader } & (
  | { readonly command: 'BEACON'; readonly body: DissectedBeacon }
  | { readonly command: 'SEARCH'; readonly body: DissectedSearch }
  | { readonly command: 'SEARCH_RESPONSE'; readonly body: DissectedSearchResponse }
  | { readonly command: 'OTHER'; readonly body: undefined }
);

type Endianness = 'big' | 'little';

const BEACON = 0x00;
const SEARCH = 0x03;
const SEARCH_RESPONSE = 0x04;
const RESERVED_BYTES = 3;

/** A parser, and the type of what it finds: the one is written beside the other by hand. */
interface Description<T> {
  readonly parser: Parser;
  /** Carries the type only; no object ever has it. */
  readonly finds?: T;
}

interface Bodies {
  readonly beacon: Description<DissectedBeacon>;
  readonly search: Description<DissectedSearch>;
  readonly searchResponse: Description<DissectedSearchResponse>;
}

const HEADER_PARSER = new Parser()
  .endianness('big')
  .uint8('magic', { assert: MAGIC })
  .uint8('version')
  .bit1('bigEndian')
  .bit1('fromServer')
  .bit2('segment')
  .bit3('unusedFlags')
  .bit1('control')
  .uint8('command')
  .choice({
    tag: 'bigEndian',
    choices: { 0: new Parser().uint32le('size'), 1: new Parser().uint32be('size') },
  });

const HEADER: Description<DissectedHeader> = { parser: HEADER_PARSER };

const SEARCH_FLAGS = new Parser()
  .endianness('big')
  .bit1('unicast')
  .bit5('unused')
  .bit1('replyToSource')
  .bit1('mustReply');

const BODIES: { readonly [E in Endianness]: Bodies } = {
  big: describeBodies('big'),
  little: describeBodies('little'),
};

function describeBodies(endianness: Endianness): Bodies {
  const start = (): Parser => new Parser().endianness(endianness);

  // One byte, or 0xfe and 32 bits.
  const size = start()
    .uint8('short')
    .choice({ tag: 'short', choices: { [SIZE_LONG]: start().uint32('long') }, defaultChoice: new Parser() });

  // `string` of binary-parser would drop a byte order mark.
  const string = start()
    .nest('size', { type: size, formatter: textSize })
    .buffer('text', { length: 'size', formatter: textOf });

  const name = start().uint32('instanceId').nest('pvName', { type: string, formatter: textIn });

  const beacon = start()
    .string('guid', { encoding: 'hex', length: GUID_BYTES })
    .uint8('flags')
    .uint8('sequence')
    .uint16('changeCount')
    .buffer('serverAddress', { length: ADDRESS_BYTES, formatter: addressOf })
    .uint16('serverPort')
    .nest('protocol', { type: string, formatter: textIn })
    .saveOffset('end')
    .buffer('serverStatus', { readUntil: 'eof', clone: true });

  const search = start()
    .uint32('sequenceId')
    .nest('flags', { type: SEARCH_FLAGS })
    .array('reserved', { type: 'uint8', length: RESERVED_BYTES })
    .buffer('responseAddress', { length: ADDRESS_BYTES, formatter: addressOf })
    .uint16('responsePort')
    .nest('protocolCount', { type: size, formatter: countOf })
    .array('protocols', { type: string, length: 'protocolCount', formatter: textsIn })
    .uint16('nameCount')
    .array('names', { type: name, length: 'nameCount' })
    .saveOffset('end');

  const searchResponse = start()
    .string('guid', { encoding: 'hex', length: GUID_BYTES })
    .uint32('sequenceId')
    .buffer('serverAddress', { length: ADDRESS_BYTES, formatter: addressOf })
    .uint16('serverPort')
    .nest('protocol', { type: string, formatter: textIn })
    .uint8('found')
    .uint16('instanceIdCount')
    .array('instanceIds', { type: endianness === 'big' ? 'uint32be' : 'uint32le', length: 'instanceIdCount' })
    .saveOffset('end');

  return { beacon: { parser: beacon }, search: { parser: search }, searchResponse: { parser: searchResponse } };
}

/**
 * Takes a whole message, header and body, apart. Throws `TruncatedError` if it ends early, and `RemoteProtocolError` if
 * it is no message of this protocol.
 */
export function dissect(message: Uint8Array): Dissection {
  const header = parse(HEADER, message, 0);
  const end = HEADER_BYTES + header.size;
  if (header.control === 1) return { header, command: 'OTHER', body: undefined };
  if (end > message.length) {
    throw new TruncatedError(`body of ${header.size} bytes, ${message.length - HEADER_BYTES} are there`, HEADER_BYTES);
  }
  const body = message.subarray(HEADER_BYTES, end);
  const { beacon, search, searchResponse } = BODIES[header.bigEndian === 1 ? 'big' : 'little'];
  switch (header.command) {
    case BEACON:
      return { header, command: 'BEACON', body: parse(beacon, body, HEADER_BYTES) };
    case SEARCH:
      return { header, command: 'SEARCH', body: parse(search, body, HEADER_BYTES) };
    case SEARCH_RESPONSE:
      return { header, command: 'SEARCH_RESPONSE', body: parse(searchResponse, body, HEADER_BYTES) };
    default:
      return { header, command: 'OTHER', body: undefined };
  }
}

function parse<T>({ parser }: Description<T>, bytes: Uint8Array, offset: number): T {
  try {
    // The interfaces above name what the parsers describe; a test compares both with the decoders.
    const parsed = parser.parse(bytes) as T & Partial<Dissected>;
    // binary-parser cuts texts at the end of the bytes without a word, but counts on.
    if ((parsed.end ?? 0) > bytes.length) throw endsEarly(bytes, offset);
    return parsed;
  } catch (thrown) {
    if (thrown instanceof PvaError) throw thrown;
    if (thrown instanceof RangeError) throw endsEarly(bytes, offset, thrown);
    throw new RemoteProtocolError(thrown instanceof Error ? thrown.message : String(thrown), { cause: thrown });
  }
}

function endsEarly(bytes: Uint8Array, offset: number, cause?: RangeError): TruncatedError {
  return new TruncatedError(`message ends within what it describes, ${bytes.length} bytes are there`, offset, {
    cause,
  });
}

interface SizeParts {
  readonly short: number;
  readonly long?: number;
}

function textSize({ short, long = short }: SizeParts): number {
  if (short === SIZE_NULL) return 0;
  if (long > SIZE_MAX) throw new RemoteProtocolError(`size ${long}, at most ${SIZE_MAX} expected`);
  return long;
}

function countOf(size: SizeParts): number {
  if (size.short === SIZE_NULL) throw new RemoteProtocolError('null size, a count expected');
  return textSize(size);
}

function textIn({ text }: { readonly text: string }): string {
  return text;
}

function textsIn(strings: readonly { readonly text: string }[]): readonly string[] {
  return strings.map(textIn);
}

function textOf(bytes: Uint8Array): string {
  return decodeText(bytes, 0, bytes.length);
}

function addressOf(bytes: Uint8Array): string {
  return readAddress(new Reader(bytes, true));
}
