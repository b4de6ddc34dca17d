// `pvkit echo`: is this server alive?

import type { Command } from 'commander';

export function addEcho(program: Command): Command {
  return program.command('echo');
}
