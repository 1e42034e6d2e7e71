# shellcheck shell=bash disable=SC2154  # deploy.sh sets the variables
# The image, the two services, and how messages and the sweep reach the worker. Sourced.

step 'The image'
ensure gcloud artifacts repositories describe innerjourney --location="$REGION" "$P" -- \
  gcloud artifacts repositories create innerjourney --location="$REGION" \
  --repository-format=docker "$P"
ensure gcloud artifacts docker images describe "$IMAGE" "$P" -- \
  gcloud builds submit . --tag="$IMAGE" "$P"

# An instance takes as many requests as it has threads; further ones would wait for a thread.
PROBE=httpGet.path=/livez,periodSeconds=2,timeoutSeconds=2,failureThreshold=30

step 'The worker: private; only the invoker may call it'
WORKER_ENVIRONMENT=GOOGLE_CLOUD_PROJECT=$PROJECT,WEB_THREADS=$WORKER_THREADS
WORKER_ENVIRONMENT+=,PUSH_AUDIENCE=$WORKER_URL,PUSH_SERVICE_ACCOUNT=$INVOKER@$ACCOUNTS
if [[ -z $WITHOUT_GEMINI ]]; then
  KEY=()
  WORKER_ENVIRONMENT+=,GEMINI_API_KEY_SECRET=projects/$PROJECT/secrets/$SECRET/versions/latest
else
  KEY=(--remove-env-vars=GEMINI_API_KEY_SECRET)
fi
# --update-env-vars, not --set-env-vars: variables that an operator has added stay.
run gcloud run deploy "$WORKER" --image="$IMAGE" --region="$REGION" "$P" \
  --service-account="$WORKER@$ACCOUNTS" --no-allow-unauthenticated \
  --command=python --args=-m,worker --update-env-vars="$WORKER_ENVIRONMENT" \
  ${KEY[@]+"${KEY[@]}"} --concurrency="$WORKER_THREADS" --min-instances="$MIN_WORKERS" \
  --max-instances="$MAX_WORKERS" --cpu=1 --memory=512Mi --cpu-boost --timeout=600 \
  --startup-probe="$PROBE"
# A rollback pins the traffic to a revision; without this a new one would get none.
run gcloud run services update-traffic "$WORKER" --to-latest --region="$REGION" "$P"
grant gcloud run services add-iam-policy-binding "$WORKER" --role=roles/run.invoker \
  --member="serviceAccount:$INVOKER@$ACCOUNTS" --region="$REGION" "$P"

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

step 'Subscriptions: Pub/Sub pushes with an OIDC token, and gives up after ten deliveries'
run gcloud beta services identity create --service=pubsub.googleapis.com "$P"
AGENT=service-$PROJECT_NUMBER@gcp-sa-pubsub.iam.gserviceaccount.com
# Pub/Sub signs as the invoker, publishes dead letters, and acks them at their subscription.
grant gcloud iam service-accounts add-iam-policy-binding "$INVOKER@$ACCOUNTS" \
  --role=roles/iam.serviceAccountTokenCreator --member="serviceAccount:$AGENT" "$P"
grant gcloud pubsub topics add-iam-policy-binding "$DEAD_TOPIC" --role=roles/pubsub.publisher \
  --member="serviceAccount:$AGENT" "$P"
DELIVERY=(--ack-deadline=600 --min-retry-delay=1s --max-retry-delay=60s
  --message-retention-duration=1d --expiration-period=never
  --push-auth-service-account="$INVOKER@$ACCOUNTS" --push-auth-token-audience="$WORKER_URL" "$P")
GIVE_UP=(--dead-letter-topic="$DEAD_TOPIC" --max-delivery-attempts=10)
put gcloud pubsub subscriptions describe "$PUSH" "$P" -- \
  gcloud pubsub subscriptions update "$PUSH" --push-endpoint="$WORKER_URL/pubsub/push" \
  "${GIVE_UP[@]}" "${DELIVERY[@]}" -- \
  gcloud pubsub subscriptions create "$PUSH" --topic="$TOPIC" \
  --push-endpoint="$WORKER_URL/pubsub/push" "${GIVE_UP[@]}" "${DELIVERY[@]}"
put gcloud pubsub subscriptions describe "$DEAD_PUSH" "$P" -- \
  gcloud pubsub subscriptions update "$DEAD_PUSH" \
  --push-endpoint="$WORKER_URL/pubsub/dead-letter" "${DELIVERY[@]}" -- \
  gcloud pubsub subscriptions create "$DEAD_PUSH" --topic="$DEAD_TOPIC" \
  --push-endpoint="$WORKER_URL/pubsub/dead-letter" "${DELIVERY[@]}"
grant gcloud pubsub subscriptions add-iam-policy-binding "$PUSH" --role=roles/pubsub.subscriber \
  --member="serviceAccount:$AGENT" "$P"

step 'The sweep, every minute'
SWEEP=(innerjourney-sweep --location="$REGION" --schedule='* * * * *'
  --uri="$WORKER_URL/tasks/sweep" --http-method=POST --attempt-deadline=60s
  --oidc-service-account-email="$INVOKER@$ACCOUNTS" --oidc-token-audience="$WORKER_URL" "$P")
put gcloud scheduler jobs describe innerjourney-sweep --location="$REGION" "$P" -- \
  gcloud scheduler jobs update http "${SWEEP[@]}" -- \
  gcloud scheduler jobs create http "${SWEEP[@]}"
