# shellcheck shell=bash disable=SC2034,SC2154  # shared with deploy.sh, push.sh and pull.sh
# The image, the ingress, and the worker with its subscriptions. Sourced.

step 'The image'
ensure gcloud artifacts repositories describe innerjourney --location="$REGION" "$P" -- \
  gcloud artifacts repositories create innerjourney --location="$REGION" \
  --repository-format=docker "$P"
ensure gcloud artifacts docker images describe "$IMAGE" "$P" -- \
  gcloud builds submit . --tag="$IMAGE" "$P"

# An instance takes as many requests as it has threads; further ones would wait for a thread.
PROBE=httpGet.path=/livez,periodSeconds=2,timeoutSeconds=2,failureThreshold=30

step 'After ten deliveries Pub/Sub moves a message to the dead-letter topic'
run gcloud beta services identity create --service=pubsub.googleapis.com "$P"
AGENT=service-$PROJECT_NUMBER@gcp-sa-pubsub.iam.gserviceaccount.com
grant gcloud pubsub topics add-iam-policy-binding "$DEAD_TOPIC" --role=roles/pubsub.publisher \
  --member="serviceAccount:$AGENT" "$P"
GIVE_UP=(--dead-letter-topic="$DEAD_TOPIC" --max-delivery-attempts=10)
DELIVERY=(--min-retry-delay=1s --max-retry-delay=60s --message-retention-duration=1d
  --expiration-period=never "$P")

if [[ -n $PULL ]]; then source deploy/pull.sh; else source deploy/push.sh; fi

step 'The ingress: public; its users are verified by their Firebase ID tokens'
INGRESS_ENVIRONMENT="^;^GOOGLE_CLOUD_PROJECT=$PROJECT;AUTH=firebase"
INGRESS_ENVIRONMENT+=";FIREBASE_PROJECT_ID=$FIREBASE_PROJECT;WEB_THREADS=$INGRESS_THREADS"
if [[ -n $CORS ]]; then INGRESS_ENVIRONMENT+=";CORS_ALLOWED_ORIGINS=$CORS"; fi
run gcloud run deploy "$INGRESS" --image="$IMAGE" --region="$REGION" "$P" \
  --service-account="$INGRESS@$ACCOUNTS" --allow-unauthenticated \
  --update-env-vars="$INGRESS_ENVIRONMENT" --concurrency="$INGRESS_THREADS" \
  --min-instances="$MIN_INGRESSES" --max-instances="$MAX_INGRESSES" --cpu=1 --memory=512Mi \
  --cpu-boost --timeout=60 --startup-probe="$PROBE"
run gcloud run services update-traffic "$INGRESS" --to-latest --region="$REGION" "$P"
# Again, because `deploy` only warns when an organisation's policy refuses it.
grant gcloud run services add-iam-policy-binding "$INGRESS" --role=roles/run.invoker \
  --member=allUsers --region="$REGION" "$P"
