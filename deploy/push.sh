# shellcheck shell=bash disable=SC2154  # deploy.sh and services.sh set the variables
# A worker on Cloud Run, to which Pub/Sub pushes and which Cloud Scheduler sweeps. Sourced.

step 'The worker: private; only the invoker may call it'
WORKER_ENVIRONMENT=GOOGLE_CLOUD_PROJECT=$PROJECT,WEB_THREADS=$WORKER_THREADS
WORKER_ENVIRONMENT+=,PUSH_AUDIENCE=$WORKER_URL,PUSH_SERVICE_ACCOUNT=$INVOKER@$ACCOUNTS
OF_VERTEX=GOOGLE_GENAI_USE_VERTEXAI,GOOGLE_CLOUD_LOCATION
if [[ -n $VERTEX ]]; then
  WORKER_ENVIRONMENT+=,GEMINI_SDK=google-genai,GOOGLE_GENAI_USE_VERTEXAI=true
  WORKER_ENVIRONMENT+=,GOOGLE_CLOUD_LOCATION=$LOCATION
  UNSET=GEMINI_API_KEY_SECRET
elif [[ -z $WITHOUT_GEMINI ]]; then
  WORKER_ENVIRONMENT+=,GEMINI_API_KEY_SECRET=projects/$PROJECT/secrets/$SECRET/versions/latest
  UNSET=$OF_VERTEX
else
  UNSET=GEMINI_API_KEY_SECRET,$OF_VERTEX
fi
# --update-env-vars, not --set-env-vars: variables that an operator has added stay.
run gcloud run deploy "$WORKER" --image="$IMAGE" --region="$REGION" "$P" \
  --service-account="$WORKER@$ACCOUNTS" --no-allow-unauthenticated \
  --command=python --args=-m,worker --update-env-vars="$WORKER_ENVIRONMENT" \
  --remove-env-vars="$UNSET" --concurrency="$WORKER_THREADS" --min-instances="$MIN_WORKERS" \
  --max-instances="$MAX_WORKERS" --cpu=1 --memory=512Mi --cpu-boost --timeout=600 \
  --startup-probe="$PROBE"
# A rollback pins the traffic to a revision; without this a new one would get none.
run gcloud run services update-traffic "$WORKER" --to-latest --region="$REGION" "$P"
grant gcloud run services add-iam-policy-binding "$WORKER" --role=roles/run.invoker \
  --member="serviceAccount:$INVOKER@$ACCOUNTS" --region="$REGION" "$P"

step 'Subscriptions: Pub/Sub pushes with an OIDC token, which it signs as the invoker'
grant gcloud iam service-accounts add-iam-policy-binding "$INVOKER@$ACCOUNTS" \
  --role=roles/iam.serviceAccountTokenCreator --member="serviceAccount:$AGENT" "$P"
PUSHED=(--ack-deadline=600 --push-auth-service-account="$INVOKER@$ACCOUNTS"
  --push-auth-token-audience="$WORKER_URL" "${DELIVERY[@]}")
put gcloud pubsub subscriptions describe "$PUSH" "$P" -- \
  gcloud pubsub subscriptions update "$PUSH" --push-endpoint="$WORKER_URL/pubsub/push" \
  "${GIVE_UP[@]}" "${PUSHED[@]}" -- \
  gcloud pubsub subscriptions create "$PUSH" --topic="$TOPIC" \
  --push-endpoint="$WORKER_URL/pubsub/push" "${GIVE_UP[@]}" "${PUSHED[@]}"
put gcloud pubsub subscriptions describe "$DEAD_PUSH" "$P" -- \
  gcloud pubsub subscriptions update "$DEAD_PUSH" \
  --push-endpoint="$WORKER_URL/pubsub/dead-letter" "${PUSHED[@]}" -- \
  gcloud pubsub subscriptions create "$DEAD_PUSH" --topic="$DEAD_TOPIC" \
  --push-endpoint="$WORKER_URL/pubsub/dead-letter" "${PUSHED[@]}"
# As a subscriber, Pub/Sub acks the messages that it moves to the dead-letter topic.
grant gcloud pubsub subscriptions add-iam-policy-binding "$PUSH" --role=roles/pubsub.subscriber \
  --member="serviceAccount:$AGENT" "$P"

step 'The sweep, every minute'
SWEEP=(innerjourney-sweep --location="$REGION" --schedule='* * * * *'
  --uri="$WORKER_URL/tasks/sweep" --http-method=POST --attempt-deadline=60s
  --oidc-service-account-email="$INVOKER@$ACCOUNTS" --oidc-token-audience="$WORKER_URL" "$P")
put gcloud scheduler jobs describe innerjourney-sweep --location="$REGION" "$P" -- \
  gcloud scheduler jobs update http "${SWEEP[@]}" -- \
  gcloud scheduler jobs create http "${SWEEP[@]}"
