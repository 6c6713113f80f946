/**
 * Preloaded into a program that is measured (`node --require`): when it ends, it says on descriptor 3
 * what CPU it took from the start of its process on. CommonJS, so that it does not load what the
 * program might do without.
 */
'use strict';
const { writeSync } = require('node:fs');

const REPORT_FD = 3;

process.once('exit', () => {
  const { user, system } = process.cpuUsage();
  writeSync(REPORT_FD, String(user + system));
});
