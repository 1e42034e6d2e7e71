"""Google's store and queue from the settings; used by both production composition roots."""

from google.auth.exceptions import GoogleAuthError

from shared.errors import SettingsError
from shared.google import firestore, pubsub
from shared.google.firestore import FirestoreStore
from shared.google.pubsub import PubSubPublisher
from shared.settings import Settings


def google_adapters(settings: Settings) -> tuple[FirestoreStore, PubSubPublisher]:
    """Never call it at import: it opens gRPC channels, which start threads."""
    project = settings.google_cloud_project or ""
    try:
        client = firestore.connect(project, settings.firestore_database)
        publisher = pubsub.connect()
    except (GoogleAuthError, OSError) as error:
        raise SettingsError(
            "Google credentials: expected Application Default Credentials, such as a service "
            f"account's ({type(error).__name__})"
        ) from None
    store = FirestoreStore(client, settings.firestore_collection)
    return store, PubSubPublisher(publisher, project, settings.pubsub_topic)
