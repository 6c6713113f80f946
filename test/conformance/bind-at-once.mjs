/**
 * Preloaded into the suite (`node --import`): its mock servers listen on 127.0.0.1 only, and know
 * their port at once, as they would on all interfaces. They ask for it before Node has looked up an
 * address that needs no looking up.
 */
import dns from 'node:dns';
import '../support/bind-loopback.mjs';

const { lookup } = dns;

// @ts-expect-error: all other ways to call it go to the original.
dns.lookup = function lookupAtOnce(hostname, options, callback) {
  if (hostname !== '127.0.0.1' || options?.all !== true) {
    return Reflect.apply(lookup, dns, [hostname, options, callback]);
  }
  callback(null, [{ address: hostname, family: 4 }]);
};
