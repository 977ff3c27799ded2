# Sourced by scripts/test: running a step, showing how long it took, counting what came of it.
# shellcheck shell=bash disable=SC2034,SC2030,SC2031
passed=0
failed=0
last_ok=0
failures=()
scratch=$(mktemp -d)
beside_pid=
trap '[ -z "$beside_pid" ] || kill "$beside_pid" 2>/dev/null; rm -rf "$scratch"' EXIT

say() { printf '\n== %s\n' "$*"; }

count_step() {
  passed=$((passed + $1))
  failed=$((failed + $2))
}

# finish: the sum, alone on the last line, and the exit code.
finish() {
  local failure
  if [ $((passed + failed)) -eq 0 ]; then
    failed=1
    failures+=('nothing ran')
  fi
  if [ ${#failures[@]} -gt 0 ]; then
    say 'failed'
    for failure in "${failures[@]}"; do printf '%s\n' "$failure" | sed 's/^/  /'; done
  fi
  printf '\ntook %s s\n' "$SECONDS"
  printf '%s passed, %s failed\n' "$passed" "$failed"
  [ "$failed" -eq 0 ] || exit 1
  exit 0
}

run_setup() {
  [ -x scripts/setup ] || return 0
  say 'setup'
  if ! scripts/setup; then
    failures+=('setup: see its message above')
    return 1
  fi
}

# check NAME WHAT COMMAND…: one command that counts as one test.
check() {
  local name=$1 what=$2 begin=$SECONDS
  shift 2
  say "$name ($what)"
  if timeout --kill-after=10 600 "$@"; then
    last_ok=1
    count_step 1 0
    printf 'ok, %s s\n' $((SECONDS - begin))
  else
    last_ok=0
    count_step 0 1
    failures+=("$name: \`$*\`")
    printf 'FAILED, %s s\n' $((SECONDS - begin))
  fi
}

# suite NAME LIMIT_SECONDS MOCHA…: a mocha run whose tests are counted one by one.
suite() {
  local name=$1 limit=$2 begin=$SECONDS counts="$scratch/$1" code
  shift 2
  say "$name tests"
  TEST_COUNTS="$counts" timeout --kill-after=30 "$limit" "$@" --reporter ./scripts/mocha-reporter.cjs
  code=$?
  count_suite "$name" "$counts" "$code" $((SECONDS - begin))
}

# beside FUNCTION: runs it in a process of its own, while what follows here goes on, until joined.
beside() {
  rm -f "$scratch"/beside.*
  (
    passed=0 failed=0 failures=()
    "$1"
    [ ${#failures[@]} -eq 0 ] || printf '%s\0' "${failures[@]}" >"$scratch/beside.failures"
    printf '%s %s\n' "$passed" "$failed" >"$scratch/beside.sum"
  ) >"$scratch/beside.out" 2>&1 &
  beside_pid=$!
}
# joined: waits for what runs beside, shows what it said, counts what it counted.
joined() {
  local good=0 bad=1 failure
  wait "$beside_pid"
  beside_pid=
  cat "$scratch/beside.out"
  if [ -s "$scratch/beside.sum" ]; then read -r good bad <"$scratch/beside.sum"; else failures+=('what ran beside: it broke off'); fi
  count_step "$good" "$bad"
  [ -s "$scratch/beside.failures" ] || return 0
  while IFS= read -r -d '' failure; do failures+=("$failure"); done <"$scratch/beside.failures"
}

# scenario_suite STEP SECONDS SETS: every scenario is a mocha suite; its results go to Allure too. Run serially: the lab owns the machine.
scenario_suite() {
  local begin=$SECONDS counts="$scratch/$1" code
  say "$1"
  SCENARIO_SETS="$3" TEST_COUNTS="$counts" timeout --kill-after=60 "$2" mocha --no-config --retries 0 --forbid-only --fail-zero \
    --timeout 240000 --slow 60000 --node-option enable-source-maps --reporter allure-mocha \
    --reporter-option resultsDir=reports/allure-results,extraReporters=./scripts/mocha-reporter.cjs \
    dist/scenarios/scenarios.spec.js
  code=$?
  count_suite "$1" "$counts" "$code" $((SECONDS - begin))
}

# count_suite NAME COUNTS_FILE EXIT_CODE SECONDS: no counts, no tests, or a bad exit without a failed test is a failure too.
count_suite() {
  local name=$1 counts=$2 code=$3 took=$4 good=0 bad=0 pending=0
  if [ -s "$counts" ]; then
    read -r good bad pending <"$counts"
  fi
  count_step "$good" "$bad"
  printf '%s: %s passed, %s failed, %s skipped in %s s\n' "$name" "$good" "$bad" "$pending" "$took"
  [ "$bad" -gt 0 ] && failures+=("$name: $bad test(s)
$(tail -c 20000 "$counts.failed" 2>&1)")
  if [ $((good + bad)) -eq 0 ]; then
    count_step 0 1
    failures+=("$name: no test ran (exit code $code)")
  elif [ "$code" -ne 0 ] && [ "$bad" -eq 0 ]; then
    count_step 0 1
    failures+=("$name: ended with exit code $code although no test failed (124 = out of time)")
  fi
}
