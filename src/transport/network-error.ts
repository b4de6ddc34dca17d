// How is a refusal of the network told? As a PvaError with the system's code and a sentence that names the place.
import { getSystemErrorMap } from 'node:util';
import { PvaError } from '../protocol/errors.ts';
import type { Endpoint } from './network.ts';

const MEANINGS: ReadonlyMap<string, string> = new Map(getSystemErrorMap().values());

/** `what` names the act and the place ('TCP port 127.0.0.1:5075 cannot be opened'); the code's meaning follows it. */
export function networkError(code: string, what: string, cause?: unknown): PvaError {
  const meaning = MEANINGS.get(code);
  return new PvaError(code, meaning === undefined ? `${what}: ${code}` : `${what}: ${meaning} (${code})`, { cause });
}

/** As `networkError`, for something the system threw; our own errors are left as they are. */
export function networkErrorFrom(cause: unknown, what: string): PvaError {
  if (cause instanceof PvaError) return cause;
  return networkError(codeOf(cause), what, cause);
}

/** `127.0.0.1:5075`, `[::1]:5075` */
export function endpointText({ address, port }: Endpoint): string {
  return address.includes(':') ? `[${address}]:${port}` : `${address}:${port}`;
}

function codeOf(cause: unknown): string {
  return cause instanceof Error && 'code' in cause && typeof cause.code === 'string' ? cause.code : 'UNKNOWN';
}
