# shellcheck shell=bash disable=SC2034,SC2153,SC2154  # shared with deploy.sh and services.sh
# What lives longer than a revision: APIs, accounts, Firestore, topics, the secret. Sourced.

step 'APIs'
run gcloud services enable artifactregistry.googleapis.com billingbudgets.googleapis.com \
  cloudbuild.googleapis.com cloudscheduler.googleapis.com firebaserules.googleapis.com \
  firestore.googleapis.com iam.googleapis.com logging.googleapis.com monitoring.googleapis.com \
  pubsub.googleapis.com run.googleapis.com secretmanager.googleapis.com "$P"
if [[ -n $VERTEX ]]; then run gcloud services enable aiplatform.googleapis.com "$P"; fi
learn PROJECT_NUMBER gcloud projects describe "$PROJECT" --format='value(projectNumber)'
# Cloud Run's address of a service is known before the deployment, so pushes can name it.
WORKER_URL=https://$WORKER-$PROJECT_NUMBER.$REGION.run.app

step 'Three service accounts: the two services, and the one that may call the worker'
for account in "$INGRESS" "$WORKER" "$INVOKER"; do
  ensure gcloud iam service-accounts describe "$account@$ACCOUNTS" "$P" -- \
    gcloud iam service-accounts create "$account" "$P"
done

step 'Firestore: documents, indexes, TTL, rules'
ensure gcloud firestore databases describe --database="$DATABASE" "$P" -- \
  gcloud firestore databases create --database="$DATABASE" --location="$FIRESTORE_LOCATION" \
  --type=firestore-native --delete-protection "$P"
INDEXES=$(python3 deploy/indexes.py "$PROJECT" "$DATABASE")
while read -r command; do
  declare -a words="($command)" # deploy/indexes.py quotes each word
  run retried unless_there "${words[@]}"
done <<<"$INDEXES"
printf 'gcloud auth print-access-token | python3 deploy/release_rules.py %s %s\n' \
  "$PROJECT" "$(quoted "$DATABASE")"
if [[ -z $DRY_RUN ]]; then
  gcloud auth print-access-token | python3 deploy/release_rules.py "$PROJECT" "$DATABASE"
fi
for account in "$INGRESS" "$WORKER"; do
  grant gcloud projects add-iam-policy-binding "$PROJECT" --role=roles/datastore.user \
    --member="serviceAccount:$account@$ACCOUNTS" --condition=None
done

step 'Topics; messages hold what a user wrote, so topics keep them for a day at most'
for topic in "$TOPIC" "$DEAD_TOPIC"; do
  ensure gcloud pubsub topics describe "$topic" "$P" -- \
    gcloud pubsub topics create "$topic" --message-retention-duration=1d "$P"
done
for account in "$INGRESS" "$WORKER"; do # the worker's sweep publishes too
  grant gcloud pubsub topics add-iam-policy-binding "$TOPIC" --role=roles/pubsub.publisher \
    --member="serviceAccount:$account@$ACCOUNTS" "$P"
done

if [[ -n $VERTEX ]]; then
  step 'Gemini on Vertex AI: only the worker may ask it, and there is no key'
  grant gcloud projects add-iam-policy-binding "$PROJECT" --role=roles/aiplatform.user \
    --member="serviceAccount:$WORKER@$ACCOUNTS" --condition=None
elif [[ -z $WITHOUT_GEMINI ]]; then
  step 'The Gemini key, in a secret that only the worker reads'
  ensure gcloud secrets describe "$SECRET" "$P" -- \
    gcloud secrets create "$SECRET" --replication-policy=automatic "$P"
  grant gcloud secrets add-iam-policy-binding "$SECRET" --role=roles/secretmanager.secretAccessor \
    --member="serviceAccount:$WORKER@$ACCOUNTS" "$P"
  if [[ -n $KEY_FILE ]]; then
    run gcloud secrets versions add "$SECRET" --data-file="$KEY_FILE" "$P"
  else
    need gcloud secrets versions describe latest --secret="$SECRET" "$P" -- \
      'the secret gemini-api-key is empty: give the key with --key-file, or --without-gemini'
  fi
fi
