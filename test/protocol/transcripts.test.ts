// Does every message of every recorded conversation decode to its end, and encode again to the same?

import { describe, expect, test } from 'vitest';

import { PvaFieldReader } from '../../src/protocol/codecs/pva.ts';
import { LimitError, PvaError } from '../../src/protocol/errors.ts';
import { type Frame } from '../../src/protocol/framer.ts';
import { readHeader } from '../../src/protocol/header.ts';
import { DEFAULT_LIMITS } from '../../src/protocol/limits.ts';
import {
  decodeMessage,
  encodeMessage,
  MESSAGE_MODULES,
  type ClientMessage,
  type ServerMessage,
} from '../../src/protocol/messages/index.ts';
import type { DecodeContext } from '../../src/protocol/messages/message-module.ts';
import { Reader } from '../../src/protocol/reader.ts';
import { TypeReceiver } from '../../src/protocol/types/wire.ts';
import { Writer } from '../../src/protocol/writer.ts';
import { plain } from '../support/plain.ts';
import {
  datagramMessagesOf,
  isBytes,
  LinkDecoder,
  loadTranscript,
  messagesOf,
  recordedNames,
  type RecordedConversation,
} from '../support/transcript.ts';
import { fromHex, toHex } from '../support/vectors.ts';

/** A context that knows the operations but refuses every type id, so that only messages with full types decode. */
function withoutIds(context: DecodeContext): DecodeContext {
  const limits = { ...DEFAULT_LIMITS, maxTypeRegistryEntries: 0, maxTypeRegistryFields: 0 };
  return { ...context, types: new TypeReceiver({ limits }), typeOf: (ioid) => context.typeOf(ioid) };
}

function usesIds(frame: Frame, context: DecodeContext): boolean {
  try {
    decodeMessage(frame, withoutIds(context));
    return false;
  } catch (thrown) {
    if (thrown instanceof LimitError || thrown instanceof PvaError) return true;
    throw thrown;
  }
}

/** Bytes of the body that its decoder does not look at. */
function leftOver({ header, body }: Frame, context: DecodeContext): number {
  if (header.isControl) return body.length;
  const module = MESSAGE_MODULES.find(({ code }) => code === header.command);
  const reader = new Reader(body, header.bigEndian);
  (header.fromServer ? module?.fromServer : module?.fromClient)?.decode(
    new PvaFieldReader(reader, context.types),
    context,
  );
  return reader.remaining;
}

function encode(message: ClientMessage | ServerMessage, frame: Frame): Uint8Array {
  if ('phase' in message && message.phase === 'outOfScope') throw new Error('out of scope in a recording');
  const writer = new Writer(frame.header.bigEndian);
  // Which of the two unions the message is of, the header says.
  if (frame.header.fromServer) encodeMessage(writer, message as never, { fromServer: true });
  else encodeMessage(writer, message as never, { fromServer: false });
  return writer.view();
}

function frameOf(bytes: Uint8Array): Frame {
  return { header: readHeader(bytes, 0), body: bytes.subarray(8) };
}

/** Decodes, encodes, decodes; the bytes are the same too if the peer sent its types in full. */
function expectRoundTrip(frame: Frame, message: ClientMessage | ServerMessage | undefined, context: DecodeContext) {
  if (message === undefined) throw new Error(`command 0x${frame.header.command.toString(16)} is not known`);
  expect(leftOver(frame, context)).toBe(0);
  const again = encode(message, frame);
  const { version: _, ...header } = frame.header;
  const framed = frameOf(again);
  expect(plain(decodeMessage(framed, context))).toEqual(plain(message));
  if (usesIds(frame, context)) return;
  expect(toHex(framed.body)).toBe(toHex(frame.body));
  expect({ ...framed.header, flags: framed.header.flags }).toMatchObject({
    ...header,
    flags: header.flags & 0xcf,
    size: frame.header.size,
  });
}

/** Two connections never share a type registry, so each message is checked right after it was read. */
function checkTcp(recorded: RecordedConversation): number {
  const decoders = new Map(recorded.connections.map(({ conn }) => [conn, new LinkDecoder()]));
  const messages = messagesOf(recorded);
  for (const { conn, frame } of messages) {
    const decoder = decoders.get(conn);
    if (decoder === undefined) throw new Error(`connection ${conn} is not listed`);
    expectRoundTrip(frame, decoder.decode(frame), decoder.contextOf(frame));
  }
  return messages.length;
}

describe('every recorded message decodes to its end and encodes to the same again', () => {
  test.each(recordedNames())('%s', (name) => {
    const recorded = loadTranscript(name);
    const wholeMessages = recorded.tcp.filter(isBytes).filter(({ header }) => {
      return header.segment === 'none' || header.segment === 'last';
    });
    expect(checkTcp(recorded)).toBe(wholeMessages.length);

    const datagrams = datagramMessagesOf(recorded);
    expect(datagrams.length).toBe(recorded.udp.reduce((sum, { headers }) => sum + headers.length, 0));
    for (const { frame, message } of datagrams) {
      expectRoundTrip(frame, message, { types: new TypeReceiver(), typeOf: () => undefined });
    }
  });
});

describe('the recordings', () => {
  test('hold every operation that recorded tools use, in both directions', () => {
    const seen = new Set<string>();
    for (const name of recordedNames()) {
      for (const { dir, message } of messagesOf(loadTranscript(name))) {
        seen.add(
          `${dir} ${message?.command ?? '?'} ${message !== undefined && 'phase' in message ? message.phase : '-'}`,
        );
      }
    }
    const phases = ['GET init', 'GET exec', 'PUT init', 'PUT get', 'PUT exec', 'RPC init', 'RPC exec', 'MONITOR init'];
    const expected = phases.flatMap((phase) => [`c2s ${phase}`, `s2c ${phase}`]);
    expect([...seen]).toEqual(expect.arrayContaining([...expected, 'c2s MONITOR exec', 's2c MONITOR update']));
    expect([...seen].filter((what) => what.includes('outOfScope') || what.includes('?'))).toEqual([]);
  });
});

describe('recorded headers', () => {
  test.each(recordedNames())('%s', (name) => {
    const recorded = loadTranscript(name);
    for (const { hex, header } of recorded.tcp.filter(isBytes)) {
      expect(readHeader(fromHex(hex), 0)).toEqual({
        version: header.version,
        flags: header.flags,
        command: header.command,
        isControl: header.control,
        segment: header.segment,
        fromServer: header.fromServer,
        bigEndian: header.bigEndian,
        size: header.payloadSize,
      });
    }
  });
});
