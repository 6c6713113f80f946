import { connect } from '@longwire/client';

const uri = 'market://news';
const client = await connect(process.env.MARKET_URL);
let last;
async function look() {
  const [{ text }] = (await client.readResource(uri)).contents;
  if (text !== last) console.log((last = text));
  if (text === 'closing') await client.close();
}
client.on('resourceUpdated', () => void look().catch(console.error));
await client.subscribeResource(uri);
await look();
