// How does a backup get into a file and out of it again? Into it whole or not at all; out of it as often as it is read.

import { constants } from 'node:fs';
import { access, link, mkdtemp, open, rename, rm, unlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, dirname, join, resolve } from 'node:path';

import { UsageError } from './fault.ts';
import type { CliHost } from './host.ts';
import { readInput, STANDARD_INPUT } from './input.ts';

/** In place of a file. */
export const STANDARD_OUTPUT = '-';
/** Text that is gathered before it is written. */
const CHUNK_CHARACTERS = 256 * 1024;

/** @throws UsageError when there is a file already that may not be overwritten */
export async function requireNoFile(file: string, host: CliHost, force: boolean): Promise<void> {
  if (file === STANDARD_OUTPUT || force) return;
  const isThere = await access(resolve(host.folder, file), constants.F_OK).then(
    () => true,
    () => false,
  );
  if (isThere) throw fileExists(file);
}

/**
 * Writes the lines to standard output, or to a file that gets its name when all of them are on the disk. Resolves with the
 * number of bytes.
 */
export async function writeLines(
  file: string,
  lines: AsyncIterable<string>,
  host: CliHost,
  force: boolean,
): Promise<number> {
  if (file === STANDARD_OUTPUT) return writeToOutput(lines, host);
  const path = resolve(host.folder, file);
  // Beside the file: only there can it be renamed in one step.
  const temporary = join(dirname(path), `.${basename(path)}.${process.pid}.part`);
  const handle = await open(temporary, 'wx');
  let byteCount = 0;
  try {
    try {
      for await (const chunk of chunksOf(lines)) {
        byteCount += Buffer.byteLength(chunk);
        await handle.writeFile(chunk);
      }
      await handle.sync();
    } finally {
      await handle.close();
    }
    if (force) await rename(temporary, path);
    else await nameOnce(temporary, path, file);
  } finally {
    await unlink(temporary).catch(() => {});
  }
  return byteCount;
}

/** Calls `act` with a way to read the file as often as it likes. Standard input is kept in a file until then. */
export async function withChunks<T>(
  file: string,
  host: CliHost,
  act: (chunks: () => AsyncIterable<Uint8Array>) => Promise<T>,
): Promise<T> {
  if (file !== STANDARD_INPUT) return act(() => readInput(file, host));
  const folder = await mkdtemp(join(tmpdir(), 'pvkit-restore-'));
  try {
    const path = join(folder, 'backup');
    const handle = await open(path, 'wx');
    try {
      for await (const chunk of readInput(file, host)) await handle.writeFile(chunk);
    } finally {
      await handle.close();
    }
    return await act(() => readInput(path, host));
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** A rename would overwrite what somebody else has written meanwhile; a second name for the file never does. */
async function nameOnce(temporary: string, path: string, file: string): Promise<void> {
  try {
    await link(temporary, path);
  } catch (thrown) {
    if (isSystemError(thrown) && thrown.code === 'EEXIST') throw fileExists(file);
    // Some file systems have no second names.
    await rename(temporary, path);
  }
}

function isSystemError(thrown: unknown): thrown is NodeJS.ErrnoException {
  return thrown instanceof Error && 'code' in thrown;
}

function fileExists(file: string): UsageError {
  return new UsageError(`${file} exists; --force overwrites it`);
}

async function writeToOutput(lines: AsyncIterable<string>, { stdout }: CliHost): Promise<number> {
  let byteCount = 0;
  for await (const chunk of chunksOf(lines)) {
    byteCount += Buffer.byteLength(chunk);
    stdout.write(chunk);
    await stdout.drained();
  }
  return byteCount;
}

async function* chunksOf(lines: AsyncIterable<string>): AsyncGenerator<string, void, void> {
  let waiting: string[] = [];
  let length = 0;
  for await (const line of lines) {
    waiting.push(line);
    length += line.length;
    if (length < CHUNK_CHARACTERS) continue;
    yield waiting.join('');
    waiting = [];
    length = 0;
  }
  if (length > 0) yield waiting.join('');
}
