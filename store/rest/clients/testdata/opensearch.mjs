// OpenSearch's client for JavaScript against the server of argv[2]; argv[3] is the package.
import assert from 'node:assert/strict'
import { createRequire } from 'node:module'

const { Client } = createRequire(process.cwd() + '/')(process.argv[3])
const client = new Client({ node: process.argv[2] })

assert.ok((await client.info()).body.version.number)
const docs = Array.from({ length: 120 }, (_, n) => ({ n, kind: n % 3 }))
const bulk = await client.helpers.bulk({ datasource: docs, onDocument: (d) => ({ index: { _index: 'os-a', _id: String(d.n) } }) })
assert.equal(bulk.successful, 120)
const seen = new Set()
for await (const page of client.helpers.scrollSearch({ index: 'os-a', body: { size: 50, query: { match_all: {} } } })) for (const d of page.documents) seen.add(d.n)
assert.equal(seen.size, 120)
const pit = await client.createPit({ index: 'os-a', keep_alive: '1m' })
const page = await client.search({ body: { size: 10, pit: { id: pit.body.pit_id, keep_alive: '1m' }, sort: [{ n: 'asc' }] } })
assert.equal(page.body.hits.hits[9]._source.n, 9)
assert.equal((await client.deletePit({ body: { pit_id: [pit.body.pit_id] } })).body.pits[0].successful, true)
assert.equal((await client.deleteByQuery({ index: 'os-a', body: { query: { term: { kind: 0 } } } })).body.deleted, 40)
console.log('ok')
