/** `modern`: the extension of protocol 2026-07-28; `legacy`: the experimental tasks of 2025-11-25. */
export type Era = 'modern' | 'legacy';
