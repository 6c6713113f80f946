export { passThrough, type PassThroughOptions } from './pass-through.js';
