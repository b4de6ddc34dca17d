// Are the replies that are written without a message object those that other servers send, to the byte?

import { expect, test } from 'vitest';

import { writeGetHead, writeMonitorHead, writePutDone } from '../../src/protocol/messages/quick-replies.ts';
import type { TracedMessage } from '../../src/protocol/trace/conversation.ts';
import { Writer } from '../../src/protocol/writer.ts';
import { tracesOf } from '../support/trace.ts';
import { loadTranscript, recordedNames } from '../support/transcript.ts';
import { spaced } from '../support/wire-text.ts';

/** requestID and subcommand; of a reply with a status that byte, too. */
const [IDS_BYTES, OK_BYTES] = [5, 6];

const replies = recordedNames().flatMap((name) =>
  tracesOf(loadTranscript(name)).filter(({ header, part }) => header.fromServer && part === 'whole'),
);

/** What was recorded of `reply`, up to `bodyBytes` of its body. */
function recorded({ headerBytes, body }: TracedMessage, bodyBytes: number): string {
  return `${spaced(headerBytes)}  ${spaced(body.subarray(0, bodyBytes))}`;
}

/** What `write` writes behind a byte that was there before. */
function written({ header }: TracedMessage, write: (writer: Writer) => void): string {
  const writer = new Writer(header.bigEndian, 1);
  writer.u8(0xee);
  write(writer);
  const bytes = writer.view().subarray(1);
  return `${spaced(bytes.subarray(0, 8))}  ${spaced(bytes.subarray(8))}`;
}

/** What writes the head of a reply, for so many bytes of data behind it; `ioid` and `subcommand` are those of the reply. */
type WriteHead = (writer: Writer, ioid: number, subcommand: number, dataBytes: number) => void;

const isOk = ({ body }: TracedMessage): boolean => body[OK_BYTES - 1] === 0xff;

test.each<[what: string, headBytes: number, isOne: (reply: TracedMessage) => boolean, write: WriteHead]>([
  [
    'the head of what a GET brings',
    OK_BYTES,
    (reply) => reply.message?.command === 'GET' && reply.message.phase === 'exec' && isOk(reply),
    writeGetHead,
  ],
  [
    'the whole answer to a PUT',
    OK_BYTES,
    (reply) => reply.message?.command === 'PUT' && reply.message.phase === 'exec' && isOk(reply),
    (writer, ioid, subcommand) => writePutDone(writer, ioid, subcommand),
  ],
  [
    'the head of an update of a MONITOR',
    IDS_BYTES,
    ({ message }) => message?.command === 'MONITOR' && message.phase === 'update',
    (writer, ioid, _, dataBytes) => writeMonitorHead(writer, ioid, dataBytes),
  ],
])('%s', (_, headBytes, isOne, write) => {
  const compared = replies.filter(isOne);
  for (const reply of compared) {
    const { message, body } = reply;
    if (message === undefined || !('ioid' in message) || !('subcommand' in message)) continue;
    const { ioid, subcommand } = message;
    expect(written(reply, (writer) => write(writer, ioid, subcommand, body.length - headBytes))).toBe(
      recorded(reply, headBytes),
    );
  }
  expect(new Set(compared.map(({ header }) => header.bigEndian))).toEqual(new Set([false, true]));
});

// Spec: Protocol-Messages, "CMD_GET" and "CMD_PUT"; no recorded client asks for the last of its requests so.
test('the subcommand is that of the request', () => {
  const writer = new Writer(true, 1);
  writeGetHead(writer, 0x1020_3040, 0x50, 3);
  writePutDone(writer, 0x1020_3040, 0x10);
  expect(spaced(writer.view())).toBe(
    'ca 02 c0 0a 00 00 00 09 10 20 30 40 50 ff ca 02 c0 0b 00 00 00 06 10 20 30 40 10 ff',
  );
});
