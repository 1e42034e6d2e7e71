# shellcheck shell=bash disable=SC2153,SC2154  # deploy.sh sets the variables
# Who is notified, and when: the metric, the alerts, the budget. Sourced.

step 'Alerts'
METRIC=(activations_completed --config-from-file=deploy/activations-completed.json "$P")
put gcloud logging metrics describe activations_completed "$P" -- \
  gcloud logging metrics update "${METRIC[@]}" -- \
  gcloud logging metrics create "${METRIC[@]}"
TOLD=() UPDATED=()
if [[ -n $ALERT_EMAIL ]]; then
  FIND=(gcloud beta monitoring channels list --format='value(name)' --limit=1 "$P"
    --filter="type=\"email\" AND labels.email_address=\"$ALERT_EMAIL\"")
  look_up CHANNEL "${FIND[@]}"
  put_found CHANNEL true -- \
    gcloud beta monitoring channels create --type=email --display-name=InnerJourney \
    --channel-labels="email_address=$ALERT_EMAIL" "$P"
  learn CHANNEL "${FIND[@]}"
  TOLD=(--notification-channels="$CHANNEL") UPDATED=(--set-notification-channels="$CHANNEL")
fi
for alert in deploy/alerts/*.json; do
  name=$(python3 -c 'import json, sys; print(json.load(open(sys.argv[1]))["displayName"])' "$alert")
  look_up POLICY gcloud alpha monitoring policies list --filter="displayName=\"$name\"" \
    --format='value(name)' --limit=1 "$P"
  put_found POLICY \
    gcloud alpha monitoring policies update "$POLICY" --policy-from-file="$alert" \
    ${UPDATED[@]+"${UPDATED[@]}"} "$P" -- \
    gcloud alpha monitoring policies create --policy-from-file="$alert" \
    ${TOLD[@]+"${TOLD[@]}"} "$P"
done

step 'A budget; it notifies the billing administrators, and stops nothing'
learn BILLING_ACCOUNT gcloud billing projects describe "$PROJECT" \
  --format='value(billingAccountName.basename())' "$P"
look_up FOUND_BUDGET gcloud billing budgets list --billing-account="$BILLING_ACCOUNT" \
  --filter="displayName=innerjourney-$PROJECT" --format='value(name)' --limit=1 "$P"
put_found FOUND_BUDGET \
  gcloud billing budgets update "$FOUND_BUDGET" --billing-account="$BILLING_ACCOUNT" \
  --budget-amount="$BUDGET" "$P" -- \
  gcloud billing budgets create --billing-account="$BILLING_ACCOUNT" \
  --display-name="innerjourney-$PROJECT" --budget-amount="$BUDGET" \
  --filter-projects="projects/$PROJECT" --threshold-rule=percent=0.5 \
  --threshold-rule=percent=0.9 --threshold-rule=percent=1.0,basis=forecasted-spend "$P"
