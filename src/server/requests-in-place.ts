// Which requests are carried out where they lie in the bytes that came? GET and PUT of an operation that has begun, the
// ones that clients send a hundred thousand times a second; with all others, and whatever is unusual about one of these,
// it is requests.ts that answers, as if this file were not there.
//
// No header, frame, view or message is made for them.

import type { InPlace } from '../protocol/framer.ts';
import { readU32 } from '../protocol/header.ts';
import { decodeUpdate } from '../protocol/messages/data.ts';
import { get } from '../protocol/messages/get.ts';
import type { OperationCommand } from '../protocol/messages/message-module.ts';
import { put } from '../protocol/messages/put.ts';
import { Reader } from '../protocol/reader.ts';
import type { StructureType } from '../protocol/types/type-desc.ts';
import type { StructureValue } from '../protocol/types/value-of.ts';
import type { TypeReceiver } from '../protocol/types/wire.ts';
import type { TypedUpdate } from '../protocol/values/update.ts';
import type { LinkOperation, PlacedRequest } from './link.ts';

/** serverChannelID, requestID, subcommand. */
const IDS_BYTES = 9;
const NOTHING = new Uint8Array(0);

/** What this needs of a link. */
interface Requested {
  readonly operations: ReadonlyMap<number, LinkOperation>;
  /** Whether requests are to wait. */
  readonly isHolding: boolean;
  /** Whether those are to wait that may be answered with much: the plain way knows which. */
  readonly isCrowded: boolean;
}

/** The requests of one link; itself the one that is being carried out. */
export class RequestsInPlace implements InPlace, PlacedRequest {
  readonly #link: Requested;
  readonly #types: TypeReceiver;
  subcommand = 0;
  #bytes: Uint8Array = NOTHING;
  #dataStart = 0;
  #dataEnd = 0;
  #bigEndian = false;
  /** Of `#bytes`, for all the requests in it. */
  #reader: Reader | undefined;

  constructor(link: Requested, types: TypeReceiver) {
    this.#link = link;
    this.#types = types;
  }

  take(command: number, bytes: Uint8Array, start: number, end: number, bigEndian: boolean): boolean {
    const name = nameOf(command);
    if (name === undefined || end - start < IDS_BYTES || this.#link.isHolding || this.#link.isCrowded) return false;
    const operation = this.#link.operations.get(readU32(bytes, start + 4, bigEndian));
    if (operation?.takeInPlace === undefined || operation.command !== name) return false;
    if (operation.channel.sid !== readU32(bytes, start, bigEndian)) return false;
    this.subcommand = bytes[start + 8] ?? 0;
    this.#bytes = bytes;
    this.#dataStart = start + IDS_BYTES;
    this.#dataEnd = end;
    this.#bigEndian = bigEndian;
    return operation.takeInPlace(this);
  }

  update(type: StructureType, base: StructureValue): TypedUpdate | undefined {
    try {
      this.#types.beginMessage(this.#dataEnd - this.#dataStart);
      return decodeUpdate(this.#dataReader(), type, this.#types, base);
    } catch {
      // The plain way finds the same fault and says where it is.
      return undefined;
    }
  }

  /** Lets go of the bytes: a chunk is much larger than all that a link keeps. */
  forget(): void {
    this.#bytes = NOTHING;
    this.#reader = undefined;
  }

  #dataReader(): Reader {
    let reader = this.#reader;
    if (reader?.bytes !== this.#bytes || reader.bigEndian !== this.#bigEndian) {
      reader = new Reader(this.#bytes, this.#bigEndian);
      this.#reader = reader;
    }
    return reader.narrow(this.#dataStart, this.#dataEnd);
  }
}

function nameOf(command: number): OperationCommand | undefined {
  if (command === get.code) return 'GET';
  return command === put.code ? 'PUT' : undefined;
}
