// Which servers share a store? Each is a node; a store that can be shared knows those that are alive.

/** A server that shares the store, as it says of itself. */
export interface StoreNode {
  /** Its identity: unique among the servers of a store, and for people. */
  readonly id: string;
  /** `host:port` where its clients connect to; '' before it listens. */
  readonly address: string;
  /** When it started, in milliseconds since 1970. */
  readonly sinceMs: number;
  /** PVs that it serves. */
  readonly channelCount: number;
  /** Clients that are connected to it. */
  readonly linkCount: number;
}

/** What a node says of itself each time it is asked; its identity the store knows. */
export type NodeDescription = Omit<StoreNode, 'id' | 'sinceMs'>;

/** The servers that share a store, as one of them sees it. */
export interface StoreNodes {
  /** The identity of this server. */
  readonly own: string;
  /** The servers that are alive, this one among them, in the order of their identities; as last heard of. */
  readonly alive: readonly StoreNode[];
  /** From now on this server is one of them: `describe` is asked about once a second. */
  join(describe: () => NodeDescription): Promise<void>;
  /** Tells the others that this server goes. */
  leave(): Promise<void>;
  /** Called when a server has come or gone, until the returned function is called. */
  onChange(changed: (alive: readonly StoreNode[]) => void): () => void;
}
