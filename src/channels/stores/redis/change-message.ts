// What do servers tell each other of channels? Records of one line of text and what it speaks of, as the scripts put
// them; a batch of writes is one message of many records:
//
//   defined <act> <bytes of key>\n<key>
//   destroyed <act> <bytes of key>\n<key>
//   changed <act> <revision> <time in ms> <bytes of key> <bytes of path> <bytes of leaf> ...\n<key><path><leaf>...

/** An act, as its text: `<writer>:<number>` of a write, `define:<writer>:<number>` and the like of all else. */
export type ActId = string;

export type ChangeMessage =
  | { readonly kind: 'defined'; readonly act: ActId; readonly key: string }
  | { readonly kind: 'destroyed'; readonly act: ActId; readonly key: string }
  | {
      readonly kind: 'changed';
      readonly act: ActId;
      readonly key: string;
      readonly revision: number;
      /** When it was written, in milliseconds of Redis' clock. */
      readonly timeMs: number;
      /** Leaf path and bytes; cut when they are asked for, which those of one's own writes are not. */
      readonly leaves: () => Iterable<readonly [path: string, bytes: Uint8Array]>;
    };

const LINE_END = 0x0a;

/** The records up to the first that no script of ours has published. */
export function* readChanges(message: Uint8Array): Generator<ChangeMessage> {
  const bytes = Buffer.from(message.buffer, message.byteOffset, message.byteLength);
  for (let at = 0; at < bytes.length;) {
    const headerEnd = bytes.indexOf(LINE_END, at);
    if (headerEnd === -1) return;
    const [kind, act = '', ...numbers] = bytes.toString('latin1', at, headerEnd).split(' ');
    const counts = numbers.map(Number);
    if (act === '' || !counts.every((count) => Number.isSafeInteger(count) && count >= 0)) return;
    const isChange = kind === 'changed';
    const [revision = 0, timeMs = 0] = counts;
    const [keyBytes = 0, ...lengths] = isChange ? counts.slice(2) : counts;
    const keyEnd = headerEnd + 1 + keyBytes;
    const end = lengths.reduce((sum, length) => sum + length, keyEnd);
    if (end > bytes.length || lengths.length % 2 !== 0) return;
    const key = bytes.toString('utf8', headerEnd + 1, keyEnd);
    if (isChange) yield { kind, act, key, revision, timeMs, leaves: () => cut(bytes, keyEnd, lengths) };
    else if (kind === 'defined' || kind === 'destroyed') yield { kind, act, key };
    else return;
    at = end;
  }
}

function* cut(bytes: Buffer, from: number, lengths: readonly number[]): Generator<readonly [string, Uint8Array]> {
  let at = from;
  for (let index = 0; index + 1 < lengths.length; index += 2) {
    const pathEnd = at + (lengths[index] ?? 0);
    const end = pathEnd + (lengths[index + 1] ?? 0);
    yield [bytes.toString('utf8', at, pathEnd), bytes.subarray(pathEnd, end)];
    at = end;
  }
}
