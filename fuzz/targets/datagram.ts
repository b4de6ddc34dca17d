// Is every datagram read to its end or refused, and does the declarative parser see what the hand-written one does?

import { isDeepStrictEqual } from 'node:util';

import { readDatagram } from '../../src/protocol/datagram.ts';
import { dissect } from '../../src/protocol/dissect.ts';
import { HEADER_BYTES, readHeader } from '../../src/protocol/header.ts';
import { datagramContext, decodeMessage } from '../../src/protocol/messages/index.ts';

import { longMessage } from '../long-values.ts';
import { withFittingSizes } from '../repair.ts';
import { mayRefuse, requireThat, type Target } from '../target.ts';
import { datagrams, malformed } from '../vectors.ts';

const SEARCHES: ReadonlySet<number> = new Set([0x03, 0x04]);
const FROM_SERVER = 0x40;
/** Segments and control messages are not taken apart. */
const NOT_PLAIN = 0x31;

/** What UDP carries at most. */
const MOST_DATAGRAM_BYTES = 65_507;

export const datagram: Target = {
  name: 'datagram',
  seeds: () => [...datagrams(), ...malformed('message')],
  repair: withFittingSizes,
  mostBytes: MOST_DATAGRAM_BYTES,
  long: (bytes, random) => longMessage(bytes, random, 'pva', 'server'),
  run(input) {
    agree(input);
    let read = 0;
    mayRefuse(() => {
      for (const frame of readDatagram(input, { onMalformed: () => undefined })) {
        read += HEADER_BYTES + frame.body.length;
        mayRefuse(() => decodeMessage(frame, datagramContext()));
      }
    });
    requireThat(read <= input.length, 'no message has bytes that never came');
  },
};

/** Of the messages of searching the dissection has no part that it leaves to the decoder. */
function agree(input: Uint8Array): void {
  const dissection = mayRefuse(() => dissect(input));
  const flags = input[2] ?? 0;
  const command = input[3] ?? 0;
  if (input.length < HEADER_BYTES || !SEARCHES.has(command) || (flags & NOT_PLAIN) !== 0) return;
  if (((flags & FROM_SERVER) !== 0) !== (command === 0x04)) return;
  const header = mayRefuse(() => readHeader(input, 0));
  if (header === undefined || header.size > input.length - HEADER_BYTES) return;
  const body = input.subarray(HEADER_BYTES, HEADER_BYTES + header.size);
  const message = mayRefuse(() => decodeMessage({ header, body }, datagramContext()));
  requireThat((message === undefined) === (dissection === undefined), 'description and decoder refuse the same');
  if (message?.command === 'SEARCH' && dissection?.command === 'SEARCH') {
    const { names, protocols, sequenceId, responsePort, responseAddress } = dissection.body;
    requireThat(isDeepStrictEqual(names, message.names), 'both see the same names');
    requireThat(isDeepStrictEqual(protocols, message.protocols), 'both see the same protocols');
    const same = sequenceId === message.sequenceId && responsePort === message.responsePort;
    requireThat(same && responseAddress === message.responseAddress, 'both see who asks');
  }
  if (message?.command === 'SEARCH_RESPONSE' && dissection?.command === 'SEARCH_RESPONSE') {
    const { instanceIds, guid, found } = dissection.body;
    requireThat(isDeepStrictEqual(instanceIds, message.instanceIds), 'both see the same PVs');
    requireThat(guid === message.guid && (found !== 0) === message.found, 'both see who answers');
  }
}
