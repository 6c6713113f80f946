import { Redis } from 'ioredis';

/**
 * The keys that would stay for ever: a cluster whose nodes come and go must have none.
 *
 * @param {string} url
 * @returns {Promise<string[]>}
 */
export async function keysThatStay(url) {
  const client = new Redis(url);
  try {
    const staying = [];
    let cursor = '0';
    do {
      const [next, keys] = await client.scan(cursor, 'COUNT', 1_000);
      cursor = next;
      for (const key of keys) if ((await client.pttl(key)) === -1) staying.push(key);
    } while (cursor !== '0');
    return staying;
  } finally {
    client.disconnect();
  }
}
