// Elasticsearch's client for JavaScript against the server of argv[2]; argv[3] is the package. Ends with status 1 at the first difference.
import assert from 'node:assert/strict'
import { createRequire } from 'node:module'

const { Client } = createRequire(process.cwd() + '/')(process.argv[3])
const client = new Client({ node: process.argv[2] })

const info = await client.info()
assert.equal(info.tagline, 'You Know, for Search')

await client.indices.putIndexTemplate({ name: 't', index_patterns: ['js-*'], template: { mappings: { properties: { kind: { type: 'keyword' } } } } })
const docs = Array.from({ length: 250 }, (_, n) => ({ n, kind: n % 2 ? 'odd' : 'even', '@timestamp': new Date(1.7e12 + n * 1000).toISOString() }))
const bulk = await client.helpers.bulk({ datasource: docs, flushBytes: 4096, concurrency: 2, onDocument: (d) => ({ create: { _index: 'js-a', _id: String(d.n) } }), onDrop: (d) => assert.fail(JSON.stringify(d)) })
assert.deepEqual([bulk.total, bulk.successful, bulk.failed], [250, 250, 0])
assert.equal((await client.count({ index: 'js-*', query: { term: { kind: 'odd' } } })).count, 125)

const seen = new Set()
for await (const page of client.helpers.scrollSearch({ index: 'js-a', size: 60, query: { match_all: {} } })) for (const d of page.documents) seen.add(d.n)
assert.equal(seen.size, 250)

const pit = await client.openPointInTime({ index: 'js-a', keep_alive: '1m' })
let after, n = 0
for (;;) {
  const page = await client.search({ size: 100, pit: { id: pit.id, keep_alive: '1m' }, sort: [{ '@timestamp': 'desc' }], search_after: after })
  if (page.hits.hits.length === 0) break
  n += page.hits.hits.length
  after = page.hits.hits.at(-1).sort
}
assert.equal(n, 250)
assert.equal((await client.closePointInTime({ id: pit.id })).succeeded, true)

const aggs = await client.search({ index: 'js-a', size: 0, aggs: { k: { terms: { field: 'kind' } }, h: { date_histogram: { field: '@timestamp', fixed_interval: '1m' } } } })
assert.deepEqual(aggs.aggregations.k.buckets.map((b) => [b.key, b.doc_count]), [['even', 125], ['odd', 125]])

await client.update({ index: 'js-a', id: '1', script: { source: 'ctx._source.n += params.by', params: { by: 1000 } } })
assert.equal((await client.get({ index: 'js-a', id: '1' }))._source.n, 1001)
await client.ingest.putPipeline({ id: 'p', processors: [{ set: { field: 'seen', value: true } }] })
await client.index({ index: 'js-a', id: 'x', pipeline: 'p', document: { n: -1 } })
assert.equal((await client.get({ index: 'js-a', id: 'x' }))._source.seen, true)
assert.equal((await client.deleteByQuery({ index: 'js-a', query: { term: { kind: 'even' } } })).deleted, 125)
const async = await client.asyncSearch.submit({ index: 'js-a', keep_on_completion: true, wait_for_completion_timeout: '5s', query: { match_all: {} } })
assert.equal((await client.asyncSearch.get({ id: async.id })).response.hits.total.value, 126)
await client.asyncSearch.delete({ id: async.id })
const many = await client.msearch({ searches: [{ index: 'js-a' }, { size: 1 }, { index: 'none' }, {}] })
assert.equal(many.responses[1].status, 404)
await assert.rejects(client.get({ index: 'js-a', id: 'none' }), (e) => e.meta.statusCode === 404)
await assert.rejects(client.search({ index: 'js-a', query: { nonsense: {} } }), (e) => e.meta.body.error.type === 'parsing_exception' || e.meta.body.error.root_cause.length > 0)
console.log('ok')
