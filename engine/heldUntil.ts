/**
 * Resources that are let go together, the last one first. `AsyncDisposableStack` is not in the Node of every editor yet.
 */
export class HeldUntil implements AsyncDisposable {
  readonly #held: AsyncDisposable[] = [];

  /** Takes a resource over and hands it back. */
  use<Resource extends AsyncDisposable>(resource: Resource): Resource {
    this.#held.push(resource);
    return resource;
  }

  /** Lets all go, also when one of them fails; the first failure is thrown. */
  async [Symbol.asyncDispose](): Promise<void> {
    const failures: unknown[] = [];
    for (let resource = this.#held.pop(); resource !== undefined; resource = this.#held.pop()) {
      await Promise.resolve(resource[Symbol.asyncDispose]()).then(undefined, (error: unknown) => failures.push(error));
    }
    if (failures.length > 0) throw failures[0];
  }
}
