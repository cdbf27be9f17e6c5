// kafkajs: produce with gzip and without, a group, administration, a transaction.
const { Kafka, CompressionTypes, logLevel } = require('kafkajs')

async function main () {
  const kafka = new Kafka({ clientId: 'check', brokers: [process.argv[2]], logLevel: logLevel.ERROR })
  let checks = 0
  const ok = (good, what) => {
    if (!good) throw new Error(what)
    checks++
  }
  const read = async (topic, n) => {
    const c = kafka.consumer({ groupId: 'js-' + topic })
    await c.connect()
    await c.subscribe({ topics: [topic], fromBeginning: true })
    const out = []
    await new Promise((resolve, reject) => {
      const timer = setTimeout(() => reject(new Error('timeout: ' + out.length + ' of ' + n)), 30000)
      c.run({ eachMessage: async ({ message }) => { out.push(message.value.toString()); if (out.length >= n) { clearTimeout(timer); resolve() } } })
    })
    await c.disconnect()
    return out
  }
  const admin = kafka.admin()
  await admin.connect()
  await admin.createTopics({ topics: [{ topic: 'js', numPartitions: 3 }] })
  ok((await admin.listTopics()).includes('js'), 'create a topic')
  const p = kafka.producer({ idempotent: true, maxInFlightRequests: 1 })
  await p.connect()
  for (const compression of [CompressionTypes.None, CompressionTypes.GZIP]) {
    await p.send({ topic: 'js', acks: -1, compression, messages: Array.from({ length: 500 }, (_, i) => ({ key: 'k' + i, value: compression + ' ' + i, headers: { h: '1' } })) })
  }
  await p.disconnect()
  ok(new Set(await read('js', 1000)).size === 1000, 'consume in a group')
  const tx = kafka.producer({ transactionalId: 'js-tx', maxInFlightRequests: 1, idempotent: true })
  await tx.connect()
  for (const [value, commit] of [['yes', true], ['no', false], ['again', true]]) {
    const t = await tx.transaction()
    await t.send({ topic: 'js-tx', messages: [{ value }] })
    await (commit ? t.commit() : t.abort())
  }
  await tx.disconnect()
  ok((await read('js-tx', 2)).sort().join() === 'again,yes', 'transactions')
  ok((await admin.fetchTopicOffsets('js')).length === 3, 'offsets of a topic')
  ok((await admin.describeGroups(['js-js'])).groups.length === 1, 'describe a group')
  await admin.deleteGroups(['js-js'])
  await admin.deleteTopics({ topics: ['js'] })
  await admin.disconnect()
  console.log(checks + ' checks')
}

main().then(() => process.exit(0), err => { console.error(err); process.exit(1) })
