// Does the result of a handler come later? Promises of other libraries and realms count as much as native ones.

/** A native promise of what comes later, whoever made it; any other result as it is. */
export function nativePromise<R>(result: R | PromiseLike<R>): R | Promise<R> {
  // `then` is called once for each promise made of it, and lazy ones begin anew each time: so all go on with this one.
  return isPromiseLike(result) ? Promise.resolve(result) : result;
}

/** Whether something can be waited for. */
export function isPromiseLike<R>(result: R | PromiseLike<R>): result is PromiseLike<R> {
  if ((typeof result !== 'object' && typeof result !== 'function') || result === null) return false;
  return 'then' in result && typeof result.then === 'function';
}
