#!/usr/bin/env bash
# The image, from nothing: a Debian base made here, deploy/Dockerfile over it, run as it will be run (user 10001, root read-only,
# no capability, no network but its own loopback), asked, fed, stopped, started again.
set -uo pipefail
cd "$(dirname "$0")/../.."
passed=0 failed=0
TOOLS=$PWD/build/tools
BASE=localhost/debian:bookworm
IMAGE=localhost/enclaved:test

finish() {
    echo "$passed passed, $failed failed, ${1:-0} skipped"
    [ "$failed" = 0 ]
    exit
}

skip() {
    echo "skipped the image: $*"
    finish 1
}

# case_of "what it says" command...
case_of() {
    local what=$1
    shift
    if "$@"; then
        passed=$((passed + 1))
        echo "ok      $what"
    else
        failed=$((failed + 1))
        echo "FAILED  $what"
    fi
}

[ "$(id -u)" = 0 ] || skip "needs root"
deploy/build/need tests/image/packages.txt || skip "tests/image/packages.txt cannot be installed"

work=$(mktemp -d)
export STORAGE_DRIVER=${STORAGE_DRIVER:-overlay} BUILDAH_ISOLATION=chroot
in_store() { local program=$1; shift; "$program" --root "$work/storage" --runroot "$work/run" "$@"; }
pod() { in_store podman --runtime runc "$@"; }
clean() {
    pod rm -f node >/dev/null 2>&1
    umount "$work/storage/overlay" 2>/dev/null
    rm -rf "$work"
}
trap clean EXIT

base=$TOOLS/bookworm.tar
if [ ! -s "$base" ]; then
    mkdir -p "$TOOLS"
    mmdebstrap --quiet --format=tar --variant=minbase --include=ca-certificates bookworm "$base.new" && mv "$base.new" "$base" ||
        skip "mmdebstrap reaches no mirror"
fi
pod import --quiet "$base" "$BASE" >/dev/null || skip "podman cannot store an image here"

build() {
    in_store buildah bud --quiet --format docker --isolation chroot --network host --build-arg BASE="$BASE" \
        --build-arg VERSION=1.2.3 --build-arg REVISION=abc -t "$IMAGE" -f deploy/Dockerfile . >/dev/null
}
case_of "it builds" build
[ "$failed" = 0 ] || finish

shown() { [ "$(pod image inspect --format "$1" "$IMAGE")" = "$2" ] || { pod image inspect --format "$1" "$IMAGE"; false; }; }
case_of "its user is 10001" shown '{{.Config.User}}' 10001:10001
case_of "it stops by SIGTERM" shown '{{.Config.StopSignal}}' SIGTERM
case_of "its data is a volume" shown '{{.Config.Volumes}}' 'map[/var/lib/enclaved:{}]'
case_of "its version is told" shown '{{index .Config.Labels "org.opencontainers.image.version"}}' 1.2.3
case_of "its revision is told" shown '{{index .Config.Labels "org.opencontainers.image.revision"}}' abc
case_of "the program asks for its own health" shown '{{.HealthCheck.Test}}' '[CMD /usr/local/bin/encctl health]'
size=$(pod image inspect --format '{{.Size}}' "$IMAGE")
echo "size: $size bytes"
case_of "it is small" test "$size" -lt 64000000

# The limits are those of small machines; where they may be raised, they need not be.
confined=(--ulimit nofile=16384:16384 --ulimit nproc=1000:1000 --network none --read-only --cap-drop ALL
    --security-opt no-new-privileges --tmpfs /tmp)
ctl() { pod exec "$@"; }
ready() {
    for _ in $(seq 100); do
        ctl node /usr/local/bin/encctl health >"$work/health" 2>&1 && return
        sleep 0.2
    done
    cat "$work/health"
    pod logs node | tail -n 5
    return 1
}
encctl() { ctl -i node /usr/local/bin/encctl "$@"; }
no_shell() { ! pod run --rm "${confined[@]}" --entrypoint /bin/sh "$IMAGE" -c true >"$work/shell" 2>&1; }
says_version() { pod run --rm "${confined[@]}" "$IMAGE" --version | grep -q '^enclaved '; }

case_of "it tells its version" says_version
case_of "it has no shell" no_shell
start() { pod run -d --name node "${confined[@]}" -v data:/var/lib/enclaved "$IMAGE" >/dev/null; }
case_of "it starts as 10001 with a read-only root" start
case_of "/readyz says ready" ready
case_of "its HEALTHCHECK passes" pod healthcheck run node

found() {
    encctl keygen /tmp/key >/dev/null && owner=$(encctl --key /tmp/key --json pubkey | jq -r .pub) &&
        jq -nc --arg owner "$owner" '{enc_v: 1, RBAC: {roles: [], initial_state: {Owner: [$owner]},
            schema: [{event: "Post", role: "Owner", ops: ["C"]}, {event: "*", role: "Public", ops: ["R"]}]}}' |
        encctl --key /tmp/key --json create --manifest - >"$work/receipt" && enclave=$(jq -r .enclave "$work/receipt")
}
commit() { encctl --key /tmp/key --json commit "$enclave" Post hello | jq -e .seq >/dev/null; }
kept() { encctl --json query "$enclave" | jq -e 'select(.event.content == "hello")' >/dev/null; }
true_log() { encctl verify "$enclave" >/dev/null; }
case_of "an enclave is created in it" found
case_of "an event is committed" commit
case_of "the log is true" true_log

stop() { pod stop -t 20 node >/dev/null && [ "$(pod inspect --format '{{.State.ExitCode}}' node)" = 0 ]; }
case_of "SIGTERM ends it with status 0" stop
case_of "it starts again" pod start node
case_of "and is ready" ready
case_of "the event is still there" kept
case_of "and the log is true" true_log
finish
