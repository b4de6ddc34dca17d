// Recorded conversations are understood to the last byte, and in the same way as the decoders understand them.

import { describe, expect, it } from 'vitest';

import { dissect, type Dissection } from '../../../src/protocol/dissect.ts';
import type { TracedMessage } from '../../../src/protocol/trace/conversation.ts';
import { noteText } from '../../../src/protocol/trace/note-text.ts';
import type { FieldNote } from '../../../src/protocol/trace/notes.ts';
import type { TypedUpdate } from '../../../src/protocol/values/update.ts';
import { deltaLines } from '../../../src/protocol/values/format-delta.ts';
import { allNotes, holesIn, tracesOf } from '../../support/trace.ts';
import { datagramMessagesOf, loadTranscript, messagesOf, recordedNames } from '../../support/transcript.ts';

describe.each(recordedNames())('%s', (name) => {
  const recorded = loadTranscript(name);
  const traces = tracesOf(recorded);
  const whole = traces.filter(({ part }) => part !== 'segment');

  it('is decoded to the end', () => {
    expect(traces.filter(({ problem }) => problem !== undefined)).toEqual([]);
    expect(whole.map(({ message }) => message)).toEqual([
      ...datagramMessagesOf(recorded).map(({ message }) => message),
      ...messagesOf(recorded).map(({ message }) => message),
    ]);
  });

  it('has a note for every byte of every message', () => {
    for (const trace of traces) expect(holesIn(trace)).toEqual([]);
    expect(whole.flatMap(({ fields }) => fields.map((field) => field.name))).not.toContain('rest');
  });

  it('notes the ids and the data that the decoders find', () => {
    for (const { fields, message } of whole) {
      for (const [note, member] of IDS) {
        const noted = fields.find((field) => field.name === note)?.content?.value;
        if (noted !== undefined && message !== undefined && member in message) {
          expect(noted).toBe(Object.entries(message).find(([key]) => key === member)?.[1]);
        }
      }
    }
    const updates = whole.filter(hasUpdate);
    for (const { fields, message } of updates) {
      const { type, value, changed } = message.update;
      expect(leafTexts(fields)).toEqual(
        deltaLines(type, value, changed)
          .map(({ text }) => text)
          .filter((text) => text !== null),
      );
    }
  });

  it('notes of discovery what the dissector finds', () => {
    for (const { headerBytes, body, fields } of whole) {
      const dissected = dissectedValues(dissect(Uint8Array.from([...headerBytes, ...body])));
      if (dissected === undefined) continue;
      const noted = [...allNotes(fields)].map(({ content }) => content?.value).filter((value) => value !== undefined);
      expect(noted).toEqual(dissected);
    }
  });

  it('names the PV of every operation', () => {
    const operations = whole.filter(({ message }) => message !== undefined && 'subcommand' in message);
    for (const { pvNames } of operations) {
      expect(pvNames).toHaveLength(1);
      expect(pvNames[0]).toMatch(/\w/u);
    }
  });
});

const IDS = [
  ['serverChannelID', 'sid'],
  ['clientChannelID', 'cid'],
  ['requestID', 'ioid'],
  ['subcommand', 'subcommand'],
] as const;

function hasUpdate(
  trace: TracedMessage,
): trace is TracedMessage & { readonly message: { readonly update: TypedUpdate } } {
  return trace.message !== undefined && 'update' in trace.message && trace.message.update !== null;
}

/** The values in the data of a message, as texts. */
function leafTexts(fields: readonly FieldNote[]): readonly string[] {
  const data = fields.filter((field) => /^pv\w*StructureData$/u.test(field.name));
  return [...allNotes(data)]
    .filter(({ content }) => content !== undefined)
    .map((note) => noteText(note).replace(/^.*? = /u, ''));
}

/** Values in the order in which they stand in the body. */
function dissectedValues({ command, body }: Dissection): readonly unknown[] | undefined {
  switch (command) {
    case 'BEACON':
      return [
        body.guid,
        body.flags,
        body.sequence,
        body.changeCount,
        body.serverAddress,
        body.serverPort,
        body.protocol,
      ];
    case 'SEARCH': {
      const { unicast, unused, replyToSource, mustReply } = body.flags;
      return [
        body.sequenceId,
        unicast * 0x80 + unused * 0x04 + replyToSource * 0x02 + mustReply,
        body.responseAddress,
        body.responsePort,
        ...body.protocols,
        ...body.names.flatMap(({ instanceId, pvName }) => [instanceId, pvName]),
      ];
    }
    case 'SEARCH_RESPONSE':
      return [
        body.guid,
        body.sequenceId,
        body.serverAddress,
        body.serverPort,
        body.protocol,
        body.found === 1,
        ...body.instanceIds,
      ];
    case 'OTHER':
      return undefined;
  }
}
