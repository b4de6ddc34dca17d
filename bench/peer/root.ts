// Where is the repository? Four folders above what this is compiled to, `bench/dist/bench/peer`.

import { fileURLToPath } from 'node:url';

export const ROOT = fileURLToPath(new URL('../../../../', import.meta.url));
