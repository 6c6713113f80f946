/**
 * What tools did, in a file to which every node appends whole lines: it outlives a node that is killed, and
 * nobody can write twice what another process has written once.
 */
import { appendFileSync, readFileSync } from 'node:fs';

/**
 * One run of a tool.
 *
 * @typedef {object} Run
 * @property {string} key of the call that ran
 * @property {string} run unlike every other run's
 * @property {string} node the name of the node
 * @property {number} ranAt
 * @property {number | undefined} endedAt just before it returned its result
 */

/**
 * @param {string} file
 * @param {'ran' | 'ended'} what
 * @param {{ key: string, run: string, node: string }} of
 */
export function note(file, what, { key, run, node }) {
  appendFileSync(file, `${what} ${key} ${run} ${node} ${Date.now()}\n`);
}

/**
 * @param {string} file
 * @returns {Map<string, Run[]>} by the key of the call, in the order in which they began
 */
export function readJournal(file) {
  /** @type {Map<string, Run[]>} */
  const byKey = new Map();
  for (const line of readFileSync(file, 'utf8').trimEnd().split('\n')) {
    const [what, key = '', run = '', node = '', at] = line.split(' ');
    const runs = byKey.get(key) ?? [];
    byKey.set(key, runs);
    if (what === 'ran') runs.push({ key, run, node, ranAt: Number(at), endedAt: undefined });
    else {
      const ended = runs.find((one) => one.run === run);
      if (ended !== undefined) ended.endedAt = Number(at);
    }
  }
  return byKey;
}
