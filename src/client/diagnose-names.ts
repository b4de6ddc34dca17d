// Does a server list a PV that it was not found by, or one that is called much the same?

import type { ClientSettings } from '../config/effective.ts';
import { suggest } from '../config/suggest.ts';
import { PvaError } from '../protocol/errors.ts';
import type { ContextOptions } from './context-options.ts';
import { Context } from './context.ts';
import type { ServerTrial } from './diagnose-result.ts';

export interface ListOptions extends ContextOptions {
  readonly config: ClientSettings;
  readonly timeoutMs: number;
  readonly signal?: AbortSignal | undefined;
}

/** Every server has a PV of this name, which no search finds and which answers questions about the server. */
const SERVER_PV = 'server';

/** So many of a server's names are compared, in a fraction of a second in which nothing else is done. */
const MOST_COMPARED = 100_000;

/** Asks `host:port` for the names of its PVs. Many servers, IOCs among them, know only some of theirs, or none. */
export async function listedNames(
  server: string,
  pvName: string,
  { timeoutMs, signal, ...options }: ListOptions,
): Promise<Pick<ServerTrial, 'listsPv' | 'nearName'>> {
  const config = { ...options.config, addresses: [], autoAddresses: false, nameServers: [] };
  const context = new Context({ ...options, config });
  try {
    const answer = await context.rpc(SERVER_PV, { op: 'channels' }, { server, timeoutMs, signal });
    const names = namesOf(answer?.value);
    return { listsPv: names.includes(pvName), nearName: nearest(pvName, names) };
  } catch (error) {
    if (!(error instanceof PvaError)) throw error;
    return { listsPv: undefined, nearName: undefined };
  } finally {
    await context.close();
  }
}

function namesOf(answer: unknown): readonly string[] {
  if (typeof answer !== 'object' || answer === null) return [];
  const names: unknown = Object.getOwnPropertyDescriptor(answer, 'value')?.value;
  return Array.isArray(names) ? names.filter((name) => typeof name === 'string') : [];
}

/** Misspelt, or without its prefix. */
function nearest(pvName: string, names: readonly string[]): string | undefined {
  if (names.includes(pvName)) return undefined;
  const part = pvName.toLowerCase();
  const some = names.slice(0, MOST_COMPARED);
  return suggest(pvName, some) ?? some.find((name) => name.toLowerCase().includes(part));
}
