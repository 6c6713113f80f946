import type { RecordableAuth } from './recordable.js';

/** What became of a request that was refused for want of credentials. */
export interface Authorized {
  readonly at: number;
  readonly status: number;
  readonly durationMs: number;
  /** It is sent again with other credentials, or not. */
  readonly decision: 'retry' | 'fail';
  readonly error?: unknown;
}

/** What answers as `auth` does, and tells of each answer. */
export function recordAuth<Auth extends RecordableAuth>(
  auth: Auth,
  now: () => number,
  tell: (authorized: Authorized) => void,
): Pick<Auth, keyof RecordableAuth> {
  if (auth.onChallenge === undefined) return auth;
  const ask = auth.onChallenge as (...challenge: readonly unknown[]) => unknown;
  const onChallenge = async (status: number, ...challenge: unknown[]): Promise<unknown> => {
    const startedAt = now();
    const end = (decision: Authorized['decision'], error?: unknown): void => {
      const at = now();
      const durationMs = Math.max(0, Math.round((at - startedAt) * 1000) / 1000);
      tell({ at, status, durationMs, decision, error });
    };
    try {
      const decision = await ask.call(auth, status, ...challenge);
      end(decision === 'retry' ? 'retry' : 'fail');
      return decision;
    } catch (error) {
      end('fail', error);
      throw error;
    }
  };
  return { ...auth, onChallenge };
}
