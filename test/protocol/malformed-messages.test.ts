// Are the malformed messages of the vectors refused by framer and decoders, without the memory that they claim?
//
// What a server or client then does is tested with them; here `reject` is an error from the bytes alone.

import { describe, expect, test } from 'vitest';

import { readDatagram } from '../../src/protocol/datagram.ts';
import { PvaError } from '../../src/protocol/errors.ts';
import { Framer } from '../../src/protocol/framer.ts';
import {
  datagramContext,
  decodeClientMessage,
  type ClientMessage,
  type ServerMessage,
} from '../../src/protocol/messages/index.ts';
import { LinkDecoder } from '../support/transcript.ts';
import { fromHex, malformedCases, type MalformedCase } from '../support/vectors.ts';

interface Outcome {
  /** What was read; undefined for a message that is to be skipped. */
  readonly messages: readonly (ClientMessage | ServerMessage | undefined)[];
  readonly errors: readonly unknown[];
}

/** As a server's link or a client's link reads it. */
function overTcp({ context, hex }: MalformedCase): Outcome {
  const messages: (ClientMessage | ServerMessage | undefined)[] = [];
  const framer = new Framer({ expectFromServer: context?.startsWith('client') === true });
  const decoder = new LinkDecoder();
  try {
    framer.push(fromHex(hex), (frame) => messages.push(decoder.decode(frame)));
    return { messages, errors: [] };
  } catch (thrown) {
    return { messages, errors: [thrown] };
  }
}

/** As a server reads a datagram: only what a client says. */
function overUdp({ hex }: MalformedCase): Outcome {
  const messages: (ClientMessage | ServerMessage | undefined)[] = [];
  const errors: unknown[] = [];
  for (const frame of readDatagram(fromHex(hex), { onMalformed: (reason) => errors.push(reason) })) {
    try {
      messages.push(decodeClientMessage(frame, datagramContext()));
    } catch (thrown) {
      errors.push(thrown);
    }
  }
  return { messages, errors };
}

const MEMORY_ALLOWED_BYTES = 16 * 1024 * 1024;

function memory(): number {
  const { heapUsed, external, arrayBuffers } = process.memoryUsage();
  return heapUsed + external + arrayBuffers;
}

function outcomeOf(one: MalformedCase): Outcome {
  const before = memory();
  const outcome = one.context === 'udp-server' ? overUdp(one) : overTcp(one);
  expect(memory() - before).toBeLessThan(MEMORY_ALLOWED_BYTES);
  for (const thrown of outcome.errors) expect(thrown).toBeInstanceOf(PvaError);
  return outcome;
}

const cases = malformedCases().filter((one) => one.kind === 'message');
const having = (expected: MalformedCase['expect'], isUdp: boolean) =>
  cases
    .filter((one) => one.expect === expected && (one.context === 'udp-server') === isUdp)
    .map((one) => [one.name, one] as const);

describe('over TCP', () => {
  test.each(having('reject', false))('refused: %s', (_, one) => {
    expect(outcomeOf(one).errors.length).toBe(1);
  });

  test.each(having('accept', false))('read: %s', (_, one) => {
    const { messages, errors } = outcomeOf(one);
    expect(errors).toEqual([]);
    expect(messages).not.toContain(undefined);
  });

  test.each(having('ignore', false))('not refused: %s', (_, one) => {
    const { messages, errors } = outcomeOf(one);
    expect(errors).toEqual([]);
    expect(messages.length).toBe(1);
  });

  test.each(having('tolerate', false))('survived: %s', (_, one) => {
    const { messages, errors } = outcomeOf(one);
    expect(messages.length + errors.length).toBeGreaterThan(0);
  });
});

describe('over UDP', () => {
  test.each(having('ignore', true))('no search comes of: %s', (_, one) => {
    const searches = outcomeOf(one).messages.filter((message) => message?.command === 'SEARCH');
    expect(searches).toEqual([]);
  });

  test.each(having('tolerate', true))('survived: %s', (_, one) => {
    const { messages, errors } = outcomeOf(one);
    expect(messages.length + errors.length).toBeGreaterThan(0);
  });
});

test('every malformed message is in one of these groups', () => {
  const grouped = (['reject', 'accept', 'ignore', 'tolerate'] as const).flatMap((expected) => having(expected, false));
  const overUdp = (['ignore', 'tolerate'] as const).flatMap((expected) => having(expected, true));
  expect(grouped.length + overUdp.length).toBe(cases.length);
});
