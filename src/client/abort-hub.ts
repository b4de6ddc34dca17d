// How do many calls follow one AbortSignal? With one listener for all of them.
//
// Node warns of a leak at eleven listeners, and one signal for a hundred PVs is how programs are written.

const hubs = new WeakMap<AbortSignal, Hub>();

interface Hub {
  readonly aborts: Set<() => void>;
  readonly listener: () => void;
}

/** Calls `abort` once when the signal aborts, until the returned function is called. The signal has not aborted yet. */
export function onAbort(signal: AbortSignal, abort: () => void): () => void {
  const hub = hubs.get(signal) ?? makeHub(signal);
  hub.aborts.add(abort);
  return () => {
    hub.aborts.delete(abort);
    if (hub.aborts.size > 0 || hubs.get(signal) !== hub) return;
    hubs.delete(signal);
    signal.removeEventListener('abort', hub.listener);
  };
}

function makeHub(signal: AbortSignal): Hub {
  const aborts = new Set<() => void>();
  const listener = (): void => {
    hubs.delete(signal);
    for (const abort of aborts) abort();
  };
  signal.addEventListener('abort', listener, { once: true });
  const hub = { aborts, listener };
  hubs.set(signal, hub);
  return hub;
}
