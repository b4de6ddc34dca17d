// Where is the repository? Three folders above what this is compiled to, `fuzz/dist/fuzz`.

import { fileURLToPath } from 'node:url';

export const ROOT = fileURLToPath(new URL('../../../', import.meta.url));
