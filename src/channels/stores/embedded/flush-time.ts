// How much of what an embedded store has acknowledged may a loss of power cost? As much as comes between two flushes.

/** Unless it is said. */
export const DEFAULT_FLUSH_MS = 100;
/** The most that can be asked for; checkpoints bring all to the disk every few seconds anyway. */
export const MAX_FLUSH_MS = 60_000;
