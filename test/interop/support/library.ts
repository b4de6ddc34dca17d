// How does a test use pvkit's client as a library, and see values as p4p shows them?

import { resolveClientConfig } from '../../../src/config/effective.ts';
import { Context } from '../../../src/client/context.ts';
import type { MonitorOptions } from '../../../src/client/monitor.ts';
import type { Environment } from './line-process.ts';
import { p4pTypeOf, taggedOf, type P4pType, type Tagged } from './tagged.ts';

/** A client with these EPICS settings and no others. */
export function contextOf(environment: Environment): Context {
  return new Context({ config: resolveClientConfig({ processEnvironment: environment }) });
}

/** The value of a PV as p4p would show it. */
export async function taggedGet(context: Context, pvName: string): Promise<Tagged> {
  const { type, value } = await context.getUpdate(pvName);
  return taggedOf(type, value);
}

/** The first value that a monitor brings, as p4p would show it; the monitor ends. */
export async function firstTagged(context: Context, pvName: string, options: MonitorOptions = {}): Promise<Tagged> {
  for await (const { type, value } of context.monitor(pvName, options)) return taggedOf(type, value);
  throw new Error(`the monitor of ${pvName} ended without an update`);
}

/** The type of a PV, asked for without its value, as p4p would spell it. */
export async function p4pInfo(context: Context, pvName: string): Promise<P4pType> {
  const { type } = await context.info(pvName);
  return p4pTypeOf(type);
}
