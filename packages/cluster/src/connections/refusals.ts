/** Replies of a server that does not do now what it did before: it cannot, or this user may not any more. */
export const AWAY: RegExp =
  /^(LOADING|MASTERDOWN|CLUSTERDOWN|READONLY|OOM|NOREPLICAS|MISCONF|TRYAGAIN|BUSY|UNBLOCKED|NOPERM|NOAUTH|WRONGPASS|ERR WAIT cannot)\b/;
/** What a server says that was a primary, and is a replica now. */
export const DEMOTED: RegExp = /^(READONLY|UNBLOCKED|ERR WAIT cannot)\b/;

/** What ioredis adds to an error is what was sent: a password, or what a session said. It is to be in no log. */
export function withoutCommand<Failure>(error: Failure): Failure {
  if (error instanceof Error) delete (error as { command?: unknown }).command;
  return error;
}
