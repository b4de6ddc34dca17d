// How do writes travel? Those of one turn of the event loop together, in one call of one script: a call for each would
// cost both sides twice as much. In a cluster only those of one channel can be together.

import type { StructureType } from '../../../protocol/types/type-desc.ts';
import { Writer } from '../../../protocol/writer.ts';
import type { Clock } from '../../../transport/clocks.ts';
import type { ChannelUpdate } from '../../channel.ts';
import { packLeaves } from '../stored-leaves.ts';
import type { RedisClient } from './redis-client.ts';
import type { RedisKeys } from './redis-keys.ts';
import { partsIn } from './redis-reply.ts';
import { writeScript } from './scripts/write.ts';

/** Redis does nothing else meanwhile: a batch takes it a millisecond or two. */
const MAX_WRITES = 128;
const MAX_BYTES = 256 * 1024;
/**
 * Calls that are under way at once; what comes meanwhile goes with the next one. Fewer and larger calls cost both sides
 * less, and with two Redis has something to do while this process reads the answer before.
 */
const MAX_CALLS = 2;
/** A call that is not answered by then does not keep others from being sent: nobody waits for it any more. */
const MAX_CALL_MS = 2_000;

export interface OutgoingWrite {
  readonly key: string;
  readonly digest: string;
  readonly type: StructureType;
  readonly change: ChannelUpdate;
  readonly number: number;
  /** In milliseconds of Redis' clock. */
  readonly tooLate: number;
}

interface Batch<W> {
  readonly writes: W[];
  readonly args: string[];
  readonly leaves: Writer;
}

/** The calls for one group of keys. */
interface Lane<W> {
  /** The last one is still filled. */
  readonly waiting: Batch<W>[];
  callCount: number;
}

export interface WriteBatchesOptions<W extends OutgoingWrite> {
  readonly client: RedisClient;
  readonly keys: RedisKeys;
  readonly clock: Clock;
  readonly writer: string;
  /** Called with what the script said of a write. */
  readonly replied: (write: W, reply: unknown) => void;
  /** Called when the call came to nothing, or nobody knows what became of it. */
  readonly failed: (write: W, thrown: unknown) => void;
}

export class WriteBatches<W extends OutgoingWrite> {
  readonly #options: WriteBatchesOptions<W>;
  /** By key in a cluster, all under '' else. */
  readonly #lanes = new Map<string, Lane<W>>();
  #isDue = false;

  constructor(options: WriteBatchesOptions<W>) {
    this.#options = options;
  }

  /** @throws PvaError when the value is not of its type */
  add(write: W): void {
    const { client, clock } = this.#options;
    const group = client.isCluster ? write.key : '';
    let lane = this.#lanes.get(group);
    if (lane === undefined) this.#lanes.set(group, (lane = { waiting: [], callCount: 0 }));
    let batch = lane.waiting.at(-1);
    if (batch === undefined || batch.writes.length >= MAX_WRITES || batch.leaves.length >= MAX_BYTES)
      lane.waiting.push((batch = { writes: [], args: [], leaves: new Writer(false) }));
    const start = batch.leaves.length;
    try {
      const lengths = packLeaves(batch.leaves, write.type, write.change);
      batch.args.push(`${write.digest} ${write.number} ${lengths.join(' ')}`);
    } catch (thrown) {
      batch.leaves.truncate(start);
      throw thrown;
    }
    batch.writes.push(write);
    if (this.#isDue) return;
    this.#isDue = true;
    clock.soon(() => {
      this.#isDue = false;
      for (const [each, due] of this.#lanes) this.#sendFrom(each, due);
    });
  }

  #sendFrom(group: string, lane: Lane<W>): void {
    while (lane.callCount < MAX_CALLS) {
      const batch = lane.waiting.shift();
      if (batch === undefined) {
        if (lane.callCount === 0) this.#lanes.delete(group);
        return;
      }
      // All its writes were refused before they were in it.
      if (batch.writes.length === 0) continue;
      lane.callCount++;
      let isCounted = true;
      const release = (): void => {
        timer.cancel();
        if (!isCounted) return;
        isCounted = false;
        lane.callCount--;
        this.#sendFrom(group, lane);
      };
      const timer = this.#options.clock.after(MAX_CALL_MS, release);
      this.#carryOut(batch)
        .catch((thrown: unknown) => {
          for (const write of batch.writes) this.#options.failed(write, thrown);
        })
        .finally(release);
    }
  }

  async #carryOut({ writes, args, leaves }: Batch<W>): Promise<void> {
    const { client, keys, writer, replied } = this.#options;
    const tooLate = Math.min(...writes.map((write) => write.tooLate));
    const common = [writer, Math.ceil(tooLate), keys.changes, leaves.view()];
    const channels = writes.map(({ key }) => key);
    const replies = partsIn(await client.runOnKeys(writeScript, channels, [...common, ...args]));
    for (const [index, write] of writes.entries()) replied(write, replies[index]);
  }
}
