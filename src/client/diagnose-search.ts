// Who answers searches at which address? One socket for each address, so that every answer tells to which of them it belongs.

import { isAny } from '../protocol/address.ts';
import { reasonOf } from '../protocol/errors.ts';
import type { SearchResponse } from '../protocol/messages/search-response.ts';
import { SEARCH_MUST_REPLY } from '../protocol/messages/search.ts';
import type { Clock } from '../transport/clocks.ts';
import { isSameNetwork } from '../transport/ipv4.ts';
import { endpointText } from '../transport/network-error.ts';
import type { Endpoint, Network, NetworkInterface } from '../transport/network.ts';
import type { SearchAnswer, SearchTrial } from './diagnose-result.ts';
import { SearchSockets } from './search-sockets.ts';
import { isIpv6, type SearchTarget } from './search-targets.ts';

export interface TrialPlan {
  readonly target: SearchTarget;
  readonly isConfigured: boolean;
  readonly isListed: boolean;
  readonly pvName: string | undefined;
}

export interface TrialSurroundings {
  readonly network: Network;
  readonly clock: Clock;
  readonly random: () => number;
}

const TCP = 'tcp';
const INSTANCE_ID = 1;
const ID_RANGE = 0x1_0000_0000;
/** Answers of one place that are told apart; somebody may be inventing servers. */
const MAX_ANSWERS = 1_000;
const MAX_ERRORS = 10;

/** The searches to one address. */
export class SearchProbe {
  readonly #plan: TrialPlan;
  readonly #around: TrialSurroundings;
  readonly #sockets: SearchSockets;
  readonly #firstId: number;
  readonly #sentAt: number[] = [];
  readonly #errors = new Set<string>();
  /** By GUID and server. */
  readonly #answers = new Map<string, SearchAnswer>();

  constructor(plan: TrialPlan, around: TrialSurroundings) {
    this.#plan = plan;
    this.#around = around;
    this.#firstId = Math.floor(around.random() * ID_RANGE);
    this.#sockets = new SearchSockets(around.network, {
      response: (response, from, version) => this.#response(response, from, version),
      error: (error) => this.#noteError(error),
    });
  }

  async open(): Promise<void> {
    await this.#sockets.prepare([this.#plan.target]);
  }

  /** Asks for the PV as clients do, and everybody to say that they are there. */
  send(): void {
    const { target, pvName } = this.#plan;
    const sequenceId = (this.#firstId + this.#sentAt.length) % ID_RANGE;
    this.#sentAt.push(this.#around.clock.now());
    if (pvName !== undefined) {
      const names = [{ instanceId: INSTANCE_ID, pvName }];
      this.#sockets.send({ sequenceId, flags: 0, protocols: [TCP], names }, [target]);
    }
    this.#sockets.send({ sequenceId, flags: SEARCH_MUST_REPLY, protocols: [], names: [] }, [target]);
  }

  get answers(): readonly SearchAnswer[] {
    return [...this.#answers.values()];
  }

  result(): SearchTrial {
    const { target, isConfigured, isListed } = this.#plan;
    const { to, isUnicast, multicast } = target;
    return {
      to: endpointText(to),
      kind: isUnicast ? 'unicast' : multicast === undefined ? 'broadcast' : 'multicast',
      via: interfaceTowards(target, this.#around.network.interfaces()),
      isConfigured,
      isListed,
      sentCount: this.#sentAt.length,
      errors: [...this.#errors],
      answers: this.answers,
    };
  }

  close(): void {
    this.#sockets.close();
  }

  #response(response: SearchResponse, from: Endpoint, version: number): void {
    const { sequenceId, guid, protocol, serverPort, found, instanceIds } = response;
    // Some servers answer pings with id 0 (core-pva); the socket says that it is for us.
    const sentAt = this.#sentAt[(sequenceId - this.#firstId) >>> 0] ?? this.#sentAt.at(-1);
    if (sentAt === undefined || serverPort === 0) return;
    const address = isAny(response.serverAddress) ? from.address : response.serverAddress;
    const server = endpointText({ address, port: serverPort });
    const key = `${guid} ${server} ${protocol}`;
    const hasPv = found && instanceIds.includes(INSTANCE_ID);
    const known = this.#answers.get(key);
    if (known !== undefined) {
      if (hasPv && !known.hasPv) this.#answers.set(key, { ...known, hasPv });
      return;
    }
    if (this.#answers.size >= MAX_ANSWERS) return;
    const roundTripMs = this.#around.clock.now() - sentAt;
    this.#answers.set(key, { guid, server, protocol, version, via: endpointText(from), roundTripMs, hasPv });
  }

  #noteError(error: unknown): void {
    if (this.#errors.size < MAX_ERRORS) this.#errors.add(reasonOf(error));
  }
}

/** The interface through which the system sends there, judged by addresses alone: Node does not ask for routes. */
function interfaceTowards(
  { to, multicast }: SearchTarget,
  interfaces: readonly NetworkInterface[],
): SearchTrial['via'] {
  const found = interfaces.find((each) => {
    if (multicast !== undefined) return each.address === multicast.interfaceAddress;
    if (each.address === to.address || each.broadcast === to.address) return true;
    const isV4 = each.family === 'IPv4' && !isIpv6(to.address);
    return isV4 && isSameNetwork(each.address, to.address, each.netmask);
  });
  return found && { name: found.name, address: found.address };
}
