// `pvkit list`: which servers are there, and which PVs does one have?

import type { Command } from 'commander';

export function addList(program: Command): Command {
  return program.command('list');
}
