// Is a search passed on as pvxs does it? What it received and what it sent on were recorded.

import { describe, expect, test } from 'vitest';
import { readDatagram } from '../../../src/protocol/datagram.ts';
import type { Frame } from '../../../src/protocol/framer.ts';
import {
  FORWARD_GROUP,
  FORWARD_INTERFACE,
  FORWARD_TTL,
  forwardedSearch,
} from '../../../src/protocol/machines/search-forward.ts';
import { FLAGS_AT } from '../../../src/protocol/messages/search.ts';
import { loadTranscript } from '../../support/transcript.ts';

const { udp } = loadTranscript('base-forwarded-search');

const received = udp.find(({ dir }) => dir === 'c2s');
const passedOn = udp.find(({ dir }) => dir === 's2s');
/** Where the search begins behind the tag, in hexadecimal digits: a header and an address. */
const SEARCH_AT = 2 * (8 + 16);
const CLIENT = { address: '127.0.0.1', port: 47_635 };

function frameOf(hex: string): Frame {
  const [frame] = readDatagram(Buffer.from(hex, 'hex'));
  if (frame === undefined) throw new Error('a frame expected');
  return frame;
}

function forward(hex: string): string {
  return Buffer.from(forwardedSearch(frameOf(hex), CLIENT, '127.0.0.1')).toString('hex');
}

describe('a search that is passed on', () => {
  test('is what pvxs sent on, for the search that pvxs received', () => {
    expect([received?.hex, passedOn?.hex].map((hex) => hex?.length)).toEqual([106, 154]);
    // The order of the client, where pvxs writes the header of the tag in its own: 0x80 and the size.
    const tag = 'ca020016 10000000 00000000000000000000ffff7f000001'.replaceAll(' ', '');
    expect(forward(received?.hex ?? '')).toBe(tag + passedOn?.hex.slice(SEARCH_AT));
  });

  test('goes where pvxs sends it, and not beyond the host', () => {
    expect(passedOn?.dst.split(':')[0]).toBe(FORWARD_GROUP);
    expect([FORWARD_INTERFACE, FORWARD_TTL]).toEqual(['127.0.0.1', 1]);
  });

  test.each([
    // must-reply stays; sent to one address, and 0x02, the answer to the port of the sender, are over.
    [0x81, 0x01],
    [0x83, 0x01],
    [0x82, 0x00],
    [0x04, 0x04],
  ])('with the flags %i has the flags %i', (before, after) => {
    const bytes = Buffer.from(received?.hex ?? '', 'hex');
    bytes[8 + FLAGS_AT] = before;
    expect(Buffer.from(forward(bytes.toString('hex')), 'hex')[SEARCH_AT / 2 + 8 + FLAGS_AT]).toBe(after);
  });
});
