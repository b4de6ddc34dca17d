// What is a codec? It turns the bodies of messages into bytes and back; all else of a link is the same for each.
//
// Headers, segments and control messages are not its matter. `pva.ts` is the specification's form, `msgpack.ts` the one
// that docs/msgpack.md describes; both run the suite in test/protocol/codecs/.

import type { CodecName, EncodedUpdate } from '../messages/data.ts';
import type { Body, DecodeContext } from '../messages/message-module.ts';
import type { EncodeType } from '../types/wire.ts';
import type { TypedUpdate } from '../values/update.ts';
import type { Writer } from '../writer.ts';

/** What searches and beacons call the codecs. */
export type ProtocolName = 'tcp' | 'msgpack';

/**
 * How the bodies of messages become bytes and back; `pva` and `msgpack` are the two that there are. Headers, segments and
 * control messages are the same for both.
 */
export interface Codec {
  /** As the command line and the documents call it. */
  readonly name: CodecName;
  /** As searches, their responses and beacons call it. */
  readonly protocol: ProtocolName;
  /** The byte order of a link that was asked for this one; headers have it too. */
  orderOf(bigEndian: boolean): boolean;
  /** Writes a body behind what the writer holds. `encodeType` is how types go where they may have ids. */
  encodeBody<M>(body: Pick<Body<M>, 'encode'>, message: M, writer: Writer, encodeType: EncodeType): void;
  /** Reads the body of a command. Errors say which that is, and at which offset they happened. */
  decodeBody<M>(
    command: string,
    body: Pick<Body<never, M>, 'decode'>,
    bytes: Uint8Array,
    bigEndian: boolean,
    context: DecodeContext,
  ): M;
  /**
   * An update for many links, which share no type ids.
   * @throws LimitError when it takes more than `mostBytes`
   */
  encodeUpdate(update: TypedUpdate, bigEndian: boolean, mostBytes?: number): EncodedUpdate;
}
