/**
 * @typedef {object} OpenContender a client that is connected and knows the server's tools
 * @property {(name: string, args: Record<string, unknown>) => Promise<any>} callTool
 *
 * @typedef {object} Contender
 * @property {string} id
 * @property {string} title
 * @property {URL} module exports `open(target: string): Promise<OpenContender>`, where the target is
 *   what the benchmark's server is reached by
 */

/**
 * A function that makes the contenders of one benchmark.
 *
 * @param {string} folder the URL of what lies beside the benchmark's folder `contenders`
 * @returns {(id: string, title: string, module?: string) => Contender} the module is a file of that
 *   folder; default: the one with the id's name
 */
export const contendersIn =
  (folder) =>
  (id, title, module = `${id}.mjs`) => ({
    id,
    title,
    module: new URL(`./contenders/${module}`, folder),
  });

/**
 * Longwire where all that it is told is a URL.
 *
 * @type {Contender}
 */
export const LONGWIRE = {
  id: 'longwire',
  title: 'Longwire',
  module: new URL('./longwire.mjs', import.meta.url),
};
