// `npm run bench:store`: how fast are the stores? Prints its figures; ends with 1 if one misses its target.

import process from 'node:process';
import { latency } from './latency.ts';
import { rates } from './rates.ts';

const reached = [await rates(), await latency()];
process.exitCode = reached.every(Boolean) ? 0 : 1;
