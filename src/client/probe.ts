// Does a server answer at this address? A discovery ping to one host, by UDP.

import { isAny } from '../protocol/address.ts';
import { counted } from '../protocol/counted.ts';
import { SEARCH_MUST_REPLY } from '../protocol/messages/search.ts';
import type { Clock, TimerHandle } from '../transport/clocks.ts';
import { endpointText } from '../transport/network-error.ts';
import type { Endpoint, Network } from '../transport/network.ts';
import type { Call } from './call.ts';
import { SearchSockets } from './search-sockets.ts';

/** A server that answered a search for nothing. */
export interface ProbeReply {
  /** 24 hexadecimal digits. */
  readonly guid: string;
  /** `host:port` to connect to. */
  readonly server: string;
  readonly protocol: string;
  /** Version of the protocol that the server speaks. */
  readonly version: number;
  /** `host:port` that answered. */
  readonly via: string;
  readonly roundTripMs: number;
}

export interface ProbeSurroundings {
  readonly network: Network;
  readonly clock: Clock;
  readonly random: () => number;
}

/** A ping or its answer may be lost: another goes out after so long. */
const REPEAT_MS = 250;
const ID_RANGE = 0x1_0000_0000;

/** Resolves with the first answer. */
export async function probe(call: Call, target: Endpoint, around: ProbeSurroundings): Promise<ProbeReply> {
  const { network, clock, random } = around;
  const firstId = Math.floor(random() * ID_RANGE);
  const sentAt: number[] = [];
  const listeners = new Set<(reply: ProbeReply) => void>();
  const sockets = new SearchSockets(network, {
    response({ sequenceId, guid, serverAddress, serverPort, protocol }, from, version) {
      // core-pva answers with the id 0 whatever it was asked: taken for an answer to the newest ping.
      const at = sentAt[(sequenceId - firstId) >>> 0] ?? (sequenceId === 0 ? sentAt.at(-1) : undefined);
      if (at === undefined) return;
      const address = isAny(serverAddress) ? from.address : serverAddress;
      const server = endpointText({ address, port: serverPort });
      const roundTripMs = clock.now() - at;
      for (const answer of listeners) answer({ guid, server, protocol, version, via: endpointText(from), roundTripMs });
    },
    // A refusal of one ping says no more than its silence.
    error: () => {},
  });
  const targets = [{ to: target, isUnicast: true, multicast: undefined }];
  const ping = (): void => {
    const sequenceId = (firstId + sentAt.length) % ID_RANGE;
    sentAt.push(clock.now());
    sockets.send({ sequenceId, flags: SEARCH_MUST_REPLY, protocols: [], names: [] }, targets);
  };
  call.waitingFor = () => `asked ${endpointText(target)} ${counted(sentAt.length, 'time')}, no server answered`;
  let timer: TimerHandle | undefined;
  try {
    await call.until(sockets.prepare(targets));
    return await call.wait<ProbeReply>((resolve) => {
      listeners.add(resolve);
      ping();
      timer = clock.every(REPEAT_MS, ping);
      return () => listeners.delete(resolve);
    });
  } finally {
    timer?.cancel();
    sockets.close();
  }
}
