const TICK_MS = 100;

/**
 * Calls back after this time, as far as this process ran meanwhile: where the machine, or this
 * process, was busy with something else, what is waited for may have come and not been read. The
 * function returned ends the waiting.
 */
export function waitPatiently(patienceMs: number, onLate: () => void): () => void {
  let restMs = patienceMs;
  const ticking = setInterval(() => {
    restMs -= TICK_MS;
    if (restMs > 0) return;
    clearInterval(ticking);
    onLate();
  }, TICK_MS);
  return () => clearInterval(ticking);
}
