// Is every datagram read to its end or refused, and does the declarative parser see what the hand-written one does?

import { readDatagram } from '../../src/protocol/datagram.ts';
import { dissect } from '../../src/protocol/dissect.ts';
import { HEADER_BYTES } from '../../src/protocol/header.ts';
import { datagramContext, decodeMessage } from '../../src/protocol/messages/index.ts';

import { withFittingSizes } from '../repair.ts';
import { mayRefuse, requireThat, type Target } from '../target.ts';
import { datagrams, malformed } from '../vectors.ts';

export const datagram: Target = {
  name: 'datagram',
  seeds: () => [...datagrams(), ...malformed('message')],
  repair: withFittingSizes,
  run(input) {
    mayRefuse(() => dissect(input));
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
