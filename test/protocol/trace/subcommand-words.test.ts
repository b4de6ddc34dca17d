// What does a subcommand byte say, in words?

import { expect, test } from 'vitest';

import { subcommandWords } from '../../../src/protocol/trace/subcommand-words.ts';

// Bits of the specification (Protocol-Messages, Protocol-Operation-Monitor); those of ARRAY are pvAccessCPP's.
test.each([
  ['GET', 0x00, ''],
  ['GET', 0x08, 'INIT'],
  ['GET', 0x10, 'DESTROY'],
  ['GET', 0x50, 'GET DESTROY'],
  ['PUT', 0x40, 'GET'],
  ['PUT', 0x18, 'INIT DESTROY'],
  ['PUT_GET', 0x40, 'GET_GET'],
  ['PUT_GET', 0x80, 'GET_PUT'],
  ['PUT_GET', 0xd0, 'GET_GET GET_PUT DESTROY'],
  ['MONITOR', 0x44, 'START'],
  ['MONITOR', 0x04, 'STOP'],
  ['MONITOR', 0x80, 'PIPELINE'],
  ['MONITOR', 0x88, 'INIT PIPELINE'],
  ['MONITOR', 0xc4, 'START PIPELINE'],
  ['MONITOR', 0x94, 'STOP PIPELINE DESTROY'],
  ['ARRAY', 0x40, 'GET'],
  ['ARRAY', 0x80, 'SET_LENGTH'],
  ['ARRAY', 0x04, 'GET_LENGTH'],
  ['RPC', 0x10, 'DESTROY'],
  ['PROCESS', 0x08, 'INIT'],
] as const)('of %s %i', (command, subcommand, words) => {
  expect(subcommandWords(command, subcommand)).toBe(words);
});

test.each([
  ['GET', 0x01, '0x01'],
  ['GET', 0x8a, 'INIT 0x82'],
  ['MONITOR', 0x40, '0x40'],
  ['MONITOR', 0x4c, 'INIT START'],
  ['PROCESS', 0xe7, '0xe7'],
  ['RPC', 0x58, 'INIT DESTROY 0x40'],
] as const)('of %s %i, bits that mean nothing there as a number', (command, subcommand, words) => {
  expect(subcommandWords(command, subcommand)).toBe(words);
});
