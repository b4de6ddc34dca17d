// Is what was acknowledged in the journal, in order and nothing else, whatever the disk does?

import { describe, expect, it } from 'vitest';
import { STORE_LIMITS } from '../../../../src/protocol/limits.ts';
import { hitsLimit } from '../../../support/hits-limit.ts';
import { JournalWorld, LARGE, NEXT_BOOT, stateOf } from '../../../support/journal-world.ts';

const FULL = Object.assign(new Error('ENOSPC: no space left on device, write'), { code: 'ENOSPC' });
const FAILED = Object.assign(new Error('EIO: i/o error'), { code: 'EIO' });
/** As journaled-records.ts has them. */
const CHECKPOINT_MS = 5_000;
const RETRY_MS = 1_000;

const segments = ({ disk }: JournalWorld): readonly string[] => [...disk.files.keys()];

function bytesIn({ disk }: JournalWorld): number {
  return [...disk.files.values()].reduce((sum, { length }) => sum + length, 0);
}

describe('a put to the embedded store', () => {
  it('is one write to the journal, without a flush and without the database', async () => {
    const world = await JournalWorld.open();
    world.disk.acts.length = 0;
    await world.commit(['a', 1], ['b', 2]);
    await world.commit(['a', 3]);
    expect(world.disk.acts).toEqual(['write channels.1.journal', 'write channels.1.journal']);
    expect(world.database.commitCount).toBe(0);
    expect((await world.reopened()).state).toEqual({ a: 'demo:point/1.0 1: 3', b: 'demo:point/1.0 0: 2' });
  });

  it('is flushed a moment later, once for all that came meanwhile, and no more while nothing comes', async () => {
    const world = await JournalWorld.open({ flushMs: 100 });
    world.disk.acts.length = 0;
    await world.commit(['a', 1]);
    await world.clock.advanceAsync(60);
    await world.commit(['a', 2]);
    await world.clock.advanceAsync(1_000);
    expect(world.disk.acts.filter((act) => act.startsWith('flush'))).toEqual(['flush channels.1.journal']);
    await world.commit(['a', 3]);
    await world.clock.advanceAsync(100);
    expect(world.disk.acts.filter((act) => act.startsWith('flush'))).toHaveLength(2);
  });

  it('is on the disk before it is acknowledged where flush_ms is 0', async () => {
    const world = await JournalWorld.open({ flushMs: 0 });
    await world.commit(['a', 1]);
    await world.commit(['a', 2]);
    const lost = await world.reopened({ files: world.disk.afterPowerLoss(0, false), bootId: NEXT_BOOT });
    expect(lost.state).toEqual({ a: 'demo:point/1.0 1: 2' });
    expect(lost.warnings).toEqual([]);
  });

  it('goes on where a write took only a part', async () => {
    const world = await JournalWorld.open();
    world.disk.fault = (act, _, length) => (act === 'write' ? Math.ceil(length / 3) : undefined);
    await world.commit(['a', 1], ['b', 2]);
    await world.commit(['a', 3]);
    expect((await world.reopened()).state).toEqual(world.state);
  });

  it('is refused when the disk is full, and the next one is taken when it is not', async () => {
    const world = await JournalWorld.open();
    await world.commit(['a', 1]);
    let writes = 0;
    // A part of it gets there.
    world.disk.fault = (act) => {
      if (act !== 'write') return undefined;
      return ++writes % 2 === 1 ? 9 : FULL;
    };
    await expect(world.commit(['a', 2])).rejects.toThrow('no space left');
    await expect(world.commit(['a', 3])).rejects.toThrow('no space left');
    expect(world.troubles).toEqual([expect.stringContaining('no space left')]);
    expect((await world.reopened()).state).toEqual({ a: 'demo:point/1.0 0: 1' });
    world.disk.fault = () => undefined;
    await world.commit(['a', 4]);
    expect(world.troubles.at(-1)).toBeUndefined();
    expect((await world.reopened()).state).toEqual({ a: 'demo:point/1.0 1: 4' });
  });

  it('that was refused leaves no trouble behind when the disk takes writes again, though nobody puts anything', async () => {
    const world = await JournalWorld.open();
    await world.commit(['a', 1]);
    world.disk.fault = (act) => (act === 'write' ? FULL : undefined);
    await expect(world.commit(['a', 2])).rejects.toThrow('no space left');
    await world.clock.advanceAsync(3 * RETRY_MS);
    expect(world.troubles).toEqual([expect.stringContaining('no space left')]);
    world.disk.fault = () => undefined;
    await world.clock.advanceAsync(RETRY_MS);
    expect(world.troubles.at(-1)).toBeUndefined();
    expect((await world.reopened()).state).toEqual({ a: 'demo:point/1.0 0: 1' });
    await world.commit(['a', 3]);
    await world.clock.advanceAsync(CHECKPOINT_MS);
    expect((await world.reopened({ files: new Map() })).state).toEqual(world.state);
    await world.records.close();
    expect(world.clock.timerCount).toBe(0);
  });

  it('is refused where the disk takes nothing and says that all is well', async () => {
    const world = await JournalWorld.open();
    world.disk.fault = (act) => (act === 'write' ? 0 : undefined);
    await expect(world.commit(['a', 1])).rejects.toThrow(/the disk took none of \d+ bytes/u);
  });

  it('is refused as long as the part of a refused one cannot be cut off', async () => {
    const world = await JournalWorld.open();
    let isCutting = false;
    world.disk.fault = (act) => {
      if (act === 'cut') return isCutting ? undefined : FAILED;
      return act === 'write' && !isCutting ? FULL : undefined;
    };
    await expect(world.commit(['a', 1])).rejects.toMatchObject({
      reason: 'STORE_UNCERTAIN',
      message: 'ENOSPC: no space left on device, write; nor can it be cut off: EIO: i/o error',
    });
    await expect(world.commit(['a', 2])).rejects.toThrow('i/o error');
    isCutting = true;
    await world.commit(['a', 3]);
    expect((await world.reopened()).state).toEqual({ a: 'demo:point/1.0 0: 3' });
  });

  it('that was refused since it could not be flushed is not there after a kill', async () => {
    const world = await JournalWorld.open({ flushMs: 0 });
    await world.commit(['a', 1]);
    world.disk.failsAfter = (act) => (act === 'write' ? FAILED : undefined);
    await expect(world.commit(['a', 2])).rejects.toThrow('i/o error');
    expect((await world.reopened()).state).toEqual({ a: 'demo:point/1.0 0: 1' });
  });
});

describe('the journal', () => {
  it('gets into the database some seconds after the first change, and begins a new file', async () => {
    const world = await JournalWorld.open();
    await world.commit(['a', 1], ['b', 1, 'count']);
    await world.commit(['a', 2], ['c', 5]);
    await world.commit(['c', undefined]);
    await world.clock.advanceAsync(CHECKPOINT_MS);
    expect(world.database.position).toEqual({ segment: 1, group: 3 });
    expect(segments(world)).toEqual(['channels.2.journal']);
    expect((await world.reopened({ files: new Map() })).state).toEqual(world.state);
    // Nothing has changed since.
    await world.clock.advanceAsync(10 * CHECKPOINT_MS);
    expect(world.database.commitCount).toBe(1);
  });

  it('gets into the database at once when a file is large, while puts go on', async () => {
    const world = await JournalWorld.open();
    for (let number = 0; world.database.commitCount === 0 && number < 10_000; number++) {
      await world.commit(...Array.from({ length: 500 }, (_, index): [string, number] => [`lab:pv${index}`, number]));
      await new Promise(setImmediate);
    }
    await world.commit(['a', 1]);
    await world.clock.advanceAsync(0);
    expect(world.database.commitCount).toBe(1);
    expect(segments(world)).toHaveLength(1);
    expect((await world.reopened()).state).toEqual(world.state);
  });

  it('has the state at the end of a file brought into the database, whatever came after it', async () => {
    const world = await JournalWorld.open();
    await world.commit(['a', 1]);
    let release = (): void => {};
    const hung = new Promise<undefined>((resolve) => (release = () => resolve(undefined)));
    const commit = world.database.commit.bind(world.database);
    world.database.commit = async (changes, position) => {
      await hung;
      await commit(changes, position);
    };
    await world.clock.advanceAsync(CHECKPOINT_MS);
    // The checkpoint is under way: now it becomes something else.
    await world.commit(['a', 7, 'count']);
    release();
    await world.settle();
    expect(world.database.position).toEqual({ segment: 1, group: 1 });
    const lost = await world.reopened({ files: world.disk.afterPowerLoss(0, false), bootId: NEXT_BOOT });
    expect(lost.state).toEqual({ a: 'demo:point/1.0 0: 1' });
    expect((await world.reopened()).state).toEqual({ a: 'demo:count/1.0 0: 7' });
  });

  it('keeps puts when a checkpoint does not hold, shows it, and tries again', async () => {
    const world = await JournalWorld.open();
    world.database.fault = () => FULL;
    await world.commit(['a', 1]);
    await world.clock.advanceAsync(CHECKPOINT_MS);
    expect(world.troubles).toEqual([
      'the journal does not get into the database: ENOSPC: no space left on device, write',
    ]);
    await world.commit(['a', 2]);
    await world.clock.advanceAsync(3 * RETRY_MS);
    await world.commit(['b', 3]);
    expect((await world.reopened()).state).toEqual(world.state);
    world.database.fault = () => undefined;
    await world.clock.advanceAsync(RETRY_MS);
    expect(world.troubles).toHaveLength(2);
    expect(world.troubles.at(-1)).toBeUndefined();
    await world.clock.advanceAsync(CHECKPOINT_MS);
    expect(segments(world)).toHaveLength(1);
    expect((await world.reopened({ files: new Map() })).state).toEqual(world.state);
  });

  it('is two files at most while the database takes nothing, and gets into it as soon as that does', async () => {
    const world = await JournalWorld.open();
    world.database.fault = () => FULL;
    for (let number = 0; number < 50; number++) {
      await world.commit(['a', number]);
      await expect(world.commit(['image', LARGE])).rejects.toThrow('no space left');
      await world.clock.advanceAsync(RETRY_MS);
      expect(segments(world).length).toBeLessThanOrEqual(2);
    }
    expect((await world.reopened()).state).toEqual(world.state);
    // No file more can be opened: what is set aside gets in all the same, which makes room.
    world.database.fault = () => undefined;
    world.disk.fault = (act) => (act === 'create' ? FULL : undefined);
    await world.clock.advanceAsync(RETRY_MS);
    expect(world.database.position.segment).toBe(1);
    expect(segments(world)).toHaveLength(1);
    world.disk.fault = () => undefined;
    await world.clock.advanceAsync(RETRY_MS);
    expect(world.troubles.at(-1)).toBeUndefined();
    expect((await world.reopened({ files: new Map() })).state).toEqual(world.state);
  });

  it('takes no more than its limit while the database does not take it', async () => {
    hitsLimit('maxJournalBytes');
    const world = await JournalWorld.open();
    world.database.fault = () => FULL;
    const group = Array.from({ length: 300 }, (_, index): [string, number] => [
      `lab:a:long:name:${index}`.padEnd(100, '.'),
      1,
    ]);
    const fill = async (): Promise<never> => {
      for (let count = 0; ; count++) {
        await world.commit(...group);
        expect(bytesIn(world)).toBeLessThanOrEqual(STORE_LIMITS.maxJournalBytes);
        if (count % 100 === 0) await world.clock.advanceAsync(RETRY_MS);
      }
    };
    await expect(fill()).rejects.toThrow(/the journal is full: \d+ of 67108864 bytes are not in the database yet/u);
    expect((await world.reopened()).state).toEqual(world.state);
    world.database.fault = () => undefined;
    await world.clock.advanceAsync(2 * RETRY_MS);
    await world.commit(['a', 1]);
    expect(world.troubles.at(-1)).toBeUndefined();
  }, 60_000);

  it('makes puts wait, when it is full, for a database that takes its time', async () => {
    const world = await JournalWorld.open();
    let release = (): void => {};
    const hung = new Promise<undefined>((resolve) => (release = () => resolve(undefined)));
    world.database.fault = () => hung;
    const group = Array.from({ length: 300 }, (_, index): [string, number] => [`lab:${index}`.padEnd(300, '.'), 1]);
    let ended = 0;
    const writing = (async () => {
      for (; ended < 1_000; ended++) await world.commit(...group);
    })();
    for (let before = -1; before !== ended;) {
      before = ended;
      await world.settle();
    }
    expect(ended).toBeLessThan(1_000);
    expect(bytesIn(world)).toBeGreaterThan(STORE_LIMITS.maxJournalBytes - 300_000);
    release();
    await world.clock.until(writing);
    expect(ended).toBe(1_000);
    expect(world.troubles).toEqual([]);
    expect((await world.reopened()).state).toEqual(world.state);
  }, 60_000);

  it('brings all into the database when a flush does not hold, and shows that until it is there', async () => {
    const world = await JournalWorld.open();
    world.database.fault = () => FULL;
    world.disk.fault = (act, name) => (act === 'flush' && name === 'channels.1.journal' ? FAILED : undefined);
    await world.commit(['a', 1]);
    await world.clock.advanceAsync(100);
    expect(world.troubles.at(-1)).toMatch(/^channels\.1\.journal could not be flushed: EIO.* may cost what was put/u);
    await world.commit(['b', 1]);
    world.database.fault = () => undefined;
    await world.clock.advanceAsync(RETRY_MS);
    expect(world.troubles.at(-1)).toBeUndefined();
    const lost = await world.reopened({ files: world.disk.afterPowerLoss(0, false), bootId: NEXT_BOOT });
    expect(lost.state['a']).toBe('demo:point/1.0 0: 1');
  });

  it('is shown when a flush hangs, and takes no more until it ends: a loss of power costs some seconds at most', async () => {
    const world = await JournalWorld.open();
    let release = (): void => {};
    const hung = new Promise<undefined>((resolve) => (release = () => resolve(undefined)));
    world.disk.fault = (act) => (act === 'flush' ? hung : undefined);
    let acknowledgedAt = 0;
    for (let second = 0; second < 60; second++) {
      const taken = await world.commit(['a', second]).then(
        () => true,
        () => false,
      );
      if (taken) acknowledgedAt = world.clock.now();
      await world.clock.advanceAsync(1_000);
    }
    expect(acknowledgedAt).toBeLessThanOrEqual(6_000);
    await expect(world.commit(['a', 60])).rejects.toThrow('a flush of the journal takes longer than 5 s');
    expect(world.troubles).toEqual([
      'a flush of the journal takes longer than 5 s; a loss of power may cost what was put since',
    ]);
    release();
    await world.clock.advanceAsync(2 * RETRY_MS);
    expect(world.troubles.at(-1)).toBeUndefined();
    await world.commit(['a', 61]);
    expect((await world.reopened()).state).toEqual(world.state);
  });

  it.each(['write', 'commit'] as const)('is shown when a %s hangs', async (what) => {
    const world = await JournalWorld.open();
    const hung = new Promise<never>(() => {});
    if (what === 'commit') world.database.fault = () => hung;
    else world.disk.fault = (act) => (act === 'write' ? hung : undefined);
    world.commit(['a', 1]).catch(() => {});
    await world.clock.advanceAsync(CHECKPOINT_MS + 5_000);
    expect(world.troubles).toEqual([
      what === 'write'
        ? 'a write to the journal takes longer than 5 s'
        : 'the journal takes longer than 5 s to get into the database',
    ]);
  });

  it('does not get a large group, which goes to the database with all that came before', async () => {
    const world = await JournalWorld.open();
    await world.commit(['a', 1], ['b', 1]);
    await world.commit(['a', 2, 'count']);
    world.disk.acts.length = 0;
    const many = Array.from({ length: 20_000 }, (_, index): [string, number] => [`lab:pv${index}`, index]);
    await world.commit(...many, ['a', 3], ['b', undefined]);
    expect(world.disk.acts.filter((act) => act === 'write channels.1.journal')).toEqual([]);
    expect(world.database.position).toEqual({ segment: 1, group: 2 });
    expect((await world.reopened({ files: new Map() })).state).toEqual(world.state);
    await world.commit(['a', 4]);
    expect((await world.reopened()).state).toEqual(world.state);
  });

  it('has nothing of a large group that the database refused', async () => {
    const world = await JournalWorld.open();
    await world.commit(['a', 1]);
    const many = Array.from({ length: 20_000 }, (_, index): [string, number] => [`lab:pv${index}`, index]);
    world.database.fault = () => FULL;
    for (let tries = 0; tries < 3; tries++) {
      await expect(world.clock.until(world.commit(...many))).rejects.toThrow('no space left');
    }
    // No more files with each.
    expect(segments(world)).toHaveLength(2);
    await world.commit(['a', 2]);
    expect((await world.reopened()).state).toEqual({ a: 'demo:point/1.0 1: 2' });
    world.database.fault = () => undefined;
    await world.clock.until(world.commit(...many));
    await world.records.close();
    expect((await world.reopened()).state).toEqual(world.state);
  });

  it('has a large group that the database refused and took all the same written over, and only then is all well', async () => {
    for (const change of [
      ['a', 7, 'count'],
      ['a', undefined],
      ['a', 8],
    ] as const) {
      const world = await JournalWorld.open();
      await world.commit(['a', 1], ['b', 1]);
      world.database.fault = () => ({ why: FAILED, leaves: 'flushed' });
      await expect(world.commit(change, ['image', LARGE])).rejects.toMatchObject({
        reason: 'STORE_UNCERTAIN',
        message: 'EIO: i/o error',
      });
      expect(world.database.records.value.has('image')).toBe(true);
      // The next put to one of its channels says all about it, whatever the database has.
      await world.commit(['a', 2]);
      await world.commit(['a', 3]);
      const { a } = (await world.reopened()).state;
      expect(a).toBe('demo:point/1.0 2: 3');
      expect(world.troubles.at(-1)).toBe('the journal does not get into the database: EIO: i/o error');
      // And so does the next commit of the database about all the others.
      world.database.fault = () => undefined;
      await world.clock.advanceAsync(RETRY_MS);
      expect(world.troubles.at(-1)).toBeUndefined();
      expect((await world.reopened()).state).toEqual(world.state);
      expect(Object.keys(world.state)).toEqual(['a', 'b']);
      await world.records.close();
      expect((await world.reopened()).state).toEqual(world.state);
    }
  });

  it('has what the database took of a refused large group written over at the close, also where nothing else was put', async () => {
    const world = await JournalWorld.open();
    let commits = 0;
    world.database.fault = () => (++commits === 1 ? { why: FAILED, leaves: 'visible' } : undefined);
    await expect(world.commit(['a', LARGE])).rejects.toMatchObject({ reason: 'STORE_UNCERTAIN' });
    expect((await world.reopened()).state).toEqual({ a: `demo:point/1.0 0: ${LARGE}` });
    await world.records.close();
    expect((await world.reopened()).state).toEqual({});
  });

  it('is gone after a close, and all is in the database', async () => {
    const world = await JournalWorld.open();
    await world.commit(['a', 1]);
    await world.commit(['a', 2]);
    await world.records.close();
    expect(segments(world)).toEqual([]);
    expect(world.clock.timerCount).toBe(0);
    expect(stateOf((await world.reopened()).table)).toEqual(world.state);
    await expect(world.commit(['a', 3])).rejects.toThrow('the store was closed');
  });

  it.each(['flush channels.2.journal', 'write channels.1.journal', 'remove channels.1.journal'])(
    'is left alone after a close that did not wait (%s hangs), whoever opens it then',
    async (hangs) => {
      const one = await JournalWorld.open();
      await one.commit(['a', 1], ['b', 1]);
      let release = (): void => {};
      const hung = new Promise<undefined>((resolve) => (release = () => resolve(undefined)));
      one.disk.fault = (act, name) => (`${act} ${name}` === hangs ? hung : undefined);
      const refused = one.commit(['a', 2]).catch(() => {});
      await one.clock.advanceAsync(CHECKPOINT_MS);
      await one.clock.until(one.records.close());
      const [ended] = one.hangs;
      one.disk.fault = () => undefined;
      const two = await one.reopened({ disk: one.disk });
      await two.commit(['a', 3]);
      await two.clock.advanceAsync(CHECKPOINT_MS);
      await two.commit(['b', 4]);
      const [{ position }, acts] = [two.database, one.disk.acts.length];
      release();
      await ended;
      await refused;
      expect(one.disk.acts.slice(acts).filter((act) => /^(write|create|remove|cut)/u.test(act))).toEqual([]);
      expect(two.database.position).toEqual(position);
      expect((await two.reopened()).state).toEqual(two.state);
      expect(one.clock.timerCount).toBe(0);
    },
  );

  it('stays when the database does not take it at the close, and is not waited for when the disk hangs', async () => {
    for (const fault of [FULL, new Promise<never>(() => {})]) {
      const world = await JournalWorld.open();
      await world.commit(['a', 1]);
      world.database.fault = () => fault;
      const closed = world.records.close();
      await world.clock.until(closed);
      expect(world.clock.timerCount).toBeLessThanOrEqual(1);
      expect((await world.reopened()).state).toEqual(world.state);
    }
  });
});
