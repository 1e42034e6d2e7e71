# shellcheck shell=bash disable=SC2154  # deploy.sh sets the variables
# Who is told, and when: the metric, the alerts, the budget. Sourced.

step 'Alerts'
METRIC=(activations_completed --config-from-file=deploy/activations-completed.json "$P")
put gcloud logging metrics describe activations_completed "$P" -- \
  gcloud logging metrics update "${METRIC[@]}" -- \
  gcloud logging metrics create "${METRIC[@]}"
CHANNELS=()
if [[ -n $ALERT_EMAIL ]]; then
  CHANNEL_FILTER="type=email AND labels.email_address=$ALERT_EMAIL"
  ensure_listed gcloud beta monitoring channels list --filter="$CHANNEL_FILTER" \
    --format='value(name)' --limit=1 "$P" -- \
    gcloud beta monitoring channels create --type=email --display-name=InnerJourney \
    --channel-labels="email_address=$ALERT_EMAIL" "$P"
  learn CHANNEL gcloud beta monitoring channels list --filter="$CHANNEL_FILTER" \
    --format='value(name)' --limit=1 "$P"
  CHANNELS=(--notification-channels="$CHANNEL")
fi
for alert in deploy/alerts/*.json; do
  name=$(python3 -c 'import json, sys; print(json.load(open(sys.argv[1]))["displayName"])' "$alert")
  ensure_listed gcloud alpha monitoring policies list --filter="displayName='$name'" \
    --format='value(name)' --limit=1 "$P" -- \
    gcloud alpha monitoring policies create --policy-from-file="$alert" \
    ${CHANNELS[@]+"${CHANNELS[@]}"} "$P"
done

step 'A budget; it tells the billing administrators, and stops nothing'
learn BILLING_ACCOUNT gcloud billing projects describe "$PROJECT" \
  --format='value(billingAccountName.basename())'
ensure_listed gcloud billing budgets list --billing-account="$BILLING_ACCOUNT" \
  --filter="displayName=innerjourney-$PROJECT" --format='value(name)' --limit=1 -- \
  gcloud billing budgets create --billing-account="$BILLING_ACCOUNT" \
  --display-name="innerjourney-$PROJECT" --budget-amount="$BUDGET" \
  --filter-projects="projects/$PROJECT" --threshold-rule=percent=0.5 \
  --threshold-rule=percent=0.9 --threshold-rule=percent=1.0,basis=forecasted-spend
