// Who does a client say it is, when a server offers the method `ca`?

import { hostname, userInfo } from 'node:os';

/** Believed by servers, not proved. pvxs sends both empty since 1.5.2; access rules are of no use then. */
export interface Identity {
  readonly user: string;
  readonly host: string;
}

/** What pvxs and Channel Access say for somebody who has no name. */
const NOBODY = 'nobody';
const NO_HOST = 'invalidhost.';

/** The user of this process and the name of this host; never empty. */
export function systemIdentity(): Identity {
  return completeIdentity({ user: systemUser(), host: hostname() });
}

/** The same identity with something in each place. */
export function completeIdentity({ user, host }: Identity): Identity {
  return { user: user === '' ? NOBODY : user, host: host === '' ? NO_HOST : host };
}

function systemUser(): string {
  try {
    return userInfo().username;
  } catch {
    // A process may run under a user number that has no name, as in many containers.
    return NOBODY;
  }
}
