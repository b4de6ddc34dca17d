// Which store does a command work on, and who opens and closes it?

import { resolve } from 'node:path';

import type { Command } from 'commander';

import { openStore, Workspace, type ChannelStore } from '../index.ts';
import { LocalProtocolError } from '../protocol/index.ts';
import { UsageError } from './fault.ts';
import type { CliHost } from './host.ts';
import type { DebugOptions } from './options.ts';
import { printable } from './printable.ts';

export interface StoreOptions {
  readonly store?: string;
  readonly workspace?: string;
}

type Act<T> = (store: ChannelStore) => Promise<T>;

export function withStoreOptions(command: Command): Command {
  return command
    .option('--store <url>', 'the store, such as redis://127.0.0.1:6379/0')
    .option('--workspace <folder>', 'the embedded store of this workspace');
}

/** To read: what it has now, also while servers use it. @throws UsageError unless exactly one store is named */
export function withStoreToRead<T>(options: StoreOptions & DebugOptions, host: CliHost, act: Act<T>): Promise<T> {
  return withStore(options, host, act, (folder) =>
    Workspace.readStore(folder, undefined, { onWarning: warningTo(host) }),
  );
}

/** To write: a workspace must not be used by a server meanwhile. @throws UsageError unless exactly one store is named */
export async function withStoreToWrite<T>(
  options: StoreOptions & DebugOptions,
  host: CliHost,
  act: Act<T>,
): Promise<T> {
  const folder = options.workspace;
  if (folder === undefined || options.store !== undefined) return withStore(options, host, act);
  const workspace = await Workspace.open(resolve(host.folder, folder), { clock: host.clock });
  try {
    return await withStore(options, host, act, () => workspace.openStore(undefined, { onWarning: warningTo(host) }));
  } finally {
    await workspace.close();
  }
}

async function withStore<T>(
  { store: url, workspace, verbose }: StoreOptions & DebugOptions,
  host: CliHost,
  act: Act<T>,
  openWorkspace?: (folder: string) => Promise<ChannelStore>,
): Promise<T> {
  if (url !== undefined && workspace !== undefined) {
    throw new UsageError('--store and --workspace name two stores, one is expected');
  }
  let store: ChannelStore;
  if (url !== undefined) store = await openUrl(url, host);
  else if (workspace !== undefined && openWorkspace !== undefined) {
    store = await openWorkspace(resolve(host.folder, workspace));
  } else throw new UsageError('which store? --workspace FOLDER or --store URL names it');
  try {
    if (verbose === true) host.stderr.write(printable(`${store.kind} store ${store.location}\n`));
    return await act(store);
  } finally {
    await store.close();
  }
}

async function openUrl(url: string, host: CliHost): Promise<ChannelStore> {
  try {
    return await openStore(url, {
      clock: host.clock,
      onWarning: warningTo(host),
    });
  } catch (thrown) {
    if (thrown instanceof LocalProtocolError) throw new UsageError(`--store: ${thrown.message}`);
    throw thrown;
  }
}

function warningTo({ stderr }: CliHost): (text: string) => void {
  return (text) => stderr.write(printable(`warning: ${text}\n`));
}
