// Listeners to an event, told one after another. One that throws does not keep the others from hearing: what it
// threw becomes an uncaught exception, since a cut that did not happen must not go unnoticed. Cold.

export interface Listeners<Args extends readonly unknown[]> {
  add(listener: (...args: Args) => void): Disposable;
  readonly all: ReadonlySet<(...args: Args) => void>;
}

export function createListeners<Args extends readonly unknown[]>(): Listeners<Args> {
  const all = new Set<(...args: Args) => void>();
  return {
    all,
    add(listener) {
      // Its own wrapper, so that one function added twice is told twice and removed once.
      const own = (...args: Args): void => listener(...args);
      all.add(own);
      return { [Symbol.dispose]: () => void all.delete(own) };
    },
  };
}

export function announce<Args extends readonly unknown[]>(
  listeners: Listeners<Args>,
  ...args: NoInfer<Args>
): void {
  for (const listener of listeners.all) {
    try {
      listener(...args);
    } catch (error) {
      queueMicrotask(() => {
        throw error;
      });
    }
  }
}
