export { main, type MainOptions } from './main.js';
export type { ExitCode } from './exit-codes.js';
export type { Input, Output } from './streams.js';
