// What is one whole message before its body is understood?

import type { Header } from './header.ts';

export interface Frame {
  /** Of a message in segments: that of the first, with the size of the whole and segment `none`. */
  readonly header: Header;
  /** A view that holds only until the function it was given to returns. Empty in control messages. */
  readonly body: Uint8Array;
}
