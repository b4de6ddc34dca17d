// Whatever is defined, written and destroyed, and wherever everything stops: is what was acknowledged there afterwards, and
// nothing by half? Every act on the disk is a moment to stop at, also while the last stop is recovered from.

import fc from 'fast-check';
import { expect, it } from 'vitest';
import { StoreError } from '../../../../src/channels/stores/store-error.ts';
import { MemoryDatabase, MemoryDisk, Power, type FailedCommit } from '../../../support/memory-disk.ts';
import { BOOT, JournalWorld, LARGE, type Change } from '../../../support/journal-world.ts';

type State = Readonly<Record<string, string>>;
/** What is acknowledged, and what else may be found: it was answered that nobody knows. */
type States = readonly [State, ...State[]];

type Step =
  | { readonly does: 'commit'; readonly changes: readonly Change[] }
  | { readonly does: 'wait'; readonly ms: number }
  /** So many acts on the disk, or commits of the database, do not hold. */
  | {
      readonly does: 'fail';
      readonly disk: number;
      readonly database: number;
      readonly leaves: FailedCommit['leaves'];
    }
  | { readonly does: 'restart' };

interface Round {
  readonly steps: readonly Step[];
  /** The number of the act on the disk that is the last. */
  readonly crashesAt: number;
  readonly losesPower: boolean;
  /** Of what was not flushed, what is there all the same. */
  readonly share: number;
  /** Whether files are as long as they were, and end in zeros. */
  readonly zeros: boolean;
}

const change: fc.Arbitrary<Change> = fc.oneof(
  { weight: 6, arbitrary: fc.tuple(fc.constantFrom('a', 'b', 'c', 'd'), fc.integer({ min: 0, max: 99 })) },
  {
    weight: 2,
    arbitrary: fc.tuple(
      fc.constantFrom('a', 'b', 'c', 'd'),
      fc.integer({ min: 0, max: 99 }),
      fc.constantFrom('point', 'count'),
    ),
  },
  { weight: 1, arbitrary: fc.tuple(fc.constantFrom('a', 'b', 'c', 'd'), fc.constant(undefined)) },
  { weight: 1, arbitrary: fc.tuple(fc.constantFrom('a', 'b', 'c', 'd'), fc.constant(LARGE)) },
);

const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 8, arbitrary: fc.record({ does: fc.constant('commit'), changes: fc.array(change, { maxLength: 4 }) }) },
  { weight: 3, arbitrary: fc.record({ does: fc.constant('wait'), ms: fc.constantFrom(1, 100, 1_000, 5_000) }) },
  { weight: 1, arbitrary: fc.record({ does: fc.constant('restart') }) },
  {
    weight: 2,
    arbitrary: fc.record({
      does: fc.constant('fail'),
      disk: fc.oneof(fc.constant(0), fc.integer({ min: 0, max: 5 })),
      database: fc.integer({ min: 0, max: 2 }),
      leaves: fc.constantFrom('nothing', 'visible', 'flushed'),
    }),
  },
);

const rounds: fc.Arbitrary<readonly Round[]> = fc.array(
  fc.record({
    steps: fc.array(step, { maxLength: 12 }),
    crashesAt: fc.oneof(fc.integer({ min: 1, max: 60 }), fc.integer({ min: 1, max: 8 })),
    losesPower: fc.boolean(),
    share: fc.double({ min: 0, max: 1, noNaN: true }),
    zeros: fc.boolean(),
  }),
  { minLength: 1, maxLength: 6 },
);

const FAILED = new Error('EIO: i/o error');

class Story {
  /** States that may be there after a loss of power, the oldest first; the last is what is there after a kill. */
  states: States[] = [[{}]];
  /** What the group under way makes of the last one. */
  underWay: States | undefined;
  disk = new MemoryDisk();
  database = new MemoryDatabase(this.disk.power);
  bootId = BOOT;
  /** Whether the power was lost, and nobody came to the end of recovering. */
  isDamaged = false;
  readonly flushMs: number;

  constructor(flushMs: number) {
    this.flushMs = flushMs;
  }

  async round({ steps, crashesAt, losesPower, share, zeros }: Round): Promise<void> {
    this.disk.power.crashesAt = crashesAt;
    try {
      await this.#run(steps);
    } catch (thrown) {
      if (!this.disk.power.isOff) throw thrown;
    }
    // What was under way in the background comes to its end, or fails.
    await new Promise(setImmediate);
    const power = new Power();
    const files = losesPower ? this.disk.afterPowerLoss(share, zeros) : new Map(this.disk.files);
    if (losesPower) this.bootId = this.bootId.map((byte) => byte + 1);
    this.disk = new MemoryDisk(files, power);
    this.database = new MemoryDatabase(power, losesPower ? this.database.flushed : this.database);
    // Another one finds it so, and leaves it so.
    const found = await this.#found(new MemoryDisk(files, new Power()));
    expect([...(losesPower ? this.states : [this.last]), this.underWay ?? []].flat()).toContainEqual(found.state);
    this.isDamaged ||= losesPower;
    if (!this.isDamaged) expect(found.warnings).toEqual([]);
    // What was lost is lost: with the files as they are nothing of it may come back.
    this.states = [[found.state]];
    this.underWay = undefined;
  }

  async #run(steps: readonly Step[]): Promise<void> {
    let world = await this.#opened();
    expect(world.state).toEqual(this.last[0]);
    for (const step of steps) {
      if (step.does === 'wait') {
        await world.clock.advanceAsync(step.ms);
        await world.settle();
        const isFlushed = step.ms >= 100 && !this.disk.power.isOff && world.troubles.at(-1) === undefined;
        if (isFlushed) this.states = [this.last];
      } else if (step.does === 'fail') {
        const { leaves } = step;
        let { disk, database } = step;
        this.disk.fault = () => (disk-- > 0 ? FAILED : undefined);
        this.database.fault = () => (database-- > 0 ? { why: FAILED, leaves } : undefined);
      } else if (step.does === 'restart') {
        await world.clock.until(world.records.close());
        this.disk.fault = () => undefined;
        this.database.fault = () => undefined;
        world = await this.#opened();
        expect(this.last).toContainEqual(world.state);
        this.states = [[world.state]];
      } else await this.#commit(world, step.changes);
      // The database has taken what the table has of those of which nobody knew.
      if (world.troubles.at(-1) === undefined) this.states = this.states.map(([acknowledged]) => [acknowledged]);
    }
  }

  async #commit(world: JournalWorld, changes: readonly Change[]): Promise<void> {
    const after = world.stateWith(...changes);
    const names = changes.map(([name]) => name);
    const [acknowledged, ...others] = this.last;
    this.underWay = [after, ...others.map((state) => withChannels(state, names, after))];
    try {
      await world.commit(...changes);
      this.states.push(this.underWay);
    } catch (thrown) {
      // Refused: nothing of it may be there, now or later, unless it was said that nobody knows.
      if (thrown !== FAILED && !(thrown instanceof Error && thrown.cause === FAILED)) throw thrown;
      const isUncertain = thrown instanceof StoreError && thrown.reason === 'STORE_UNCERTAIN';
      if (isUncertain) this.states.splice(-1, 1, [acknowledged, ...others, ...this.underWay]);
    }
    this.underWay = undefined;
    if (this.flushMs === 0) this.states = [this.last];
  }

  get last(): States {
    return this.states.at(-1) ?? [{}];
  }

  async #opened(): Promise<JournalWorld> {
    const { disk, database, bootId, flushMs } = this;
    const world = await JournalWorld.open({ disk, database, bootId, flushMs });
    this.isDamaged = false;
    return world;
  }

  async #found(disk: MemoryDisk): Promise<JournalWorld> {
    const database = new MemoryDatabase(disk.power, this.database);
    return JournalWorld.open({ disk, database, bootId: this.bootId, flushMs: this.flushMs });
  }
}

/** A state in which some channels are as in another one. */
function withChannels(state: State, names: readonly string[], from: State): State {
  const others = Object.entries(state).filter(([name]) => !names.includes(name));
  return Object.fromEntries([...others, ...Object.entries(from).filter(([name]) => names.includes(name))]);
}

it.each([0, 100])(
  'loses nothing but what a loss of power may cost, flushed %i ms after a write',
  async (flushMs) => {
    await fc.assert(
      fc.asyncProperty(rounds, async (rounds) => {
        const story = new Story(flushMs);
        for (const round of rounds) await story.round(round);
      }),
      { numRuns: 500 },
    );
  },
  60_000,
);
