#!/usr/bin/env bash
# Sets disaster recovery up in every region, or takes it away. Idempotent: run again, it changes what is not as it should be.
#   scripts/enable-dr.sh                         all regions of deploy/kubernetes/overlays, standbys first
#   scripts/enable-dr.sh --dry-run [REGION…]     what the API servers would change; changes nothing
#   scripts/enable-dr.sh --undo [REGION…]        takes the programs away; namespace, secrets and the databases' volumes stay
# A region's name is its kubectl context and its overlay. Needs kubectl and kustomize; the secrets named in deploy/kubernetes/README.md must be there.
# Options: --primary REGION (us-central1)  --timeout SECONDS (300)  --overlays FOLDER
#   --foundationdb LAYOUT --config FILE   before the programs: brings the FoundationDB cluster of that configuration into a layout (coditect-dr foundationdb set-up)
#   --new-database                        and makes the database, where there never was one; only the first time
# Exit code: 0 done and verified · 1 a step failed (it is named; nothing after it was tried) · 2 bad input, nothing changed.
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
overlays=$root/deploy/kubernetes/overlays
namespace=coditect
primary=us-central1
timeout=300
mode=apply
layout=
config=
new_database=()
regions=()
# Server-side apply owns exactly the fields that stand in the manifests: what controllers set (replicas of `api`) stays theirs.
manager=coditect-dr
secrets=(dr-controller-tls database-tls api-tls backup-signing)
# Taken away in this order; the rest (namespace, volumes, secrets) stays.
taken_away=(deployment/dr-controller statefulset/database deployment/api service/dr-controller service/database service/api
  poddisruptionbudget/dr-controller poddisruptionbudget/api lease/dr-controller role/dr-controller rolebinding/dr-controller
  serviceaccount/dr-controller serviceaccount/database serviceaccount/api
  networkpolicy/default-deny networkpolicy/dns networkpolicy/workload-identity networkpolicy/api networkpolicy/database networkpolicy/dr-controller)

say() { printf '%s\n' "$*"; }
bad_input() {
  printf 'enable-dr: %s\n' "$*" >&2
  exit 2
}
failed() {
  printf 'enable-dr: FAILED: %s\n' "$*" >&2
  exit 1
}
in_region() {
  local region=$1
  shift
  kubectl --context="$region" --namespace="$namespace" --request-timeout=20s "$@"
}

while [ $# -gt 0 ]; do
  case "$1" in
    -h | --help)
      sed -n '2,11s/^# \{0,1\}//p' "${BASH_SOURCE[0]}"
      exit 0
      ;;
    --dry-run | --undo)
      # Whichever came last would win: who wants to see what --undo takes away would have it taken away.
      [ "$mode" = apply ] || [ "$mode" = "${1#--}" ] || bad_input "--dry-run and --undo do not go together: --undo has no rehearsal"
      mode=${1#--}
      ;;
    --new-database) new_database=(--new) ;;
    --primary | --timeout | --overlays | --foundationdb | --config)
      [ $# -ge 2 ] || bad_input "$1 needs a value"
      case "$1" in
        --primary) primary=$2 ;;
        --timeout) timeout=$2 ;;
        --overlays) overlays=$2 ;;
        --foundationdb) layout=$2 ;;
        --config) config=$2 ;;
      esac
      shift
      ;;
    -*) bad_input "no such option: $1 (--help tells more)" ;;
    *) regions+=("$1") ;;
  esac
  shift
done
[[ $timeout =~ ^[1-9][0-9]*$ ]] || bad_input "--timeout takes whole seconds, not $timeout"
if [ -n "$layout" ] || [ -n "$config" ] || [ ${#new_database[@]} -gt 0 ]; then
  if [ -z "$layout" ] || [ -z "$config" ]; then bad_input "--foundationdb LAYOUT and --config FILE (of any program of the engine) go together"; fi
  [ "$mode" != undo ] || bad_input "--undo takes programs away, never a database: leave --foundationdb out"
fi
[ -d "$overlays" ] || bad_input "no folder $overlays"
if [ ${#regions[@]} -eq 0 ]; then
  for overlay in "$overlays"/*/; do regions+=("$(basename "$overlay")"); done
fi

# The primary last: it finds its standbys there and need not wait for its first write.
ordered() {
  local region
  for region in "${regions[@]}"; do if [ "$region" != "$primary" ]; then printf '%s\n' "$region"; fi; done
  for region in "${regions[@]}"; do if [ "$region" = "$primary" ]; then printf '%s\n' "$region"; fi; done
}

# Nothing is changed anywhere before everything that can be checked beforehand is right everywhere.
preflight() {
  local region secret contexts missing=()
  for program in kubectl kustomize; do command -v "$program" >/dev/null || bad_input "$program is not in PATH"; done
  [ -f "$overlays/$primary/kustomization.yaml" ] || bad_input "--primary $primary: there is no overlay for it in $overlays"
  # Read to its end: a grep that has seen enough breaks the pipe, and with it (pipefail) whoever still writes.
  contexts=$(kubectl config get-contexts -o name) || bad_input "kubectl does not tell its contexts"
  for region in "${regions[@]}"; do
    [ -f "$overlays/$region/kustomization.yaml" ] || bad_input "no overlay for $region in $overlays"
    grep -qxF -- "$region" <<<"$contexts" || bad_input "kubectl has no context $region (a region's name is its context)"
    kustomize build "$overlays/$region" >"$scratch/$region.yaml" || bad_input "kustomize does not build $overlays/$region"
    kubectl --context="$region" --request-timeout=20s version >/dev/null 2>&1 || failed "$region: the API server does not answer"
    [ "$mode" = undo ] && continue
    for secret in "${secrets[@]}"; do
      in_region "$region" get secret "$secret" -o name >/dev/null 2>&1 || missing+=("$region: $secret")
    done
  done
  if [ ${#missing[@]} -gt 0 ]; then
    printf '  %s\n' "${missing[@]}" >&2
    if [ "$mode" = apply ]; then failed "secrets are missing (namespace $namespace); deploy/kubernetes/README.md says what is in them"; fi
    say "secrets are missing, see above: without --dry-run this stops here"
  fi
}

coditect_dr() {
  if command -v coditect-dr >/dev/null; then
    coditect-dr "$@"
  elif [ -f "$root/dist/src/main.js" ]; then
    node "$root/dist/src/main.js" "$@"
  else
    bad_input "coditect-dr is not in PATH, and $root is not built (./scripts/setup, npm run build)"
  fi
}

# The database before the programs that need it. Where controllers run already, also in a region that is not to be touched now, they are kept from failing over meanwhile.
foundationdb() {
  local overlay region running code=0 unpaused=(--without-pause) dry=()
  [ "$mode" = dry-run ] && dry=(--dry-run)
  for overlay in "$overlays"/*/; do
    region=$(basename "$overlay")
    running=$(in_region "$region" get deployment/dr-controller --ignore-not-found -o name) || failed "$region: nobody can tell whether a controller runs"
    if [ -n "$running" ]; then unpaused=(); fi
  done
  coditect_dr foundationdb set-up "$layout" --config "$config" "${new_database[@]}" "${unpaused[@]}" "${dry[@]}" || code=$?
  # It changes nothing then.
  [ "$code" -ne 2 ] || bad_input "--foundationdb $layout --config $config: refused, see above"
  [ "$code" -eq 0 ] || failed "foundationdb: set-up (exit code $code)"
}

apply() {
  local region=$1 there dry=()
  if [ "$mode" = dry-run ]; then
    dry=(--dry-run=server)
    # In a namespace that is not there the server tries nothing, and a rehearsal makes none.
    there=$(in_region "$region" get namespace "$namespace" --ignore-not-found -o name) || failed "$region: nobody can tell whether namespace $namespace is there"
    if [ -z "$there" ]; then
      say "$region: namespace $namespace is not there yet; what belongs in it is tried in namespace default"
      sed -i "s/^\( *namespace: \)$namespace\$/\1default/" "$scratch/$region.yaml"
    fi
  fi
  kubectl --context="$region" --request-timeout=60s apply --server-side --field-manager="$manager" "${dry[@]}" -f "$scratch/$region.yaml" ||
    failed "$region: apply"
}

# Read back, not believed: every program is rolled out, one controller is active, and the Service has it.
verify() {
  local region=$1 what holder
  for what in statefulset/database deployment/api deployment/dr-controller; do
    kubectl --context="$region" --namespace="$namespace" rollout status "$what" --timeout="${timeout}s" || failed "$region: $what was not rolled out in $timeout s"
  done
  holder=$(in_region "$region" get lease dr-controller -o 'jsonpath={.spec.holderIdentity}') || failed "$region: no Lease dr-controller"
  [ -n "$holder" ] || failed "$region: no controller is active"
  say "$region: active controller $holder"
}

undo() {
  local region=$1 what
  for what in "${taken_away[@]}"; do
    in_region "$region" delete "$what" --ignore-not-found --wait=true --timeout="${timeout}s" || failed "$region: delete $what"
  done
  in_region "$region" delete configmap -l app.kubernetes.io/part-of=coditect-dr --ignore-not-found || failed "$region: delete configmaps"
  say "$region: taken away; left: $(in_region "$region" get persistentvolumeclaim -o name | tr '\n' ' ')and the secrets"
}

scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
preflight
if [ -n "$layout" ]; then
  say "== FoundationDB ($mode)"
  foundationdb
fi
while read -r region; do
  say "== $region ($mode)"
  case "$mode" in
    undo) undo "$region" ;;
    dry-run) apply "$region" ;;
    apply) apply "$region" && verify "$region" ;;
  esac
done < <(ordered)
case "$mode" in
  dry-run) say 'dry run: nothing was changed' ;;
  undo) say 'disaster recovery is taken away' ;;
  apply) say 'disaster recovery is enabled; see it: coditect-dr status' ;;
esac
