/**
 * Preloaded into third-party servers (`node --import`): whatever they ask for, they listen on
 * 127.0.0.1 only, they say over the IPC channel on which port, and they end with whoever
 * started them.
 */
import net from 'node:net';

const listen = net.Server.prototype.listen;

net.Server.prototype.listen = function listenOnLoopback(...args) {
  const [first] = args;
  const callback = args.find((arg) => typeof arg === 'function');
  const isPort = typeof first === 'number' || /^\d+$/.test(first);
  if (!isPort && first?.port === undefined) return listen.apply(this, args);

  const options = isPort ? { port: Number(first) } : first;
  this.once('listening', () => process.send?.({ port: this.address().port }));
  return listen.call(this, { ...options, host: '127.0.0.1' }, callback);
};

process.once('disconnect', () => {
  process.kill(process.pid, 'SIGTERM');
  setTimeout(() => process.exit(1), 2000).unref();
});
