/**
 * Imports BullMQ, which only queues with workers need.
 *
 * @throws Error that says how to install it.
 */
export async function loadBullMq(): Promise<typeof import('bullmq')> {
  try {
    return await import('bullmq');
  } catch (cause) {
    if ((cause as { code?: unknown }).code !== 'ERR_MODULE_NOT_FOUND') throw cause;
    throw new Error('queues with workers need bullmq: install it with npm install bullmq', {
      cause,
    });
  }
}
