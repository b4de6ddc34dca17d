// Where in a value did something go wrong? Errors carry a field path that grows on the way out.

import { LocalProtocolError, PvaError } from '../errors.ts';

/** `value` and `choices` is `value.choices`; `value` and `[2]` is `value[2]`. */
function joinPath(outer: string, inner: string): string {
  if (outer === '' || inner === '') return outer + inner;
  return inner.startsWith('[') ? `${outer}${inner}` : `${outer}.${inner}`;
}

/** What was thrown, with a field's name, or an element's `[index]`, before its path. */
export function atField(thrown: unknown, name: string): unknown {
  if (thrown instanceof PvaError) thrown.fieldPath = joinPath(name, thrown.fieldPath);
  return thrown;
}

/** The same for what `run` throws. */
export function inField<V>(name: string, run: () => V): V {
  try {
    return run();
  } catch (thrown) {
    throw atField(thrown, name);
  }
}

/** The way out: what `run` throws becomes a `LocalProtocolError` whose sentence begins with the whole path. */
export function located<V>(path: string, run: () => V): V {
  try {
    return run();
  } catch (thrown) {
    if (!(thrown instanceof PvaError)) throw thrown;
    const fieldPath = joinPath(path, thrown.fieldPath);
    const sentence = fieldPath === '' ? thrown.message : `${fieldPath}: ${thrown.message}`;
    const refused = new LocalProtocolError(sentence, { cause: thrown });
    refused.fieldPath = fieldPath;
    throw refused;
  }
}
