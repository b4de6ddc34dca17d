// Does a workspace belong to one process at a time, and is it free again after that?

import { spawnSync } from 'node:child_process';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { hostname, tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { openEmbeddedStore } from '../../src/channels/stores/embedded/embedded-store.ts';
import { journalFolder, type JournalFolder } from '../../src/channels/stores/embedded/journal-files.ts';
import { eventually, POINT, pointOf } from '../../src/channels/stores/suite/suite-support.ts';
import { Workspace } from '../../src/server/workspace/workspace.ts';
import { thisMachine, type LockMachine } from '../../src/server/workspace/lock-machine.ts';
import { WorkspaceLock, WorkspaceLockedError } from '../../src/server/workspace/workspace-lock.ts';
import { ManualClock } from '../../src/transport/manual-clock.ts';

let folder = '';
let lock = '';
beforeEach(() => {
  folder = join(mkdtempSync(join(tmpdir(), 'pvkit-workspace-')), 'lab');
  lock = join(folder, 'lock');
});
afterEach(() => rmSync(join(folder, '..'), { recursive: true }));

/** Leaves a lock behind as another process would. */
async function leave(holder: unknown): Promise<void> {
  await (await Workspace.open(folder)).close();
  writeFileSync(lock, typeof holder === 'string' ? holder : JSON.stringify(holder));
}

/** Moves time whenever somebody waits for it; files are real, and take their own. */
async function timed<T>(clock: ManualClock, promise: Promise<T>): Promise<T> {
  let isSettled = false;
  const note = (): void => void (isSettled = true);
  promise.then(note, note);
  await eventually('it comes to its end', () => {
    if (!isSettled && clock.timerCount > 0) clock.advance(1_000);
    return isSettled;
  });
  return promise;
}

const BOOT = '11111111-1111-1111-1111-111111111111';
const SINCE = '2026-01-02T03:04:05.000Z';

describe('a workspace', () => {
  it('is made with its folders, and names the process that holds it', async () => {
    const workspace = await Workspace.open(folder);
    expect(['state', 'logs'].map((part) => existsSync(join(folder, part)))).toEqual([true, true]);
    expect(JSON.parse(readFileSync(lock, 'utf8'))).toMatchObject({ pid: process.pid, host: hostname() });
    await workspace.close();
    expect(existsSync(lock)).toBe(false);
  });

  it('is made with the folders above it', async () => {
    const deep = join(folder, 'a', 'b', 'c');
    await (await Workspace.open(deep)).close();
    expect(existsSync(join(deep, 'state'))).toBe(true);
  });

  it('is refused where no folder can be made, or a file is in its place', async () => {
    await expect(Workspace.open('/proc/pvkit/lab')).rejects.toThrow(
      'the workspace /proc/pvkit/lab cannot be used: ENOENT: no such file or directory, mkdir',
    );
    writeFileSync(folder, '');
    await expect(Workspace.open(folder)).rejects.toThrow(`the workspace ${folder} cannot be used: EEXIST`);
    rmSync(folder);
    await (await Workspace.open(folder)).close();
    rmSync(join(folder, 'state'), { recursive: true });
    writeFileSync(join(folder, 'state'), '');
    await expect(Workspace.open(folder)).rejects.toThrow(`the workspace ${folder} cannot be used: EEXIST`);
  });

  it('is refused while this process holds it', async () => {
    const workspace = await Workspace.open(folder);
    await expect(Workspace.open(folder)).rejects.toThrow(`${lock} is held by process ${process.pid} on ${hostname()}`);
    await expect(Workspace.open(folder)).rejects.toThrow(WorkspaceLockedError);
    await workspace.close();
    await (await Workspace.open(folder)).close();
  });

  it('is refused while another process holds it that lives', async () => {
    await leave({ pid: process.ppid, host: hostname(), since: SINCE });
    await expect(Workspace.open(folder)).rejects.toThrow(`is held by process ${process.ppid} on`);
    expect(JSON.parse(readFileSync(lock, 'utf8'))).toMatchObject({ pid: process.ppid });
  });

  it('is taken over from a process that is gone', async () => {
    const { pid } = spawnSync(process.execPath, ['--version']);
    await leave({ pid, host: hostname(), since: SINCE });
    const stale: string[] = [];
    const workspace = await Workspace.open(folder, { onStale: (text) => stale.push(text) });
    expect(stale).toEqual([`${lock} was left behind by process ${pid} on ${hostname()} since ${SINCE}`]);
    await workspace.close();
  });

  it('is taken over where the number of the process is that of a later one, or of this one', async () => {
    await leave({ pid: process.ppid, host: hostname(), since: SINCE, began: '1' });
    // Only where the system tells when a process began is a later one told from it.
    if (existsSync('/proc/self/stat')) await (await Workspace.open(folder)).close();
    await leave({ pid: process.pid, host: hostname(), since: SINCE });
    await (await Workspace.open(folder)).close();
    expect(existsSync(lock)).toBe(false);
  });

  it('is refused while another host shows signs of life, and taken over when there are none', async () => {
    await leave({ pid: 1, host: 'elsewhere', since: SINCE });
    await expect(Workspace.open(folder)).rejects.toThrow(`is held by process 1 on elsewhere since ${SINCE}`);
    const long = Date.now() / 1_000 - 120;
    utimesSync(lock, long, long);
    await (await Workspace.open(folder)).close();
  });

  it.each([
    ['of another container with the name of this host', { pidNamespace: 'pid:[1]' }],
    ['from before a restart of this machine', { boot: '00000000-0000-0000-0000-000000000000' }],
  ])('is refused while a process %s may live, whose number says nothing here', async (_, from) => {
    const { pid } = spawnSync(process.execPath, ['--version']);
    const machine: LockMachine = {
      ...thisMachine,
      self: () => ({ ...thisMachine.self(), pid, pidNamespace: 'pid:[2]', boot: BOOT, ...from }),
    };
    mkdirSync(folder);
    await WorkspaceLock.take(lock, new ManualClock(Date.now()), { machine });
    const here: LockMachine = {
      ...thisMachine,
      self: () => ({ ...thisMachine.self(), pidNamespace: 'pid:[2]', boot: BOOT }),
    };
    const held = readFileSync(lock, 'utf8');
    await expect(WorkspaceLock.take(lock, new ManualClock(Date.now()), { machine: here })).rejects.toThrow(
      new RegExp(`held by process ${pid} on ${hostname()} since .*, in another container or before a restart`, 'u'),
    );
    expect(readFileSync(lock, 'utf8')).toBe(held);
    const long = Date.now() / 1_000 - 61;
    utimesSync(lock, long, long);
    await (await WorkspaceLock.take(lock, new ManualClock(Date.now()), { machine: here })).release();
    expect(readdirSync(folder)).toEqual([]);
  });

  it('waits for a process elsewhere if it is asked to, and is taken over when that shows no sign of life', async () => {
    await leave({ pid: 1, host: 'elsewhere', since: SINCE });
    // The clock of this machine was behind when it began: what was touched seems to be later.
    const clock = new ManualClock(Date.now() - 3_600_000);
    const waits: string[] = [];
    const opened = Workspace.open(folder, { clock, onWait: (text) => waits.push(text) });
    const workspace = await timed(clock, opened);
    expect(waits).toEqual([expect.stringMatching(/lock is held by process 1 on elsewhere since .*; waiting/u)]);
    expect(clock.now()).toBe(60_000);
    // Whoever looks from elsewhere sees that it lives.
    expect(statSync(lock).mtimeMs).toBeCloseTo(clock.wallTime(), -1);
    await workspace.close();
  });

  it('is refused at the first sign of life of a process elsewhere that it waits for, or when it is told to', async () => {
    await leave({ pid: 1, host: 'elsewhere', since: SINCE });
    const clock = new ManualClock(Date.now());
    const touched = Workspace.open(folder, { clock, onWait: () => utimesSync(lock, 1, 1) });
    await expect(timed(clock, touched)).rejects.toThrow('is held by process 1 on elsewhere');
    expect(clock.now()).toBe(1_000);
    utimesSync(lock, Date.now() / 1_000, Date.now() / 1_000);
    const interrupt = new AbortController();
    const told = Workspace.open(folder, { clock, signal: interrupt.signal, onWait: () => interrupt.abort() });
    await expect(timed(clock, told)).rejects.toThrow('is held by process 1 on elsewhere');
    expect(clock.now()).toBe(2_000);
  });

  it.each([
    ['was taken over by process 1 on elsewhere since', JSON.stringify({ pid: 1, host: 'elsewhere', since: SINCE })],
    ['is gone', undefined],
  ])('takes no puts any more, and writes nothing, when its lock %s', async (why, text) => {
    const clock = new ManualClock(Date.now());
    const workspace = await Workspace.open(folder, { clock });
    const store = await workspace.openStore();
    await store.define({ name: 'a', type: POINT, settings: {} });
    expect(workspace.lost.aborted).toBe(false);
    // A new file in its place, as by another process.
    rmSync(lock);
    if (text !== undefined) {
      writeFileSync(lock, text);
      utimesSync(lock, 1, 1);
    }
    clock.advance(10_000);
    await eventually('it is noticed', () => workspace.lost.aborted);
    const state = join(folder, 'state');
    const [names, database] = [readdirSync(state), readFileSync(join(state, 'channels.mdb'))];
    const refused = { reason: 'STORE_AWAY', message: expect.stringContaining(`${lock} ${why}`) as unknown };
    await expect(store.write('a', pointOf({ x: 1 }))).rejects.toMatchObject(refused);
    expect(store.health).toMatchObject({ isConnected: false, reason: expect.stringContaining(why) as unknown });
    await expect(workspace.openStore()).rejects.toThrow(why);
    clock.advance(60_000);
    await clock.until(store.close());
    await workspace.close();
    expect(readdirSync(state)).toEqual(names);
    expect(readFileSync(join(state, 'channels.mdb'))).toEqual(database);
    if (text === undefined) return;
    expect([readFileSync(lock, 'utf8'), statSync(lock).mtimeMs]).toEqual([text, 1_000]);
    rmSync(lock);
  });

  it.each([
    ['', 'nothing'],
    ['{', 'half an object'],
    ['{"pid":"x"}', 'no number'],
  ])('is taken over from a lock that says %j: %s', async (text) => {
    await leave(text);
    const stale: string[] = [];
    await (await Workspace.open(folder, { onStale: (told) => stale.push(told) })).close();
    expect(stale).toEqual([`${lock} was left behind by somebody who left no name`]);
  });

  it('cannot be where a file is', async () => {
    writeFileSync(folder, '');
    await expect(Workspace.open(folder)).rejects.toThrow(/the workspace .* cannot be used/u);
  });

  it('has a store of its own', async () => {
    const workspace = await Workspace.open(folder);
    const store = await workspace.openStore();
    expect(store.kind).toBe('embedded');
    await store.close();
    await workspace.close();
    expect(existsSync(join(folder, 'state', 'channels.mdb'))).toBe(true);
  });

  it('stays held after a close as long as a disk hangs that the close did not wait for', async () => {
    const clock = new ManualClock();
    const workspace = await Workspace.open(folder, { clock });
    const real = journalFolder(join(folder, 'state'));
    let release = (): void => {};
    const hung = new Promise<void>((resolve) => (release = resolve));
    let isHanging = false;
    const hanging: JournalFolder = {
      ...real,
      async create(name, isFlushed) {
        const file = await real.create(name, isFlushed);
        return {
          write: async (bytes, at) => {
            if (isHanging) await hung;
            return file.write(bytes, at);
          },
          flush: () => file.flush(),
          cut: (length) => file.cut(length),
          close: () => file.close(),
        };
      },
    };
    const warnings: string[] = [];
    const options = { onWarning: (text: string) => void warnings.push(text), journal: { folder: hanging } };
    const store = await workspace.openStore(undefined, options);
    await store.define({ name: 'a', type: POINT, settings: {} });
    isHanging = true;
    const late = expect(store.write('a', pointOf({ x: 1 }))).rejects.toMatchObject({ reason: 'STORE_UNCERTAIN' });
    await clock.until(store.close());
    await late;
    await workspace.close();
    expect(warnings).toEqual([expect.stringContaining('the disk hangs, and is not waited for')]);
    await expect(Workspace.open(folder)).rejects.toThrow(WorkspaceLockedError);
    release();
    await eventually('it is let go', () => !existsSync(lock));
    const again = await Workspace.open(folder);
    const found = await again.openStore();
    expect((await found.read('a'))?.definition.type).toBe(POINT);
    await found.close();
    await again.close();
  });

  it('tells whoever opens or reads its store what a loss of power has cost', async () => {
    const state = join(folder, 'state');
    const workspace = await Workspace.open(folder);
    // As another start of the machine would.
    const store = await openEmbeddedStore(state, { journal: { bootId: new Uint8Array(16).fill(7) } });
    await store.define({ name: 'a', type: POINT, settings: {} });
    const file = join(state, 'channels.1.journal');
    const bytes = readFileSync(file);
    await store.close();
    rmSync(join(state, 'channels.mdb'));
    await (await workspace.openStore()).close();
    writeFileSync(file, bytes.fill(1, bytes.length - 5));
    const warnings: string[] = [];
    const onWarning = (text: string): void => void warnings.push(text);
    await (await Workspace.readStore(folder, undefined, { onWarning })).close();
    await (await workspace.openStore(undefined, { flushMs: 0, onWarning })).close();
    await workspace.close();
    const damage: unknown = expect.stringContaining(`${file}, byte 36: the checksum of a group`);
    expect(warnings).toEqual([damage, damage]);
    expect(existsSync(`${file}.damaged`)).toBe(true);
  });
});
