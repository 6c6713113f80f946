// A server process whose sessions are run by the one who counts: what comes in goes there, and what
// comes from there goes out. Arguments: the port on 127.0.0.1 to be found at.
import { connect } from 'node:net';

const socket = connect(Number(process.argv[2]), '127.0.0.1');
socket.write(`${process.pid}\n`);
process.stdin.pipe(socket);
socket.pipe(process.stdout);
let passed = 0;
socket.on('data', () => {
  passed += 1;
  if (passed % 7 === 0) process.stderr.write(`\u001b[33mwarn\u001b[0m passed on: ${passed}\n`);
});
socket.on('error', () => {});
socket.on('close', () => process.exit());
