// How does a server know what a client may do: by rules, or by a function of the program that serves?

import type { Peer } from '../peer.ts';
import type { AccessRights } from './rights.ts';
import type { AccessRules } from './access-rules.ts';

/**
 * Decides at once, for every channel that is created and every name that is listed; what takes time is looked up before,
 * and told by `setAccess`. What it throws allows nothing.
 */
export type AccessFunction = (peer: Peer, pvName: string) => AccessRights;

/** What `new Server({ access })` and `setAccess` take. */
export type Access = AccessRules | AccessFunction;
