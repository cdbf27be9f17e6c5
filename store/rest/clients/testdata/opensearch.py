"""OpenSearch's client for Python against the server of argv[1]."""
import sys

from opensearchpy import OpenSearch
from opensearchpy.helpers import bulk, scan

client = OpenSearch(sys.argv[1])
assert client.info()["version"]["number"]
ok, errors = bulk(client, ({"_index": "osp-a", "_id": str(n), "n": n} for n in range(130)))
assert (ok, errors) == (130, [])
assert len(list(scan(client, index="osp-a", size=40))) == 130
pit = client.create_pit(index="osp-a", params={"keep_alive": "1m"})["pit_id"]
page = client.search(body={"size": 5, "pit": {"id": pit, "keep_alive": "1m"}, "sort": [{"n": "desc"}]})
assert page["hits"]["hits"][0]["_source"]["n"] == 129
assert client.delete_pit(body={"pit_id": [pit]})["pits"][0]["successful"]
assert client.count(index="osp-a")["count"] == 130
print("ok")
