// How does a server answer the operations it does not have yet? With an error that says so: silence would leave the
// client waiting, as pvxs does with PUT_GET.

import type { ArrayRequest } from '../../protocol/messages/array.ts';
import type { ProcessRequest } from '../../protocol/messages/process.ts';
import type { PutGetRequest } from '../../protocol/messages/put-get.ts';
import { error, type Status } from '../../protocol/status.ts';
import type { Link } from '../link.ts';
import { channelForInit, lookUp } from './operation.ts';

type LaterRequest = ArrayRequest | ProcessRequest | PutGetRequest;

/** INIT is refused, so nothing else can be meant for a live operation; what comes all the same is late or a fault. */
export function handleLater(link: Link, request: LaterRequest): void {
  if (request.phase !== 'init') return void lookUp(link, request);
  if (channelForInit(link, request) === undefined) return;
  const { ioid, subcommand } = request;
  const status = notYet(request.command);
  switch (request.command) {
    case 'PUT_GET':
      return link.send({ command: 'PUT_GET', phase: 'init', ioid, subcommand, status, putType: null, getType: null });
    case 'PROCESS':
      return link.send({ command: 'PROCESS', phase: 'init', ioid, subcommand, status });
    case 'ARRAY':
      return link.send({ command: 'ARRAY', phase: 'init', ioid, subcommand, status, type: null });
  }
}

function notYet(command: LaterRequest['command']): Status {
  return error(`${command} is not supported by this version of pvkit; it comes in a later one`);
}
