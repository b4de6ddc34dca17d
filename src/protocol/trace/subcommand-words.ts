// What does a subcommand byte say, in words?
//
// Spec: Protocol-Messages and Protocol-Operation-Monitor; the bits are those of messages/subcommand.ts.

import type { OperationCommand } from '../messages/message-module.ts';
import {
  SUBCOMMAND_DESTROY,
  SUBCOMMAND_GET,
  SUBCOMMAND_GET_PUT,
  SUBCOMMAND_INIT,
  SUBCOMMAND_PIPELINE,
  SUBCOMMAND_PROCESS,
  SUBCOMMAND_START,
} from '../messages/subcommand.ts';

type Words = readonly (readonly [bits: number, word: string])[];

/** The bits that a command has beside INIT and DESTROY; those that belong together before the single ones. */
const WORDS: { readonly [C in OperationCommand]: Words } = {
  GET: [[SUBCOMMAND_GET, 'GET']],
  PUT: [[SUBCOMMAND_GET, 'GET']],
  PUT_GET: [
    [SUBCOMMAND_GET, 'GET_GET'],
    [SUBCOMMAND_GET_PUT, 'GET_PUT'],
  ],
  MONITOR: [
    [SUBCOMMAND_START, 'START'],
    [SUBCOMMAND_PROCESS, 'STOP'],
    [SUBCOMMAND_PIPELINE, 'PIPELINE'],
  ],
  ARRAY: [
    [SUBCOMMAND_GET, 'GET'],
    [SUBCOMMAND_GET_PUT, 'SET_LENGTH'],
    [SUBCOMMAND_PROCESS, 'GET_LENGTH'],
  ],
  RPC: [],
  PROCESS: [],
};

/** `INIT PIPELINE`; '' if no bit is set. Bits that mean nothing are given as a number. */
export function subcommandWords(command: OperationCommand, subcommand: number): string {
  const known: Words = [[SUBCOMMAND_INIT, 'INIT'], ...WORDS[command], [SUBCOMMAND_DESTROY, 'DESTROY']];
  const words: string[] = [];
  let rest = subcommand;
  for (const [bits, word] of known) {
    if ((rest & bits) !== bits) continue;
    words.push(word);
    rest &= ~bits;
  }
  if (rest !== 0) words.push(`0x${rest.toString(16).padStart(2, '0')}`);
  return words.join(' ');
}
