# shellcheck shell=bash disable=SC2154  # deploy.sh and services.sh set the variables
# Subscriptions for workers on hosts of your own, which pull: `python -m worker.pull`. Sourced.

step 'Subscriptions that the worker pulls'
# 60 s is also what Google's library asks for on each of its streams.
PULLING=(--ack-deadline=60 "${DELIVERY[@]}")
put gcloud pubsub subscriptions describe "$PULLED" "$P" -- \
  gcloud pubsub subscriptions update "$PULLED" "${GIVE_UP[@]}" "${PULLING[@]}" -- \
  gcloud pubsub subscriptions create "$PULLED" --topic="$TOPIC" "${GIVE_UP[@]}" "${PULLING[@]}"
put gcloud pubsub subscriptions describe "$DEAD_PULLED" "$P" -- \
  gcloud pubsub subscriptions update "$DEAD_PULLED" "${PULLING[@]}" -- \
  gcloud pubsub subscriptions create "$DEAD_PULLED" --topic="$DEAD_TOPIC" "${PULLING[@]}"
# As a subscriber, Pub/Sub acks the messages that it moves to the dead-letter topic.
grant gcloud pubsub subscriptions add-iam-policy-binding "$PULLED" --role=roles/pubsub.subscriber \
  --member="serviceAccount:$AGENT" "$P"
for subscription in "$PULLED" "$DEAD_PULLED"; do
  grant gcloud pubsub subscriptions add-iam-policy-binding "$subscription" \
    --role=roles/pubsub.subscriber --member="serviceAccount:$WORKER@$ACCOUNTS" "$P"
done

step 'The image: a host that runs as the worker may fetch it'
grant gcloud artifacts repositories add-iam-policy-binding innerjourney --location="$REGION" \
  --role=roles/artifactregistry.reader --member="serviceAccount:$WORKER@$ACCOUNTS" "$P"
step "Now start $IMAGE with the command python -m worker.pull on your hosts (docs/deploy.md)"
