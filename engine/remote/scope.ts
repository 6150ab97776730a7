/** What a token must allow: the resource scopes of distribution's token specification. */

/** Actions on one repository. */
export interface Scope {
  readonly repository: string;
  readonly actions: readonly ("pull" | "push" | "delete")[];
}

/** Reading from a repository. */
export function toPull(repository: string): Scope {
  return { repository, actions: ["pull"] };
}

/** Writing to a repository; every registry wants reading with it. */
export function toPush(repository: string): Scope {
  return { repository, actions: ["pull", "push"] };
}

/** `repository:NAME:pull,push`, the form tokens are asked for in. */
export function formatScope(scope: Scope): string {
  return `repository:${scope.repository}:${scope.actions.join(",")}`;
}
