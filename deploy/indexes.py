"""Print the gcloud commands that make Firestore's indexes as firestore.indexes.json says.

deploy.sh runs them; the file itself is the one that the Firebase CLI knows. Standard library only.
"""

import json
import shlex
import sys
from collections.abc import Iterator
from pathlib import Path

INDEXES = Path(__file__).with_name("firestore.indexes.json")


def commands(project: str, database: str) -> Iterator[list[str]]:
    """Composite indexes, each until it is ready: code that needs it is deployed after. Then what is
    not indexed at all, and the TTL policies, which nothing waits for."""
    found = json.loads(INDEXES.read_text(encoding="utf-8"))
    where = [f"--project={project}", f"--database={database}"]
    gcloud = ["gcloud", "firestore"]
    for index in found["indexes"]:
        fields = (
            f"--field-config=field-path={field['fieldPath']},order={field['order'].lower()}"
            for field in index["fields"]
        )
        group = f"--collection-group={index['collectionGroup']}"
        yield [*gcloud, "indexes", "composite", "create", group, *fields, *where]
    for override in found["fieldOverrides"]:
        field, group = override["fieldPath"], f"--collection-group={override['collectionGroup']}"
        update = ["update", field, group]
        yield [*gcloud, "indexes", "fields", *update, "--disable-indexes", *where, "--async"]
        if override.get("ttl"):
            yield [*gcloud, "fields", "ttls", *update, "--enable-ttl", *where, "--async"]


if __name__ == "__main__":
    for command in commands(*sys.argv[1:3]):
        print(shlex.join(command))
