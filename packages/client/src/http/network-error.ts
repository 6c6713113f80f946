/** The codes of Node and undici for a connection that ends in the middle of a response. */
const DROPPED: ReadonlySet<string> = new Set(['ECONNRESET', 'EPIPE', 'UND_ERR_SOCKET']);
/** How undici's parser ends its message about the same; this error has no code. */
const ENDED_EARLY = '(Invalid EOF state)';

/** Why a connection failed, in words. Node hides it in `cause`, or in the parts of an AggregateError. */
export function networkReason(error: Error): string {
  if (error instanceof AggregateError && error.errors[0] instanceof Error) {
    return networkReason(error.errors[0]);
  }
  const code = (error as NodeJS.ErrnoException).code;
  if (code === 'ECONNREFUSED') return 'nothing listens there (ECONNREFUSED)';
  if (code === 'ENOTFOUND') return 'no such host (ENOTFOUND)';
  if (DROPPED.has(code ?? '')) return `the server dropped the connection (${code})`;
  if (error.message.endsWith(ENDED_EARLY)) return 'the server dropped the connection';
  if (error.message !== '')
    return code === undefined ? error.message : `${error.message} (${code})`;
  return code ?? error.name;
}
