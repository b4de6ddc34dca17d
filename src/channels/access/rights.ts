// What may a client do with a PV? Read it, write it, call it: each is allowed by itself.

import { LocalProtocolError } from '../../protocol/errors.ts';

/** What a client may do with one PV; each right by itself. */
export interface AccessRights {
  /** GET, MONITOR, GET_FIELD, and the reading half of PUT, PUT_GET and ARRAY. */
  readonly read: boolean;
  /** PUT, PUT_GET, PROCESS, and what changes an ARRAY. */
  readonly write: boolean;
  /** RPC. */
  readonly call: boolean;
  /** Creating and destroying the channel while the server runs. Only where it is said: no other right brings it. */
  readonly manage?: boolean;
}

export type AccessRight = keyof AccessRights;

/** In the order in which they are named to people. */
const RIGHTS: readonly AccessRight[] = ['read', 'write', 'call', 'manage'];

/** Everything that clients do with a PV is allowed; not that they create or destroy it. */
export const ALL_RIGHTS: AccessRights = Object.freeze({ read: true, write: true, call: true });
/** Nothing is allowed: the channel is refused. */
export const NO_RIGHTS: AccessRights = Object.freeze({ read: false, write: false, call: false });

/** How rules spell rights. `write` includes `read`, as in EPICS access security; `all` is without `manage`. */
export const ALLOW_WORDS = ['none', 'read', 'write', 'call', 'all', 'manage'] as const;
/** A word of `allow`. */
export type AllowWord = (typeof ALLOW_WORDS)[number];
/** One word, or several that add up. */
export type Allow = AllowWord | readonly AllowWord[];

const MEANINGS: Readonly<Record<AllowWord, AccessRights>> = {
  none: NO_RIGHTS,
  read: { read: true, write: false, call: false },
  write: { read: true, write: true, call: false },
  call: { read: false, write: false, call: true },
  all: ALL_RIGHTS,
  manage: { ...NO_RIGHTS, manage: true },
};

/** @throws LocalProtocolError for no word at all, one that is none of `ALLOW_WORDS`, or `none` beside another */
export function rightsOfWords(allow: Allow): AccessRights {
  const words = typeof allow === 'string' ? [allow] : allow;
  if (words.length === 0) throw new LocalProtocolError('names no right; write "none" for none');
  const unknown = words.find((word) => !ALLOW_WORDS.includes(word));
  if (unknown !== undefined) {
    throw new LocalProtocolError(`is "${unknown}"; expected one of ${ALLOW_WORDS.join(', ')}`);
  }
  if (words.includes('none') && words.some((word) => word !== 'none')) {
    throw new LocalProtocolError('has "none" beside other rights');
  }
  const meanings = words.map((word) => MEANINGS[word]);
  return {
    read: meanings.some(({ read }) => read),
    write: meanings.some(({ write }) => write),
    call: meanings.some(({ call }) => call),
    ...(meanings.some(({ manage }) => manage) && { manage: true }),
  };
}

/** Whether nobody who has these can use the PV. */
export function hasNoRights({ read, write, call }: AccessRights): boolean {
  return !read && !write && !call;
}

export function sameRights(one: AccessRights, other: AccessRights): boolean {
  return RIGHTS.every((right) => (one[right] ?? false) === (other[right] ?? false));
}

/** `read, write`; `none` for none. */
export function rightsText(rights: AccessRights): string {
  const allowed = RIGHTS.filter((right) => rights[right] === true);
  return allowed.length === 0 ? 'none' : allowed.join(', ');
}
