// What is a client told of its rights, at the beginning and when they change under a channel that it has?
//
// ACL_CHANGE in core-pva's form, before the reply to CREATE_CHANNEL as core-pva's server sends it. It goes to every client
// and with every channel, also where all is allowed: pvxs and pvAccessCPP skip the command, and core-pva keeps what it was
// told last, even from another server.

import { hasNoRights, sameRights, type AccessRights } from '../channels/access/rights.ts';
import type { Channel } from '../channels/channel.ts';
import { ACL_PUT, ACL_PUT_GET, ACL_RPC } from '../protocol/messages/acl-change.ts';
import { error } from '../protocol/status.ts';
import { refusalText } from './access-gate.ts';
import type { Link, LinkChannel } from './link.ts';

/** Tells what both the rules and the PV itself allow. */
export function tellRights(
  link: Link,
  { cid, rights, channel }: Pick<LinkChannel, 'cid' | 'rights' | 'channel'>,
): void {
  link.send({ command: 'ACL_CHANGE', form: 'rights', cid, rights: rightsBits(rights, channel) });
}

/** Other rules hold: what is not allowed any more ends, and the client is told what has changed. */
export function reviseRights(link: Link): void {
  for (const channel of link.channels.values()) {
    const before = channel.rights;
    const rights = link.host.access.rightsOf(channel.peer, channel.pvName);
    if (sameRights(before, rights)) continue;
    channel.rights = rights;
    if (hasNoRights(rights)) link.endChannel(channel);
    else follow(link, channel, before);
  }
}

/** What is under way goes on: its client was allowed to begin it. Subscriptions would go on for ever. */
function follow(link: Link, channel: LinkChannel, before: AccessRights): void {
  const { rights, peer, pvName } = channel;
  if (rightsBits(before, channel.channel) !== rightsBits(rights, channel.channel)) tellRights(link, channel);
  if (rights.read || !before.read) return;
  const status = error(refusalText(peer, pvName, 'read', rights));
  for (const operation of channel.operations.values()) operation.withdraw(status);
}

function rightsBits({ read, write, call }: AccessRights, { isWritable, isCallable }: Channel): number {
  const mayPut = write && isWritable !== false;
  const mayCall = call && isCallable !== false;
  return (mayPut ? ACL_PUT : 0) | (mayPut && read ? ACL_PUT_GET : 0) | (mayCall ? ACL_RPC : 0);
}
