// How do writes travel? Those of one turn of the event loop together, in one call of one script: a call for each would
// cost both sides twice as much. In a cluster only those of one channel can be together.

import type { StructureType } from '../../../protocol/types/type-desc.ts';
import { Writer } from '../../../protocol/writer.ts';
import type { Clock } from '../../../transport/clocks.ts';
import type { ChannelUpdate } from '../../channel.ts';
import { packLeaves } from '../stored-leaves.ts';
import type { RedisArgument, RedisClient } from './redis-client.ts';
import type { RedisKeys } from './redis-keys.ts';
import { partsIn } from './redis-reply.ts';
import { writeScript } from './scripts/write.ts';

/** Redis does nothing else meanwhile: a batch takes it a millisecond or two. */
const MAX_WRITES = 64;
const MAX_BYTES = 256 * 1024;

export interface OutgoingWrite {
  readonly key: string;
  readonly digest: string;
  readonly type: StructureType;
  readonly change: ChannelUpdate;
  readonly number: number;
  /** In milliseconds of Redis' clock. */
  readonly tooLate: number;
  /** Called with what the script said of this write. */
  readonly replied: (reply: unknown) => void;
  /** Called when the call came to nothing, or nobody knows what became of it. */
  readonly failed: (thrown: unknown) => void;
}

interface Batch {
  readonly writes: OutgoingWrite[];
  readonly args: RedisArgument[];
  readonly leaves: Writer;
}

export interface WriteBatchesOptions {
  readonly client: RedisClient;
  readonly keys: RedisKeys;
  readonly clock: Clock;
  readonly writer: string;
}

export class WriteBatches {
  readonly #options: WriteBatchesOptions;
  /** By key in a cluster, all under '' else. */
  readonly #batches = new Map<string, Batch>();
  #isDue = false;

  constructor(options: WriteBatchesOptions) {
    this.#options = options;
  }

  /** @throws PvaError when the value is not of its type */
  add(write: OutgoingWrite): void {
    const { client, clock } = this.#options;
    const group = client.isCluster ? write.key : '';
    const batch = this.#batches.get(group) ?? { writes: [], args: [], leaves: new Writer(false) };
    const start = batch.leaves.length;
    try {
      const lengths = packLeaves(batch.leaves, write.type, write.change);
      batch.args.push(write.digest, write.number, lengths.join(' '));
    } catch (thrown) {
      batch.leaves.truncate(start);
      throw thrown;
    }
    batch.writes.push(write);
    this.#batches.set(group, batch);
    if (batch.writes.length >= MAX_WRITES || batch.leaves.length >= MAX_BYTES) return this.#send(group, batch);
    if (this.#isDue) return;
    this.#isDue = true;
    clock.soon(() => {
      this.#isDue = false;
      for (const [each, waiting] of this.#batches) this.#send(each, waiting);
    });
  }

  #send(group: string, batch: Batch): void {
    this.#batches.delete(group);
    this.#carryOut(batch).catch((thrown: unknown) => {
      for (const write of batch.writes) write.failed(thrown);
    });
  }

  async #carryOut({ writes, args, leaves }: Batch): Promise<void> {
    const { client, keys, writer } = this.#options;
    const tooLate = Math.min(...writes.map((write) => write.tooLate));
    const common = [writer, Math.ceil(tooLate), keys.changes, leaves.view()];
    const channels = writes.map(({ key }) => key);
    const replies = partsIn(await client.runOnKeys(writeScript, channels, [...common, ...args]));
    for (const [index, write] of writes.entries()) write.replied(replies[index]);
  }
}
