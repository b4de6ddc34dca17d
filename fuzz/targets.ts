// What is fuzzed? The list of all targets.

import type { Target } from './target.ts';
import { backup } from './targets/backup.ts';
import { captures } from './targets/captures.ts';
import { clientLink, packedClientLink } from './targets/client-link.ts';
import { datagram } from './targets/datagram.ts';
import { framer } from './targets/framer.ts';
import { journal } from './targets/journal.ts';
import { clientMessages, packedClientMessages, packedServerMessages, serverMessages } from './targets/messages.ts';
import { searches } from './targets/searches.ts';
import { packedServerLink, serverLink } from './targets/server-link.ts';
import { access, dotenv, expressions } from './targets/settings.ts';
import { json, pvFlags, pvRequests, toml } from './targets/texts.ts';
import { types, values } from './targets/values.ts';
import { words } from './targets/words.ts';

export const TARGETS: readonly Target[] = [
  framer,
  clientMessages,
  serverMessages,
  packedClientMessages,
  packedServerMessages,
  datagram,
  types,
  values,
  pvRequests,
  toml,
  pvFlags,
  json,
  words,
  dotenv,
  access,
  expressions,
  backup,
  captures,
  journal,
  searches,
  serverLink,
  clientLink,
  packedServerLink,
  packedClientLink,
];
