// How does a server answer GET_FIELD? With the type of the PV, or of the field that a path leads to.

import type { GetFieldRequest } from '../../protocol/messages/get-field.ts';
import { error, OK } from '../../protocol/status.ts';
import type { TypeDesc } from '../../protocol/types/type-desc.ts';
import type { Link } from '../link.ts';

/** There is no INIT: the request is answered once, whatever operations live. */
export function handleGetField(link: Link, { sid, ioid, subField }: GetFieldRequest): void {
  const channel = link.channelOf(sid);
  if (channel === undefined) return;
  const found = typeAt(channel.channel.type, subField);
  if (typeof found !== 'string') return link.send({ command: 'GET_FIELD', ioid, status: OK, type: found });
  const status = error(`${channel.pvName} has no field '${subField}': ${found}`);
  link.send({ command: 'GET_FIELD', ioid, status, type: null });
}

/** The type at the end of a path such as `alarm.severity`, or the reason why there is none. */
function typeAt(type: TypeDesc, path: string): TypeDesc | string {
  if (path === '') return type;
  let at = type;
  let walked = 'the whole';
  for (const name of path.split('.')) {
    if (at.kind !== 'structure' && at.kind !== 'union') return `${walked} is a ${at.kind}, which has no fields`;
    const index = at.indexOf.get(name);
    const field = index === undefined ? undefined : at.fields[index];
    if (field === undefined) return `${walked} has ${at.fields.map(({ name: known }) => known).join(', ')}`;
    at = field.type;
    walked = walked === 'the whole' ? name : `${walked}.${name}`;
  }
  return at;
}
