// A Bluesky network on loopback: directory (PLC), accounts (PDS) and app view, of Bluesky's own test tooling.
//   node network.mjs DATABASE-URL REDIS-HOST:PORT
// When it is up it says its addresses as one line of JSON. What happens on it is passed on every second.
import { TestNetwork } from '@atproto/dev-env'

const [, , dbPostgresUrl, redis] = process.argv
process.env.REDIS_HOST = redis

const network = await TestNetwork.create({
  dbPostgresUrl,
  dbPostgresSchema: 'bsky',
  pds: { hostname: 'localhost' },
})
console.log(JSON.stringify({ pds: network.pds.url, appview: network.bsky.url }))

for (;;) {
  await network.processAll().catch((error) => console.error(String(error)))
  await new Promise((done) => setTimeout(done, 1000))
}
