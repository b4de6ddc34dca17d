// Is a client that packs with Python's msgpack answered with the bytes that Python makes? Whole conversations of
// test/vectors/msgpack/conversations.json.

import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { recordedPvs } from '../../fuzz/recorded-pvs.ts';
import { HEADER_BYTES, readHeader } from '../../src/protocol/header.ts';
import { ManualClock } from '../../src/transport/manual-clock.ts';
import { makeWorld } from '../support/server-world.ts';
import { fromHex, toHex } from '../support/vectors.ts';

interface Conversation {
  readonly name: string;
  readonly messages: readonly { readonly from: 'client' | 'server'; readonly hex: string }[];
}

const CONVERSATIONS = JSON.parse(
  readFileSync(new URL('../vectors/msgpack/conversations.json', import.meta.url), 'utf8'),
) as readonly Conversation[];
/** CMD_MESSAGE, sentences for people, which nobody has to say. */
const MESSAGE = '12';

test.each(CONVERSATIONS)("is answered as Python's msgpack packs it: $name", async ({ messages }) => {
  const { clock, host, server } = await makeWorld({
    pvs: recordedPvs(new ManualClock()),
    config: { msgpackPort: 5080 },
  });
  const connection = await clock.until(host.connectTcp({ address: '127.0.0.1', port: 5080 }));
  let heard = '';
  connection.listen({ data: (chunk) => (heard += toHex(chunk)), drain: () => undefined, close: () => undefined });
  for (const { from, hex } of messages) {
    if (from === 'client') connection.write(fromHex(hex));
    await clock.advanceAsync(1);
  }
  const expected = messages.filter(({ from }) => from === 'server').map(({ hex }) => hex);
  expect(messagesOf(heard)).toEqual(expected);
  connection.destroy();
  await clock.until(server.close());
});

function messagesOf(hex: string): readonly string[] {
  const messages: string[] = [];
  for (let at = 0; at < hex.length;) {
    const { isControl, size } = readHeader(fromHex(hex), at / 2);
    const end = at + 2 * (HEADER_BYTES + (isControl ? 0 : size));
    messages.push(hex.slice(at, end));
    at = end;
  }
  return messages.filter((message) => message.slice(6, 8) !== MESSAGE);
}
