// Does every message that decodes encode to bytes that decode to the same?

import { Framer } from '../../src/protocol/framer.ts';

import { LinkTypes } from '../link-types.ts';
import { withFittingSizes } from '../repair.ts';
import { mayRefuse, type Target } from '../target.ts';
import { conversations, malformed, operations, type From } from '../vectors.ts';

export const clientMessages: Target = messagesOf('client');
export const serverMessages: Target = messagesOf('server');

function messagesOf(from: From): Target {
  return {
    name: `${from}-messages`,
    seeds: () => [...conversations(from), ...operations(from), ...malformed('message')],
    repair: withFittingSizes,
    speaksMessages: true,
    run(input) {
      const framer = new Framer({ expectFromServer: from === 'server' });
      const link = new LinkTypes();
      mayRefuse(() => framer.push(input, (frame) => link.take(frame)));
    },
  };
}
