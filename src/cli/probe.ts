// `pvkit probe`: is this server alive?

import type { Command } from 'commander';

export function addProbe(program: Command): Command {
  return program.command('probe');
}
