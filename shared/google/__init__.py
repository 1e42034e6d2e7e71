"""Google's services behind our ports: Firestore, Pub/Sub, and how both are called."""
