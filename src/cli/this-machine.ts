// How does a command get at the network and the clock of the machine that it runs on?

import { nodeNetwork, processVitals, systemClock } from '../index.ts';
import type { Reach } from './host.ts';

/** By name and in a file of its own: to import all of the index later would be to load all of it. */
export const thisMachine: Reach = { network: nodeNetwork, clock: systemClock, vitals: processVitals };
