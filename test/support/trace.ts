// How are traced messages looked at in tests: from recorded bytes, and as lines that a person can check?

import { Conversation, type TracedMessage } from '../../src/protocol/trace/conversation.ts';
import { MessageCutter, type Piece } from '../../src/protocol/trace/message-cutter.ts';
import { noteText } from '../../src/protocol/trace/note-text.ts';
import { NoteTaker, type FieldNote } from '../../src/protocol/trace/notes.ts';
import { SearchedNames } from '../../src/protocol/trace/channel-names.ts';
import type { BodyLayout } from '../../src/protocol/trace/layout.ts';
import { DEFAULT_LIMITS } from '../../src/protocol/limits.ts';
import type { OperationTypes } from '../../src/protocol/messages/message-module.ts';
import { Reader } from '../../src/protocol/reader.ts';
import { TypeReceiver } from '../../src/protocol/types/wire.ts';
import { isBytes, type RecordedConversation } from './transcript.ts';
import { fromHex } from './vectors.ts';
import { spaced, wireBytes } from './wire-text.ts';

/** Every message of a recorded conversation, datagrams first. */
export function tracesOf({ udp, tcp }: RecordedConversation): readonly TracedMessage[] {
  const searched = new SearchedNames(DEFAULT_LIMITS);
  const traces = udp.flatMap(({ hex, dst }) => {
    const conversation = new Conversation({ searched, toPort: Number(dst.split(':').at(-1)) });
    return heard(conversation, [...cut(new MessageCutter(), fromHex(hex))]);
  });
  const links = new Map<number, { conversation: Conversation; c2s: MessageCutter; s2c: MessageCutter }>();
  for (const { conn, dir, hex } of tcp.filter(isBytes)) {
    const link = links.get(conn) ?? {
      conversation: new Conversation(),
      c2s: new MessageCutter({ fromServer: false }),
      s2c: new MessageCutter({ fromServer: true }),
    };
    links.set(conn, link);
    traces.push(...heard(link.conversation, link[dir].push(fromHex(hex))));
  }
  return traces;
}

/** All that one cutter makes of all bytes there are. */
export function cut(cutter: MessageCutter, bytes: Uint8Array): readonly Piece[] {
  return [...cutter.push(bytes), ...cutter.end()];
}

/** What a conversation makes of the messages among these pieces. */
export function heard(conversation: Conversation, pieces: readonly Piece[]): readonly TracedMessage[] {
  return pieces.flatMap((piece) => (piece.kind === 'message' ? conversation.hear(piece) : []));
}

/** The messages that these bytes are, as one conversation hears them. */
export function tracesOfHex(...messages: readonly string[]): readonly TracedMessage[] {
  const conversation = new Conversation();
  return messages.flatMap((hex) => heard(conversation, cut(new MessageCutter(), fromHex(hex))));
}

/** `4  08  subcommand ubyte = 8 (INIT)`, fields below a field two spaces further in. */
export function noteLines(traced: Pick<TracedMessage, 'body' | 'fields'>): readonly string[] {
  const lines: string[] = [];
  const add = (note: FieldNote, indent: string): void => {
    const hex = spaced(traced.body.subarray(note.start, note.end));
    lines.push(`${note.start}  ${hex}${hex === '' ? '' : '  '}${indent}${noteText(note)}`);
    for (const field of note.fields) add(field, `${indent}  `);
  };
  for (const note of traced.fields) add(note, '');
  return lines;
}

/**
 * The fields that a layout finds in a body, on one line: `requestID, subcommand (GET), status (ERROR) { message, callTree }`.
 * What it leaves is a field `rest`.
 */
export function layoutLine(layout: BodyLayout, body: string, operation?: OperationTypes): string {
  const types = new TypeReceiver();
  const note = new NoteTaker(new Reader(wireBytes(body, true), true), types);
  layout(note, { types, typeOf: () => operation });
  note.remainder('rest', '');
  return note.notes.map(noteWords).join(', ');
}

function noteWords({ name, remark, fields }: FieldNote): string {
  const head = remark === '' ? name : `${name} (${remark})`;
  return fields.length === 0 ? head : `${head} { ${fields.map(noteWords).join(', ')} }`;
}

/** All notes in the order of their bytes. */
export function* allNotes(notes: readonly FieldNote[]): Generator<FieldNote, void> {
  for (const note of notes) {
    yield note;
    yield* allNotes(note.fields);
  }
}

/** Offsets at which the notes leave a hole, overlap, or end before the body does; none if all is well. */
export function holesIn({ body, fields }: Pick<TracedMessage, 'body' | 'fields'>): readonly number[] {
  const holes: number[] = [];
  let at = 0;
  for (const { start, end } of allNotes(fields)) {
    if (start !== at || end < start) holes.push(start);
    at = end;
  }
  if (at !== body.length) holes.push(at);
  return holes;
}
