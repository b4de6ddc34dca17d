// What is counted while a load runs?

import { Histogram } from './histogram.ts';

/** More sentences say nothing more. */
const MAX_PROBLEMS = 10;

export class Tally {
  readonly latency = new Histogram();
  readonly problems: string[] = [];
  operations = 0;
  bytes = 0;
  wrong = 0;
  lost = 0;
  squashed = 0;
  changed = 0;
  errors = 0;
  /** False once the measured time is over: what still arrives is checked and not counted. */
  isCounting = true;

  /** The time to warm up is over: what was counted is forgotten, faults are not. */
  restart(): void {
    this.latency.clear();
    this.operations = 0;
    this.bytes = 0;
    this.changed = 0;
    this.squashed = 0;
  }

  /** Keeps a sentence about a fault, unless there are enough. */
  tell(problem: string): void {
    if (this.problems.length < MAX_PROBLEMS && !this.problems.includes(problem)) this.problems.push(problem);
  }
}
