// What may the clients of a server do? Asks the rules, or the function, that it was given; others may take their place
// while it runs.

import type { Access } from '../channels/access/access.ts';
import { AccessRules, type RightsOfPeer } from '../channels/access/access-rules.ts';
import { ALL_RIGHTS, NO_RIGHTS, hasNoRights, type AccessRights } from '../channels/access/rights.ts';
import type { Peer } from '../channels/peer.ts';
import { reasonOf } from '../protocol/errors.ts';
import type { NoticeBoard } from './notices.ts';
import { SERVER_PV } from './server-pv-name.ts';

export class AccessControl {
  readonly #notices: NoticeBoard;
  #access: Access;

  constructor(access: Access, notices: NoticeBoard) {
    this.#access = access;
    this.#notices = notices;
  }

  get access(): Access {
    return this.#access;
  }

  set access(access: Access) {
    this.#access = access;
  }

  rightsOf(peer: Peer, pvName: string): AccessRights {
    return this.of(peer)(pvName);
  }

  /** What one client may do. Everybody may ask the server itself; what it lists is what the client may use. */
  of(peer: Peer): RightsOfPeer {
    const access = this.#access;
    const rightsOf: RightsOfPeer =
      access instanceof AccessRules ? access.of(peer) : (pvName) => this.#ask(() => access(peer, pvName));
    return (pvName) => (pvName === SERVER_PV ? ALL_RIGHTS : rightsOf(pvName));
  }

  /** Whether to answer a search from an address. Who searches by UDP does not say who he is. */
  mayFind(address: string, pvName: string): boolean {
    return !(this.#access instanceof AccessRules) || this.#access.mayReach(address, pvName);
  }

  /** Of some names those with which a client may do something. */
  visibleTo(peer: Peer, pvNames: readonly string[]): readonly string[] {
    const rightsOf = this.of(peer);
    return pvNames.filter((pvName) => !hasNoRights(rightsOf(pvName)));
  }

  /** Tells what is hardly meant about the rules. */
  check(pvNames: () => readonly string[]): void {
    const access = this.#access;
    if (!(access instanceof AccessRules)) return;
    // Names are put in order, which of a hundred thousand takes a while.
    const named = access.rules.length === 0 ? [] : pvNames();
    for (const text of [...access.warnings, ...access.findings(named)]) {
      this.#notices.publish({ kind: 'accessRules', level: 'warning', text });
    }
  }

  #ask(question: () => AccessRights): AccessRights {
    try {
      return question();
    } catch (thrown) {
      const text = `the access function threw, so nothing is allowed: ${reasonOf(thrown)}`;
      this.#notices.publish({ kind: 'accessRules', level: 'error', text });
      return NO_RIGHTS;
    }
  }
}
