// Does the decode tool explain whatever it is given, every byte of every message accounted for?

import { traceInput } from '../../src/cli/capture/input.ts';
import { LeftOut } from '../../src/cli/capture/packet.ts';
import { CaptureError } from '../../src/cli/capture/capture-error.ts';
import { decodedJson } from '../../src/cli/decode-json.ts';

import { withFittingSizes } from '../repair.ts';
import { requireThat, type Target } from '../target.ts';
import { conversations, datagrams } from '../vectors.ts';

export const captures: Target = {
  name: 'captures',
  seeds: () => [...conversations('client'), ...conversations('server'), ...datagrams()],
  repair: withFittingSizes,
  run(input) {
    try {
      let count = 0;
      for (const entry of traceInput(input, new LeftOut())) {
        const line = decodedJson(entry, ++count);
        requireThat(typeof JSON.parse(line) === 'object', 'every line is JSON');
      }
    } catch (thrown) {
      if (!(thrown instanceof CaptureError) || thrown.message === '') throw thrown;
    }
  },
};
