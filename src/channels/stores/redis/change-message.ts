// What do servers tell each other of channels? Records of one line of text and what it speaks of, as the scripts put
// them; a batch of writes is one message of many records:
//
//   defined <act> <bytes of key>\n<key>
//   defined <act> <bytes of key> <act before> <revision> <time in ms>\n<key>
//   destroyed <act> <bytes of key>\n<key>
//   changed <act> <act before> <revision> <time in ms> <bytes of key> <bytes of leaves> <bytes of path> <bytes of leaf> ...\n
//     <key><path><leaf>...
//
// The second is a change that is too large for a message, so that the channel is to be read. Versions that do not know it
// take it for the first, and read the channel likewise.
//
// The act before is the one that had changed the channel last: who knows the channel as that act left it can take the
// change, and nobody else. A revision alone would not tell a channel from one that was destroyed and made again.

import { RemoteProtocolError } from '../../../protocol/errors.ts';

/** An act, as its text: `<writer>:<number>` of a write, `define:<writer>:<number>` and the like of all else. */
export type ActId = string;

export type ChangeMessage =
  | { readonly kind: 'defined'; readonly act: ActId; readonly key: string }
  | { readonly kind: 'destroyed'; readonly act: ActId; readonly key: string }
  | {
      readonly kind: 'changed';
      readonly act: ActId;
      readonly key: string;
      /** The act that it follows on. */
      readonly follows: ActId;
      readonly revision: number;
      /** When it was written, in milliseconds of Redis' clock. */
      readonly timeMs: number;
      /**
       * Leaf path and bytes; cut when they are asked for, which those of one's own writes are not.
       * @throws RemoteProtocolError when the lengths are not those of the bytes, or none were told
       */
      readonly leaves: () => Iterable<readonly [path: string, bytes: Uint8Array]>;
    };

const LINE_END = 0x0a;

/** The records up to the first that no script of ours has published. */
export function* readChanges(message: Uint8Array): Generator<ChangeMessage> {
  const bytes = Buffer.from(message.buffer, message.byteOffset, message.byteLength);
  for (let at = 0; at < bytes.length;) {
    const headerEnd = bytes.indexOf(LINE_END, at);
    if (headerEnd === -1) return;
    const words = new Words(bytes.toString('latin1', at, headerEnd));
    const kind = words.next();
    const act = words.next();
    if (act === '') return;
    if (kind === 'changed') {
      const follows = words.next();
      const revision = words.count();
      const timeMs = words.count();
      const keyEnd = headerEnd + 1 + words.count();
      const end = keyEnd + words.count();
      // Also not a number.
      if (!(end <= bytes.length && Number.isSafeInteger(revision) && Number.isSafeInteger(timeMs))) return;
      const key = bytes.toString('utf8', headerEnd + 1, keyEnd);
      const lengths = words.rest();
      const leaves = (): [string, Uint8Array][] => cut(bytes.subarray(keyEnd, end), lengths);
      yield { kind, act, key, follows, revision, timeMs, leaves };
      at = end;
    } else if (kind === 'defined' || kind === 'destroyed') {
      const end = headerEnd + 1 + words.count();
      if (!(end <= bytes.length)) return;
      const key = bytes.toString('utf8', headerEnd + 1, end);
      const follows = words.next();
      if (follows === '') yield { kind, act, key };
      else {
        const revision = words.count();
        const timeMs = words.count();
        if (!(Number.isSafeInteger(revision) && Number.isSafeInteger(timeMs))) return;
        yield { kind: 'changed', act, key, follows, revision, timeMs, leaves: notTold };
      }
      at = end;
    } else return;
  }
}

/** What stands between spaces, one after the other. */
class Words {
  readonly #text: string;
  #at = 0;

  constructor(text: string) {
    this.#text = text;
  }

  /** '' past the last. */
  next(): string {
    const start = this.#at;
    const space = this.#text.indexOf(' ', start);
    const end = space === -1 ? this.#text.length : space;
    this.#at = end + 1;
    return this.#text.slice(start, end);
  }

  /** NaN for what is no count. */
  count(): number {
    const word = this.next();
    return /^\d+$/u.test(word) ? Number(word) : Number.NaN;
  }

  rest(): string {
    return this.#text.slice(this.#at);
  }
}

function notTold(): never {
  throw new RemoteProtocolError('a change without its leaves');
}

/** @throws RemoteProtocolError when the lengths are not those of the bytes */
function cut(bytes: Buffer, lengths: string): [string, Uint8Array][] {
  const leaves: [string, Uint8Array][] = [];
  const words = new Words(lengths);
  let at = 0;
  while (at < bytes.length) {
    const pathEnd = at + words.count();
    const end = pathEnd + words.count();
    if (!(end <= bytes.length && end > at))
      throw new RemoteProtocolError('leaves of other lengths than those that are told');
    leaves.push([bytes.toString('utf8', at, pathEnd), bytes.subarray(pathEnd, end)]);
    at = end;
  }
  return leaves;
}
