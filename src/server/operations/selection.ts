// Which fields does a request select, and what of its wishes should a human know that it does not get?

import { Selection } from '../../channels/encoded-cache.ts';
import { mostSentBytes } from '../../protocol/limits.ts';
import type { EncodedUpdate } from '../../protocol/messages/data.ts';
import type { FieldPart } from '../../protocol/pv-request.ts';
import { selectionOf } from '../../protocol/pv-request/selection.ts';
import { OK, type Status } from '../../protocol/status.ts';
import type { AnyValue } from '../../protocol/types/value-of.ts';
import type { Link, LinkChannel } from '../link.ts';
import { refusal, type Operation } from './operation.ts';

/** For ids and a status, and the overrun mask of a type of 10 000 fields. */
const AROUND_UPDATE_BYTES = 2 * 1_024;

/** @throws LocalProtocolError when the pvRequest names fields and the PV has none of them */
export function selectionFor(
  link: Link,
  { channel }: LinkChannel,
  request: { readonly ioid: number; readonly pvRequest: AnyValue },
  part: FieldPart = 'field',
): Selection {
  const { mask, notice } = selectionOf(channel.type, request.pvRequest, part);
  if (notice !== undefined) link.tell(request.ioid, notice, 'warning');
  return new Selection(channel.type, mask, mostSentBytes(link.host.limits) - AROUND_UPDATE_BYTES);
}

/** The state of an operation's channel, ready to be sent, or why it cannot be: a source may hold what no wire takes. */
export function readState(
  { link, channel }: Operation,
  selection: Selection,
): readonly [status: Status, update: EncodedUpdate | null] {
  try {
    return [OK, selection.encode(channel.channel.state, link.bigEndian, link.codec)];
  } catch (thrown) {
    return [refusal(thrown), null];
  }
}
