/**
 * Waits for a promise, at most for some milliseconds.
 *
 * @throws what the promise rejects with, or what `late` makes; without `late` nothing when late.
 */
export async function withTimeout<T>(
  ms: number,
  promise: Promise<T>,
  late?: () => Error,
): Promise<T | undefined> {
  let timer: NodeJS.Timeout | undefined;
  const elapsed = new Promise<undefined>((resolve, reject) => {
    timer = setTimeout(
      () => (late === undefined ? resolve(undefined) : reject(late())),
      Math.max(0, ms),
    );
  });
  try {
    return await Promise.race([promise, elapsed]);
  } finally {
    clearTimeout(timer);
  }
}
