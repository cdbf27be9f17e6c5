"""Elasticsearch's client for Python, 8 and 9, against the server of argv[1]."""
import sys

from elasticsearch import Elasticsearch, NotFoundError
from elasticsearch.helpers import bulk, scan

es = Elasticsearch(sys.argv[1])
assert es.info()["tagline"] == "You Know, for Search"
ok, errors = bulk(es, ({"_index": "py-a", "_id": str(n), "n": n, "kind": "odd" if n % 2 else "even"} for n in range(300)), chunk_size=70)
assert (ok, errors) == (300, []), (ok, errors)
assert len({hit["_id"] for hit in scan(es, index="py-a", size=90)}) == 300
pit = es.open_point_in_time(index="py-a", keep_alive="1m")["id"]
after, total = None, 0
while True:
    page = es.search(size=110, pit={"id": pit, "keep_alive": "1m"}, sort=[{"n": "asc"}], search_after=after)
    hits = page["hits"]["hits"]
    if not hits:
        break
    total, after = total + len(hits), hits[-1]["sort"]
assert total == 300, total
assert es.close_point_in_time(id=pit)["succeeded"]
buckets = es.search(index="py-a", size=0, aggs={"k": {"terms": {"field": "kind.keyword"}}})["aggregations"]["k"]["buckets"]
assert [(b["key"], b["doc_count"]) for b in buckets] == [("even", 150), ("odd", 150)], buckets
es.ilm.put_lifecycle(name="p", policy={"phases": {"hot": {"actions": {"rollover": {"max_docs": 10}}}}})
assert es.ilm.get_lifecycle(name="p")["p"]["version"] == 1
es.indices.put_index_template(name="t", index_patterns=["py-logs-*"], data_stream={}, priority=500)
es.index(index="py-logs-a", document={"@timestamp": "2026-01-01T00:00:00Z"}, op_type="create")
assert es.indices.rollover(alias="py-logs-a")["rolled_over"]
assert es.reindex(source={"index": "py-a"}, dest={"index": "py-b"})["created"] == 300
assert es.update_by_query(index="py-b", query={"range": {"n": {"lt": 10}}}, script={"source": "ctx._source.n = -1"})["updated"] == 10
assert es.field_caps(index="py-a", fields="*")["fields"]["n"]["long"]["searchable"]
try:
    es.get(index="py-a", id="none")
    raise AssertionError("a missing document is found")
except NotFoundError:
    pass
print("ok")
