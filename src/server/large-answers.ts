// Which requests may be answered with much? They wait while clients have too much to take; all others go on.

import type { ClientMessage } from '../protocol/messages/index.ts';
import { weightOf } from '../protocol/values/weight.ts';
import type { Link } from './link.ts';
import { LARGE_BYTES } from './unsent-ledger.ts';

type RequestingLink = Pick<Link, 'operations'>;

export function mayAnswerMuch(link: RequestingLink, message: ClientMessage): boolean {
  switch (message.command) {
    case 'GET':
    case 'PUT_GET':
      return message.phase !== 'init' && isLarge(link, message.ioid);
    case 'PUT':
    case 'ARRAY':
      return message.phase === 'get' && isLarge(link, message.ioid);
    case 'RPC':
      // What a handler will give nobody knows.
      return message.phase === 'exec';
    default:
      return false;
  }
}

/** Whether the whole value of its channel is large, whatever was selected of it. */
function isLarge({ operations }: RequestingLink, ioid: number): boolean {
  const operation = operations.get(ioid);
  return operation !== undefined && weightOf(operation.channel.channel.state.value) >= LARGE_BYTES;
}
