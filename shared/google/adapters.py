"""Google's store and queue from the settings; used by both production composition roots."""

from shared.google import firestore, pubsub
from shared.google.firestore import FirestoreStore
from shared.google.pubsub import PubSubPublisher
from shared.settings import Settings


def google_adapters(settings: Settings) -> tuple[FirestoreStore, PubSubPublisher]:
    """Never call it at import: it opens gRPC channels, which start threads."""
    project = settings.google_cloud_project or ""
    client = firestore.connect(project, settings.firestore_database)
    store = FirestoreStore(client, settings.firestore_collection)
    return store, PubSubPublisher(pubsub.connect(), project, settings.pubsub_topic)
