/** What `longwire dash` is made of, for a process that makes calls of its own. */
export { Live } from '../../../packages/cli/src/dash/live.ts';
export { servePage } from '../../../packages/cli/src/dash/page-server.ts';
