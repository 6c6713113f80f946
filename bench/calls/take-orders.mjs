/**
 * One contender in a process of its own, so that `process.cpuUsage` and the garbage collector see
 * nothing else. Takes its orders over the channel to its parent, and ends with it.
 *
 * Arguments of the process: the contender's module, and what the server is reached by.
 */

/** @typedef {import('./contender.mjs').OpenContender} OpenContender */

/**
 * Opens the contender, says that it is ready, and answers every order with what comes of it.
 *
 * @template Order
 * @param {(contender: OpenContender, order: Order) => Promise<object>} carryOut
 */
export function takeOrders(carryOut) {
  process.on('disconnect', () => process.exit());
  open().then(
    (contender) => {
      process.on('message', (order) => {
        carryOut(contender, /** @type {Order} */ (order)).then(
          (answer) => process.send?.(answer),
          (error) => process.send?.({ error: String(error?.stack ?? error) }),
        );
      });
      process.send?.({ ready: true });
    },
    (error) => process.send?.({ error: String(error?.message ?? error) }),
  );
}

/** @returns {Promise<OpenContender>} */
async function open() {
  const [moduleUrl, target] = process.argv.slice(2);
  if (!moduleUrl || !target) throw new Error('usage: <module> <target>');
  /** @type {{ open(target: string): Promise<OpenContender> }} */
  const contender = await import(moduleUrl);
  return contender.open(target);
}
