import { scenario as a } from './a-cut.mjs';
import { scenario as b } from './b-restart.mjs';
import { scenario as c } from './c-rejections.mjs';
import { scenario as d } from './d-resumption.mjs';
import { scenario as e } from './e-storm.mjs';
import { scenario as f } from './f-away.mjs';
import { scenario as g } from './g-half-open.mjs';
import { scenario as h } from './h-slow.mjs';
import { scenario as i } from './i-endpoint.mjs';
import { scenario as j } from './j-floods.mjs';
import { scenario as k } from './k-answers.mjs';
import { scenario as l } from './l-endings.mjs';
import { scenario as m } from './m-tool-events.mjs';
import { scenario as n } from './n-bodies.mjs';
import { scenario as o } from './o-subscriptions.mjs';
import { scenario as p } from './p-processes.mjs';
import { scenario as q } from './q-eras.mjs';

/**
 * @typedef {import('../clients/adapter.mjs').Transport} Transport
 *
 * @typedef {object} Scenario
 * @property {string} letter
 * @property {string} title
 * @property {string} demand what is demanded, for the reader
 * @property {Partial<Record<Transport, string>>} [notes] what is more or different with a transport
 * @property {Partial<Record<Transport, (stage: import('../stage.mjs').Stage) => Promise<void>>>}
 *   transports how it is run with each transport that it applies to
 */

/** @type {readonly Scenario[]} */
export const SCENARIOS = [a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p, q];
