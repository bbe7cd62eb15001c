import type { Store } from './store.ts'

/** A store, and whether its last operation failed. */
export type ObservedStore = {
  store: Store
  /** What failed last and has not worked since; null when all is well. */
  trouble(): string | null
}

/** The same store; `failed` is told of every operation that throws, whatever its callers do. */
export function observeStore(store: Store, failed: (operation: string) => void): ObservedStore {
  let trouble: string | null = null
  const observed = new Proxy(store, {
    get(target, name) {
      const member = Reflect.get(target, name, target)
      if (typeof member !== 'function') return member
      return (...args: unknown[]) => {
        try {
          const result = member.apply(target, args)
          trouble = null
          return result
        } catch (error) {
          // An empty token is a fault of the caller's, not of the database.
          if (!(error instanceof TypeError)) {
            trouble = error instanceof Error ? error.message : String(error)
            failed(String(name))
          }
          throw error
        }
      }
    },
  })
  return { store: observed, trouble: () => trouble }
}
