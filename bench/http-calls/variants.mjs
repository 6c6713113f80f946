/**
 * @typedef {object} Variant a way in which a server of Streamable HTTP talks
 * @property {string} title
 * @property {'2025-11-25' | '2026-07-28'} version with a session; stateless
 * @property {'json' | 'sse'} answers
 */

/** @type {readonly Variant[]} */
export const VARIANTS = [
  { title: '2025-11-25, answers as JSON', version: '2025-11-25', answers: 'json' },
  { title: '2025-11-25, answers as SSE', version: '2025-11-25', answers: 'sse' },
  { title: '2026-07-28, answers as JSON', version: '2026-07-28', answers: 'json' },
  { title: '2026-07-28, answers as SSE', version: '2026-07-28', answers: 'sse' },
];
