// What does the subcommand byte of an operation ask for?
//
// It is a set of bits, to be tested one by one: 0x88 is INIT of a monitor with a window, 0x50 a GET that is the last.
// Replies echo the byte of their request; pvxs closes the link if they do not.

/** Monitor: with `SUBCOMMAND_GET` start, without it stop. ARRAY: get the length. */
export const SUBCOMMAND_PROCESS = 0x04;
/** Creates the operation. */
export const SUBCOMMAND_INIT = 0x08;
/** The last request or update: the operation is gone after it. */
export const SUBCOMMAND_DESTROY = 0x10;
/** PUT: read back what was put. PUT_GET: read what would be got. ARRAY: read elements. A GET may carry it or not. */
export const SUBCOMMAND_GET = 0x40;
/** PUT_GET: read back what was put. ARRAY: set the length. Monitor: a window count is there. */
export const SUBCOMMAND_GET_PUT = 0x80;
/** Monitor: the same bit as `SUBCOMMAND_GET_PUT`, by the name it has there. */
export const SUBCOMMAND_PIPELINE = 0x80;
/** Monitor: begin to send updates. */
export const SUBCOMMAND_START = 0x44;
/** Monitor: send no updates until started again. */
export const SUBCOMMAND_STOP = 0x04;

/** Whether this request creates its operation, or this reply answers that. */
export function isInit(subcommand: number): boolean {
  return (subcommand & SUBCOMMAND_INIT) !== 0;
}

/** Whether the operation is gone once this request is answered, or with this reply. */
export function isLast(subcommand: number): boolean {
  return (subcommand & SUBCOMMAND_DESTROY) !== 0;
}

/** What a monitor request asks for beside acknowledging. */
export function monitorAction(subcommand: number): 'start' | 'stop' | 'none' {
  if ((subcommand & SUBCOMMAND_PROCESS) === 0) return 'none';
  return (subcommand & SUBCOMMAND_GET) === 0 ? 'stop' : 'start';
}
