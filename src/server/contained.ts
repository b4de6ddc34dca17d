// What does a link do with what a program's channel throws where nobody asked for anything? It tells its server, and goes on:
// the client has nothing to do with it, and everything else is to end like this.

import { reasonOf } from '../protocol/errors.ts';
import type { Link } from './link.ts';

export function contain({ host, remote }: Pick<Link, 'host' | 'remote'>, what: string, act: () => void): void {
  try {
    act();
  } catch (thrown) {
    const text = `fault of this server: ${what} threw: ${reasonOf(thrown)}`;
    host.notices.ofLink('linkWarning', 'error', remote, text);
  }
}
