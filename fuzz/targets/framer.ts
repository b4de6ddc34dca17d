// Does a stream give the same messages however it is cut into chunks, and no more memory than came?

import { isDeepStrictEqual } from 'node:util';

import { PvaError } from '../../src/protocol/errors.ts';
import { Framer, type Frame } from '../../src/protocol/framer.ts';

import { requireThat, type Target } from '../target.ts';
import { conversations } from '../vectors.ts';

interface Outcome {
  readonly frames: readonly Frame[];
  readonly refusal: string;
}

export const framer: Target = {
  name: 'framer',
  seeds: () => [...conversations('client'), ...conversations('server')],
  run(input) {
    for (const expectFromServer of [false, true]) {
      const whole = framesOf([input], expectFromServer);
      const bytewise = framesOf(eachByte(input), expectFromServer);
      requireThat(isDeepStrictEqual(whole, bytewise), 'messages do not depend on how the stream is cut');
      const bodyBytes = whole.frames.reduce((sum, { body }) => sum + body.length, 0);
      requireThat(bodyBytes <= input.length, 'no message has bytes that never came');
    }
  },
};

function framesOf(chunks: Iterable<Uint8Array>, expectFromServer: boolean): Outcome {
  const receiver = new Framer({ expectFromServer });
  const frames: Frame[] = [];
  try {
    for (const chunk of chunks) {
      receiver.push(chunk, ({ header, body }) => frames.push({ header: { ...header }, body: Uint8Array.from(body) }));
    }
  } catch (thrown) {
    if (!(thrown instanceof PvaError)) throw thrown;
    return { frames, refusal: thrown.code };
  }
  return { frames, refusal: '' };
}

function* eachByte(input: Uint8Array): Generator<Uint8Array, void> {
  for (let at = 0; at < input.length; at++) yield input.subarray(at, at + 1);
}
