#!/usr/bin/env bash
# From an empty project to a running backend. Run it again at any time: it keeps or updates what
# exists.
set -euo pipefail
CALLED_FROM=$PWD
cd "$(dirname "$0")/.."
source deploy/commands.sh

USAGE='usage: deploy/deploy.sh --project ID --region REGION [options]

  --project ID              Google Cloud project, with billing on
  --region REGION           of Cloud Run, Scheduler, Artifact Registry and Firestore
  --dry-run                 print every command, change nothing
  --yes                     do not ask before the first change
  --key-file FILE           the Gemini key, as a new version of its secret (- is standard input)
  --vertex                  no key: Gemini on Vertex AI, with the worker'"'"'s service account
  --location LOC            where Vertex AI computes: eu, us, global or a region (eu)
  --without-gemini          no key: every answer comes from the fallback library
  --pull                    no worker on Cloud Run: hosts of your own pull (python -m worker.pull)
  --cors ORIGINS            browsers'"'"' origins, separated by commas
  --firebase-project ID     whose users sign in (the project itself)
  --firestore-location LOC  where the database is (the region)
  --alert-email ADDRESS     who gets the alerts (nobody)
  --budget AMOUNT           a month, in the billing account'"'"'s currency; alerts only (50)
  --min-ingresses N         instances that always run (1)
  --max-ingresses N         instances at most (20)
  --min-workers N           the same for the worker (0)
  --max-workers N           (10); each makes 32 calls of Gemini at once
  --tag TAG                 of the image (the commit)'

PROJECT='' REGION='' DRY_RUN='' YES='' KEY_FILE='' WITHOUT_GEMINI='' PULL='' CORS='' FIREBASE_PROJECT=''
FIRESTORE_LOCATION='' ALERT_EMAIL='' BUDGET=50 TAG='' VERTEX='' LOCATION=''
MIN_INGRESSES=1 MAX_INGRESSES=20 MIN_WORKERS=0 MAX_WORKERS=10
while [[ $# -gt 0 ]]; do
  case $1 in
    --help) echo "$USAGE"; exit 0 ;;
    --dry-run) DRY_RUN=yes; shift ;;
    --yes) YES=yes; shift ;;
    --without-gemini) WITHOUT_GEMINI=yes; shift ;;
    --pull) PULL=yes; shift ;;
    --vertex) VERTEX=yes; shift ;;
    --project | --region | --location | --key-file | --cors | --firebase-project | \
      --firestore-location | \
      --alert-email | --budget | --tag | --min-ingresses | --max-ingresses | --min-workers | \
      --max-workers)
      [[ $# -gt 1 && -n $2 ]] || fail "$1: expected a value"
      name=$(printf '%s' "${1#--}" | tr 'a-z-' 'A-Z_') # bash of macOS has no ${name^^}
      printf -v "$name" '%s' "$2"; shift 2 ;;
    *) fail "$1: not an option; --help lists them" ;;
  esac
done
[[ -n $PROJECT ]] || fail '--project: expected a Google Cloud project id'
[[ -n $REGION ]] || fail '--region: expected a region, such as europe-west1'
[[ $PROJECT =~ ^[a-z][a-z0-9-]{2,28}[a-z0-9]$ ]] || fail "--project $PROJECT: expected a project id"
[[ $REGION =~ ^[a-z]+-[a-z]+[0-9]+$ ]] || fail "--region $REGION: expected one such as europe-west1"
[[ -z $VERTEX || -z $KEY_FILE$WITHOUT_GEMINI ]] ||
  fail '--vertex needs no key: expected neither --key-file nor --without-gemini with it'
[[ -z $LOCATION || -n $VERTEX ]] || fail '--location: expected --vertex with it'
[[ -z $LOCATION || $LOCATION =~ ^[a-z][a-z0-9-]*$ ]] ||
  fail "--location $LOCATION: expected one such as eu or europe-west1"
if [[ -n $KEY_FILE ]]; then
  [[ -z $WITHOUT_GEMINI ]] || fail '--key-file and --without-gemini: expected one of them'
  [[ $KEY_FILE == /* || $KEY_FILE == - ]] || KEY_FILE=$CALLED_FROM/$KEY_FILE
  [[ $KEY_FILE == - || -r $KEY_FILE ]] || fail "--key-file $KEY_FILE: expected a file to read"
fi
: "${FIREBASE_PROJECT:=$PROJECT}" "${FIRESTORE_LOCATION:=$REGION}" "${LOCATION:=eu}"
if [[ -z $TAG ]]; then
  TAG=$(git rev-parse --short=12 HEAD 2>/dev/null || date +%Y%m%d%H%M%S)
  # An image is built once for a tag; changes that are not committed get a tag of their own.
  if [[ -n $(git status --porcelain 2>/dev/null) ]]; then TAG+=-$(date +%H%M%S); fi
fi

TOPIC=activation-requests DEAD_TOPIC=activation-requests-dead
PUSH=activation-requests-push DEAD_PUSH=activation-requests-dead-push
PULLED=activation-requests-pull DEAD_PULLED=activation-requests-pull-dead # as in settings.py
SECRET=gemini-api-key DATABASE='(default)'
INGRESS=innerjourney-ingress WORKER=innerjourney-worker INVOKER=innerjourney-invoker
ACCOUNTS=$PROJECT.iam.gserviceaccount.com
IMAGE=$REGION-docker.pkg.dev/$PROJECT/innerjourney/backend:$TAG
P=--project=$PROJECT
INGRESS_THREADS=64 WORKER_THREADS=32

if [[ -z $DRY_RUN && -z $YES ]]; then
  [[ -t 0 ]] || fail 'nobody is here to ask; --yes goes on without asking'
  read -rp "This changes the project $PROJECT in $REGION. Type its id to go on: " answer
  [[ $answer == "$PROJECT" ]] || fail 'stopped; nothing was changed'
fi
if [[ -n $DRY_RUN ]]; then
  printf '#!/usr/bin/env bash\nset -euo pipefail\n\n%s\n\n%s\n' \
    "$(declare -f retried)" "$(declare -f unless_there)"
fi

source deploy/data.sh
source deploy/services.sh
source deploy/watching.sh

step 'Done'
run gcloud run services describe "$INGRESS" --region="$REGION" "$P" --format='value(status.url)'
