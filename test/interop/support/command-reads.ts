// Do `pvkit get` and `pvkit info` say of PVs what p4p's client says?

import { isDeepStrictEqual } from 'node:util';
import { expect } from 'vitest';

import { getLines, infoLines, p4pTypeOfJson, taggedOfJson } from './cli-json.ts';
import { pvkit } from './command.ts';
import type { Environment } from './line-process.ts';
import type { P4pClient } from './p4p-client.ts';
import { withoutChanged } from './tagged.ts';

/** A process takes its time to start, so this is for PVs that rest, or stay for a second. */
const MAX_TRIES = 5;

/** Holds types and values of the PVs, as the command line prints them in JSON, against those that p4p has. */
export async function expectCommandReads(
  pvNames: readonly string[],
  server: string,
  environment: Environment,
  p4p: P4pClient,
): Promise<void> {
  const info = await pvkit(['info', '--json', ...pvNames], environment);
  expect(info).toMatchObject({ code: 0, stderr: '' });
  const infos = infoLines(info.stdout);
  expect(infos.map((line) => line.name)).toEqual(pvNames);
  expect(infos.map((line) => line.server)).toEqual(pvNames.map(() => server));
  expect(infos.map((line) => p4pTypeOfJson(line.type))).toEqual(await p4p.types(pvNames));
  for (let tries = 1; ; tries++) {
    const get = await pvkit(['get', '--json', ...pvNames], environment);
    const seen = (await p4p.getAll(pvNames)).map((value) => withoutChanged(value));
    expect(get).toMatchObject({ code: 0, stderr: '' });
    const read = getLines(get.stdout).map(({ value }, index) => taggedOfJson(infos[index]?.type ?? '', value));
    if (tries < MAX_TRIES && !isDeepStrictEqual(read, seen)) continue;
    expect(read).toEqual(seen);
    return;
  }
}
