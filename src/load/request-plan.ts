// Which connection asks for which PVs, and in which of its slots?

export interface PlannedRequest {
  readonly pvName: string;
  readonly slot: number;
}

/**
 * The requests of one connection. All slots of all connections share the names in turn: with as many names as slots each
 * has its own; with fewer several share one; with more a slot asks for several, one after the other.
 */
export function plannedRequests(
  names: readonly string[],
  clients: number,
  depth: number,
  client: number,
): readonly PlannedRequest[] {
  const slotCount = clients * depth;
  return Array.from({ length: depth }, (_, slot) => {
    const first = client * depth + slot;
    const nameCount = Math.max(1, Math.ceil((names.length - first) / slotCount));
    return Array.from({ length: nameCount }, (_each, index) => ({
      pvName: names[(first + index * slotCount) % names.length] ?? '',
      slot,
    }));
  }).flat();
}
