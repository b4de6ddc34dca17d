// What comes next in a monitor of p4p?

import type { P4pMonitor } from './p4p-client.ts';
import { fieldAt, type Tagged } from './tagged.ts';

/** The next update; anything else that happens first, and 5 s without anything, fail the test. */
export async function nextUpdate(monitor: P4pMonitor, seconds = 5): Promise<Tagged> {
  const event = await monitor.next(seconds);
  if (event.event !== 'update') throw new Error(`an update was expected, this came: ${JSON.stringify(event)}`);
  return event.value;
}

/** The field `value` of so many updates. */
export async function counted(monitor: P4pMonitor, count: number): Promise<readonly number[]> {
  const counts: number[] = [];
  while (counts.length < count) counts.push(Number(fieldAt(await nextUpdate(monitor), 'value')));
  return counts;
}
